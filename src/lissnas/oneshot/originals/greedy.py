"""GreedyNAS's space: the paths that a greedily trained supernet remembers (You et al., CVPR 2020; reconstruction C.4)."""

from __future__ import annotations

from lissnas.oneshot.originals.stages import StagedTraining
from lissnas.oneshot.samplers.greedy import GreedySampler
from lissnas.oneshot.train import train_supernet
from lissnas.spaces import ExplicitSpace

__all__ = ["greedy_space"]


def greedy_space(training: StagedTraining, sampler: GreedySampler) -> ExplicitSpace:
    """Train a supernet on the paths of ``sampler`` and give back its candidate pool, which the original searches from.

    GreedyNAS shrinks no space; its pool is the part of it that it went on training.
    """
    supernet = training.begin(sampler.space)
    train_supernet(supernet, sampler, training.data, training.recipe, seed=training.seed)
    return ExplicitSpace(sampler.space.root, sampler.state()["codes"], "greedynas-pool")
