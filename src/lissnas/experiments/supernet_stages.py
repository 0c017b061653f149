"""The runs behind Table 3: one predictor, one recipe, and a supernet on the space that each method makes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lissnas.errors import UserError
from lissnas.experiments.stages import NASBENCH101, NASBENCH201_TASKS, Method
from lissnas.oneshot.recipe import Recipe

__all__ = ["BALANCED", "FULL", "SUPERNET_STAGES", "SupernetSizes", "SupernetStage", "stage_of_space"]

FULL = "full"  # the given space with uniform paths
BALANCED = "full-balanced"  # the same with the paths of the paper's baseline (Appendix F)


@dataclass(frozen=True)
class SupernetSizes:
    """What is trained, and how much of it.

    Attributes:
        space, options: a published space, with so wide and deep networks.
        images: ``cifar10`` or ``digits``.
        train, validation: how many of them; None: all there are.
        side: they are averaged down to squares of so many pixels; None: as they are.
        recipe: of every supernet.
        methods: by key; what each makes has a supernet.
        queries: of the predictor, the budget of each method.
        pairs: networks with their score that the predictor learns from, at most 5% of a complete table and half of a sample.
        judged: networks of each space, and of the common set, that a supernet orders.
        calibration: training images for the statistics of a subnet.
        population, generations: of the search in each space.
        alone: how a network is trained that no table has a score of; None: a table has.
        trees: of the predictor.
    """

    space: str
    images: str
    recipe: Recipe
    methods: Mapping[str, Method]
    options: Mapping[str, Any] = field(default_factory=dict)
    train: int | None = None
    validation: int = 5_000
    side: int | None = None
    queries: int = 100_000
    pairs: int = 10_000
    judged: int = 1_000
    calibration: int = 512
    population: int = 50
    generations: int = 20
    alone: Recipe | None = None
    trees: int = 300


@dataclass(frozen=True)
class SupernetStage:
    """Supernets of one space, on all of it and on what each method leaves.

    Attributes:
        name: in lower case with hyphens; its files are called so.
        space: as the paper calls it.
        benchmarks: what knows true scores, the one to prefer first; none: networks are trained alone, and the predictor learns
            from evaluations of the full space's supernet, as in Appendix C.2.
        task: which score.
        sizes: by scale.
    """

    name: str
    space: str
    benchmarks: tuple[str, ...]
    task: str | None
    sizes: Mapping[str, SupernetSizes]


def _methods(abs_size: int, nse_size: int, padnas_size: int, size: int, lissnas: Method | None = None) -> dict[str, Method]:
    """The rivals at the sizes of Table 4 or in their proportion, LISSNAS, and our own shrinker at LISSNAS's size."""
    return {
        "abs": Method("ABS", "abs", {"size": abs_size}),
        "nse": Method("NSE", "nse", {"size": nse_size}),
        "padnas": Method("PADNAS", "padnas", {"size": padnas_size}),
        "lissnas": lissnas or Method("LISSNAS", "lissnas", {"size": size}),
        "frontier": Method("frontier", "frontier", {"size": size}),
    }


_AS_PUBLISHED = Method("LISSNAS, one iteration", "lissnas", {"as_in_paper": True, "iterations": 1, "draws": 20})
# NAS-Bench-201 at the shares of Table 4: of 423,624 networks 100,000, 25,000, 15,000 and 13,000
_METHODS_101 = _methods(100_000, 25_000, 15_000, 13_000, _AS_PUBLISHED)
_METHODS_201 = {key: method for key, method in _methods(3_690, 922, 553, 480).items() if key != "frontier"}
_METHODS_DIGITS = _methods(1_000, 1_000, 1_000, 1_000)
_METHODS_SHUFFLE = _methods(100_000, 1_000_000, 1_000_000, 10_000)

# Appendix F as un-swapped (reconstruction D): NAS-Bench-101 on CIFAR-10, 200 epochs, batches of 64 in ghost batches of 32
_CIFAR = Recipe(
    epochs=200,
    batch_size=64,
    learning_rate=0.025,
    min_learning_rate=0.001,
    weight_decay=3e-4,
    clip_norm=5.0,
    label_smoothing=0.0,
    ghost=32,
)
# chosen on the development seed 100 of NAS-Bench-201's full space, then left as it is (docs/log.md)
_SMALL = Recipe(epochs=120, batch_size=128, learning_rate=0.2, label_smoothing=0.0, ghost=None, checkpoint_epochs=4)

SUPERNET_STAGES = (
    SupernetStage(
        "supernets-nasbench201",
        "nasbench201",
        ("nasbench201",),
        NASBENCH201_TASKS["cifar10"],
        {
            "small": SupernetSizes(
                "nasbench201",
                "cifar10",
                _SMALL,
                _METHODS_201,
                {"resolution": 8, "channels": 8, "cells": 1},
                train=10_000,
                validation=1_000,
                side=8,
                queries=3_125,
                pairs=781,
                judged=150,
                calibration=256,
                population=25,
                generations=4,
                trees=150,
            ),
            "paper": SupernetSizes("nasbench201", "cifar10", _CIFAR, _METHODS_201, queries=3_125, pairs=781),
        },
    ),
    SupernetStage(
        "supernets-nasbench101",
        "nasbench101",
        NASBENCH101,
        "test_max_108",
        {
            "small": SupernetSizes(
                "nasbench101",
                "cifar10",
                _SMALL,
                _METHODS_101,
                {"resolution": 8, "stem_channels": 8, "cells": 1},
                train=10_000,
                validation=1_000,
                side=8,
                judged=200,
                calibration=256,
                population=25,
                generations=6,
                trees=150,
            ),
            "paper": SupernetSizes("nasbench101", "cifar10", _CIFAR, _METHODS_101, {"stem_channels": 16}),
        },
    ),
    SupernetStage(
        "supernets-shufflenetv2",
        "shufflenetv2",
        (),
        None,
        {
            "small": SupernetSizes(
                "digits-shuffle",
                "digits",
                Recipe(epochs=250, batch_size=32, ghost=16, label_smoothing=0.0, checkpoint_epochs=50),
                _METHODS_DIGITS,
                validation=738,
                queries=20_000,
                pairs=2_000,
                judged=100,
                calibration=256,
                generations=6,
                alone=Recipe(epochs=25, batch_size=32, ghost=None, label_smoothing=0.0),
                trees=150,
            ),
            "paper": SupernetSizes(
                "shufflenetv2-cifar",
                "cifar10",
                Recipe(epochs=600, batch_size=256, learning_rate=0.1, ghost=128),
                _METHODS_SHUFFLE,
                judged=100,
                alone=Recipe(epochs=100, batch_size=256, learning_rate=0.1, ghost=None),
            ),
        },
    ),
)


def stage_of_space(space: str) -> SupernetStage:
    """The stage of the space that the paper calls ``space``.

    Raises:
        UserError: there is none.
    """
    for stage in SUPERNET_STAGES:
        if stage.space == space:
            return stage
    raise UserError(
        f"Table 3 has supernets of {', '.join(stage.space for stage in SUPERNET_STAGES)}, but got '{space}': choose one"
    )
