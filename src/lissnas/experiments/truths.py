"""What the networks of a supernet are judged by: a table of true scores, or a training of each alone."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Genotypes, difference, unique
from lissnas.evaluators import Evaluator
from lissnas.oneshot.data import ImageData
from lissnas.oneshot.recipe import Recipe
from lissnas.spaces import ExplicitSpace, SearchSpace, sample_distinct

__all__ = ["Known", "Table", "Trained", "Truth"]

Floats = NDArray[np.float64]


class Known(NamedTuple):
    """All networks whose true score is known, best first."""

    genotypes: Genotypes
    scores: Floats


class Truth(ABC):
    """True scores of networks.

    Attributes:
        says: what they are.
        dear: whether a score takes a training, so that none is asked for in vain.
    """

    says: str
    dear = False

    @abstractmethod
    def draw(self, space: SearchSpace, n: int, rng: np.random.Generator, without: Genotypes) -> Genotypes:
        """Up to ``n`` different networks of ``space`` that have a score or can get one, uniformly, none of ``without``."""

    @abstractmethod
    def searched(self, space: SearchSpace) -> SearchSpace:
        """The part of ``space`` whose networks have a score or can get one."""

    @abstractmethod
    def scores(self, genotypes: Genotypes) -> Floats:
        """The true scores, float64[n]."""

    def scores_of(self, lists: Sequence[Genotypes]) -> list[Floats]:
        """The scores of several lists; a network that is in more than one is asked for once."""
        scores = self.scores(np.concatenate(lists))
        return np.split(scores, np.cumsum([len(one) for one in lists])[:-1])

    def reference(self) -> Known | None:
        """All that is known, where there is a table."""
        return None


class Table(Truth):
    """A benchmark, complete or of a sample of the space."""

    def __init__(self, space: SearchSpace, evaluator: Evaluator) -> None:
        known = evaluator.known
        self.space, self._evaluator = space, evaluator
        self.complete = known is None
        self._all = known.genotypes if known is not None else np.concatenate(list(space.enumerate()))
        self._codes = unique(space.encode(self._all))
        self.says = f"{evaluator.metric.name}, of {'all' if self.complete else f'{len(self._all):,}'} networks"

    def listed(self, space: SearchSpace) -> Genotypes:
        """The networks of ``space`` that it has a score of."""
        return self._all[space.is_valid(self._all)]

    def draw(self, space: SearchSpace, n: int, rng: np.random.Generator, without: Genotypes) -> Genotypes:
        codes = difference(unique(space.encode(self.listed(space))), unique(space.encode(without)))
        return space.decode(codes[np.sort(rng.permutation(len(codes))[:n])])

    def searched(self, space: SearchSpace) -> SearchSpace:
        return space if self.complete else ExplicitSpace.of(space.root, self.listed(space))

    def scores(self, genotypes: Genotypes) -> Floats:
        return self._evaluator.evaluate(genotypes)

    def reference(self) -> Known:
        scores = self.scores(self._all)
        order = np.argsort(-scores, kind="stable")
        return Known(self._all[order], scores[order])


class Trained(Truth):
    """Networks trained alone, each once: the validation accuracy.

    Args:
        directory: where each is kept once it is trained, so that a run which is killed trains none twice.
        on_progress: told how many of how many are trained.
    """

    dear = True

    def __init__(
        self,
        space: SearchSpace,
        data: ImageData,
        recipe: Recipe,
        *,
        seed: int,
        workers: int,
        directory: Path,
        on_progress: Callable[[int, int], None],
    ) -> None:
        self.space, self._data, self._recipe, self._seed, self._workers = space, data, recipe, seed, workers
        self._directory, self._on_progress = directory, on_progress
        self.says = f"validation accuracy of one training of {recipe.epochs} epochs"

    def draw(self, space: SearchSpace, n: int, rng: np.random.Generator, without: Genotypes) -> Genotypes:
        inside = without[space.is_valid(without)]
        drawn = space.encode(sample_distinct(space, n + len(inside), rng))
        codes = difference(unique(drawn), unique(space.encode(inside)))
        if len(codes) > n:
            codes = codes[np.sort(rng.permutation(len(codes))[:n])]
        return space.decode(codes)

    def searched(self, space: SearchSpace) -> SearchSpace:
        return space

    def scores(self, genotypes: Genotypes) -> Floats:
        from lissnas.oneshot.devices import best_device
        from lissnas.oneshot.retrain import retrain

        device = best_device()
        told = iter(range(1, len(genotypes) + 1))
        trained = retrain(
            self.space,
            genotypes,
            self._data,
            self._recipe,
            seed=self._seed,
            workers=self._workers if device.type == "cpu" else 1,
            device=str(device),
            directory=self._directory,
            on_result=lambda _: self._on_progress(next(told), len(genotypes)),
        )
        return np.array([network.accuracy for network in trained])
