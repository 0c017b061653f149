"""How a number is written for a reader. One place, so that the same number looks the same everywhere."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any

__all__ = ["FORMATS", "anything", "coefficient", "count", "in_words", "interval", "number", "times", "written"]

MISSING = "–"
_WORDS = ((10**18, "quintillion"), (10**15, "quadrillion"), (10**12, "trillion"), (10**9, "billion"), (10**6, "million"))
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: float | None) -> str:
    """A measured quantity: about four significant digits, words for millions and more, powers of ten for what is tiny.

    0.93125 -> 0.9313; 93.125 -> 93.13; 322920000.0 -> 322.9 million; 1.2e-31 -> 1.2 × 10⁻³¹
    """
    if value is None or not math.isfinite(value):
        return MISSING
    size = abs(value)
    if size >= 1e6:
        return in_words(value, exact=True)
    if value == 0:
        return "0"
    if size < 1e-3:
        return _power_of_ten(value)
    decimals = 4 if size < 1 else 3 if size < 10 else 2 if size < 100 else 1 if size < 1000 else 0
    return f"{value:,.{decimals}f}".replace("-", "−")


def count(value: int) -> str:
    """A number of things: every digit up to a million, then words. 262144 -> 262,144; 4**20 -> 1.1 trillion."""
    return f"{value:,}" if abs(value) < 10**6 else in_words(value)


def in_words(value: float, *, exact: bool = False) -> str:
    """A large number as it is said: 1.1 trillion, 322.9 million; a power of ten from 10^21 on. Ints of any size are fine.

    Args:
        exact: keep zeros at the end (330.0 million), as a measured quantity should.
    """
    sign, size = ("−" if value < 0 else ""), abs(value)
    if size >= 10**21:
        return _power_of_ten(value)
    for unit, name in _WORDS:
        if size >= unit * 0.99995:  # 999,960 rounds to 1,000.0 of the smaller unit, which is one of this one
            scaled = size / unit
            digits = f"{scaled:.{1 if scaled >= 9.995 else 2}f}"
            return f"{sign}{digits if exact else digits.rstrip('0').rstrip('.')} {name}"
    return f"{value:,.0f}".replace("-", "−")


def times(factor: float) -> str:
    """A ratio of sizes, without false digits: 26.2144 -> 26; 3.14 -> 3.1; 1.1e8 -> 110 million."""
    if factor >= 1e6:
        return in_words(float(f"{factor:.2g}"))
    return f"{factor:,.0f}" if factor >= 10 else f"{factor:.1f}".removesuffix(".0")


def coefficient(value: float | None) -> str:
    """What lies between -1 and 1 (a correlation, a shrink index, a KS statistic): three decimals."""
    return MISSING if value is None or not math.isfinite(value) else f"{value:.3f}".replace("-", "−")


def edits(value: float) -> str:
    """A mean number of edits: one decimal."""
    return f"{value:.1f}"


def interval(value: str, low: str, high: str) -> str:
    """A written value with its interval: 0.414 [0.381, 0.442]."""
    return f"{value} [{low}, {high}]"


def share(value: float) -> str:
    """A fraction as a percentage: 0.2153 -> 21.5 %; 0.00002 -> 0.002 %."""
    percent = 100 * value
    decimals = 1 if percent >= 1 or percent == 0 else 3
    return f"{percent:.{decimals}f} %"


def probability(value: float) -> str:
    """A p-value; below what a double can tell apart it says so instead of 0."""
    return "< 10⁻³⁰⁰" if value == 0 else number(value)


def anything(value: Any) -> str:
    """A setting as its user wrote it: true, 0.5, several values with commas."""
    if value is None:
        return MISSING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.0f}" if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, (list, tuple)):
        return ", ".join(anything(v) for v in value) or "none"
    return str(value)


FORMATS: dict[str, Callable[[Any], str]] = {
    "number": number,
    "count": count,
    "coefficient": coefficient,
    "edits": edits,
    "share": share,
    "probability": probability,
    "plain": str,  # a small whole number that is a name: an iteration, a pocket
    "text": str,
    "setting": anything,
}


def written(value: Any, kind: str) -> str:
    """``value`` as ``kind`` (a key of ``FORMATS``) writes it; a dash where there is none."""
    return MISSING if value is None else FORMATS[kind](value)


def _power_of_ten(value: float) -> str:
    # Decimal takes an int of any size, where a float would overflow past 1e308.
    mantissa, _, exponent = f"{Decimal(value):.1e}".partition("e")
    return f"{mantissa.removesuffix('.0')} × 10{str(int(exponent)).translate(_SUPERSCRIPT)}".replace("-", "−")
