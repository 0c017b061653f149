"""A zero-cost prefilter: a proxy that needs no training chooses what the predictor is asked for (Abdelfattah et al. 2021)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from lissnas.arrays import Codes, Genotypes
from lissnas.errors import UserError, require
from lissnas.formats.hints import nearest
from lissnas.registry import Registry
from lissnas.shrinkers.base import require_settings, require_size
from lissnas.shrinkers.ledger import Pool
from lissnas.shrinkers.naive import FIRST_SAMPLE, KeepBest
from lissnas.spaces import SearchSpace, sample_distinct, sample_within

__all__ = ["PROXIES", "ZeroCost"]

# Computed in a room above this one, which is reached by name only: space -> proxy.
PROXIES = Registry(
    "proxy",
    {
        "synflow": "lissnas.oneshot.proxies:Synflow",
        "naswot": "lissnas.oneshot.proxies:NASWOT",
        "grad-norm": "lissnas.oneshot.proxies:GradNorm",
        "snip": "lissnas.oneshot.proxies:Snip",
    },
)


@dataclass(frozen=True)
class ZeroCost(KeepBest):
    """Draw ``draws`` architectures for each query, spend the queries on those with the highest proxy, keep the best of them.

    Args:
        queries: the budget, in predictor queries. Proxies are not counted: they are what is said to cost nothing.
        size: architectures kept; None: a tenth of the queries, a twentieth of the space at most.
        proxy: ``proxy(genotypes)`` -> n numbers, higher is better (the column of a benchmark:
            ``lambda x: benchmark.measured(x)["zc_synflow"]``), the name of a cost of the space, or one of ``PROXIES``, computed
            on each network as it is built (a tenth of a second and more); None: the space's first cost, for of two networks the
            larger is often the better one.
        draws: architectures whose proxy is computed, for each query.
    """

    queries: int = 100_000
    size: int | None = None
    proxy: str | Callable[[Genotypes], ArrayLike] | None = None
    draws: int = 4
    name: str = field(default="zero-cost", repr=False)

    def __post_init__(self) -> None:
        require_settings(self, [("draws", self.draws >= 2, "at least 2")])
        require_size(self.size, self.queries)

    def check(self, space: SearchSpace, limits: Sequence[str] = ()) -> tuple[str, ...]:
        if self.proxy is None and not space.cost_names:
            raise UserError(f"zero-cost needs a proxy, and '{space.name}' has no cost to be one: give proxy=function")
        if isinstance(self.proxy, str) and self.proxy not in space.cost_names:
            if self.proxy not in PROXIES:
                names = [*space.cost_names, *PROXIES.names()]
                raise UserError(f"there is no proxy '{self.proxy}' for '{space.name}': {nearest(self.proxy, names)}")
            require("torch", "oneshot")
            PROXIES.get(self.proxy)(space)
        return super().check(space, limits)

    def _query(
        self, space: SearchSpace, pool: Pool, limits: tuple[str, ...], rng: np.random.Generator
    ) -> tuple[Codes | None, str]:
        # what is measured needs a uniform sample of the whole space, which the proxy's choice is not
        first = min(FIRST_SAMPLE, max(1, self.queries // 10))
        sample = pool.query(space.encode(sample_within(space, first, limits, rng)), rng)
        drawn = sample_distinct(space, self.draws * pool.left, rng, limits)
        proxy = self._proxy(space, drawn)
        order = np.argsort(-proxy, kind="stable")
        pool.query(space.encode(drawn[order[: pool.left]]), rng)
        return sample, f": the proxy chose among {len(drawn):,}"

    def _proxy(self, space: SearchSpace, genotypes: Genotypes) -> np.ndarray:
        proxy = self.proxy or space.cost_names[0]
        if isinstance(proxy, str) and proxy in space.cost_names:
            values = space.cost(genotypes)[proxy]
        else:
            proxy = PROXIES.get(proxy)(space) if isinstance(proxy, str) else proxy
            values = np.asarray(proxy(genotypes), dtype=np.float64)
        if values.shape != (len(genotypes),):
            raise UserError(f"a proxy must return {len(genotypes)} numbers, but returned the shape {list(values.shape)}")
        wrong = np.flatnonzero(~np.isfinite(values))
        if len(wrong):
            shown = space.format(genotypes[wrong[:1]])[0]
            raise UserError(f"a proxy must return finite numbers, but gave {values[wrong[0]]} for {shown}")
        return values
