"""Genes that switch other genes off: a stage's depth and the layers past it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import CodeLayout, Genotypes, locate, unique_index
from lissnas.errors import UserError
from lissnas.spaces.expression import Expression
from lissnas.spaces.gene import Gene
from lissnas.spaces.parts import Part, PartNeighbors, grid
from lissnas.spaces.values import GeneValues

__all__ = ["ConditionalGenes"]

MAX_STATES = 1024


class ConditionalGenes(Part):
    """Genes tied together by conditions: the controllers, which conditions read, and the dependents.

    All joint values of the controllers (the part's states) are listed once, with the genes that are active in each. One edit
    changes one active gene; what that switches off becomes inactive, and what it switches on may take any value, so that an
    edit can be undone by one edit. The distance knows the shortcut: switching a layer off and on again rewrites all its genes
    in two edits.

    Args:
        columns: where the genes stand in the genotype.
        genes: the genes, controllers and dependents.

    Raises:
        UserError: the controllers have more than 1,024 joint values.
    """

    def __init__(self, columns: Sequence[int], genes: Sequence[Gene]) -> None:
        self.columns = np.array(columns, dtype=np.intp)
        self.genes = tuple(genes)
        self.counts = np.array([len(g.alleles) for g in genes], dtype=np.int64)
        self._order = _in_order_of_need(genes)
        self._conditions = [None if g.active is None else Expression(g.active) for g in genes]
        read: set[str] = set()
        for condition in self._conditions:
            if condition is not None:
                read |= condition.names
        is_controller = np.array([g.name in read for g in genes])
        self.controllers = np.flatnonzero(is_controller)
        self.dependents = np.flatnonzero(~is_controller)
        self._list_states()
        sizes = np.where(self.active[:, self.dependents], self.counts[self.dependents], 1)
        self._state_sizes = [int(np.prod(row.astype(object))) for row in sizes]
        self.cardinality = sum(self._state_sizes)
        self.max_edits = int((self.active & (self.counts > 1)).sum(axis=1).max())

    def _list_states(self) -> None:
        """Fill ``state_values`` uint8[S, c] (the controllers' alleles) and ``active`` bool[S, C]."""
        states = np.zeros((1, len(self.genes)), dtype=np.uint8)
        controllers = set(self.controllers.tolist())
        for index in [i for i in self._order if i in controllers]:
            active = self._active(index, states)
            on = np.repeat(np.flatnonzero(active), self.counts[index])
            states_on = states[on]
            states_on[:, index] = np.tile(np.arange(self.counts[index]), int(active.sum()))
            states_off = states[~active]
            states_off[:, index] = self.counts[index]
            states = np.concatenate([states_on, states_off])
            if len(states) > MAX_STATES:
                names = ", ".join(self.genes[i].name for i in self.controllers)
                raise UserError(
                    f"the genes that conditions read together ({names}) may have at most {MAX_STATES:,} joint values: "
                    "make conditions depend on fewer genes"
                )
        self.active = np.stack([self._active(i, states) for i in range(len(self.genes))], axis=1)
        self.state_values = states[:, self.controllers]
        self._state_layout = CodeLayout((self.counts[self.controllers] + 1).tolist())
        self._state_codes, by_code = unique_index(self._state_layout.encode(self.state_values))
        self.state_values, self.active = self.state_values[by_code], self.active[by_code]

    @cached_property
    def held(self) -> NDArray[np.int64]:
        """int64[S, c]: the allele that each controller holds in each state, -1 where it is off."""
        on = self.active[:, self.controllers]
        alleles: NDArray[np.int64] = np.where(on, self.state_values.astype(np.int64), -1)
        return alleles

    def _active(self, index: int, x: Genotypes) -> NDArray[np.bool_]:
        condition = self._conditions[index]
        if condition is None:
            return np.ones(len(x), dtype=bool)
        result = condition.evaluate(GeneValues(self.genes, x))
        return np.broadcast_to(result.astype(bool), len(x))

    def state_of(self, x: Genotypes) -> NDArray[np.intp]:
        """The state of each canonical row, by its controllers."""
        states = locate(self._state_codes, self._state_layout.encode(x[:, self.controllers]))
        if (states < 0).any():
            row = int(np.flatnonzero(states < 0)[0])
            raise UserError(f"row {row} is not canonical, a gene that its own conditions switch off is on: use .canonicalize()")
        return states

    def _fill(self, states: NDArray[np.intp], x: Genotypes, fresh: NDArray[np.bool_], rng: np.random.Generator) -> Genotypes:
        """``x`` with the controllers of ``states``, inactive genes marked so, and ``fresh`` dependents drawn anew."""
        y = x.copy()
        y[:, self.controllers] = self.state_values[states]
        for index in self.dependents:
            rows = np.flatnonzero(fresh[:, index])
            y[rows, index] = rng.integers(0, self.counts[index], size=len(rows), dtype=np.uint8)
            y[~self.active[states, index], index] = self.counts[index]
        return y

    def sample(self, n: int, rng: np.random.Generator) -> Genotypes:
        share = np.array([size / self.cardinality for size in self._state_sizes])
        states = rng.choice(len(share), size=n, p=share / share.sum())
        return self._fill(states, np.zeros((n, len(self.genes)), dtype=np.uint8), self.active[states], rng)

    def canonicalize(self, x: Genotypes) -> Genotypes:
        """Switch off what a row's own controllers switch off; an active gene marked inactive takes its first allele."""
        y = x.copy()
        for index in self._order:
            active = self._active(index, y)
            y[active & (y[:, index] >= self.counts[index]), index] = 0
            y[~active, index] = self.counts[index]
        return y

    # -- edits ------------------------------------------------------------------------------------------------------

    @cached_property
    def _moves(self) -> NDArray[np.bool_]:
        """bool[S, S]: whether one edit of a controller leads from one state to another.

        It does where exactly one controller that is active in both differs: of those that differ, the first in order of need
        is always active in both, and what an edit switches on or off follows from it.
        """
        active = self.active[:, self.controllers]
        differing = np.zeros((len(active), len(active)), dtype=np.int64)
        for values, on in zip(self.state_values.T, active.T, strict=True):
            differing += (values[:, None] != values) & on[:, None] & on
        moves: NDArray[np.bool_] = np.equal(differing, 1)
        return moves

    @cached_property
    def _move_weights(self) -> NDArray[np.float64]:
        """float64[S, S]: how many values one edit of a controller reaches, by the state it leads to."""
        dependents = self.active[:, self.dependents]
        logs = np.log(self.counts[self.dependents].astype(np.float64))
        switched_on = (~dependents).astype(np.float64) @ (dependents * logs).T
        return np.where(self._moves, np.rint(np.exp(switched_on)), 0.0)

    def _own_changes(self, states: NDArray[np.intp]) -> NDArray[np.int64]:
        """int64[n, D]: how many other alleles each dependent could take."""
        return np.where(self.active[states][:, self.dependents], self.counts[self.dependents] - 1, 0)

    def count_neighbors(self, x: Genotypes) -> NDArray[np.float64]:
        states = self.state_of(x)
        count: NDArray[np.float64] = self._own_changes(states).sum(axis=1) + self._move_weights.sum(axis=1)[states]
        return count

    def draw_neighbors(self, x: Genotypes, rng: np.random.Generator) -> Genotypes:
        states = self.state_of(x)
        pick = rng.random(len(x))
        choice = np.empty(len(x), dtype=np.intp)
        for state in np.unique(states):  # state by state: a table of rows and states would not fit in memory
            rows = np.flatnonzero(states == state)
            bounds = np.cumsum(np.concatenate([self._own_changes(state[None])[0], self._move_weights[state]]))
            choice[rows] = np.searchsorted(bounds, pick[rows] * bounds[-1], side="right")
        y = x.copy()
        own = np.flatnonzero(choice < len(self.dependents))
        gene = self.dependents[choice[own]]
        turn = rng.integers(1, np.maximum(self.counts[gene], 2))
        y[own, gene] = (x[own, gene] + turn) % self.counts[gene]
        moved = np.flatnonzero(choice >= len(self.dependents))
        target = choice[moved] - len(self.dependents)
        y[moved] = self._fill(target, x[moved], self.active[target] & ~self.active[states[moved]], rng)
        return y

    def all_neighbors(self, x: Genotypes) -> PartNeighbors:
        states = self.state_of(x)
        values, parents = [x[:0]], [np.zeros(0, dtype=np.intp)]
        for index in self.dependents:
            rows = np.flatnonzero(self.active[states, index])
            for turn in range(1, int(self.counts[index])):
                y = x[rows]
                y[:, index] = (y[:, index].astype(np.int64) + turn) % self.counts[index]
                values.append(y)
                parents.append(rows)
        for state in np.unique(states).tolist():
            rows = np.flatnonzero(states == state)
            for target in np.flatnonzero(self._moves[state]).tolist():
                fillings, origins = self._all_fillings(x[rows], state, target)
                values.append(fillings)
                parents.append(rows[origins])
        order = np.argsort(np.concatenate(parents), kind="stable")
        return PartNeighbors(np.concatenate(values)[order], np.concatenate(parents)[order])

    def _all_fillings(self, x: Genotypes, state: int, target: int) -> tuple[Genotypes, NDArray[np.intp]]:
        fresh = [i for i in self.dependents if self.active[target, i] and not self.active[state, i]]
        y = x.copy()
        y[:, self.controllers] = self.state_values[target]
        for index in self.dependents:
            if not self.active[target, index]:
                y[:, index] = self.counts[index]
        fillings = int(np.prod(self.counts[fresh], dtype=np.int64)) if fresh else 1
        rows = np.repeat(np.arange(len(x)), fillings)
        y = y[rows]
        if fresh:
            y[:, fresh] = np.tile(grid(self.counts[fresh]), (len(x), 1))
        return y, rows

    @cached_property
    def _inactive_bits(self) -> list[int]:
        """For each state, the dependents that are inactive in it, as the bits of an integer."""
        return [sum(1 << i for i, on in enumerate(row) if not on) for row in self.active[:, self.dependents].tolist()]

    @cached_property
    def _routes(self) -> dict[int, dict[int, list[tuple[int, int]]]]:
        return {}

    def _routes_from(self, state: int) -> dict[int, list[tuple[int, int]]]:
        """For each state, the routes to it worth taking: (edits, dependents switched off on the way), none dominated."""
        if state in self._routes:
            return self._routes[state]
        routes: dict[int, list[tuple[int, int]]] = defaultdict(list)
        routes[state].append((0, self._inactive_bits[state]))
        frontier = [(state, self._inactive_bits[state])]
        edits = 0
        while frontier:
            edits += 1
            found: dict[int, set[int]] = defaultdict(set)
            for at, off in frontier:
                for target in np.flatnonzero(self._moves[at]).tolist():
                    found[target].add(off | self._inactive_bits[target])
            frontier = []
            for target, sets in found.items():
                for off in sorted(sets, key=int.bit_count, reverse=True):
                    if not any(off | known == known for _, known in routes[target]):
                        routes[target].append((edits, off))
                        frontier.append((target, off))
        self._routes[state] = routes
        return routes

    def distance(self, a: Genotypes, b: Genotypes) -> NDArray[np.int64]:
        from_state, to_state = self.state_of(a), self.state_of(b)
        differs = a[:, self.dependents] != b[:, self.dependents]
        pair = from_state * len(self.state_values) + to_state
        result = np.empty(len(a), dtype=np.int64)
        for key in np.unique(pair):
            rows = np.flatnonzero(pair == key)
            source, target = divmod(int(key), len(self.state_values))
            options = []
            for edits, off in self._routes_from(source)[target]:
                stays = np.array([not off >> i & 1 for i in range(len(self.dependents))], dtype=bool)
                options.append(edits + np.count_nonzero(differs[rows] & stays, axis=1))
            result[rows] = np.min(options, axis=0)
        return result

    def states(self) -> Genotypes:
        blocks = []
        for state, active in enumerate(self.active):
            on = [int(i) for i in self.dependents if active[i]]
            block = np.zeros((self._state_sizes[state], len(self.genes)), dtype=np.uint8)
            block[:, self.controllers] = self.state_values[state]
            block[:, [int(i) for i in self.dependents if not active[i]]] = self.counts[
                [i for i in self.dependents if not active[i]]
            ]
            if on:
                block[:, on] = grid(self.counts[on])
            blocks.append(block)
        return np.concatenate(blocks)


def _in_order_of_need(genes: Sequence[Gene]) -> list[int]:
    """Indices such that every gene comes after the genes its condition reads.

    Raises:
        UserError: the conditions form a cycle.
    """
    needs = {g.name: Expression(g.active).names if g.active is not None else frozenset() for g in genes}
    index = {g.name: i for i, g in enumerate(genes)}
    done: list[str] = []
    while len(done) < len(genes):
        ready = [name for name in needs if name not in done and all(n in done or n not in needs for n in needs[name])]
        if not ready:
            stuck = ", ".join(n for n in needs if n not in done)
            raise UserError(f"the conditions of {stuck} depend on one another in a circle: break it")
        done += ready
    return [index[name] for name in done]
