"""A space that is a product of parts: what all such spaces share."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Genotypes
from lissnas.errors import UserError
from lissnas.spaces.base import Neighbors, SearchSpace
from lissnas.spaces.draw import walk_to_distance
from lissnas.spaces.parts import FreeGenes, Part

__all__ = ["MAX_LISTED", "ComposedSpace"]

MAX_LISTED = 1 << 24


class ComposedSpace(SearchSpace):
    """A space whose genotypes are a product of independent parts, and whose edits each happen inside one.

    ``neighbors`` is uniform over the distinct architectures at that distance where all genes are free, and at distance 1;
    elsewhere it walks, each step a uniform edit among those that lead one edit further away, so that architectures which more
    walks lead to come more often. In a space of more than 4,096 architectures a row whose walks all fell short is left out.

    Attributes:
        parts: together they hold each column once.
    """

    parts: tuple[Part, ...]

    def _compose(self, parts: Iterable[Part]) -> None:
        """Set ``parts``, and the counts that follow from them."""
        self.parts = tuple(parts)
        self.cardinality = math.prod(part.cardinality for part in self.parts)
        self.max_edits = sum(part.max_edits for part in self.parts)

    # -- genotypes --------------------------------------------------------------------------------------------------

    def _sample(self, n: int, rng: np.random.Generator) -> Genotypes:
        return self._assemble(n, lambda part: part.sample(n, rng))

    def _canonicalize(self, genotypes: Genotypes) -> Genotypes:
        return self._assemble(len(genotypes), lambda part: part.canonicalize(genotypes[:, part.columns]))

    def _assemble(self, n: int, values: Callable[[Part], Genotypes]) -> Genotypes:
        if len(self.parts) == 1 and isinstance(self.parts[0], FreeGenes):
            return values(self.parts[0])
        x = np.empty((n, self.length), dtype=np.uint8)
        for part in self.parts:
            x[:, part.columns] = values(part)
        return x

    def _is_valid(self, genotypes: Genotypes) -> NDArray[np.bool_]:
        valid = np.ones(len(genotypes), dtype=bool)
        for part in self.parts:
            if not isinstance(part, FreeGenes):
                valid &= part.is_valid(genotypes[:, part.columns])
        return valid

    def enumerate(self, block: int = 1 << 16) -> Iterator[Genotypes]:
        if self.cardinality > MAX_LISTED:
            yield from super().enumerate(block)
        states = [part.states() for part in self.parts]
        for low in range(0, self.cardinality, block):
            index = np.arange(low, min(low + block, self.cardinality))
            x = np.empty((len(index), self.length), dtype=np.uint8)
            for part, values in zip(reversed(self.parts), reversed(states), strict=True):
                index, place = np.divmod(index, len(values))
                x[:, part.columns] = values[place]
            yield x

    # -- edits ------------------------------------------------------------------------------------------------------

    def _neighbors(self, genotypes: Genotypes, edits: int, rng: np.random.Generator) -> Neighbors:
        everyone = np.arange(len(genotypes))
        if edits > self.max_edits or not len(genotypes):
            return Neighbors(genotypes[:0], everyone[:0])
        if len(self.parts) == 1 and isinstance(self.parts[0], FreeGenes):
            part = self.parts[0]
            drawn = part.draw_neighbors(genotypes, rng) if edits == 1 else part.draw_at(genotypes, edits, rng)
            return Neighbors(drawn, everyone)
        if edits == 1:
            rows = np.flatnonzero(self.count_neighbors(genotypes) > 0)
            return Neighbors(self._draw_neighbors(genotypes[rows], rng), rows)
        return walk_to_distance(self, genotypes, edits, rng, self._draw_neighbors, self.count_neighbors)

    def count_neighbors(self, genotypes: Genotypes) -> NDArray[np.float64]:
        """float64[n]: how many architectures are one edit away from each row, without listing them."""
        count: NDArray[np.float64] = self._count_neighbors(self.check(genotypes)).sum(axis=1)
        return count

    def _count_neighbors(self, genotypes: Genotypes) -> NDArray[np.float64]:
        return np.stack([part.count_neighbors(genotypes[:, part.columns]) for part in self.parts], axis=1)

    def _draw_neighbors(self, genotypes: Genotypes, rng: np.random.Generator) -> Genotypes:
        """One uniform one-edit neighbor per row."""
        bounds = np.cumsum(self._count_neighbors(genotypes), axis=1)
        pick = rng.random(len(genotypes)) * bounds[:, -1]
        choice = np.minimum((bounds <= pick[:, None]).sum(axis=1), len(self.parts) - 1)
        drawn = genotypes.copy()
        for index, part in enumerate(self.parts):
            rows = np.flatnonzero(choice == index)
            if len(rows):
                drawn[np.ix_(rows, part.columns)] = part.draw_neighbors(genotypes[np.ix_(rows, part.columns)], rng)
        return drawn

    def _all_neighbors(self, genotypes: Genotypes) -> Neighbors:
        most = self.count_neighbors(genotypes).max(initial=0)
        if most > MAX_LISTED:
            raise UserError(
                f"an architecture of '{self.name}' has {most:,.0f} neighbors one edit away: too many to list, use .neighbors()"
            )
        blocks, parents = [], []
        for part in self.parts:
            found = part.all_neighbors(genotypes[:, part.columns])
            block = genotypes[found.parents]
            block[:, part.columns] = found.values
            blocks.append(block)
            parents.append(found.parents)
        if len(blocks) == 1:
            return Neighbors(blocks[0], parents[0])
        order = np.argsort(np.concatenate(parents), kind="stable")
        return Neighbors(np.concatenate(blocks)[order], np.concatenate(parents)[order])

    def _distance(self, a: Genotypes, b: Genotypes) -> NDArray[np.int64]:
        total = np.zeros(len(a), dtype=np.int64)
        for part in self.parts:
            total += part.distance(a[:, part.columns], b[:, part.columns])
        return total
