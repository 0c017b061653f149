"""Greedy path sampling: of several paths the best are trained, and good ones are remembered (GreedyNAS)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import locate, unique_index
from lissnas.errors import UserError
from lissnas.oneshot.samplers.base import PathSampler, require_share, require_whole
from lissnas.spaces.base import SearchSpace
from lissnas.spaces.constrained import ConstrainedSpace

__all__ = ["GreedySampler"]


class GreedySampler(PathSampler):
    """Each step draws ``paths`` candidates and trains on the ``keeps`` best by their loss on held-out images [GreedyNAS,
    arXiv 2003.11236; mmrazor configs/nas/greedynas].

    The best paths so far make a pool, with the last loss that each had. A candidate comes from there with the chance epsilon,
    else uniformly from the space; epsilon rises on a line, from 0 at step ``starts`` to ``epsilon`` at step ``ends``. Every
    ``window`` steps the pool is compared with what it was then: where no more than the share ``alpha`` of it is new, training
    ends (not before ``starts``, nor before the pool is full).

    If a share q of the space is good, at least k of m uniform paths are good with the chance
    ``lissnas.quality.probability_of_good(q, m, k)``: .8338 for m = 10, k = 5, q = .6.

    Args:
        paths: candidates of a step, the paper's m.
        keeps: paths that it trains on, the paper's k.
        pool: paths that are remembered, fewer than the space has. None: 1,000, or a tenth of a space of fewer than 10,000.
        epsilon: at its highest.
        starts, ends: steps between which epsilon rises (mmrazor: 10,000 and 144,360 of 150,000).
        alpha: of the stop rule; None: training is never ended.
        window: steps between comparisons of the pool.
        limits: ``"flops <= 330e6"``; every path meets them.

    Raises:
        UserError: options that make no sense, or limits that nothing meets.
    """

    def __init__(
        self,
        space: SearchSpace,
        *,
        paths: int = 10,
        keeps: int = 5,
        pool: int | None = None,
        epsilon: float = 0.8,
        starts: int = 10_000,
        ends: int = 144_360,
        alpha: float | None = 0.08,
        window: int = 1000,
        limits: Sequence[str] = (),
    ) -> None:
        for name, value, least in (
            ("paths", paths, 1),
            ("keeps", keeps, 1),
            ("starts", starts, 0),
            ("ends", ends, 0),
            ("window", window, 1),
        ):
            require_whole(name, value, least)
        require_share("epsilon", epsilon)
        if alpha is not None:
            require_share("alpha", alpha)
        if keeps > paths or starts > ends:
            raise UserError(
                f"keeps <= paths and starts <= ends must hold, but got {keeps} of {paths} paths, and {starts} to {ends} steps"
            )
        self.space = ConstrainedSpace(space, limits) if limits else space
        if pool is None:
            pool = min(1000, max(self.space.cardinality // 10, 1))
        require_whole("pool", pool)
        if pool >= self.space.cardinality:
            raise UserError(f"pool must be less than the {self.space.cardinality:,} networks of '{space.name}', but got {pool}")
        self.paths, self.trains, self.pool = paths, keeps, pool
        self.highest, self.starts, self.ends, self.alpha, self.window = epsilon, starts, ends, alpha, window
        width = len(self.space.code_layout.words)
        self._step = 0
        self._codes = np.zeros((0, width), dtype=np.uint64)  # of the pool, sorted; and their losses
        self._losses = np.zeros(0)
        self._before = np.zeros((0, width), dtype=np.uint64)  # the pool when it was last compared
        self._new = 1.0  # the share that was new then

    def epsilon(self, step: int) -> float:
        """The chance that a candidate comes from the pool."""
        if step < self.starts:
            return 0.0
        return self.highest * min((step - self.starts) / max(self.ends - self.starts, 1), 1.0)

    def draw(self, steps: int, rng: np.random.Generator) -> NDArray[np.uint8]:
        drawn = self.space.sample(steps * self.paths, rng).reshape(steps, self.paths, self.space.length)
        for index in range(steps):
            from_pool = np.flatnonzero(rng.random(self.paths) < self.epsilon(self._step))
            if len(self._codes) and len(from_pool):
                rows = rng.integers(0, len(self._codes), size=len(from_pool))
                drawn[index, from_pool] = self.space.decode(self._codes[rows])
            self._step += 1
        return drawn

    def observe(self, paths: NDArray[np.uint8], losses: NDArray[np.float64]) -> None:
        codes, first = unique_index(self.space.encode(paths))
        losses = losses[first]
        old = locate(codes, self._codes) < 0  # what was seen again has a new loss
        codes, losses = np.concatenate([self._codes[old], codes]), np.concatenate([self._losses[old], losses])
        best = np.argsort(losses, kind="stable")[: self.pool]
        self._codes, order = unique_index(codes[best])
        self._losses = losses[best][order]
        if self._step % self.window == 0:
            self._new = float((locate(self._before, self._codes) < 0).mean()) if len(self._before) else 1.0
            self._before = self._codes

    def finished(self) -> bool:
        full = len(self._codes) == self.pool
        return self.alpha is not None and full and self._step >= self.starts and self._new <= self.alpha

    def state(self) -> dict[str, NDArray[Any]]:
        return {
            "step": np.array([self._step]),
            "codes": self._codes,
            "losses": self._losses,
            "before": self._before,
            "new": np.array([self._new]),
        }

    def restore(self, arrays: dict[str, NDArray[Any]]) -> None:
        self._step, self._new = int(arrays["step"][0]), float(arrays["new"][0])
        self._codes, self._losses, self._before = (arrays[name].copy() for name in ("codes", "losses", "before"))

    def definition(self) -> dict[str, Any]:
        return {
            **super().definition(),
            "paths": self.paths,
            "keeps": self.trains,
            "pool": self.pool,
            "epsilon": self.highest,
            "starts": self.starts,
            "ends": self.ends,
            "alpha": self.alpha,
            "window": self.window,
        }
