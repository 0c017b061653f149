"""The last thing printed: what a newcomer wants to know."""

from __future__ import annotations

from pathlib import Path
from typing import Any

__all__ = ["summarize"]


def summarize(metrics: dict[str, Any], directory: Path) -> str:
    """A short summary of a finished run."""
    if metrics["kind"] == "compare":
        from lissnas.cli.compare import summarize_comparison  # which imports the jobs, as this module's users do

        return summarize_comparison(metrics, directory)
    if metrics["kind"] == "reproduce":
        from lissnas.cli.reproduce import summarize_reproduction

        return summarize_reproduction(metrics, directory)
    lines = [""]
    if metrics["kind"] in ("supernet", "search", "retrain"):
        from lissnas.cli.one_shot import summarize_one_shot

        lines += summarize_one_shot(metrics, directory)
    else:
        lines += _shrinking(metrics)
    if metrics["kind"] == "main":
        from lissnas.runs.main_numbers import summarize_training

        lines += summarize_training(metrics)
    report = directory / "report.html"
    lines.append(f"Everything is in {directory}{f': open {report}' if report.exists() else ''}")
    return "\n".join(lines)


def _shrinking(metrics: dict[str, Any]) -> list[str]:
    full, shrunk = metrics["shrink"]["full"], metrics["shrink"]["shrunk"]
    name, higher = metrics["metric"]["name"], metrics["metric"]["higher_is_better"]
    before, after = int(metrics["space"]["cardinality"]), int(shrunk["cardinality"])
    index = shrunk["shrink_index"]
    improved = (shrunk["mean"] > full["mean"]) == higher
    best = metrics["best"]
    costs = ", ".join(f"{key} {value:.4g}" for key, value in best["costs"].items())
    tau = metrics["predictor"]["kendall"]
    limits = metrics["asked"].get("limits") or []
    about = "" if full["cardinality_is_exact"] else "about "
    within = (
        f" ({about}{_words(int(full['cardinality']))} of them with {' and '.join(limits)})"
        if int(full["cardinality"]) != before
        else ""
    )
    lines = [
        f"From {_words(before)} networks{within} to {after:,}.",
        f"Predicted {name}: mean {full['mean']:.4g} before, {shrunk['mean']:.4g} after; "
        f"best seen {full['best']:.4g} before, {shrunk['best']:.4g} after.",
        f"A random network is good (among the best tenth of what was given) with "
        f"{index['p_full']:.0%} before, {index['p_shrunk']:.0%} after.",
        f"Shrink index {index['value']:.2f} (95% interval {index['low']:.2f} to {index['high']:.2f}). "
        f"The predictor's held-out Kendall tau is {tau:.2f}.",
        f"Best network: {best['architecture']}",
        "  " + "; ".join(part for part in (_scores(best), costs) if part),
    ]
    truth = metrics["shrink"].get("truth") or {}
    if "shrunk" in truth:
        before, after = truth["full"], truth["shrunk"]
        lines.insert(
            2,
            f"True {name}, checked afterwards: mean {before['mean']:.4g} before, {after['mean']:.4g} after; "
            f"best {before['best']:.4g} before, {after['best']:.4g} after{_checked(before, after)}.",
        )
    elif truth:
        lines.insert(2, f"Too few of the shrunk space's networks have a true {name} to say how good they are.")
    if not improved:
        lines.insert(1, "The shrunk space is NOT better than the given one by its predicted mean.")
    if tau < 0.3:
        lines.insert(
            1, f"Careful: the predictor is weak (Kendall tau {tau:.2f}); measure more networks before you rely on this."
        )
    return lines


def _checked(*rows: dict[str, Any]) -> str:
    """How many networks true means come from, where that is not all of them."""
    if all(row["exact"] and str(row["scored"]) == row["cardinality"] for row in rows):
        return ""
    scored = " and ".join(f"{row['scored']:,}" for row in rows)
    return f" (of {scored} networks with a true score)"


def _scores(best: dict[str, Any]) -> str:
    known = {what: best.get(what) for what in ("predicted", "inherited", "measured", "test")}
    return ", ".join(f"{what} {value:.4g}" for what, value in known.items() if value is not None)


def _words(number: int) -> str:
    for size, word in ((10**12, "trillion"), (10**9, "billion"), (10**6, "million")):
        if size <= number < 1000 * size:
            return f"{number:,} ({number / size:.3g} {word})"
    return f"{number:,}" if number < 10**15 else f"{number:.3e}"
