"""Loops that are compiled to machine code when they are first called. Importing this file imports Numba."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba

__all__ = ["compiled"]


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile when first called, and keep the machine code on disk where there is a place for it."""
    try:
        result: Callable[..., Any] = numba.njit(cache=True, nogil=True)(function)
    except RuntimeError:  # neither the package's folder nor the user's cache can be written
        result = numba.njit(nogil=True)(function)
    return result
