"""Where the scores of each space lie: the empirical distribution function and Kolmogorov-Smirnov (paper Sec. 5.2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lissnas.reports import charts
from lissnas.reports.data import RunData
from lissnas.reports.formats import number
from lissnas.reports.markup import Column, figure, table
from lissnas.reports.section import Numbers, Section

_SPACES = {"full": "full", "naive": "naive", "shrunk": "shrunk"}
_MARKS = {"full": "dashed", "naive": "dotted", "shrunk": "line"}
_QUANTILES = ((0.0, "lowest"), (0.1, "10 %"), (0.25, "25 %"), (0.5, "50 %"), (0.75, "75 %"), (0.9, "90 %"), (1.0, "highest"))
_STEPS = 200  # steps of a drawn curve: a thousand would look the same


def numbers(data: RunData) -> Numbers | None:
    """The steps of each curve, quantiles of each space, and the tests between them."""
    edf = data.get("edf")
    present = [name for name in _SPACES if edf and edf.get(name)]
    if not edf or len(present) < 2:
        return None
    return {
        "steps": [step for name in present for step in _steps(name, edf[name])],
        "present": present,
        "quantiles": [{"space": name, "n": len(edf[name]), **_quantiles(edf[name])} for name in present],
        "tests": [
            {"pair": " against ".join(pair.replace("_vs_", "_").split("_")), **test}
            for pair, test in (edf.get("ks") or {}).items()
        ],
        "metric": data.drawn_label,
        "higher_is_better": data.higher_is_better,
        "command": data.command,
    }


def draw(numbers: Numbers) -> str:
    """The curves; under them the quantiles and the tests."""
    side = "right" if numbers["higher_is_better"] else "left"
    medians = ", ".join(f"{row['space']} {number(row['50 %'])}" for row in numbers["quantiles"])
    drawing = charts.chart(_chart(numbers), says=f"Share of networks at or below each score. Medians: {medians}.", height=300)
    quantiles = table(
        [Column("space", "Space", "text"), Column("n", "Scores", "count"), *(Column(label, label) for _, label in _QUANTILES)],
        numbers["quantiles"],
        source="edf",
        caption=f"{numbers['metric']}: quantiles of the scores drawn",
    )
    tests = table(
        [
            Column("pair", "Spaces", "text"),
            Column("statistic", "KS statistic", "coefficient"),
            Column("p_value", "p", "probability"),
            Column("better_statistic", "One-sided: first is better", "coefficient"),
            Column("better_p_value", "Its p", "probability"),
        ],
        numbers["tests"],
        source="edf.ks",
        caption="Kolmogorov-Smirnov between the distributions",
    )
    return figure(
        charts.legend({n: charts.COLORS[n] for n in numbers["present"]}, _MARKS) + drawing,
        f"The share of networks whose score is at most what the axis says. A curve further {side} is a better space; a steeper "
        "one, a more even one.",
        quantiles + (tests if numbers["tests"] else ""),
        source="edf",
        command=numbers["command"],
    )


def _steps(name: str, scores: Sequence[float]) -> list[dict[str, Any]]:
    ordered = sorted(scores)
    steps = [{"space": name, "score": score, "share": (i + 1) / len(ordered)} for i, score in enumerate(ordered)]
    return charts.thinned(steps, _STEPS)


def _quantiles(scores: Sequence[float]) -> dict[str, float]:
    # the scores themselves, not values between them: each can be found in metrics.json
    ordered = sorted(scores)
    return {label: ordered[round(q * (len(ordered) - 1))] for q, label in _QUANTILES}


def _chart(numbers: Numbers) -> Any:
    alt = charts.altair()
    present = numbers["present"]
    dashes = {"full": [6, 3], "naive": [2, 2], "shrunk": [1, 0]}
    base = alt.Chart(charts.data(numbers["steps"])).encode(
        x=alt.X("score:Q", title=numbers["metric"], scale=alt.Scale(zero=False)),
        y=alt.Y("share:Q", title="share of networks", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%", tickCount=5)),
        color=charts.colored("space", {name: charts.COLORS[name] for name in present}),
    )
    lines = base.mark_line(interpolate="step-after", strokeWidth=2).encode(
        strokeDash=charts.colored("space", {name: dashes[name] for name in present}, "StrokeDash")
    )
    hover = base.mark_point(opacity=0, size=90, filled=True).encode(
        tooltip=[
            alt.Tooltip("space:N", title="space"),
            alt.Tooltip("score:Q", title=numbers["metric"], format=",.5~r"),
            alt.Tooltip("share:Q", title="at most this", format=".1%"),
        ]
    )
    return lines + hover


SECTION = Section("Distribution of scores", numbers, draw)
