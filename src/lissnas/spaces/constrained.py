"""A space with limits on what an architecture may cost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Genotypes
from lissnas.errors import UserError
from lissnas.spaces.base import Neighbors, SearchSpace
from lissnas.spaces.cheapest import cheapest, dearest
from lissnas.spaces.draw import propose_until_valid
from lissnas.spaces.expression import Expression
from lissnas.spaces.limits import check_limits, meets_limits
from lissnas.spaces.subspace import Subspace

__all__ = ["ConstrainedSpace"]

MAX_COUNTED = 1 << 20
DRAWS = 100_000
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
        if _can_be_listed(parent):
            self.cardinality = sum(int(self._meets(block).sum()) for block in parent.enumerate())
        else:
            drawn = parent.sample(DRAWS, np.random.default_rng(0))
            self.cardinality = round(parent.cardinality * float(self._meets(drawn).mean()))
            self.cardinality_is_exact = False
        if self.cardinality == 0:
            raise UserError(no_space_meets(parent, self.limits))

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
            if _can_be_listed(space):
                listed = np.concatenate([rows[meets_limits(space, rows, limits)] for rows in space.enumerate()])
                if len(listed):
                    return listed[rng.integers(len(listed), size=n)]
            if have == 0:
                raise UserError(no_space_meets(space, limits))
        block = min(max(1024, int((n - have) * drawn / max(have, 1) * 1.1)), 1 << 20)
    return np.concatenate(kept)[:n] if kept else space.sample(0, rng)


def _can_be_listed(space: SearchSpace) -> bool:
    return space.cardinality_is_exact and space.cardinality <= MAX_COUNTED


def no_space_meets(space: SearchSpace, limits: Sequence[str]) -> str:
    """The line that says that limits leave nothing, or too little, with the end of each cost that they name."""
    said, ends = [], []
    for name in space.cost_names:
        named = [limit for limit in limits if name in Expression(limit).names]
        if named or not any(set(space.cost_names) & Expression(limit).names for limit in limits):
            large = bool(named) and all(">" in limit and "<" not in limit for limit in named)
            end = dearest(space, name) if large else cheapest(space, name)
            ends.append(end)
            said.append(f"the {'largest' if large else 'smallest'} {name} {'is' if end.exact else 'found is'} {end.value:.12g}")
    told = ", ".join(said) or "it has no cost"
    none = f"no architecture of '{space.name}'"
    if any(meets_limits(space, end.genotype, limits).all() for end in ends):
        none = f"next to no architecture of '{space.name}' (none of {DRAWS:,} that were drawn)"
    return f"{none} meets {' and '.join(limits)}: {told}; relax the limits"
