"""The top of the page: what a reader who reads nothing else should know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lissnas.reports.comparison import comparison_summary
from lissnas.reports.data import RunData
from lissnas.reports.formats import coefficient, count, number, times
from lissnas.reports.page import Tile
from lissnas.reports.verdict import verdicts

__all__ = ["summary"]


def summary(data: RunData) -> tuple[str, list[str], list[Tile]]:
    """Title, sentences and headline numbers of a run's page."""
    if data.get("compare"):
        return comparison_summary(data)
    name = str(data.get("space.name") or "a search space")
    shrunk = data.get("shrink.shrunk")
    title = f"{name}: {'a smaller space' if shrunk else 'a run'} for {data.metric_name}"
    lead, tiles = _spaces(data)
    lead.extend(v.sentence for v in verdicts(data))
    if shrunk and shrunk.get("shrink_index"):
        index = shrunk["shrink_index"]
        between = f"95 % interval {coefficient(index['low'])} to {coefficient(index['high'])}"
        tiles.append(Tile("Shrink index", coefficient(index["value"]), between))
    predictor = data.get("predictor")
    if predictor:
        tau = f"Kendall τ {coefficient(predictor['kendall'])}"
        tiles.append(Tile("Predictor", tau, f"on held-out networks, of {count(predictor['n'])} scored"))
    if data.get("best"):
        tiles.append(_best(data))
    return title, lead, tiles


def _spaces(data: RunData) -> tuple[list[str], list[Tile]]:
    full, shrunk = data.get("shrink.full"), data.get("shrink.shrunk")
    if not full or not shrunk:
        return [], []
    before, after = int(data.metrics["space"]["cardinality"]), int(shrunk["cardinality"])
    better = "higher is better" if data.higher_is_better else "lower is better"
    word = "measured" if shrunk.get("source") == "true" else "predicted"
    sampled = "" if full.get("exact", True) and shrunk.get("exact", True) else ", best of a sample"
    return [f"From {count(before)} networks to {count(after)}."], [
        Tile("Networks", f"{count(before)} → {count(after)}", f"{times(before / after)} times fewer"),
        Tile(f"Mean {data.metric_label}", _change(full, shrunk, "mean"), f"{word}; {better}"),
        Tile(f"Best {data.metric_label}", _change(full, shrunk, "best"), f"{word}{sampled}"),
    ]


def _change(full: Mapping[str, Any], shrunk: Mapping[str, Any], what: str) -> str:
    return f"{number(full[what])} → {number(shrunk[what])}"


def _best(data: RunData) -> Tile:
    ours = data.get("final.ours")
    if ours:
        note = f"{data.metric_label} on the test set"
        if ours.get("test_low") is not None:
            note += f", 95 % interval {number(ours['test_low'])} to {number(ours['test_high'])}"
        return Tile("Best network, retrained", number(ours["test"]), note)
    best = data.metrics["best"]
    if best.get("measured") is not None:
        return Tile("Best network", number(best["measured"]), f"{data.metric_label}, measured")
    if best.get("inherited") is not None:
        return Tile("Best network", number(best["inherited"]), f"{data.metric_label}, with inherited weights")
    return Tile("Best network", number(best["predicted"]), f"{data.metric_label}, predicted only")
