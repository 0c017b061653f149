"""Several boxes of one space, taken together: no architecture counts twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Genotypes, unique
from lissnas.errors import UserError
from lissnas.spaces.base import Neighbors, SearchSpace
from lissnas.spaces.draw import propose_until_valid
from lissnas.spaces.kept import keep_alleles
from lissnas.spaces.subspace import Subspace

__all__ = ["BoxUnionSpace"]

LISTED = 1 << 20  # architectures of all boxes together, up to which the union is counted
DRAWS = 100_000  # draws that a larger one is estimated from


class BoxUnionSpace(Subspace):
    """The architectures of ``parent`` that lie in at least one of several boxes.

    ``sample`` is uniform over them: a box is drawn by its size, an architecture in it, and it is accepted with 1 over the
    number of boxes that hold it (as even as the sizes of boxes are exact). The cardinality is that of different
    architectures: counted where the boxes have at most 2^20 together, estimated from 100,000 draws beyond
    (``cardinality_is_exact``). ``neighbors`` beyond distance 1 draws the parent's and keeps what lies in a box.

    Args:
        parent: any space that alleles can be dropped from.
        boxes: for each, gene name -> the allele indices kept; a gene that is not named keeps all.

    Raises:
        UserError: no box, or one that nothing is left of.
    """

    def __init__(self, parent: SearchSpace, boxes: Sequence[Mapping[str, Sequence[int]]], name: str | None = None) -> None:
        super().__init__(parent, name or f"{parent.name}-union")
        if not boxes:
            raise UserError(f"a union of boxes of '{parent.name}' needs at least one box, but got none")
        self.kept = [{gene: [int(a) for a in alleles] for gene, alleles in box.items()} for box in boxes]
        self.boxes = tuple(keep_alleles(parent, box) for box in self.kept)
        self.encodings = together = sum(box.cardinality for box in self.boxes)
        if together <= LISTED and all(box.cardinality_is_exact for box in self.boxes):
            self.cardinality = len(self._codes())
        else:
            drawn = self._draw(DRAWS, np.random.default_rng(0))
            self.cardinality = round(together * float((1 / self.memberships(drawn)).mean()))
            self.cardinality_is_exact = False

    def definition(self) -> dict[str, Any]:
        return {"kind": "box-union", "name": self.name, "parent": self.parent.definition(), "boxes": self.kept}

    def memberships(self, genotypes: Genotypes) -> NDArray[np.int64]:
        """int64[n]: how many of the boxes hold each row."""
        count: NDArray[np.int64] = np.sum([box.is_valid(genotypes) for box in self.boxes], axis=0, dtype=np.int64)
        return count

    def _codes(self) -> NDArray[np.uint64]:
        blocks = [self.code_layout.encode(block) for box in self.boxes for block in box.enumerate()]
        return unique(np.concatenate(blocks))

    def enumerate(self, block: int = 1 << 16) -> Iterator[Genotypes]:
        if not self.cardinality_is_exact:
            yield from super().enumerate(block)
        codes = self._codes()
        for low in range(0, len(codes), block):
            yield self.code_layout.decode(codes[low : low + block])

    def _draw(self, n: int, rng: np.random.Generator) -> Genotypes:
        """Draws of the boxes by their sizes, with what lies in several as often."""
        sizes = np.array([box.cardinality / self.encodings for box in self.boxes])
        counts = rng.multinomial(n, sizes / sizes.sum())
        drawn = np.concatenate([box.sample(int(count), rng) for box, count in zip(self.boxes, counts, strict=True)])
        return rng.permutation(drawn)

    def _sample(self, n: int, rng: np.random.Generator) -> Genotypes:
        found = [np.zeros((0, self.length), dtype=np.uint8)]
        have = 0
        while have < n:
            drawn = self._draw(max(64, n - have), rng)
            accepted = drawn[rng.random(len(drawn)) * self.memberships(drawn) < 1]
            found.append(accepted)
            have += len(accepted)
        return np.concatenate(found)[:n]

    def _is_valid(self, genotypes: Genotypes) -> NDArray[np.bool_]:
        return self.memberships(genotypes) > 0

    def _neighbors_beyond(self, genotypes: Genotypes, edits: int, rng: np.random.Generator) -> Neighbors:
        def propose(rows: Genotypes) -> tuple[Neighbors, NDArray[np.bool_]]:
            drawn = self.parent.neighbors(rows, edits, rng)
            return drawn, self._is_valid(drawn.genotypes)

        return propose_until_valid(self, genotypes, edits, rng, propose)
