"""A published number or statement, what we measured of it, and the verdict."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

__all__ = [
    "VERDICTS",
    "Claim",
    "Judged",
    "Measured",
    "Rule",
    "exactly",
    "holds",
    "judge",
    "over_seeds",
    "over_seeds_as_ratio",
    "times",
    "within",
]

VERDICTS = ("reproduced", "differs", "contradicts", "needs DATA", "lost in the paper")
Verdict = Literal["reproduced", "differs", "contradicts", "needs DATA", "lost in the paper"]


@dataclass(frozen=True)
class Rule:
    """How a measured value is judged, see :func:`within`, :func:`times`, :func:`exactly` and :func:`holds`."""

    kind: Literal["within", "times", "exactly", "holds"]
    tolerance: float = 0.0

    def __str__(self) -> str:
        match self.kind:
            case "within":
                return f"within {self.tolerance:g}"
            case "times":
                return f"within a factor of {self.tolerance:g}"
            case "exactly":
                return f"equal, as rounded in print (to {self.tolerance:.2g} of it)" if self.tolerance else "equal"
        return "above 0 with its whole interval"


def within(tolerance: float) -> Rule:
    """A number: reproduced where ours lies at most ``tolerance`` away."""
    return Rule("within", tolerance)


def times(factor: float) -> Rule:
    """A size or a factor: reproduced where the two are at most ``factor`` apart, as a ratio."""
    return Rule("times", factor)


def exactly(rounding: float = 0.0) -> Rule:
    """Arithmetic, or a count of all there is: another number contradicts the published one.

    Args:
        rounding: how far the published number may be off by being rounded, as a share of it.
    """
    return Rule("exactly", rounding)


def holds() -> Rule:
    """A statement as a difference that should be above 0.

    Reproduced where the whole 95% interval is, contradicted where the whole interval is below, and otherwise told apart from
    neither.
    """
    return Rule("holds")


@dataclass(frozen=True)
class Claim:
    """One thing that the paper says.

    Attributes:
        key: unique in its experiment.
        says: what it is.
        published: the number; None for a statement, or where the number is lost (``lost``).
        rule: how ours is judged.
        unit: of both numbers.
        lost: the number was printed but did not come down to us.
        needs: what it takes to judge it, where nothing here can.
        ours: no number of the paper's, and measured only where it is asked for: left out where it was not.
    """

    key: str
    says: str
    published: float | None
    rule: Rule
    unit: str = ""
    lost: bool = False
    needs: str = ""
    ours: bool = False


@dataclass(frozen=True)
class Measured:
    """What we have of a claim.

    Attributes:
        value: None where there is nothing.
        low, high: its 95% interval; None where it has none to speak of (one seed, or exact).
        exact: nothing of it is left to chance.
        seeds: how many runs it comes from.
        note: how it was had, or what stands beside it.
        needs: what is still needed before it can be judged; the value is then shown and not judged.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    exact: bool = False
    seeds: int = 1
    note: str = ""
    needs: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return dict(self.__dict__)


@dataclass(frozen=True)
class Judged:
    """A claim with what was measured and the verdict, and why."""

    claim: Claim
    measured: Measured
    verdict: Verdict
    why: str

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        claim = self.claim
        return {
            "key": claim.key,
            "says": claim.says,
            "published": claim.published,
            "unit": claim.unit,
            "statement": claim.rule.kind == "holds",
            "tolerance": str(claim.rule),
            **{name: getattr(self.measured, name) for name in ("value", "low", "high", "exact", "seeds", "note")},
            "verdict": self.verdict,
            "why": self.why,
        }


def judge(claim: Claim, measured: Measured | None) -> Judged:
    """The verdict on ``claim``.

    What cannot be judged (nothing measured, a stand-in, a maximum from a sample) needs data; what was never handed down is
    lost; everything else is judged by the claim's rule.
    """
    if measured is None or measured.value is None or not math.isfinite(measured.value):
        why = claim.needs or (measured.needs or measured.note if measured else "") or "nothing here can measure it"
        return Judged(claim, measured or Measured(None), "needs DATA", why)
    if measured.needs:
        return Judged(claim, measured, "needs DATA", measured.needs)
    if claim.lost:
        return Judged(claim, measured, "lost in the paper", "the published number did not come down to us")
    return Judged(claim, measured, *_by_rule(claim, measured))


def _by_rule(claim: Claim, measured: Measured) -> tuple[Verdict, str]:
    value = measured.value
    assert value is not None
    low = value if measured.low is None else measured.low
    high = value if measured.high is None else measured.high
    if claim.rule.kind == "holds":
        if not measured.exact and measured.low is None:
            what = "a single run has" if measured.seeds < 2 else "seeds that all gave the same have"
            return "differs", f"{what} no interval, so it cannot be told from chance: ask for more seeds"
        if low > 0:
            return "reproduced", "the whole interval is above 0"
        return ("contradicts", "the whole interval is below 0") if high < 0 else ("differs", "not told apart from 0")
    published = claim.published
    assert published is not None
    least, most = _allowed(claim.rule, published)
    if least <= value <= most:
        return "reproduced", str(claim.rule)
    if claim.rule.kind == "exactly":
        return "contradicts", "the published number cannot be: ours is exact"
    if high < least or low > most:
        return "differs", f"not {claim.rule}, nor is any of its interval" if high > low else f"not {claim.rule}"
    return "differs", f"not {claim.rule}, though part of its interval is"


def _allowed(rule: Rule, published: float) -> tuple[float, float]:
    if rule.kind == "times":
        return published / rule.tolerance, published * rule.tolerance
    off = abs(published) * rule.tolerance if rule.kind == "exactly" else rule.tolerance
    slack = 1e-9 * max(1.0, abs(published))
    return published - off - slack, published + off + slack


def over_seeds_as_ratio(values: Sequence[float], note: str = "") -> Measured:
    """As :func:`over_seeds` of sizes and factors, which vary by ratios: the geometric mean, and the interval of "
    "the logarithms."""
    found = over_seeds([math.log(value) for value in values], note=note)
    if found.value is None:
        return found
    bounds = [None if bound is None else math.exp(bound) for bound in (found.low, found.high)]
    return Measured(math.exp(found.value), bounds[0], bounds[1], seeds=found.seeds, note=note)


def over_seeds(values: Sequence[float], errors: Sequence[float] | None = None, note: str = "", needs: str = "") -> Measured:
    """The mean of one value per seed, with a 95% interval (Student's).

    Args:
        errors: the standard error of each value, from the networks that it was judged by. Those are partly the same in all
            seeds, so they do not average out: the interval is as wide as both sources together make it.
    """
    n = len(values)
    if n == 0:
        return Measured(None, note=note, needs=needs)
    mean = math.fsum(values) / n
    between = math.fsum((v - mean) ** 2 for v in values) / (n - 1) / n if n > 1 else 0.0
    inside = math.fsum(e * e for e in errors) / n if errors else 0.0
    if n == 1 and not inside:
        return Measured(mean, seeds=1, note=note, needs=needs)
    from scipy.special import stdtrit

    width = math.hypot(float(stdtrit(n - 1, 0.975)) * math.sqrt(between) if n > 1 else 0.0, 1.96 * math.sqrt(inside))
    return Measured(mean, mean - width, mean + width, seeds=n, note=note, needs=needs)
