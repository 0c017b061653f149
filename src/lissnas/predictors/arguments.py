"""Settings of predictors, checked one by one: the rule, and the value that broke it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from lissnas.errors import UserError

__all__ = ["check_choice", "check_number", "check_whole"]


def check_whole(name: str, value: Any, least: int, most: int) -> int:
    """A whole number from ``least`` to ``most``.

    Raises:
        UserError: another value.
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or not least <= value <= most:
        raise UserError(f"{name} must be a whole number from {least} to {most:,}, but got {value!r}")
    return int(value)


def check_number(name: str, value: Any, above: float, most: float, *, least_included: bool = False, other: str = "") -> float:
    """A number above ``above`` (or, with ``least_included``, from it on) and at most ``most``.

    Args:
        other: what else is allowed, for the message.

    Raises:
        UserError: another value.
    """
    number = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or not (above <= value if least_included else above < value) or value > most:
        low = f"at least {above:g}" if least_included else f"above {above:g}"
        raise UserError(f"{name} must be {low} and at most {most:g}{other}, but got {value!r}")
    return float(value)


def check_choice(name: str, value: Any, choices: Sequence[str]) -> str:
    """One of ``choices``.

    Raises:
        UserError: another value.
    """
    if value not in choices:
        raise UserError(f"{name} must be one of {', '.join(choices)}, but got {value!r}")
    return str(value)
