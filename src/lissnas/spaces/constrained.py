"""A space with limits on what an architecture may cost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Genotypes
from lissnas.errors import UserError
from lissnas.spaces.base import Neighbors, SearchSpace
from lissnas.spaces.draw import propose_until_valid
from lissnas.spaces.expression import Expression
from lissnas.spaces.extremes import DRAWS, can_be_listed, cheapest, dearest
from lissnas.spaces.limits import check_limits, meets_limits
from lissnas.spaces.subspace import Subspace

__all__ = ["ConstrainedSpace"]

RARE = 1000  # where fewer than one in so many of these draws meets the limits, a space that can be listed is


class ConstrainedSpace(Subspace):
    """The architectures of ``parent`` that meet all ``limits``.

    The cardinality is counted where the parent has at most 2^20 architectures, and estimated from 100,000 draws beyond
    (``cardinality_is_exact``). ``sample`` rejects, so it stays uniform. ``neighbors`` beyond distance 1 keeps those of the
    parent's that meet the limits; a space of more than 4,096 architectures leaves a row out after 64 that did not.

    Raises:
        UserError: a limit that cannot be read, or no architecture that meets them.
    """

    def __init__(self, parent: SearchSpace, limits: Sequence[str], name: str | None = None) -> None:
        super().__init__(parent, name or parent.name)
        self.limits = check_limits(parent, limits)
        self.encodings = parent.encodings
        self.is_uniform = parent.is_uniform
        counted = can_be_listed(parent)
        if counted:
            self.cardinality = sum(int(self._meets(block).sum()) for block in parent.enumerate())
        else:
            drawn = parent.sample(DRAWS, np.random.default_rng(0))
            self.cardinality = round(parent.cardinality * float(self._meets(drawn).mean()))
            self.cardinality_is_exact = False
        if self.cardinality == 0:
            raise UserError(no_space_meets(parent, self.limits, proven=counted))

    def definition(self) -> dict[str, Any]:
        return {"kind": "constrained", "name": self.name, "parent": self.parent.definition(), "limits": list(self.limits)}

    def _meets(self, genotypes: Genotypes) -> NDArray[np.bool_]:
        return meets_limits(self.parent, genotypes, self.limits)

    def enumerate(self, block: int = 1 << 16) -> Iterator[Genotypes]:
        for genotypes in self.parent.enumerate(block):
            yield genotypes[self._meets(genotypes)]

    def _sample(self, n: int, rng: np.random.Generator) -> Genotypes:
        return sample_within(self.parent, n, self.limits, rng)

    def _is_valid(self, genotypes: Genotypes) -> NDArray[np.bool_]:
        return self.parent.is_valid(genotypes) & self._meets(genotypes)

    def _neighbors_beyond(self, genotypes: Genotypes, edits: int, rng: np.random.Generator) -> Neighbors:
        proposer = self.parent
        while isinstance(proposer, ConstrainedSpace):  # its own rejections would multiply with these
            proposer = proposer.parent

        def propose(rows: Genotypes) -> tuple[Neighbors, NDArray[np.bool_]]:
            drawn = proposer.neighbors(rows, edits, rng)
            return drawn, self._is_valid(drawn.genotypes)

        return propose_until_valid(self, genotypes, edits, rng, propose)


def sample_within(space: SearchSpace, n: int, limits: Sequence[str], rng: np.random.Generator) -> Genotypes:
    """``n`` architectures of ``space`` that meet ``limits``, uniform over all that do.

    Raises:
        UserError: none does; or 100,000 draws of a space that is too large to be listed met none.
    """
    if not limits:
        return space.sample(n, rng)
    kept: list[Genotypes] = []
    have, drawn = 0, 0
    block = max(1024, n)
    while have < n:
        candidates = space.sample(block, rng)
        good = candidates[meets_limits(space, candidates, limits)]
        drawn += block
        kept.append(good)
        have += len(good)
        if have * RARE < drawn and drawn >= DRAWS:
            listed = can_be_listed(space)
            if listed:
                members = np.concatenate([rows[meets_limits(space, rows, limits)] for rows in space.enumerate()])
                if len(members):
                    return members[rng.integers(len(members), size=n)]
            if have == 0:
                raise UserError(no_space_meets(space, limits, proven=listed))
        block = min(max(1024, int((n - have) * drawn / max(have, 1) * 1.1)), 1 << 20)
    return np.concatenate(kept)[:n] if kept else space.sample(0, rng)


def no_space_meets(space: SearchSpace, limits: Sequence[str], *, proven: bool) -> str:
    """The line that says that limits leave nothing, and from where to where the costs that they name go.

    Args:
        proven: no architecture meets them; else none of those that were drawn.
    """
    named = [name for name in space.cost_names if any(name in Expression(limit).names for limit in limits)]
    said = []
    for name in named or space.cost_names:
        low, high = cheapest(space, name), dearest(space, name)
        found = "" if low.exact and high.exact else ", as far as was searched"
        said.append(f"{name} goes from {low.value:.12g} to {high.value:.12g}{found}")
    which = "no architecture" if proven else f"none of {DRAWS:,} random architectures"
    return f"{which} of '{space.name}' meets {' and '.join(limits)}: {', '.join(said) or 'it has no cost'}; relax the limits"
