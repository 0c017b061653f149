"""What is done with one supernet, in a process of its own: it is trained, and it is asked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Genotypes
from lissnas.oneshot.data import ImageData
from lissnas.oneshot.devices import best_device
from lissnas.oneshot.evaluate import one_thread, score_subnets
from lissnas.oneshot.recipe import Recipe
from lissnas.oneshot.samplers import get_sampler
from lissnas.oneshot.search import evolve
from lissnas.oneshot.supernet import Supernet
from lissnas.oneshot.train import train_supernet
from lissnas.oneshot.weights import copy_into, pack_weights, read_weights
from lissnas.spaces import SearchSpace

__all__ = ["Answer", "AskSupernet", "Question", "TrainSupernet", "Training", "load_supernet"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Training:
    """A supernet to be trained on paths of ``space``; ``checkpoints`` is where it is taken up again."""

    space: SearchSpace
    sampler: str
    checkpoints: Path


@dataclass(frozen=True)
class TrainSupernet:
    """Trains one supernet: its weights as the bytes of a safetensors file."""

    data: ImageData
    recipe: Recipe
    initial: int
    order: int

    def __call__(self, job: Training) -> bytes:
        device = best_device()
        supernet = Supernet(job.space.root, seed=self.initial).to(device)
        with one_thread(device):
            train_supernet(
                supernet,
                get_sampler(job.sampler, job.space),
                self.data,
                self.recipe,
                seed=self.order,
                checkpoint_dir=job.checkpoints,
            )
        return pack_weights(supernet.state_dict(), {"space": job.space.name, "sampler": job.sampler})


@dataclass(frozen=True)
class Question:
    """What a supernet is asked: networks of its own space and of the common set, and to find the best of ``searched``."""

    space: SearchSpace
    weights: Path
    own: Genotypes
    common: Genotypes
    searched: SearchSpace


class Answer(NamedTuple):
    """Scores with inherited weights, float64[n, 2] (accuracy in percent, cross entropy in nats), and what a search by accuracy
    found, best first."""

    own: Floats
    common: Floats
    found: Genotypes
    found_scores: Floats
    evaluations: int


@dataclass(frozen=True)
class AskSupernet:
    """Asks one supernet."""

    data: ImageData
    calibration: int
    population: int
    generations: int

    def __call__(self, question: Question, rng: np.random.Generator) -> Answer:
        supernet = load_supernet(question.space, question.weights)
        known: dict[bytes, tuple[float, float]] = {}

        def ask(genotypes: Genotypes) -> Floats:
            new = [row for row in {row.tobytes(): row for row in genotypes}.values() if row.tobytes() not in known]
            if new:
                scores = score_subnets(supernet, np.array(new), self.data, calibration=self.calibration)
                known.update((row.tobytes(), (a, c)) for row, a, c in zip(new, *map(np.ndarray.tolist, scores), strict=True))
            return np.array([known[row.tobytes()] for row in genotypes]).reshape(-1, 2)

        own, common = ask(question.own), ask(question.common)
        found = evolve(
            question.searched,
            lambda genotypes: ask(genotypes)[:, 0],
            rng,
            population=self.population,
            generations=self.generations,
            parents=max(1, self.population // 5),
            mutations=self.population // 2,
            crossovers=self.population // 2,
        )
        return Answer(own, common, found.genotypes, found.scores, len(found.scores))


def load_supernet(space: SearchSpace, weights: Path) -> Supernet:
    """The supernet of ``space`` with trained weights."""
    supernet = Supernet(space.root, seed=0)
    copy_into(supernet, read_weights(weights)[0], str(weights))
    return supernet.to(best_device())
