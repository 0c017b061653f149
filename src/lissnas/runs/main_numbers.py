"""What the job ``main`` shows: the two supernets against networks trained alone, in numbers and in words."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from lissnas.quality import rank_correlation
from lissnas.quality.correlation import tau_difference
from lissnas.runs.directory import Run

__all__ = ["BOTH", "compare_supernets", "summarize_training", "supernet_difference"]

BOTH = ("full", "shrunk")
NOTHING = {"value": None, "low": None, "high": None}


def compare_supernets(rows: list[dict[str, Any]], run: Run) -> dict[str, Any]:
    """How each supernet orders the common sample of networks trained alone, and each half of it.

    Args:
        rows: a network each: ``measured``, the inherited accuracy by supernet, and where it was drawn ``from``.
    """
    result: dict[str, Any] = {}
    for name in BOTH:
        result[name] = {**_correlation(name, rows, run), "parts": {}}
        for origin in BOTH:
            part = [row for row in rows if row["from"] == origin]
            result[name]["parts"][f"drawn from the {origin} space"] = _correlation(name, part, run)
    return result


def supernet_difference(rows: list[dict[str, Any]], run: Run) -> dict[str, Any]:
    """How much larger the Kendall tau of the shrunk space's supernet is than that of the full space's, on the same networks."""
    full, shrunk, truth = (np.array([row[key] for row in rows]) for key in (*BOTH, "measured"))
    if any(np.ptp(scores) == 0 for scores in (full, shrunk, truth)):
        return {"n": len(rows), **NOTHING}
    rng = run.rng(f"correlation-difference-{len(rows)}")
    return {"n": len(rows), **asdict(tau_difference(shrunk, full, truth, rng))}


def _correlation(name: str, rows: list[dict[str, Any]], run: Run) -> dict[str, Any]:
    truth, inherited = (np.array([row[key] for row in rows]) for key in ("measured", name))
    if np.ptp(truth) == 0 or np.ptp(inherited) == 0:
        return {"n": len(rows), "pearson": NOTHING, "kendall": NOTHING, "reason": "all scores are equal"}
    return asdict(rank_correlation(inherited, truth, run.rng(f"correlation-{name}-{len(rows)}")))


def summarize_training(metrics: dict[str, Any]) -> list[str]:
    """What training showed, for a newcomer."""
    final, lines = metrics["final"], []
    for name in BOTH:
        found = metrics["supernets"][name]
        tau = found["kendall"]
        if tau["value"] is not None:
            lines.append(
                f"Supernet on the {name} space: Kendall tau {tau['value']:.2f} ({tau['low']:.2f} to {tau['high']:.2f}) "
                f"against {found['n']} networks trained alone."
            )
    difference = metrics["supernet_difference"]
    if difference["value"] is not None:
        lines.append(_who_ranks_better(difference))
    labels = {"ours": "found in the shrunk space", "full_search": "found in the full space", "random": "a random network"}
    for name, label in labels.items():
        row = final[name]
        lines.append(
            f"Retrained, {label}: validation {row['validation']:.2f}%, test {row['test']:.2f}% "
            f"({row['test_low']:.1f} to {row['test_high']:.1f})."
        )
    for name, whom in (("full_search", "the one found in the full space"), ("random", "the random one")):
        if name in final.get("paired", {}):  # runs of an earlier version lack it
            lines.append(_who_is_right(whom, final["paired"][name]))
    if final["ours"]["test"] <= max(final["full_search"]["test"], final["random"]["test"]):
        lines.append(
            "On the test images the network from the shrunk space is NOT better than both others: no improvement shown here."
        )
    lines.append("The best network is exported: networks/best.safetensors and networks/best.onnx in the run directory.")
    return lines


def _who_is_right(whom: str, paired: dict[str, Any]) -> str:
    told = f"Ours alone is right on {paired['ours']} test images, {whom} alone on {paired['theirs']}"
    return f"{told} (McNemar's exact test, p = {paired['p_value']:.2g})."


def _who_ranks_better(difference: dict[str, float]) -> str:
    by = f"by {difference['value']:+.2f} ({difference['low']:+.2f} to {difference['high']:+.2f}) in Kendall tau"
    if difference["low"] <= 0 <= difference["high"]:
        return f"Neither supernet is shown to rank networks better: the shrunk space's differs {by}."
    if difference["value"] < 0:
        return f"The supernet on the shrunk space does NOT rank networks better: it differs {by}."
    return f"The supernet on the shrunk space ranks networks better, {by}."
