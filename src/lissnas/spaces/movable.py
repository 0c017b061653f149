"""Positions among which an identity may move without changing the network: a list of operations of any length up to theirs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Genotypes
from lissnas.spaces.parts import Part, PartNeighbors, grid

__all__ = ["MovableGroup"]

TABLE = 1 << 16  # values of a group up to which what is asked of it is looked up


class MovableGroup(Part):
    """Consecutive positions with the same alleles, one of them the identity.

    A network skips an identity, so what counts is the list of the other operations. The canonical value holds them in order,
    the identities last. One edit substitutes, inserts or removes one operation: the distance is Levenshtein's. ``m`` positions
    with ``q`` operations beside the identity hold 1 + q + ... + q^m networks.

    Args:
        columns: the positions.
        count: the number of alleles, the identity included.
        identity: the allele that is the identity.
    """

    def __init__(self, columns: Sequence[int], count: int, identity: int) -> None:
        self.columns = np.array(columns, dtype=np.intp)
        self.identity = identity
        self.operations = np.array([a for a in range(count) if a != identity], dtype=np.uint8)
        self._rank = np.zeros(count, dtype=np.int64)  # of an operation among the operations
        self._rank[self.operations] = np.arange(len(self.operations))
        self._by_length = [len(self.operations) ** j for j in range(len(columns) + 1)]
        self.cardinality = sum(self._by_length)
        self.max_edits = len(columns)

    def _lengths(self, x: Genotypes) -> NDArray[np.int64]:
        lengths: NDArray[np.int64] = np.count_nonzero(x != self.identity, axis=1).astype(np.int64)
        return lengths

    @cached_property
    def _states(self) -> Genotypes:
        return self.states()

    @cached_property
    def _canonical(self) -> Genotypes:
        """uint8[count^m, m]: the canonical value of every value, in lexicographic order."""
        values = grid(np.full(len(self.columns), len(self._rank)))
        return self._identities_last(values)

    def sample(self, n: int, rng: np.random.Generator) -> Genotypes:
        if self.cardinality <= TABLE:
            return self._states.take(rng.integers(0, self.cardinality, size=n, dtype=np.uint32), axis=0)
        share = np.array([w / self.cardinality for w in self._by_length])
        length = rng.choice(len(share), size=n, p=share / share.sum())
        x = self.operations[rng.integers(0, len(self.operations), size=(n, len(self.columns)))]
        x[np.arange(len(self.columns)) >= length[:, None]] = self.identity
        return x

    def canonicalize(self, x: Genotypes) -> Genotypes:
        if len(self._rank) ** len(self.columns) > TABLE:
            return self._identities_last(x)
        place = np.zeros(len(x), dtype=np.uint32)
        for column in range(x.shape[1]):
            place *= np.uint32(len(self._rank))
            place += x[:, column]
        return self._canonical.take(place, axis=0)

    def _identities_last(self, x: Genotypes) -> Genotypes:
        order = np.argsort(x == self.identity, axis=1, kind="stable")
        return np.take_along_axis(x, order, axis=1)

    def distance(self, a: Genotypes, b: Genotypes) -> NDArray[np.int64]:
        """Levenshtein's, one step of the dynamic programme for all rows at once."""
        m = a.shape[1]
        rows = np.arange(len(a))
        lengths_a, lengths_b = self._lengths(a), self._lengths(b)
        previous = np.tile(np.arange(m + 1, dtype=np.int64), (len(a), 1))
        result = np.where(lengths_a == 0, lengths_b, 0)
        for i in range(1, m + 1):
            current = np.empty_like(previous)
            current[:, 0] = i
            for j in range(1, m + 1):
                substitute = previous[:, j - 1] + (a[:, i - 1] != b[:, j - 1])
                current[:, j] = np.minimum(substitute, np.minimum(previous[:, j], current[:, j - 1]) + 1)
            result = np.where(lengths_a == i, current[rows, lengths_b], result)
            previous = current
        return result

    def _counts(self, x: Genotypes) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """How many distinct values each row reaches by substituting, inserting, removing."""
        length, q = self._lengths(x), len(self.operations)
        used = x != self.identity
        runs = used[:, 0].astype(np.int64) + np.count_nonzero((x[:, 1:] != x[:, :-1]) & used[:, 1:], axis=1)
        # inserting c before an equal c is the same as inserting it after: count it once, at the end of the run
        inserting = np.where(length < x.shape[1], length * (q - 1) + q, 0)
        return length * (q - 1), inserting, runs

    def count_neighbors(self, x: Genotypes) -> NDArray[np.float64]:
        substituting, inserting, removing = self._counts(x)
        return (substituting + inserting + removing).astype(np.float64)

    def draw_neighbors(self, x: Genotypes, rng: np.random.Generator) -> Genotypes:
        substituting, inserting, removing = self._counts(x)
        pick = rng.integers(0, substituting + inserting + removing)
        return self._apply(x, pick)

    def all_neighbors(self, x: Genotypes) -> PartNeighbors:
        counts = self.count_neighbors(x).astype(np.int64)
        parents = np.repeat(np.arange(len(x)), counts)
        first = np.repeat(np.cumsum(counts) - counts, counts)
        return PartNeighbors(self._apply(x[parents], np.arange(len(parents)) - first), parents)

    def _apply(self, x: Genotypes, pick: NDArray[np.int64]) -> Genotypes:
        """The ``pick``-th neighbor of each row: first the substitutions, then the insertions, then the removals."""
        substituting, inserting, _ = self._counts(x)
        q, m = len(self.operations), x.shape[1]
        rows = np.arange(len(x))
        y = x.copy()

        chosen = np.flatnonzero(pick < substituting)
        if len(chosen):
            position, other = np.divmod(pick[chosen], q - 1)
            y[chosen, position] = self._other(x[chosen, position], other)

        pick = pick - substituting
        chosen = rows[(pick >= 0) & (pick < inserting)]
        if len(chosen):
            length = self._lengths(x[chosen])
            inside = pick[chosen] < length * (q - 1)
            position = np.where(inside, pick[chosen] // max(q - 1, 1), length)
            other = np.where(inside, pick[chosen] % max(q - 1, 1), pick[chosen] - length * (q - 1))
            here = x[chosen, np.minimum(position, m - 1)]
            new = np.where(inside, self._other(here, np.where(inside, other, 0)), self.operations[np.where(inside, 0, other)])
            source = np.arange(m) - (np.arange(m) > position[:, None])
            shifted = np.take_along_axis(x[chosen], source, axis=1)
            shifted[np.arange(len(chosen)), position] = new
            y[chosen] = shifted

        pick = pick - inserting
        chosen = rows[pick >= 0]
        if len(chosen):
            taken = x[chosen]
            starts = taken != self.identity
            starts[:, 1:] &= taken[:, 1:] != taken[:, :-1]
            position = np.argmax(np.cumsum(starts, axis=1) > pick[chosen][:, None], axis=1)
            source = np.arange(m) + (np.arange(m) >= position[:, None])
            shifted = np.take_along_axis(taken, np.minimum(source, m - 1), axis=1)
            shifted[:, -1] = self.identity
            y[chosen] = shifted
        return y

    def _other(self, operation: Genotypes, index: NDArray[np.int64]) -> Genotypes:
        """The ``index``-th operation among those that differ from ``operation``."""
        # an identity has no rank of its own; it is masked away by the caller
        return self.operations[np.minimum(index + (index >= self._rank[operation]), len(self.operations) - 1)]

    def states(self) -> Genotypes:
        blocks = []
        for length in range(len(self.columns) + 1):
            values = np.full((self._by_length[length], len(self.columns)), self.identity, dtype=np.uint8)
            index = np.arange(len(values))
            for position in reversed(range(length)):
                index, digit = np.divmod(index, len(self.operations))
                values[:, position] = self.operations[digit]
            blocks.append(values)
        return np.concatenate(blocks)
