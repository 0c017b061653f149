"""Which paths a supernet is trained on: one file per strategy, and a line in ``SAMPLERS``.

A sampler draws from any space, so training on a shrunk space is the same call as on the full one; what it cannot draw from it
refuses in one line. ``lissnas.testing.SamplerContract`` tests a new one.
"""

from __future__ import annotations

import inspect
from typing import Any

from lissnas.errors import UserError
from lissnas.formats.hints import nearest
from lissnas.oneshot.samplers.base import PathSampler
from lissnas.registry import Registry
from lissnas.spaces.base import SearchSpace

__all__ = ["SAMPLERS", "PathSampler", "get_sampler"]

SAMPLERS = Registry(
    "path sampler",
    {
        "uniform": "lissnas.oneshot.samplers.uniform:UniformSampler",
        "strictly-fair": "lissnas.oneshot.samplers.strictly_fair:StrictlyFairSampler",
        "balanced": "lissnas.oneshot.samplers.balanced:BalancedSampler",
        "flops-bins": "lissnas.oneshot.samplers.flops_bins:FlopsBinsSampler",
        "greedy": "lissnas.oneshot.samplers.greedy:GreedySampler",
        "sandwich": "lissnas.oneshot.samplers.sandwich:SandwichSampler",
    },
)


def get_sampler(name: str, space: SearchSpace, **options: Any) -> PathSampler:
    """The sampler called ``name``, drawing from ``space``.

    Raises:
        UserError: no such sampler, or an option that it does not have (the nearest names are given); an option of a wrong
            value, or a space that it cannot draw from.
    """
    kind = SAMPLERS.get(name)
    known = list(inspect.signature(kind).parameters)[1:]
    for option in options:
        if option not in known:
            raise UserError(f"the sampler '{name}' has no setting '{option}': {nearest(option, known)}")
    sampler: PathSampler = kind(space, **options)
    return sampler
