"""The product distribution of highest mean at a given entropy, by exact means alone: what both kinds of box are found with.

Of all distributions over genes with a given perplexity, the one with the highest mean (and mean pairwise difference) is sought
gene by gene: given the others, a gene's best weights are a softmax of the mean given each of its alleles. The temperature is
the one at which all entropies together are the target; the target sinks from that of the whole space, so that early choices
are made while everything is still open.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lissnas.predictors.expectation import Expectation, Slopes
from lissnas.spaces.laws import Encodings, Law, entropy_of, part_chances, weighted_law

__all__ = ["TOLERANCE", "Worth", "descend", "main_spread", "pairwise_difference", "softmax", "top"]

ANNEALING = 8  # equal steps of the entropy
SWEEPS = 12  # at the target
BLOCKS = 4  # of genes, in random order, between which the means are taken anew
TOLERANCE = 0.15  # nats by which the entropy may miss the target
HALVINGS = 17  # of the range of temperatures, at most
CLOSE = 1e-4  # nats below the target that are not worth another
SETTLED = 1e-4  # a sweep that changes no weight by more is the last, where steps are whole
FLOOR = 1e-9  # weight of the least allele where each must keep some

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Worth:
    """What weights are chosen by.

    Attributes:
        score: float64[L, A], what each allele is worth, given the weights of the other genes.
        room: float64[L, A], the entropy that each allele of a controller opens.
        active: float64[L], how often each gene is switched on.
    """

    score: Array
    room: Array
    active: Array


Fill = Callable[[Worth, float], Array]
"""Weights float64[L, A] for a temperature."""


def softmax(encodings: Encodings) -> Fill:
    """The fill of a soft box."""
    allowed = encodings.allowed
    floor = FLOOR * allowed if encodings.folds else 0.0 * allowed

    def fill(worth: Worth, temperature: float) -> Array:
        height = (worth.score / temperature + worth.room) / np.maximum(worth.active, 1e-9)[:, None]
        height = np.where(allowed, height, -np.inf)
        weights = np.exp(height - height.max(axis=1, keepdims=True)) + floor
        found: Array = weights / weights.sum(axis=1, keepdims=True)
        return found

    return fill


def top(encodings: Encodings, groups: Sequence[Sequence[int]]) -> Fill:
    """The fill of a hard box: equal weights for the best ``n`` alleles of a group of genes that keeps the same ones, ``n``
    where their mean + temperature x ln n is highest.
    """

    group = np.zeros(len(encodings.counts), dtype=np.int64)
    for index, columns in enumerate(groups):
        group[list(columns)] = index
    allowed = encodings.allowed[[columns[0] for columns in groups]]
    average = (group == np.arange(len(groups))[:, None]) / np.bincount(group)[:, None]  # float64[groups, L]
    count = np.arange(1, allowed.shape[1] + 1)
    log_count = np.log(count)
    possible = count <= allowed.sum(axis=1, keepdims=True)
    rows = np.arange(len(allowed))[:, None]

    def fill(worth: Worth, temperature: float) -> Array:
        height = (worth.score + temperature * worth.room) / np.maximum(worth.active, 1e-9)[:, None]
        mean = average @ height
        order = np.argsort(np.where(allowed, -mean, np.inf), axis=1, kind="stable")
        sums = np.cumsum(np.where(possible, mean[rows, order], 0.0), axis=1)
        gain = np.where(possible, sums / count + temperature * log_count, -np.inf)
        best = gain.argmax(axis=1)[:, None] + 1
        kept = np.zeros(allowed.shape)
        kept[rows, order] = np.where(count <= best, 1 / best, 0.0)
        return kept[group]

    return fill


def descend(
    exact: Expectation,
    encodings: Encodings,
    entropy: float,
    rng: np.random.Generator,
    *,
    sign: float = 1.0,
    difference: float = 0.0,
    bonus: Array | None = None,
    fill: Fill | None = None,
    measure: Callable[[Array], float] | None = None,
    tolerance: float = TOLERANCE,
    slack: float = TOLERANCE,
) -> tuple[Array, float]:
    """Weights float64[L, A] of highest objective at ``entropy``, and the objective.

    Args:
        sign: 1, or -1 where lower sums are better.
        difference: what one gene in which two networks drawn from the weights differ is worth.
        bonus: float64[L, A], what each allele is worth beside.
        fill: soft weights, if not given.
        measure: the entropy of weights; that of their law, if not given.
        tolerance, slack: nats by which the entropy may miss the target, and by which it may be above it.
    """
    fill = fill or softmax(encodings)
    measure = measure or (lambda weights: entropy_of(encodings, weights))
    extra = np.zeros(encodings.allowed.shape) if bonus is None else bonus
    weights = encodings.allowed / encodings.allowed.sum(axis=1, keepdims=True)
    start = measure(weights)
    best: tuple[Array, float] | None = None
    nearest: tuple[float, Array, float] | None = None
    worth: Worth | None = None
    step = 1.0
    for sweep in range(ANNEALING + SWEEPS * (2 if difference else 1)):
        target = start + (entropy - start) * min(1.0, (sweep + 1) / ANNEALING)
        before = weights
        for block in np.array_split(rng.permutation(len(weights)), min(BLOCKS, len(weights))):
            found = _worth(exact, encodings, weights, sign, difference)
            found = Worth(found.score + extra * found.active[:, None], found.room, found.active)
            if worth is None:
                worth = found
            else:
                for old, new in ((worth.score, found.score), (worth.room, found.room), (worth.active, found.active)):
                    old[block] += step * (new[block] - old[block])
            weights, temperature = _meet(worth, fill, measure, target)
            # an allele is worth less the more it is held: whole steps would swing to and fro where that weighs more than chance
            step = 1 / (1 + difference / temperature)
        law = weighted_law(encodings, weights)
        objective = sign * exact.slopes(law).mean + difference * pairwise_difference(law) + float((extra * weights).sum())
        miss = measure(weights) - entropy
        if abs(miss) <= tolerance and miss <= slack and (best is None or objective > best[1]):
            best = weights, objective
        if nearest is None or abs(miss) < nearest[0]:
            nearest = abs(miss), weights, objective
        if sweep >= ANNEALING and not difference and np.abs(weights - before).max() < SETTLED:
            break
    assert nearest is not None
    return best if best is not None else nearest[1:]


def main_spread(exact: Expectation, encodings: Encodings) -> float:
    """How far single genes move the mean: the unit in which a difference is weighed."""
    weights = encodings.allowed / encodings.allowed.sum(axis=1, keepdims=True)
    worth = _worth(exact, encodings, weights, 1.0, 0.0)
    height = worth.score / np.maximum(worth.active, 1e-9)[:, None]
    mean = (weights * height).sum(axis=1, keepdims=True)
    return float(math.sqrt((worth.active[:, None] * weights * (height - mean) ** 2).sum()))


def pairwise_difference(law: Law) -> float:
    """The expected number of genes in which two independent draws of ``law`` differ; off beside on is a difference too."""
    marginals = law.marginals
    return float(len(marginals) - (marginals**2).sum())


def _worth(exact: Expectation, encodings: Encodings, weights: Array, sign: float, difference: float) -> Worth:
    """From the derivatives of the mean and of the pairwise difference, what each allele is worth."""
    law = weighted_law(encodings, weights)
    slopes = exact.slopes(law)
    by_weight, by_chance = sign * slopes.by_weight, sign * slopes.by_chance
    if difference:
        shared = law.marginals[law.row_gene]
        row_chance = law.chance[law.row_box]
        by_weight = by_weight - 2 * difference * shared * row_chance[:, None]
        np.add.at(by_chance, law.row_box, -2 * difference * (shared * law.weights).sum(axis=1))
    if not encodings.conditional:
        return Worth(by_weight, np.zeros_like(by_weight), np.ones(len(by_weight)))
    return _tied_worth(encodings, law, Slopes(slopes.mean, by_chance, by_weight), weights)


def _tied_worth(encodings: Encodings, law: Law, slopes: Slopes, weights: Array) -> Worth:
    """The same where conditions tie genes: a controller's alleles are worth what they switch on, and the room in it."""
    own = -(weights * np.log(np.where(weights > 0, weights, 1.0))).sum(axis=1)
    score = slopes.by_weight[law.row].copy()  # of a free gene: its only row
    room, active = np.zeros_like(score), np.ones(len(score))
    for part in encodings.conditional:
        first = law.box[law.component[part.columns[0]]]
        boxes = slice(first, first + len(part.active))
        inside = part.active[:, part.dependents] @ own[part.columns[part.dependents]]  # entropy in each state
        for place in part.dependents:
            gene = part.columns[place]
            rows = slice(law.row[gene], law.row[gene] + len(part.active))
            score[gene] = slopes.by_weight[rows][part.active[:, place]].sum(axis=0)
            active[gene] = law.chance[boxes] @ part.active[:, place]
        for place in part.controllers:
            gene = part.columns[place]
            values = part.state_values[:, np.flatnonzero(part.controllers == place)[0]]
            others = part_chances(part, weights[part.columns], without=int(place))
            opened = others * (inside - np.log(np.where(others > 0, others, 1.0)))
            active[gene] = law.chance[boxes] @ part.active[:, place]
            score[gene] = 0
            gain = others * slopes.by_chance[boxes]
            for allele in range(int(part.counts[place])):
                states = part.active[:, place] & (values == allele)
                score[gene, allele] = gain[states].sum()
                room[gene, allele] = opened[states].sum()
    return Worth(score, room, active)


def _meet(worth: Worth, fill: Fill, measure: Callable[[Array], float], entropy: float) -> tuple[Array, float]:
    """The weights whose entropy is ``entropy``, or the nearest below it, and their temperature."""
    spread = float(np.ptp(worth.score)) or 1.0
    low, high = math.log(1e-6 * spread), math.log(1e4 * spread)
    weights = fill(worth, math.exp(low))
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        tried = fill(worth, math.exp(middle))
        above = measure(tried) - entropy
        if above > 1e-9:
            high = middle
        else:
            low, weights = middle, tried
            if above > -CLOSE:
                break
    return weights, math.exp(low)
