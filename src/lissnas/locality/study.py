"""The networks that edits begin at, and the statistics of the pairs that begin there."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Codes
from lissnas.errors import UserError
from lissnas.locality.draw import NEAR, edit_kinds, known_pairs, pairs_at_distance, walk, with_edits
from lissnas.locality.estimate import Estimate, Pairs, correlation, mean_difference, share_passing
from lissnas.locality.exact import Profile, can_compare_all, compare_all
from lissnas.locality.result import Population, Row
from lissnas.locality.source import ScoreSource
from lissnas.locality.threshold import paper_threshold
from lissnas.predictors.base import Predictor
from lissnas.spaces import SearchSpace

__all__ = ["FEWEST_SAMPLES", "Progress", "Study", "quiet"]

FEWEST_SAMPLES = 30
GOOD_SHARE, SEED_SHARE = 0.1, 0.02  # the best tenth; the best 2%, the seeds of LISSNAS as in the paper (reconstruction A.6)
FEWEST_GOOD = 10  # networks of the best, where a tenth is less
BEYOND = 3  # edits past the paper's threshold up to which neighbors of good networks are drawn
BY_KIND = 3  # edits up to which kinds of edit are told apart (Table 8)
_POOL = 50  # networks, for each that is asked for, whose best are the good ones and the seeds
# Walkers for each network that is asked for, and the steps of each.
_WALKS = {"exact": (5, 40), "sampled": (1, 100), "partial": (20, 40)}
_MOST_LAGS = 40
_LISTED = 1 << 20  # networks of a complete space up to which all are scored
_DEAR = 6  # of N evaluations that cost something, 1 in 6 goes to a sample, 3 to its neighbors, 2 to those of its best
_MOST_STARTS = 20_000

Floats = NDArray[np.float64]
Progress = Callable[[str, int, int], None]


def quiet(task: str, done: int, total: int) -> None:
    """No progress shown."""


class Study:
    """The populations of one space, and the pairs that begin at them."""

    def __init__(
        self, space: SearchSpace, source: ScoreSource, samples: int, rng: np.random.Generator, good_above: float | None
    ) -> None:
        self.space, self.source, self.samples = space, source, samples
        self.everything: Floats | None = None
        complete = source.known is None and source.is_free and space.cardinality_is_exact
        if source.known is not None:
            self.design, self.members = "partial", space.decode(source.known)
        elif complete and can_compare_all(space):
            self.design, self.members = "exact", np.concatenate(list(space.enumerate()))
        else:
            self.design = "sampled"
            size = samples * _POOL if source.is_free else max(30, samples // _DEAR)
            self.members = space.sample(size, rng)
        source.check_noise(self.members)
        self.scores = source(self.members)
        if self.design == "exact":
            self.everything = self.scores
        elif complete and space.cardinality <= _LISTED:
            self.everything = source(np.concatenate(list(space.enumerate())))
        self.deep = space.max_edits if source.is_free else min(BY_KIND, space.max_edits)
        self.sorted = np.sort(self.scores)
        self.populations: dict[str, Population] = {}
        self.starts: dict[str, NDArray[np.intp]] = {}
        self._choose(good_above, rng)

    def _choose(self, good_above: float | None, rng: np.random.Generator) -> None:
        """The populations: all, the good ones, the seeds; of each, which rows edits begin at."""
        scores, sign = self.scores, self.source.sign
        if good_above is not None:
            reached = int((sign * scores >= sign * good_above).sum())
            if not np.isfinite(good_above) or reached in (0, len(scores)):
                what = "none" if reached == 0 else "every one"
                raise UserError(
                    f"a good network is said to have {good_above:g}, but {what} of {len(scores):,} networks reaches that: "
                    f"they have {scores.min():.4g} to {scores.max():.4g}"
                )
        thresholds: dict[str, float | None] = {"uniform": None}
        share = min(1.0, max(GOOD_SHARE, FEWEST_GOOD / len(scores)))
        thresholds["good"] = good_above if good_above is not None else float(np.quantile(sign * scores, 1 - share)) * sign
        thresholds["seeds"] = float(np.quantile(sign * scores, 1 - SEED_SHARE)) * sign
        for name, threshold in thresholds.items():
            reaches = np.ones(len(scores), dtype=bool) if threshold is None else sign * scores >= sign * threshold
            rows = np.flatnonzero(reaches)
            self.populations[name] = Population(name, len(rows), threshold, float(reaches.mean()))
            if self.design == "sampled" and threshold is None:
                rows = rows[: self.samples] if self.source.is_free else rows
            most = _MOST_STARTS if self.design == "partial" else self.samples
            if not self.source.is_free and threshold is not None:
                most = max(FEWEST_GOOD, len(scores) // 10) if name == "good" else max(1, len(scores) // 50)
            if self.design != "exact" and len(rows) > most:
                rows = np.sort(rng.permutation(rows)[:most])
            self.starts[name] = rows

    def ranks(self, scores: Floats) -> Floats:
        """Where scores stand among all of the population, from 0 to 1, ties in their middle; NaN stays."""
        low = np.searchsorted(self.sorted, scores, side="left")
        high = np.searchsorted(self.sorted, scores, side="right")
        return np.where(np.isnan(scores), np.nan, (low + high) / (2 * len(self.sorted)))

    # -- statistics of pairs ----------------------------------------------------------------------------------------

    def _of_pairs(self, pairs: Pairs, by: str, population: str, kind: str, edits: int) -> Iterator[Row]:
        if population == "uniform":
            yield Row("correlation", by, population, kind, edits, correlation(pairs))
            ranked = pairs._replace(start=self.ranks(pairs.start), end=self.ranks(pairs.end))
            yield Row("rank correlation", by, population, kind, edits, correlation(ranked))
        yield Row("difference", by, population, kind, edits, mean_difference(pairs))
        if population != "uniform":
            yield Row("yield", by, population, kind, edits, self._yield(pairs, population))

    def _yield(self, pairs: Pairs, population: str) -> Estimate:
        group = self.populations[population]
        if group.networks == len(self.scores) or group.threshold is None:
            return Estimate.missing("every network reaches the threshold", len(pairs.start))
        return share_passing(pairs, group.threshold, self.source.sign)

    def by_distance(self, rng: np.random.Generator, say: Progress) -> Iterator[Row]:
        """All statistics at each exact distance."""
        if self.design == "exact":
            yield from self._exact()
            return
        for done, name in enumerate(self.starts):
            say("pairs by distance", done, len(self.starts))
            deep = self.deep if name == "uniform" else min(self.deep, paper_threshold(self.space.max_edits) + BEYOND)
            for edits, pairs in self._pairs(self.space, name, deep, rng):
                yield from self._of_pairs(pairs, "distance", name, "any", edits)
        say("pairs by distance", len(self.starts), len(self.starts))

    def _pairs(self, space: SearchSpace, population: str, deep: int, rng: np.random.Generator) -> Iterator[tuple[int, Pairs]]:
        """The pairs that begin at a population, at each distance."""
        rows = self.starts[population]
        if self.design != "partial":
            for edits in range(1, deep + 1):
                draws = self._draws(population, edits)
                yield edits, pairs_at_distance(space, self.source, self.members[rows], self.scores[rows], edits, rng, draws)
            return
        known = self._known()
        first, second, far = known_pairs(
            space,
            known,
            self.members,
            rows,
            rng,
            near=min(deep, NEAR),
            far=population == "uniform",
            once=population == "uniform",
        )
        for edits in range(1, (max(deep, int(far.max(initial=0))) if population == "uniform" else deep) + 1):
            at = np.flatnonzero(far == edits)
            pairs = Pairs(self.scores[first[at]], self.scores[second[at]], first[at], second[at])
            yield edits, pairs._replace(unordered=population == "uniform")

    def _draws(self, population: str, edits: int) -> int:
        """Neighbors of each network: one; more of the few good ones that a small number of evaluations has found."""
        if self.source.is_free or population == "uniform":
            return 1
        left = self.samples - len(self.scores) * (1 + self.deep)
        share = (2 / 3 if population == "good" else 1 / 3) * (1 / 2 if edits == 1 else 1 / 4)
        return max(1, int(share * left / len(self.starts[population])))

    def _known(self) -> Codes:
        assert self.source.known is not None  # the partial design has a table
        return self.source.known

    def _exact(self) -> Iterator[Row]:
        """Statistics over all pairs."""
        sign, scores = self.source.sign, self.scores
        names = [name for name, group in self.populations.items() if group.threshold is not None]
        reached = [(sign * scores >= sign * (self.populations[n].threshold or 0.0)).astype(np.float64) for n in names]
        columns = np.stack([scores, self.ranks(scores), *reached])
        # centered, so that what inclusion and exclusion cancels is small
        middle = columns[:2].mean(axis=1, keepdims=True)
        columns[:2] -= middle
        profile = compare_all(self.space, self.members, columns)
        for edits in range(1, profile.farthest + 1):
            pairs = round(float(profile.count[:, edits].sum()))
            for k, statistic in enumerate(("correlation", "rank correlation")):
                estimate = _correlate(columns[k], profile, k, edits)
                yield Row(statistic, "distance", "uniform", "any", edits, estimate)
            for name, rows in self.starts.items():
                pairs = round(float(profile.count[rows, edits].sum()))
                if not pairs:
                    yield Row("difference", "distance", name, "any", edits, Estimate.missing("no pairs at this distance"))
                    continue
                apart = float(profile.apart[rows, edits].sum()) / pairs
                yield Row("difference", "distance", name, "any", edits, Estimate.certain(max(apart, 0.0), pairs))
                if name == "uniform":
                    continue
                share = float(profile.sums[2 + names.index(name), rows, edits].sum()) / pairs
                every = self.populations[name].networks == len(scores)
                estimate = Estimate.missing("every network reaches the threshold", pairs)
                yield Row("yield", "distance", name, "any", edits, estimate if every else Estimate.certain(share, pairs))

    def by_walk(self, rng: np.random.Generator, say: Progress) -> Iterator[Row]:
        """All statistics by number of random edits, and the autocorrelation of the long walk; not of what is dear."""
        if not self.source.is_free:
            return
        walkers, steps = _WALKS[self.design]
        for done, (name, rows) in enumerate(self.starts.items()):
            say("random walks", done, len(self.starts))
            most = walkers * self.samples
            begin = rows if len(rows) <= most else np.sort(rng.permutation(rows)[:most])
            length = max(steps, self.deep) if name == "uniform" else self.deep
            path = walk(self.space, self.source, self.members[begin], self.scores[begin], length, rng, self.source.known)
            for edits in range(1, self.deep + 1):
                yield from self._of_pairs(path.pairs(0, edits), "random edits", name, "any", edits)
            if name == "uniform":
                for lag in range(1, min(2 * self.deep, _MOST_LAGS, length // 2) + 1):
                    yield Row("correlation", "walk", name, "any", lag, correlation(path.lagged(lag)))
        say("random walks", len(self.starts), len(self.starts))

    def by_kind(self, rng: np.random.Generator, say: Progress) -> Iterator[Row]:
        """Differences by kind of edit, where the space tells kinds apart (Table 8)."""
        kinds = edit_kinds(self.space) if self.source.is_free else ()
        for done, kind in enumerate(kinds):
            say("kinds of edit", done, len(kinds))
            limited = with_edits(self.space, kind)
            for name in self.starts:
                for edits, pairs in self._pairs(limited, name, BY_KIND, rng):
                    if edits <= BY_KIND:
                        yield from self._of_pairs(pairs, "distance", name, kind, edits)
        if kinds:
            say("kinds of edit", len(kinds), len(kinds))

    def predicted(self, predictor: Predictor, rng: np.random.Generator, say: Progress) -> Iterator[Row]:
        """Neighbor yields by predicted scores: seeds and thresholds are the predictor's own."""
        say("predicted neighbors", 0, 1)
        guess = predictor.predict(self.members)
        sign = self.source.sign
        for name, share in (("good", GOOD_SHARE), ("seeds", SEED_SHARE)):
            threshold = float(np.quantile(sign * guess, 1 - share))
            rows = np.flatnonzero(sign * guess >= threshold)
            every = len(rows) == len(guess)
            rows = np.sort(rng.permutation(rows)[: self.samples])
            for edits in range(1, min(self.space.max_edits, paper_threshold(self.space.max_edits) + BEYOND) + 1):
                near = self.space.neighbors(self.members[rows], edits, rng)
                second = len(rows) + np.arange(len(near.parents))
                pairs = Pairs(guess[rows][near.parents], predictor.predict(near.genotypes), near.parents, second)
                estimate = share_passing(pairs, sign * threshold, sign)
                if every:
                    estimate = Estimate.missing("every network reaches the threshold", len(second))
                yield Row("yield", "distance", name, "any", edits, estimate, "predicted")
        say("predicted neighbors", 1, 1)


def _correlate(column: Floats, profile: Profile, k: int, edits: int) -> Estimate:
    """Pearson's correlation over all pairs at a distance, from sums; each pair is there both ways."""
    count = profile.count[:, edits]
    pairs = float(count.sum())
    if not pairs:
        return Estimate.missing("no pairs at this distance")
    mean = float(count @ column) / pairs
    variance = float(count @ column**2) / pairs - mean**2
    if np.ptp(column) == 0 or variance <= 1e-12 * max(1e-300, float(np.var(column))):
        return Estimate.missing("the scores are all equal, so nothing correlates", round(pairs))
    product = float(column @ profile.sums[k, :, edits]) / pairs - mean**2
    return Estimate.certain(float(np.clip(product / variance, -1, 1)), round(pairs))
