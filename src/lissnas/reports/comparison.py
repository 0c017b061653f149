"""What the sections of a comparison share: how a size is called, a mean with its spread, how far predictors can be trusted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean, stdev
from typing import Any

from lissnas.reports.data import RunData
from lissnas.reports.formats import MISSING, coefficient, count, number
from lissnas.reports.page import Tile

__all__ = ["SCORES", "TRUST", "at_size", "comparison_summary", "spread", "trusted"]

SCORES = {"true_mean": "true mean", "predicted_mean": "predicted mean"}
# of a predictor, on networks that it has not learned from: what it is called, and how it is written
TRUST = {
    "kendall": ("Kendall τ", "coefficient"),
    "spearman": ("Spearman", "coefficient"),
    "r2": ("R²", "coefficient"),
    "top_overlap": ("Top 10% kept", "share"),
    "top_5": ("Top 5% kept", "share"),
    "top_1": ("Top 1% kept", "share"),
    "uncertainty_kendall": ("τ of uncertainty and error", "coefficient"),
    "within_two": ("Within two uncertainties", "share"),
}


def at_size(asked: int | None) -> str:
    """The heading of the numbers at one size."""
    return "at each method's own size" if asked is None else f"at {count(asked)} networks"


def spread(value: Mapping[str, Any] | None, kind: str = "number") -> str:
    """A mean over seeds and its standard deviation: 93.21 ± 0.04."""
    if value is None or value["mean"] is None:
        return MISSING
    write = coefficient if kind == "coefficient" else number
    mean = f"{100 * value['mean']:.1f} %" if kind == "share" else write(value["mean"])
    if value["spread"] is None:
        return mean
    if kind == "share":
        return f"{mean} ± {100 * value['spread']:.1f}"
    decimals = len(mean.partition(".")[2]) if "e" not in mean and mean[-1].isdigit() else None
    return f"{mean} ± {number(value['spread']) if decimals is None else format(value['spread'], f'.{decimals}f')}"


def trusted(fitted: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """What each kind of predictor with so many pairs is worth, over seeds: with several numbers of pairs a learning curve.

    Args:
        fitted: one for each seed, kind and number of pairs, as ``metrics.json`` has them.

    Returns:
        A row for each kind and number of pairs, with those columns of ``TRUST`` that any of them has a number in.
    """
    known = {key: write for key, (_, write) in TRUST.items() if any(one.get(key) is not None for one in fitted)}
    rows = []
    for kind, labels in sorted({(one["predictor"], one["labels"]) for one in fitted}):
        row = {"predictor": kind, "labels": count(labels)}
        for key, write in known.items():
            same = [one.get(key) for one in fitted if (one["predictor"], one["labels"]) == (kind, labels)]
            found = [float(value) for value in same if value is not None]
            mean = fmean(found) if len(found) == len(same) else None
            row[key] = spread({"mean": mean, "spread": stdev(found) if len(found) > 1 else None}, write)
        rows.append(row)
    return rows


def comparison_summary(data: RunData) -> tuple[str, list[str], list[Tile]]:
    """Title, sentences and headline numbers of a comparison's page."""
    found = data.metrics["compare"]
    name = str(data.get("space.name") or "a search space")
    applying = [row["method"] for row in found["methods"] if not row["reason"]]
    lead = [
        f"{len(applying)} methods, each with {found['seeds']} seeds, {count(found['pairs'])} pairs for its predictor and "
        f"{count(found['queries'])} queries."
    ]
    if not found["checked"]:
        lead.append("No true scores are known: all means are predicted by the predictor that chose the networks.")
    lead += [sentence for table in found["tables"] if (sentence := _best(table, found["higher_is_better"]))]
    tiles = [
        Tile("Networks", count(int(data.metrics["space"]["cardinality"])), "in the given space"),
        Tile("Methods", count(len(applying)), f"of {count(len(found['methods']))} that were asked for"),
    ]
    predictor = data.get("predictor")
    if predictor:
        tiles.append(Tile("Predictor", f"Kendall τ {coefficient(predictor['kendall'])}", f"on {predictor['checked_on']}"))
    return f"{name}: shrinkers compared by {data.metric_name}", lead, tiles


def _best(table: Mapping[str, Any], higher: bool) -> str:
    score = table["score"]
    there: Sequence[Any] = [row for row in table["rows"] if row["left_out"] is None and row[score]["mean"] is not None]
    if len(there) < 2 or table["asked"] is None:
        return ""
    best = (max if higher else min)(there, key=lambda row: row[score]["mean"])
    others = {name for group in (table["ranking"] or {}).get("groups", []) if best["method"] in group for name in group}
    others -= {best["method"]}
    alone = " By ranks it can be told apart from all others."
    if others:
        alone = f" By ranks it cannot be told apart from {len(others)} other{'s' if len(others) > 1 else ''}."
    elif not table["ranking"]:
        alone = ""
    where, value = at_size(table["asked"]).capitalize(), spread(best[score])
    return f"{where} the best {SCORES[score]} is that of {best['method']}, {value}.{alone}"
