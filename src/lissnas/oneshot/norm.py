"""Batch norm for supernets: ghost batches in training, and statistics recalibrated for each subnet."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional

from lissnas.errors import UserError

__all__ = ["GhostBatchNorm2d", "calibrating", "set_ghost"]


class GhostBatchNorm2d(nn.BatchNorm2d):
    """Batch norm that can normalise parts of a batch on their own (reconstruction D: 128 of 1024, 32 of 64).

    Running statistics are averaged over ghost batches. In evaluation it is a plain batch norm, and within :func:`calibrating`
    statistics come from the first images of the batch.

    Args:
        track: whether training keeps running statistics. A supernet does not: each path needs its own.

    Attributes:
        ghost: images in a ghost batch; None: the whole batch. Training sets it (:func:`set_ghost`).
    """

    def __init__(self, channels: int, *, affine: bool = True, track: bool = True) -> None:
        super().__init__(channels, affine=affine)
        self.ghost: int | None = None
        self.track = track
        self.calibration: tuple[int, bool] | None = None

    def forward(self, input: Tensor) -> Tensor:
        if self.calibration is not None:
            return self._calibrate(input, *self.calibration)
        if not self.training:
            return super().forward(input)
        images = input.shape[0]
        if self.ghost is None or self.ghost >= images:
            return self._normalise(input, self.momentum or 0.0)
        if images % self.ghost:
            raise UserError(f"a batch must split into ghost batches of {self.ghost}, but has {images} images: choose a divisor")
        # Each ghost batch moves the running statistics by its share, so that together they move them by their average.
        share = (self.momentum or 0.0) * self.ghost / images
        return torch.cat([self._normalise(part, share) for part in torch.split(input, self.ghost)])

    def _normalise(self, input: Tensor, momentum: float) -> Tensor:
        mean, var = (self.running_mean, self.running_var) if self.track else (None, None)
        return functional.batch_norm(input, mean, var, self.weight, self.bias, True, momentum, self.eps)

    def _calibrate(self, input: Tensor, images: int, keep: bool) -> Tensor:
        assert self.running_mean is not None
        assert self.running_var is not None
        # Two passes over rows of channels: torch.var_mean takes ten times as long where channels come last.
        rows = input[:images].permute(0, 2, 3, 1).reshape(-1, input.shape[1])
        mean = rows.mean(0)
        var = (rows - mean).square_().sum(0) / (len(rows) - 1)
        if keep:
            self.running_mean.copy_(mean)
            self.running_var.copy_(var)
        return functional.batch_norm(input, mean, var, self.weight, self.bias, False, 0.0, self.eps)


def set_ghost(network: nn.Module, images: int | None) -> None:
    """From now on ``network`` trains with ghost batches of ``images`` images; None: with whole batches."""
    for module in network.modules():
        if isinstance(module, GhostBatchNorm2d):
            module.ghost = images


@contextmanager
def calibrating(network: nn.Module, images: int, *, keep: bool) -> Iterator[None]:
    """Within it, every norm of ``network`` takes its statistics from the first ``images`` images of what it is given and
    normalises all of it by them: a subnet is recalibrated and evaluated in one pass. ``keep`` writes them down as its running
    statistics; otherwise the network is left as it was.
    """
    norms = [module for module in network.modules() if isinstance(module, GhostBatchNorm2d)]
    for norm in norms:
        norm.calibration = (images, keep)
    try:
        with torch.no_grad():
            yield
    finally:
        for norm in norms:
            norm.calibration = None
