"""Training, of a supernet or of one network: read :func:`_train` from top to bottom."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from lissnas.errors import UserError
from lissnas.oneshot.batches import Batches
from lissnas.oneshot.checkpoint import Checkpoint
from lissnas.oneshot.data import ImageData
from lissnas.oneshot.norm import set_ghost
from lissnas.oneshot.samplers import PathSampler
from lissnas.oneshot.samplers.uniform import UniformSampler
from lissnas.oneshot.supernet import Supernet
from lissnas.spaces.base import SearchSpace

__all__ = ["Progress", "Recipe", "train_network", "train_supernet"]


@dataclass(frozen=True)
class Recipe:
    """How to train. SGD with momentum; the rate falls to zero.

    Attributes:
        epochs: passes over the training split.
        batch_size: images in a step.
        learning_rate: at its highest.
        momentum: of SGD.
        weight_decay: on weights of two dimensions or more; norms and biases are left alone (SPOS).
        schedule: how the rate falls.
        warmup_epochs: during which the rate rises from zero.
        label_smoothing: the share of a label that is spread over all classes.
        ghost: images in a ghost batch, a divisor of ``batch_size``; None: whole batches.
        checkpoint_epochs: a checkpoint is written each time so many epochs are done, and at the end.
    """

    epochs: int = 100
    batch_size: int = 64
    learning_rate: float = 0.2
    momentum: float = 0.9
    weight_decay: float = 4e-5
    schedule: Literal["cosine", "linear"] = "cosine"
    warmup_epochs: float = 0.0
    label_smoothing: float = 0.1
    ghost: int | None = 32
    checkpoint_epochs: int = 25

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch_size < 1 or self.checkpoint_epochs < 1:
            raise UserError(f"epochs, batch_size and checkpoint_epochs must be 1 or more, but got {self}")
        if self.schedule not in ("cosine", "linear"):
            raise UserError(f"schedule must be cosine or linear, but got '{self.schedule}'")
        if self.ghost is not None and (self.ghost < 2 or self.batch_size % self.ghost):
            raise UserError(f"ghost must be 2 or more and divide batch_size {self.batch_size}, but got {self.ghost}")

    def rate(self, step: int, steps_per_epoch: int) -> float:
        """The learning rate at ``step``, counted from the first of the training."""
        warmup = self.warmup_epochs * steps_per_epoch
        if step < warmup:
            return self.learning_rate * (step + 1) / warmup
        progress = (step - warmup) / (self.epochs * steps_per_epoch - warmup)
        share = 1 - progress if self.schedule == "linear" else (1 + math.cos(math.pi * progress)) / 2
        return self.learning_rate * share


@dataclass(frozen=True)
class Progress:
    """What ``on_progress`` is told after each epoch: epochs done, epochs in all, the mean training loss."""

    epoch: int
    epochs: int
    loss: float


OnProgress = Callable[[Progress], None]
Forward = Callable[[Tensor, Any], Tensor]


def train_supernet(
    supernet: Supernet,
    paths: SearchSpace | PathSampler,
    data: ImageData,
    recipe: Recipe,
    *,
    seed: int,
    checkpoint_dir: str | Path | None = None,
    on_progress: OnProgress | None = None,
) -> NDArray[np.float64]:
    """Train ``supernet`` in place, on a path (or a few) per step; the mean loss of each epoch, float64[epochs].

    Args:
        paths: a space, full or shrunk, to draw uniformly from; or a sampler.
        seed: with the epoch, all that chance depends on: order, augmentation, paths, dropout.
        checkpoint_dir: where a training that was cut off is taken up again, to the same bytes as one that was not.

    Raises:
        UserError: the loss is no number any more (step and path are named), a checkpoint of another training, or paths of a
            space with other weights.
    """
    sampler = paths if isinstance(paths, PathSampler) else UniformSampler(paths)
    root = supernet.space.root
    if sampler.space.root.fingerprint != root.fingerprint:
        raise UserError(f"paths of '{sampler.space.name}' do not fit a supernet of '{root.name}': draw from it, or shrink it")
    identity = {"of": "supernet", "weights": root.fingerprint, **sampler.definition()}

    def draw(steps: int, rng: np.random.Generator) -> list[list[list[int]]]:
        drawn: list[list[list[int]]] = sampler.draw(steps, rng).tolist()
        return drawn

    return _train(supernet, supernet, draw, data, recipe, seed, identity, checkpoint_dir, on_progress)


def train_network(
    network: nn.Module,
    data: ImageData,
    recipe: Recipe,
    *,
    seed: int,
    checkpoint_dir: str | Path | None = None,
    on_progress: OnProgress | None = None,
) -> NDArray[np.float64]:
    """Train one network in place: the same loop, without paths. See :func:`train_supernet`."""

    def forward(images: Tensor, _: None) -> Tensor:
        logits: Tensor = network(images)
        return logits

    def draw(steps: int, _: np.random.Generator) -> list[list[None]]:
        return [[None]] * steps

    return _train(network, forward, draw, data, recipe, seed, {"of": "network"}, checkpoint_dir, on_progress)


def _train(
    network: nn.Module,
    forward: Forward,
    draw: Callable[[int, np.random.Generator], list[list[Any]]],
    data: ImageData,
    recipe: Recipe,
    seed: int,
    identity: dict[str, Any],
    checkpoint_dir: str | Path | None,
    on_progress: OnProgress | None,
) -> NDArray[np.float64]:
    # data
    device = next(network.parameters()).device
    batches = Batches(data, recipe.batch_size, device)
    steps = batches.per_epoch

    # network
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    network.train()
    set_ghost(network, recipe.ghost)

    # optimizer
    decayed = [p for p in network.parameters() if p.ndim >= 2]
    others = [p for p in network.parameters() if p.ndim < 2]
    groups = [{"params": decayed, "weight_decay": recipe.weight_decay}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.SGD([g for g in groups if g["params"]], lr=recipe.learning_rate, momentum=recipe.momentum)

    # resume
    history = np.zeros(recipe.epochs)
    first = 0
    checkpoint = None
    if checkpoint_dir is not None:
        identity = {**identity, "recipe": asdict(recipe), "seed": seed, "data": data.fingerprint}
        checkpoint = Checkpoint(checkpoint_dir, network, optimizer, identity)
        first = checkpoint.load(history)

    # loop: all chance of an epoch comes from (seed, epoch), so it does not matter where a training was cut off
    with torch.random.fork_rng(devices=[]):
        for epoch in range(first, recipe.epochs):
            rng = np.random.default_rng([seed, epoch])
            torch.manual_seed(int(rng.integers(1 << 62)))
            paths = draw(steps, rng)
            losses = []
            for step, (images, labels) in enumerate(batches.epoch(rng)):
                for group in optimizer.param_groups:
                    group["lr"] = recipe.rate(epoch * steps + step, steps)
                optimizer.zero_grad()
                for path in paths[step]:
                    loss = functional.cross_entropy(forward(images, path), labels, label_smoothing=recipe.label_smoothing)
                    loss.backward()  # type: ignore[no-untyped-call]
                    losses.append(loss.detach())
                optimizer.step()
            history[epoch] = _mean_loss(torch.stack(losses), paths, epoch * steps)
            if checkpoint and ((epoch + 1) % recipe.checkpoint_epochs == 0 or epoch + 1 == recipe.epochs):
                checkpoint.save(epoch + 1, history)
            if on_progress:
                on_progress(Progress(epoch + 1, recipe.epochs, float(history[epoch])))
    network.eval()
    return history


def _mean_loss(losses: Tensor, paths: list[list[Any]], first_step: int) -> float:
    """Looked at once per epoch: a look at each step would make a GPU wait."""
    values = losses.double().cpu()
    lost = torch.nonzero(~torch.isfinite(values)).flatten()
    if len(lost):
        step, which = divmod(int(lost[0]), len(paths[0]))
        path = paths[step][which]
        where = f" on the path {tuple(path)}" if path is not None else ""
        raise UserError(f"the loss became {values[lost[0]]} at step {first_step + step}{where}: lower the learning rate")
    return float(values.mean())
