"""Checks: functions with a name and a promise, run by a test runner or without one."""

from __future__ import annotations

import unittest
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lissnas.errors import UserError

__all__ = [
    "Check",
    "CheckFailedError",
    "CheckResult",
    "SkipCheck",
    "add_tests",
    "assert_uniform",
    "ensure",
    "ensure_refused",
    "resolve",
    "run_all",
]

SEED = 20240229
FALSE_ALARM = 1e-9  # of a statistical check; far below 1e-6, since a chi-square of counts has a heavier tail than its limit


class CheckFailedError(AssertionError):
    """A promise that does not hold, and what was seen instead."""


class SkipCheck(unittest.SkipTest):
    """A check that says nothing about this one, and why. Test runners report it as skipped."""


@dataclass(frozen=True)
class Check:
    """One promise of a contract.

    Attributes:
        name: short, in words: ``"round trip of codes"``.
        promise: what holds, in one sentence.
        function: takes the thing and a random generator; raises :class:`CheckFailedError` or :class:`SkipCheck`.
    """

    name: str
    promise: str
    function: Callable[[Any, np.random.Generator], None]

    def run(self, subject: Any) -> None:
        """Check ``subject``, always with the same chance."""
        self.function(subject, np.random.default_rng(SEED))


@dataclass(frozen=True)
class CheckResult:
    """What came of a check.

    Attributes:
        passed: whether the promise holds; None where the check has nothing to say here.
        detail: what was seen instead, or why the check has nothing to say; empty where all is well.
    """

    name: str
    promise: str
    passed: bool | None
    detail: str = ""


def run_all(checks: Sequence[Check], subject: Any) -> list[CheckResult]:
    """Run ``checks`` on ``subject``; whatever one raises is that one's failure."""
    results = []
    for check in checks:
        try:
            check.run(subject)
        except SkipCheck as reason:
            results.append(CheckResult(check.name, check.promise, None, str(reason)))
        except Exception as error:
            kind = "" if isinstance(error, CheckFailedError) else f"{type(error).__name__}: "
            results.append(CheckResult(check.name, check.promise, False, " ".join(f"{kind}{error}".split())))
        else:
            results.append(CheckResult(check.name, check.promise, True))
    return results


def add_tests(contract: type, checks: Iterable[Check], attribute: str) -> None:
    """Give ``contract`` one test method per check; its instances hold the subject in ``attribute``."""
    for check in checks:
        name = "test_" + "_".join("".join(c if c.isalnum() else " " for c in check.name).split())
        setattr(contract, name, _test_of(check, attribute, name))


def _test_of(check: Check, attribute: str, name: str) -> Callable[[Any], None]:
    def test(self: Any) -> None:
        check.run(resolve(type(self), attribute))

    test.__name__ = name
    test.__doc__ = check.promise
    return test


def resolve(contract: type, attribute: str) -> Any:
    """The subject of a contract class: its attribute, or what its method of that name returns. Made once for each class."""
    stored = f"_resolved_{attribute}"
    if stored not in vars(contract):
        value = getattr(contract, attribute, None)
        if value is None:
            raise NotImplementedError(f"{contract.__name__} must say what it tests: def {attribute}(self): return ...")
        if callable(value):
            value = getattr(contract(), attribute)()
        setattr(contract, stored, value)
    return vars(contract)[stored]


def ensure(condition: object, otherwise: str) -> None:
    """Fail with ``otherwise`` unless ``condition`` holds."""
    if not condition:
        raise CheckFailedError(otherwise)


def ensure_refused(what: str, call: Callable[[], Any], *words: str) -> None:
    """Fail unless ``call`` answers a user's mistake in one line that holds all of ``words``."""
    try:
        call()
    except UserError as error:
        message = str(error)
    except Exception as error:
        raise CheckFailedError(f"{what} must be answered by a UserError, but raised {type(error).__name__}: {error}") from error
    else:
        raise CheckFailedError(f"{what} must be refused, but was accepted")
    ensure(message.strip() and "\n" not in message, f"{what} must be answered in one line, but got {message!r}")
    for word in words:
        ensure(word in message, f"the answer to {what} must name '{word}', but is: {message}")


def assert_uniform(counts: NDArray[np.int64], what: str) -> None:
    """Fail if ``counts`` are not what equal chances give (chi-square)."""
    from scipy.special import chdtrc

    if len(counts) < 2:
        return
    expected = counts.sum() / len(counts)
    statistic = float(((counts - expected) ** 2 / expected).sum())
    chance = float(chdtrc(len(counts) - 1, statistic))
    ensure(
        chance > FALSE_ALARM,
        f"{what} must come equally often, but of {len(counts)} the rarest came {counts.min()} times and the commonest "
        f"{counts.max()} times in {counts.sum()} draws (chi-square {statistic:.0f}, a chance of {chance:.1g})",
    )
