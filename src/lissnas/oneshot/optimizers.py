"""What moves the weights, by name: norms and biases are never decayed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from lissnas.oneshot.recipe import Recipe

__all__ = ["RMSpropTF", "make_optimizer"]


def make_optimizer(network: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """The optimizer of ``recipe`` over the parameters of ``network``. A parameter without a gradient is left as it is."""
    decayed = [p for p in network.parameters() if p.ndim >= 2]
    others = [p for p in network.parameters() if p.ndim < 2]
    groups = [{"params": decayed, "weight_decay": recipe.weight_decay}, {"params": others, "weight_decay": 0.0}]
    groups = [group for group in groups if group["params"]]
    if recipe.optimizer == "rmsprop":
        return RMSpropTF(groups, recipe.learning_rate, momentum=recipe.momentum, epsilon=recipe.epsilon)
    # Fused, a step skipped because of an overflow in fp16 is skipped on the GPU, and nobody waits for the news.
    fused = True if recipe.precision == "fp16" else None
    nesterov = recipe.optimizer == "nesterov"
    optimizer = torch.optim.SGD(groups, recipe.learning_rate, momentum=recipe.momentum, nesterov=nesterov, fused=fused)
    if fused and recipe.momentum:
        # Fused, torch has no first step for some parameters beside a later one for others, as the paths of a supernet need,
        # and a first step that is skipped leaves behind what was in memory. With buffers of zeros a first step is computed as
        # a later one is, and gives the same.
        for parameter in network.parameters():
            optimizer.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter)
    return optimizer


class RMSpropTF(torch.optim.Optimizer):
    """RMSprop as TensorFlow has it, which recipes of MnasNet, EfficientNet and GreedyNAS mean.

    It differs from torch's in three ways: the mean square starts at 1, epsilon is added under the root, and the learning rate
    is inside the momentum. With gradient g: s = a s + (1 - a) g^2, m = momentum m + rate g / sqrt(s + epsilon), w = w - m
    [TensorFlow, ApplyRMSProp; a = 0.9 there and here].
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float,
        *,
        momentum: float = 0.9,
        alpha: float = 0.9,
        epsilon: float = 1e-3,
        weight_decay: float = 0.0,
    ) -> None:
        defaults = {"lr": lr, "momentum": momentum, "alpha": alpha, "epsilon": epsilon, "weight_decay": weight_decay}
        super().__init__(params, defaults)

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]  # noqa: ARG002 - a loss is never asked for again
        """Move every parameter that has a gradient."""
        for group in self.param_groups:
            weights: list[Tensor] = [p for p in group["params"] if p.grad is not None]
            if not weights:
                continue
            for p in weights:
                if not self.state[p]:
                    self.state[p] = {"square_avg": torch.ones_like(p), "momentum_buffer": torch.zeros_like(p)}
            gradients = [p.grad for p in weights if p.grad is not None]
            if group["weight_decay"]:
                gradients = list(torch._foreach_add(gradients, weights, alpha=group["weight_decay"]))
            squares = [self.state[p]["square_avg"] for p in weights]
            moves = [self.state[p]["momentum_buffer"] for p in weights]
            torch._foreach_mul_(squares, group["alpha"])
            torch._foreach_addcmul_(squares, gradients, gradients, 1 - group["alpha"])
            roots = torch._foreach_add(squares, group["epsilon"])
            torch._foreach_sqrt_(roots)
            torch._foreach_mul_(moves, group["momentum"])
            torch._foreach_addcdiv_(moves, gradients, roots, group["lr"])
            torch._foreach_sub_(weights, moves)
