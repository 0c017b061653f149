"""The verdicts, worked by hand."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest

from lissnas.experiments.table3 import _above
from lissnas.experiments.verdict import (
    VERDICTS,
    Claim,
    Measured,
    Rule,
    exactly,
    holds,
    judge,
    over_seeds,
    over_seeds_as_ratio,
    times,
    within,
)

CASES: list[tuple[float | None, Rule, Measured, str]] = [
    # numbers
    (92.1, within(0.5), Measured(92.5), "reproduced"),
    (92.1, within(0.5), Measured(92.6), "reproduced"),
    (92.1, within(0.5), Measured(92.7), "differs"),
    (92.1, within(0.5), Measured(92.7, 92.5, 92.9), "differs"),  # its interval reaches in: said, but not reproduced
    (13_000, times(2), Measured(6_500.0), "reproduced"),
    (13_000, times(2), Measured(26_001.0), "differs"),
    (13_000, times(2), Measured(280.0, 200.0, 360.0), "differs"),
    # arithmetic: another number contradicts
    (7352.0, exactly(), Measured(7352.0, exact=True), "reproduced"),
    (27e6, exactly(0.05), Measured(19_309.0, exact=True), "contradicts"),
    (1.85e18, exactly(2e-3), Measured(1.8468e18, exact=True), "reproduced"),
    # statements
    (None, holds(), Measured(0.4, 0.1, 0.7, seeds=5), "reproduced"),
    (None, holds(), Measured(0.4, -0.1, 0.9, seeds=5), "differs"),
    (None, holds(), Measured(-0.4, -0.7, -0.1, seeds=5), "contradicts"),
    (None, holds(), Measured(0.2, exact=True), "reproduced"),
    (None, holds(), Measured(-0.2, exact=True), "contradicts"),
    (None, holds(), Measured(0.2), "differs"),  # one seed has no interval
    # what cannot be judged
    (92.1, within(0.5), Measured(None, note="10 networks have a score"), "needs DATA"),
    (92.1, within(0.5), Measured(math.nan), "needs DATA"),
    (94.6, within(0.2), Measured(94.6, needs="every cell"), "needs DATA"),
]


@pytest.mark.parametrize(("published", "rule", "measured", "verdict"), CASES)
def test_verdicts(published: float | None, rule: Rule, measured: Measured, verdict: str) -> None:
    judged = judge(Claim("a", "a", published, rule), measured)
    assert judged.verdict == verdict
    assert judged.verdict in VERDICTS
    assert judged.why


def test_what_was_not_measured_needs_data_and_says_which() -> None:
    assert judge(Claim("a", "a", 1.0, within(1), needs="ImageNet"), None).why == "ImageNet"
    assert judge(Claim("a", "a", 1.0, within(1)), Measured(None, note="too few")).why == "too few"


def test_a_lost_number_is_shown_and_not_judged() -> None:
    claim = Claim("a", "a", None, times(2), lost=True)
    assert judge(claim, Measured(33.0)).verdict == "lost in the paper"
    assert judge(claim, Measured(33.0, needs="ImageNet")).verdict == "needs DATA"
    assert judge(claim, None).verdict == "needs DATA"


def test_a_near_miss_says_that_its_interval_agrees() -> None:
    near = judge(Claim("a", "a", 92.1, within(0.5)), Measured(92.7, 92.5, 92.9))
    assert "part of its interval is" in near.why


def test_over_seeds_is_students_interval() -> None:
    found = over_seeds([1.0, 2.0, 3.0])
    assert found.value == 2.0
    width = 4.302652729911275 / math.sqrt(3)  # t at 2 degrees of freedom, times s / sqrt(n) with s = 1
    assert found.low == pytest.approx(2 - width)
    assert found.high == pytest.approx(2 + width)
    assert found.seeds == 3


def test_errors_of_the_judged_networks_do_not_average_out() -> None:
    assert over_seeds([2.0, 2.0], [0.1, 0.1]).high == pytest.approx(2 + 1.96 * 0.1)
    assert over_seeds([2.0], [0.1]).low == pytest.approx(2 - 1.96 * 0.1)
    assert over_seeds([2.0]).low is None
    assert over_seeds([]).value is None


def test_seeds_that_agree_by_chance_are_no_proof() -> None:
    rows = [{"lissnas": ours, "full": theirs} for ours, theirs in ((93.4, 92.3), (93.2, 92.1), (93.1, 92.0))]
    seeds: Any = [
        SimpleNamespace(rows={key: SimpleNamespace(found={"best": value}) for key, value in row.items()}) for row in rows
    ]
    found = _above(seeds, "top-1", ["full"])
    assert found.value == pytest.approx(1.1)  # in each seed, up to rounding
    assert judge(Claim("a", "a", None, holds()), found).verdict == "differs"


def test_sizes_are_averaged_as_ratios() -> None:
    found = over_seeds_as_ratio([10.0, 1000.0])
    assert found.value == pytest.approx(100)
    assert found.low is not None
    assert found.low > 0
