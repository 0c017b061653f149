"""Limits on what an architecture may cost: ``"flops <= 330e6"``."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterable
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Genotypes
from lissnas.errors import UserError
from lissnas.spaces.base import SearchSpace
from lissnas.spaces.expression import Expression
from lissnas.spaces.values import GeneValues

__all__ = ["check_limits", "meets_limits"]


def check_limits(space: SearchSpace, limits: Iterable[str]) -> tuple[str, ...]:
    """Return ``limits`` as a tuple, once each is a readable comparison of names that ``space`` has.

    Raises:
        UserError: a limit that cannot be read, or a name that is neither a cost nor a gene.
    """
    checked = _as_tuple(limits)
    known = [*space.cost_names, *(gene.name for gene in space.genes)]
    for limit in checked:
        if not Expression(limit).is_condition:
            raise UserError(f"a limit must compare, like 'flops <= 330e6', but got '{limit}'")
        for name in sorted(Expression(limit).names):
            if name not in known:
                costs = ", ".join(space.cost_names) or "none"
                raise UserError(
                    f"the limit '{limit}' names '{name}', which '{space.name}' does not have: its costs are {costs}"
                )
    return checked


def meets_limits(space: SearchSpace, genotypes: Genotypes, limits: Iterable[str]) -> NDArray[np.bool_]:
    """bool[n]: which architectures meet all of ``limits``. A limit names costs of the space, and genes."""
    meets = np.ones(len(genotypes), dtype=bool)
    limits = _as_tuple(limits)
    if not limits:
        return meets
    costs = space.cost(genotypes)
    values = cast("dict[str, Any]", ChainMap(dict(costs), cast("Any", GeneValues(space.genes, genotypes))))
    for limit in limits:
        expression = Expression(limit)
        for name in expression.names & set(costs):
            if np.isnan(costs[name]).any():
                raise UserError(
                    f"the limit '{limit}' needs the cost '{name}', which is learned from measurements: give the scores file"
                )
        meets &= expression.evaluate(values).astype(bool)
    return meets


def _as_tuple(limits: Iterable[str]) -> tuple[str, ...]:
    return (limits,) if isinstance(limits, str) else tuple(limits)
