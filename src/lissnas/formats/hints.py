"""What to say about a wrong name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = ["nearest"]


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint for a wrong ``name``: the nearest of the ``known`` ones, or some of them."""
    known = tuple(known)
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.6)
    if near:
        return f"did you mean {' or '.join(near)}?"
    some = ", ".join(known[:8]) + (" ..." if len(known) > 8 else "")
    return f"there are {some}" if known else "there are none"
