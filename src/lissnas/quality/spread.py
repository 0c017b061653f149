"""How its architectures lie to each other and what they cost: diversity, pockets, coverage (paper Sec. 5.4, Fig. 1 and 5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Genotypes
from lissnas.quality.cosine import cosine_diversity, gene_entropy
from lissnas.quality.diversity import cost_coverage
from lissnas.quality.pockets import links_to_list, pockets
from lissnas.quality.population import Population
from lissnas.quality.statistic import Statistic, as_far_as_seen, estimate
from lissnas.spaces import ExplicitSpace, SearchSpace

__all__ = ["BINS", "Spread", "cost_bins", "costs_of", "edit_distance", "spread"]

BINS = 20  # quantile bins of each cost (reconstruction E)
PAIRS = 5000  # of different architectures, drawn where there are more
ALL_PAIRS = 200  # architectures up to which all pairs are taken
MOST_LINKS = 20_000_000  # neighbors that are listed to find pockets where sorting does not: some 6 s
SHOWN = 50  # sizes of pockets that are kept, the largest

Floats = NDArray[np.float64]


class Spread(NamedTuple):
    """The statistics by name, the entropy of each gene in bits, and the sizes of the largest pockets."""

    statistics: dict[str, Statistic]
    entropy: dict[str, float]
    pockets: list[int]


def spread(space: SearchSpace, whole: Population, rng: np.random.Generator) -> Spread:
    """Diversity and pockets of ``space``, which ``whole`` stands for."""
    entropies = gene_entropy(space, whole.genotypes)
    found = _cosine(space, rng)
    found["edit_distance"] = edit_distance(space, whole, rng)
    found["entropy"] = _mean_entropy(whole, entropies)
    counted, sizes = _pockets(space, whole)
    named = {gene.name: float(value) for gene, value in zip(space.genes, entropies, strict=True)}
    return Spread(found | counted, named, sizes)


def _cosine(space: SearchSpace, rng: np.random.Generator) -> dict[str, Statistic]:
    names = ("cosine_mean", "cosine_max", "cosine_d1000")
    if space.cardinality_is_exact and space.cardinality < 2:
        return dict.fromkeys(names, Statistic.missing("a space of one architecture has no pair", 1))
    found = cosine_diversity(space, rng)
    return {
        "cosine_mean": estimate(found.mean, found.mean_error, found.exact, found.n),
        "cosine_max": as_far_as_seen(found.maximum, found.exact, found.n),
        "cosine_d1000": estimate(found.d1000, found.d1000_error, found.exact, found.n),
    }


def edit_distance(space: SearchSpace, whole: Population, rng: np.random.Generator) -> Statistic:
    """The mean edit distance of two different architectures, among the pairs that edits connect."""
    genotypes, n = whole.genotypes, len(whole)
    if n < 2:
        return Statistic.missing("a space of one architecture has no pair", n)
    exact = whole.exact and n <= ALL_PAIRS
    if exact:
        first, second = np.triu_indices(n, k=1)
    else:
        first = rng.integers(0, n, PAIRS)
        second = (first + rng.integers(1, n, PAIRS)) % n
    far = space.distance(genotypes[first], genotypes[second])
    if space.unreachable is not None:
        far = far[far != space.unreachable]
    if not len(far):
        return Statistic.missing("no edits lead from one architecture to another")
    return estimate(float(far.mean()), float(far.std()) / len(far) ** 0.5, exact, len(far))


def _mean_entropy(whole: Population, entropies: Floats) -> Statistic:
    """The mean over genes; its error is that of the architectures' mean surprise."""
    genotypes, n = whole.genotypes, len(whole)
    if whole.exact:
        return Statistic.certain(float(entropies.mean()), n)
    surprise = np.zeros(n)
    for column in genotypes.T:
        share = np.bincount(column) / n
        surprise -= np.log2(share, out=np.zeros_like(share), where=share > 0)[column]
    return estimate(float(entropies.mean()), float(surprise.std()) / genotypes.shape[1] / n**0.5, False, n)


def _pockets(space: SearchSpace, whole: Population) -> tuple[dict[str, Statistic], list[int]]:
    names = ("pockets", "largest_pocket", "median_pocket", "alone")
    if not whole.exact:
        reason = f"pockets are counted where a space is listed, and this one has {space.cardinality:,} architectures"
        return dict.fromkeys(names, Statistic.missing(reason)), []
    listed = space if isinstance(space, ExplicitSpace) else ExplicitSpace.of(space.root, whole.genotypes)
    if (links := links_to_list(listed)) > MOST_LINKS:
        reason = f"pockets would take a list of {links:,} neighbors, and at most {MOST_LINKS:,} are listed"
        return dict.fromkeys(names, Statistic.missing(reason)), []
    sizes = np.bincount(pockets(listed))
    n = len(whole)
    values = (len(sizes), sizes[0] / n, float(np.median(sizes)), np.count_nonzero(sizes == 1) / n)
    counted = {name: Statistic.certain(float(value), n) for name, value in zip(names, values, strict=True)}
    return counted, sizes[:SHOWN].tolist()


def cost_bins(
    ours: Mapping[str, Floats], exact: bool, theirs: Mapping[str, Floats], theirs_exact: bool
) -> dict[str, Statistic]:
    """Of each cost, the share of the reference's quantile bins that the space still reaches (Fig. 5 as a number)."""
    found = {}
    for cost, values in ours.items():
        base = theirs[cost]
        n = len(values)
        if np.isnan(values).any() or np.isnan(base).any():
            found[f"coverage_{cost}"] = Statistic.missing(f"{cost} is learned from measured networks, which are not here")
        elif len(base) < BINS:
            found[f"coverage_{cost}"] = Statistic.missing(f"{BINS} bins need as many architectures of the reference", n)
        elif np.ptp(base) == 0:
            found[f"coverage_{cost}"] = Statistic.missing(f"all architectures of the reference cost the same {cost}", n)
        else:
            covered = cost_coverage(values, base, BINS)
            # bins that are cut by a sample's quantiles are those of the space but for a little
            seen = as_far_as_seen(covered, exact and theirs_exact, n)
            found[f"coverage_{cost}"] = replace(seen, high=1.0) if covered == 1 else seen
    return found


def costs_of(space: SearchSpace, genotypes: Genotypes) -> dict[str, Floats]:
    """Every cost of ``genotypes``, float64[n] by name."""
    return dict(space.cost(genotypes)) if len(genotypes) else {name: np.zeros(0) for name in space.cost_names}
