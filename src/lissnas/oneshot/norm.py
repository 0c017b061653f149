"""Batch norm for supernets: ghost batches in training, and statistics recalibrated for each subnet."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from lissnas.errors import UserError

__all__ = ["Calibration", "GhostBatchNorm2d", "Statistics", "calibrating", "set_ghost"]


Statistics = tuple[Tensor, Tensor]  # mean and variance of each channel


class Calibration(NamedTuple):
    """Where norms take their statistics from: see :func:`calibrating`."""

    images: int
    keep: bool
    record: list[Statistics] | None
    replay: Iterator[Statistics] | None


class GhostBatchNorm2d(nn.BatchNorm2d):
    """Batch norm that can normalise parts of a batch on their own (reconstruction D: 128 of 1024, 32 of 64).

    Running statistics move by the mean over ghost batches. In evaluation it is a plain batch norm; within :func:`calibrating`
    statistics come from the first images of the batch. An input of fewer channels than ``channels`` is that of a sliced layer,
    and has the weights and statistics of the first of them.

    Args:
        track: whether training keeps running statistics. A supernet does not: each path needs its own.

    Attributes:
        ghost: images in a ghost batch; None: the whole batch. Training sets it (:func:`set_ghost`).
        share: by which a batch moves the running statistics.
    """

    def __init__(self, channels: int, *, affine: bool = True, track: bool = True) -> None:
        super().__init__(channels, affine=affine)
        self.ghost: int | None = None
        self.share: float = self.momentum or 0.0
        self.track = track
        self.calibration: Calibration | None = None

    def forward(self, input: Tensor) -> Tensor:
        if self.calibration is not None:
            return self._calibrate(input, self.calibration)
        if not self.training:
            mean, var, weight, bias = self._first(input.shape[1])
            return functional.batch_norm(input, mean, var, weight, bias, False, 0.0, self.eps)
        images, channels = input.shape[:2]
        running = [t for t in self._first(channels)[:2] if t is not None and self.track]
        if self.ghost is None or self.ghost >= images:
            return self._normalise(input, running, self.share)
        if images % self.ghost:
            raise UserError(f"a batch must split into ghost batches of {self.ghost}, but has {images} images: choose a divisor")
        # The mean over ghosts: the first takes the place of what was there, the second has half of it, the third a third.
        ghosts = [torch.zeros_like(statistic) for statistic in running]
        parts = torch.split(input, self.ghost)
        outputs = [self._normalise(part, ghosts, 1 / count) for count, part in enumerate(parts, start=1)]
        if running:
            torch._foreach_lerp_(running, ghosts, self.share)
        return torch.cat(outputs)

    def _normalise(self, input: Tensor, statistics: list[Tensor], share: float) -> Tensor:
        """``input`` by its own statistics, which move ``statistics``, if there are any, by ``share`` of the way."""
        mean, var = statistics or (None, None)
        _, _, weight, bias = self._first(input.shape[1])
        return functional.batch_norm(input, mean, var, weight, bias, True, share, self.eps)

    def _calibrate(self, input: Tensor, how: Calibration) -> Tensor:
        running_mean, running_var, weight, bias = self._first(input.shape[1])
        if how.replay is not None:
            mean, var = next(how.replay)
            return functional.batch_norm(input, mean, var, weight, bias, False, 0.0, self.eps)
        # Two passes over rows of channels: torch.var_mean takes ten times as long where channels come last.
        rows = input[: how.images].permute(0, 2, 3, 1).reshape(-1, input.shape[1]).float()
        mean = rows.mean(0)
        var = (rows - mean).square_().sum(0) / (len(rows) - 1)
        if how.record is not None:
            how.record.append((mean, var))
        if how.keep:
            assert running_mean is not None
            assert running_var is not None
            running_mean.copy_(mean)
            running_var.copy_(var)
        return functional.batch_norm(input, mean, var, weight, bias, False, 0.0, self.eps)

    def _first(self, channels: int) -> tuple[Tensor | None, ...]:
        """Running mean and variance, weight and bias of the first ``channels`` channels."""
        tensors = (self.running_mean, self.running_var, self.weight, self.bias)
        if channels == self.num_features:
            return tensors
        return tuple(None if tensor is None else tensor[:channels] for tensor in tensors)


def set_ghost(network: nn.Module, images: int | None, parts: int = 1) -> None:
    """From now on ``network`` trains with ghost batches of ``images`` images; None: with whole batches.

    Args:
        parts: in which a batch comes, one after the other; together they move the running statistics as far as one batch.
    """
    for module in network.modules():
        if isinstance(module, GhostBatchNorm2d):
            module.ghost = images
            module.share = 1 - (1 - (module.momentum or 0.0)) ** (1 / parts) if parts > 1 else module.momentum or 0.0


@contextmanager
def calibrating(
    network: nn.Module,
    images: int,
    *,
    keep: bool,
    record: list[Statistics] | None = None,
    replay: Iterator[Statistics] | None = None,
) -> Iterator[None]:
    """Within it, every norm of ``network`` takes its statistics from the first ``images`` images of what it is given and
    normalises all of it by them: a subnet is recalibrated and evaluated in one pass.

    Args:
        keep: write them down as running statistics; otherwise the network is left as it was.
        record: they are appended to it, in the order in which norms run.
        replay: they are taken from it instead, which is for further images on the same way through the network.
    """
    how = Calibration(images, keep, record, replay)
    norms = [module for module in network.modules() if isinstance(module, GhostBatchNorm2d)]
    for norm in norms:
        norm.calibration = how
    try:
        with torch.no_grad():
            yield
    finally:
        for norm in norms:
            norm.calibration = None
