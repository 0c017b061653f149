"""Networks trained alone, for every job that does so; their accuracies are evaluations, which a predictor can learn from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Genotypes
from lissnas.formats import write_architectures_csv
from lissnas.oneshot.evaluate import right_answers
from lissnas.oneshot.recipe import Recipe
from lissnas.oneshot.retrain import TrainedNetwork, retrain
from lissnas.runs.one_shot import OneShotSteps

__all__ = ["STAND_ALONE", "answers_on_test", "final_row", "interval", "train_networks", "write_stand_alone"]

STAND_ALONE = "stand-alone.csv"


def train_networks(steps: OneShotSteps, step: str, genotypes: Genotypes, recipe: Recipe, task: str) -> list[TrainedNetwork]:
    """Train ``genotypes`` alone inside the running ``step``; each is kept once it is trained."""
    done = 0

    def on_result(_: TrainedNetwork) -> None:
        nonlocal done
        done += 1
        steps.progress.advance(task, done, len(genotypes))

    return retrain(
        steps.space,
        genotypes,
        steps.data,
        recipe,
        seed=steps.seed("networks"),
        workers=steps.processes,
        device=str(steps.device),
        devices=steps.devices,
        directory=steps.run.checkpoint(step),
        on_result=on_result,
    )


def write_stand_alone(steps: OneShotSteps, genotypes: Genotypes, accuracy: Sequence[float] | NDArray[np.float64]) -> None:
    """Keep validation accuracies as a file of measured networks: ``lissnas shrink SPACE --scores stand-alone.csv``."""
    root = steps.space.root
    _, first = np.unique(genotypes, axis=0, return_index=True)
    rows = np.sort(first)
    columns = {"accuracy": np.asarray(accuracy)[rows], **dict(root.cost(genotypes[rows]))}
    with steps.run.writing(STAND_ALONE) as path:
        write_architectures_csv(root, genotypes[rows], path, columns)


def answers_on_test(steps: OneShotSteps, network: TrainedNetwork) -> NDArray[np.bool_]:
    """Which of the test images a network gets right, bool[n]. They are looked at here and nowhere else."""
    return right_answers(network.network().to(steps.device), steps.data, "test")


def final_row(steps: OneShotSteps, network: TrainedNetwork, right: NDArray[np.bool_]) -> dict[str, Any]:
    """A network with its accuracy on the test images, of which it got those ``right``."""
    one = network.genotype[None]
    test = 100 * float(right.mean())
    low, high = interval(test, len(right))
    return {
        "architecture": steps.space.format(one)[0],
        "validation": network.accuracy,
        "test": test,
        "test_low": low,
        "test_high": high,
        "costs": {name: float(values[0]) for name, values in steps.space.cost(one).items()},
    }


def interval(percent: float, n: int) -> tuple[float, float]:
    """Wilson's 95% interval of a share of ``n`` images, in percent."""
    p, z = percent / 100, 1.959964
    middle, half = p + z * z / (2 * n), z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return 100 * (middle - half) / (1 + z * z / n), 100 * (middle + half) / (1 + z * z / n)
