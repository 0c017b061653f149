"""Which paths a supernet is trained on: one file per strategy, and a line in ``SAMPLERS``.

A sampler draws from any space, so training on a shrunk space is the same call as on the full one.
"""

from __future__ import annotations

from typing import Any

from lissnas.oneshot.samplers.base import PathSampler
from lissnas.registry import Registry
from lissnas.spaces.base import SearchSpace

__all__ = ["SAMPLERS", "PathSampler", "get_sampler"]

SAMPLERS = Registry("path sampler", {"uniform": "lissnas.oneshot.samplers.uniform:UniformSampler"})


def get_sampler(name: str, space: SearchSpace, **options: Any) -> PathSampler:
    """The sampler called ``name``, drawing from ``space``.

    Raises:
        UserError: no such sampler; the nearest names are given.
    """
    sampler: PathSampler = SAMPLERS.get(name)(space, **options)
    return sampler
