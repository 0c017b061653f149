"""A moving average of a network's weights, which is often better than the weights that a training ends with."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["WeightAverage"]


class WeightAverage:
    """The exponential moving average of a network's weights and running statistics.

    Early steps count for more, so that the average forgets the initial weights: the decay of step t (from 0) is the smaller of
    ``decay`` and (1 + t) / (10 + t) [TensorFlow, ExponentialMovingAverage with num_updates].

    Args:
        network: what is averaged; its tensors must stay where they are.
        decay: the share of the average that a step keeps.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay = decay
        self._live = {name: tensor for name, tensor in network.state_dict().items() if tensor.is_floating_point()}
        self.tensors: dict[str, Tensor] = {name: tensor.clone() for name, tensor in self._live.items()}

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take the network's weights after ``step`` (from 0) into the average."""
        decay = min(self.decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(list(self.tensors.values()), list(self._live.values()), 1 - decay)

    @torch.no_grad()
    def give(self) -> None:
        """From now on the network has the averaged weights."""
        torch._foreach_copy_(list(self._live.values()), list(self.tensors.values()))
