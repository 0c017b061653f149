"""Boxes of alleles found by exact means: one restriction, or several that together are more diverse than one."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lissnas.errors import UserError
from lissnas.predictors.expectation import Expectation
from lissnas.shrinkers.base import require_settings
from lissnas.shrinkers.box_search import descend, main_spread, top
from lissnas.shrinkers.soft_box import BoxShrinker
from lissnas.shrinkers.units import gene_groups
from lissnas.spaces import BoxUnionSpace, SearchSpace, keep_alleles
from lissnas.spaces.laws import Encodings, log_size_of

__all__ = ["HardBox"]

CLOSER = 4  # times that a box's target is corrected by the size that came out
ROUNDS = 3  # of boxes, whose overlap the first shows

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class HardBox(BoxShrinker):
    """The alleles of each gene whose product has the highest mean at a size, by exact means and with no query.

    Each gene keeps its best ``n`` alleles, ``n`` where the mean of what is kept + temperature x ln n is highest; the
    temperature is the one at which the product has the size asked for, at most. What comes out is a restriction like any
    other. With several boxes, each is sought away from those before it: together they have the size asked for, at most, and are
    further apart than one.

    Args:
        queries: 0, or with ``best`` the budget, in predictor queries.
        size: the number of architectures, at most; None: 10^6, or a twentieth of a space of less than 2 x 10^7.
        diversity_weight: see ``SoftBox``.
        best: see ``SoftBox``.
        boxes: how many; more than one gives a ``BoxUnionSpace``. For sizes below about 10^8.
        apart: with several boxes, what an allele is worth less if all boxes before it hold it, in spreads (see
            ``diversity_weight``).
    """

    boxes: int = 1
    apart: float = 0.2
    name: str = field(default="hard-box", repr=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        rules = [
            ("boxes", 1 <= self.boxes <= 256, "from 1 to 256"),
            ("apart", 0 <= self.apart < math.inf, "a number from 0 on"),
        ]
        require_settings(self, rules)

    def _box(
        self, space: SearchSpace, encodings: Encodings, exact: Expectation, sign: float, size: int, rng: np.random.Generator
    ) -> tuple[SearchSpace, str]:
        groups = gene_groups(space)
        spread = main_spread(exact, encodings) if self.boxes > 1 or self.diversity_weight else 0.0
        difference = self.diversity_weight * spread

        def one(each: int, bonus: Floats | None) -> dict[str, list[int]]:
            return self._one(space, encodings, exact, sign, each, difference, groups, bonus, rng)

        if self.boxes == 1:
            kept = one(size, None)
            box = keep_alleles(space, kept)
            return box, f"{sum(map(len, kept.values()))} alleles were kept, which {box.cardinality:,} architectures hold"
        each, best = max(1.0, size / self.boxes), None
        for _ in range(ROUNDS):  # boxes overlap, so that together they are smaller than their sum
            union = self._union(space, encodings, one, round(each), spread)
            if union.cardinality <= size and (best is None or union.cardinality > best.cardinality):
                best = union
            if 0.8 * size <= union.cardinality <= size:
                break
            before, each = each, min(max(1.0, each * size / union.cardinality), size)
            if round(each) == round(before):
                break
        if best is None:
            raise UserError(
                f"no {self.boxes} boxes of '{space.name}' have at most {size:,} architectures: ask for a larger size"
            )
        return best, f"{self.boxes} boxes of {best.encodings:,} architectures, {best.cardinality:,} of them different"

    def _union(
        self,
        space: SearchSpace,
        encodings: Encodings,
        one: Callable[[int, Floats | None], dict[str, list[int]]],
        each: int,
        spread: float,
    ) -> BoxUnionSpace:
        """Boxes of at most ``each`` architectures, every one sought away from those before it."""
        held = np.zeros(encodings.allowed.shape)
        found: list[dict[str, list[int]]] = []
        for before in range(self.boxes):
            found.append(one(each, -self.apart * spread * held / before if before else None))
            for gene, alleles in enumerate(found[-1].values()):
                held[gene, alleles] += 1
        return BoxUnionSpace(space, found)

    def _one(
        self,
        space: SearchSpace,
        encodings: Encodings,
        exact: Expectation,
        sign: float,
        size: int,
        difference: float,
        groups: Sequence[Sequence[int]],
        bonus: Floats | None,
        rng: np.random.Generator,
    ) -> dict[str, list[int]]:
        """One box of at most ``size`` architectures: its entropy is corrected until its size is right."""
        entropy = math.log(size)

        sizes: dict[bytes, float] = {}

        def measure(weights: Floats) -> float:
            held = weights > 0
            key = held.tobytes()
            if key not in sizes:
                sizes[key] = log_size_of(encodings, held)
            return sizes[key]

        best: tuple[int, dict[str, list[int]]] | None = None
        for _ in range(CLOSER):
            table, _ = descend(
                exact,
                encodings,
                entropy,
                rng,
                sign=sign,
                difference=difference,
                bonus=bonus,
                fill=top(encodings, groups),
                measure=measure,
                tolerance=math.inf,
                slack=1e-9,
            )
            kept = {gene.name: np.flatnonzero(row).tolist() for gene, row in zip(space.genes, table, strict=True)}
            try:
                count = keep_alleles(space, kept).cardinality
            except UserError:  # drawings of this kind are all of networks whose canonical one is another
                raise UserError(
                    f"a box of about {size:,} encodings of '{space.name}' holds no canonical architecture: "
                    f"ask for a larger size, or for fewer boxes"
                ) from None
            if count <= size and (best is None or count > best[0]):
                best = count, kept
            if count == size or (best is not None and count <= size and count > 0.8 * size):
                break
            step = math.log(size / count)
            if not encodings.folds:  # its size was measured exactly
                break
            entropy = max(0.0, entropy + step)
        if best is None:
            raise UserError(f"no box of '{space.name}' has at most {size:,} architectures: ask for a larger size")
        return best[1]
