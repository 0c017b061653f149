"""Training, of a supernet or of one network: read :meth:`Training._train` from top to bottom."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from lissnas.errors import UserError
from lissnas.oneshot.batches import evaluation_batches, open_batches, require_images_fit
from lissnas.oneshot.checkpoint import Checkpoint, State
from lissnas.oneshot.data import Images
from lissnas.oneshot.devices import (
    computing,
    device_of,
    enough_memory,
    memory_order,
    own_chance,
    require_parts,
    require_precision,
    require_uncompiled,
    smaller_parts,
)
from lissnas.oneshot.distributed import Ranks, joined, launched
from lissnas.oneshot.ema import WeightAverage
from lissnas.oneshot.evaluate import evaluating
from lissnas.oneshot.log import Clock, Progress
from lissnas.oneshot.norm import calibrating, set_ghost
from lissnas.oneshot.optimizers import make_optimizer
from lissnas.oneshot.recipe import Recipe
from lissnas.oneshot.samplers import PathSampler
from lissnas.oneshot.samplers.uniform import UniformSampler
from lissnas.oneshot.supernet import Supernet
from lissnas.spaces.base import SearchSpace

__all__ = ["Progress", "Recipe", "Training", "train_network", "train_supernet"]

OnProgress = Callable[[Progress], None]
Alleles = list[int] | None  # a path; a network of its own has none


def train_supernet(
    supernet: Supernet,
    paths: SearchSpace | PathSampler,
    data: Images,
    recipe: Recipe,
    *,
    seed: int,
    checkpoint_dir: str | Path | None = None,
    on_progress: OnProgress | None = None,
    devices: int = 1,
) -> NDArray[np.float64]:
    """Train ``supernet`` in place, on a path (or a few) per step; the mean loss of each epoch, float64[epochs].

    Args:
        paths: a space, full or shrunk, to draw uniformly from; or a sampler.
        seed: with the epoch, all that chance depends on: order, augmentation, paths, dropout.
        checkpoint_dir: where a training that was cut off is taken up again, on a CPU to the same bytes as one that was not. It
            always holds the last state whose losses and weights were numbers.
        on_progress: told after each epoch; a :class:`~lissnas.oneshot.log.TrainingLog` writes it down.
        devices: processes to train in, each on a device of the kind that the supernet is on: GPUs, or shares of the CPU. Under
            torchrun it stays 1. With ghost batches the result does not depend on it, up to rounding.

    Raises:
        UserError: the loss is no number any more (step and path are named), a checkpoint of another training, paths of a space
            with other weights, images that the networks do not take, a device that cannot do what the recipe asks, not enough
            memory, or a rank that died (of several GPUs: then this process ends with the reason, and exit code 2).
    """
    sampler = paths if isinstance(paths, PathSampler) else UniformSampler(paths)
    root = supernet.space.root
    if sampler.space.root.fingerprint != root.fingerprint:
        raise UserError(f"paths of '{sampler.space.name}' do not fit a supernet of '{root.name}': draw from it, or shrink it")
    require_uncompiled(recipe)
    require_images_fit(root, data)
    return Training(supernet, sampler, data, recipe, seed, checkpoint_dir).start(devices, on_progress)


def train_network(
    network: nn.Module,
    data: Images,
    recipe: Recipe,
    *,
    seed: int,
    checkpoint_dir: str | Path | None = None,
    on_progress: OnProgress | None = None,
    devices: int = 1,
) -> NDArray[np.float64]:
    """Train one network in place: the same loop, without paths. See :func:`train_supernet`."""
    return Training(network, None, data, recipe, seed, checkpoint_dir).start(devices, on_progress)


@dataclass(frozen=True)
class Training:
    """One training, as any of its processes sees it. A network without a sampler is one of its own."""

    network: nn.Module
    sampler: PathSampler | None
    data: Images
    recipe: Recipe
    seed: int
    checkpoint_dir: str | Path | None

    def start(self, devices: int, on_progress: OnProgress | None) -> NDArray[np.float64]:
        """Do it, on so many devices."""
        if devices < 1:
            raise UserError(f"devices must be 1 or more, but got {devices}")
        device = device_of(self.network)
        require_parts(self.recipe, devices)
        if devices > 1:
            require_precision(self.recipe.precision, device)  # before any of them is started
        with launched(self.run, device, devices) if devices > 1 else joined(device) as ranks:
            return self.run(ranks, on_progress)

    def run(self, ranks: Ranks, on_progress: OnProgress | None = None) -> NDArray[np.float64]:
        """The share of one process."""
        recipe = self.recipe
        require_precision(recipe.precision, ranks.device)
        settings = f"batch_size {recipe.batch_size} with accumulate {recipe.accumulate}"
        with enough_memory(ranks.device, settings, smaller_parts(recipe, ranks.world)), own_chance(ranks.device):
            return self._train(ranks, on_progress)

    def _train(self, ranks: Ranks, on_progress: OnProgress | None) -> NDArray[np.float64]:
        network, sampler, recipe, device = self.network, self.sampler, self.recipe, ranks.device
        require_parts(recipe, ranks.world)

        # data
        batches = open_batches(self.data, recipe.batch_size, device, ranks.rank, ranks.world)
        steps = batches.per_epoch

        # network
        network.to(device, memory_format=memory_order(network, recipe, device))  # type: ignore[call-overload]
        network.train()
        set_ghost(network, recipe.ghost, recipe.accumulate)
        parameters = list(network.parameters())
        forward = torch.compile(network) if recipe.compile else network

        # optimizer
        optimizer = make_optimizer(network, recipe)
        scaler = torch.amp.GradScaler(device.type, enabled=recipe.precision == "fp16")
        average = None if recipe.ema is None else WeightAverage(network, recipe.ema)

        # resume
        history = np.zeros(recipe.epochs)
        state = State(network, optimizer, scaler, average, sampler, history)
        checkpoint = None if self.checkpoint_dir is None else Checkpoint(self.checkpoint_dir, self.identity())
        first = checkpoint.load(state) if checkpoint else 0
        if not ranks.same(first):
            raise UserError(
                f"the ranks find other checkpoints in '{self.checkpoint_dir}': give a directory that all of them see"
            )
        ranks.follow(state.floats())

        # loop: all chance of an epoch comes from (seed, epoch), so it does not matter where a training was cut off
        held_out = None if sampler is None or sampler.trains is None else _held_out(self.data, recipe.batch_size, device)
        clock = Clock(first, recipe.epochs, steps * recipe.batch_size)
        done = first

        def ended() -> bool:
            return done == recipe.epochs or (sampler is not None and sampler.finished())

        while not ended():
            rng = np.random.default_rng([self.seed, done])
            choices = rng.spawn(1)[0]
            torch.manual_seed(int(rng.integers(1 << 62)) + ranks.rank)
            paths = _draw(sampler, steps, rng)
            losses: list[Tensor] = []
            for step, (images, labels) in enumerate(batches.epoch(rng), start=done * steps):
                rate = recipe.rate(step, steps)
                for group in optimizer.param_groups:
                    group["lr"] = rate
                if held_out is not None:
                    paths.append(_choose(network, sampler, held_out, choices, ranks))
                optimizer.zero_grad()
                losses += self._backward(forward, images, labels, paths[step - done * steps], scaler)
                for resting in network.resting(step) if isinstance(network, Supernet) else []:
                    resting.grad = None
                moved = [p for p in parameters if p.grad is not None]
                ranks.average([p.grad for p in moved if p.grad is not None])
                if moved:  # a K-shot step that trains the codes alone, on a path of zeros, has no gradient
                    scaler.unscale_(optimizer)
                    if recipe.clip_norm is not None:
                        nn.utils.clip_grad_norm_(moved, recipe.clip_norm)
                    if recipe.clip_value is not None:
                        nn.utils.clip_grad_value_(moved, recipe.clip_value)
                    scaler.step(optimizer)
                    scaler.update()
                if average is not None:
                    average.update(step)

            # what became of it: looked at once per epoch, since a look at each step would make a GPU wait
            remedy = "start anew with a lower learning rate" + (checkpoint.told() if checkpoint else "")
            history[done] = _mean_loss(losses, paths, done * steps, recipe.accumulate, ranks, remedy)
            if sampler is None:
                ranks.average(state.statistics())
            done += 1
            if ended() or done % recipe.checkpoint_epochs == 0:
                state.require_finite(done * steps, remedy)
                if checkpoint and ranks.rank == 0:
                    checkpoint.save(done, state)
            if on_progress and ranks.rank == 0:
                on_progress(clock.progress(done, float(history[done - 1]), rate))

        if average is not None:
            average.give()
        network.eval()
        return history[:done]

    def _backward(
        self, forward: Callable[..., Tensor], images: Tensor, labels: Tensor, paths: list[Alleles], scaler: torch.amp.GradScaler
    ) -> list[Tensor]:
        """Add up the gradients of a step's paths, part by part of the batch; the losses, by part and path."""
        recipe, losses = self.recipe, []
        distils = self.sampler is not None and self.sampler.distils
        order = memory_order(self.network, recipe, images.device)
        for part, answers in zip(images.chunk(recipe.accumulate), labels.chunk(recipe.accumulate), strict=True):
            # images of one channel are contiguous in either order: only a copy gives them the strides of this one
            part = part.contiguous(memory_format=order) if order == torch.channels_last else part.clone(memory_format=order)
            targets, smoothing = answers, recipe.label_smoothing
            for path in paths:
                with computing(recipe.precision, part.device):
                    logits = forward(part) if path is None else forward(part, path)
                if logits.ndim != 2 or logits.shape[1] < self.data.classes:
                    raise UserError(
                        f"the network gives {list(logits.shape)} numbers for {len(part)} images, but {self.data.name} has "
                        f"{self.data.classes} classes: build it for as many"
                    )
                loss = functional.cross_entropy(logits.float(), targets, label_smoothing=smoothing)
                scaler.scale(loss / recipe.accumulate).backward()  # type: ignore[no-untyped-call]
                losses.append(loss.detach())
                if distils and path is paths[0]:  # the other paths learn from what the first one says (BigNAS)
                    targets, smoothing = logits.detach().float().softmax(1), 0.0
        return losses

    def identity(self) -> dict[str, Any]:
        """What makes it this training and no other, as plain JSON data. How many processes do it is no part of that."""
        of: dict[str, Any] = {"of": "network"}
        if self.sampler is not None:
            of = {"of": "supernet", "weights": self.sampler.space.root.fingerprint, **self.sampler.definition()}
            of |= getattr(self.network, "options", {})
        return {**of, "recipe": asdict(self.recipe), "seed": self.seed, "data": self.data.fingerprint}


def _draw(sampler: PathSampler | None, steps: int, rng: np.random.Generator) -> list[list[Alleles]]:
    """The paths of each of the next steps; none yet, where each step's are chosen when it comes.

    Raises:
        UserError: the sampler drew a path that is none of its space.
    """
    if sampler is None:
        return [[None]] * steps
    return [] if sampler.trains is not None else _drawn(sampler, steps, rng)


def _drawn(sampler: PathSampler, steps: int, rng: np.random.Generator) -> list[list[Alleles]]:
    drawn = sampler.draw(steps, rng)
    try:
        sampler.space.require_valid(drawn.reshape(-1, drawn.shape[-1]))
    except UserError as error:
        raise UserError(f"the sampler {type(sampler).__name__} drew a path outside '{sampler.space.name}': {error}") from None
    paths: list[list[Alleles]] = drawn.tolist()
    return paths


def _held_out(data: Images, images: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Validation images that paths are compared on, always the same, as many as a batch has (GreedyNAS: 1,000 at 1,024)."""
    return next(iter(evaluation_batches(data, "validation", min(images, len(data.validation)), device)))


def _choose(
    supernet: nn.Module,
    sampler: PathSampler | None,
    held_out: tuple[Tensor, Tensor],
    rng: np.random.Generator,
    ranks: Ranks,
) -> list[Alleles]:
    """The best paths of those that the sampler draws, by their loss on held-out images and these images' statistics."""
    assert sampler is not None
    (paths,) = _drawn(sampler, 1, rng)
    images, labels = held_out
    with evaluating(supernet), calibrating(supernet, len(images), keep=False):
        losses = torch.stack([functional.cross_entropy(supernet(images, path), labels) for path in paths]).double()
    ranks.follow([losses])
    found = losses.cpu().numpy()
    sampler.observe(np.array(paths, dtype=np.uint8), found)
    return [paths[index] for index in np.argsort(found, kind="stable")[: sampler.trains]]


def _mean_loss(
    losses: list[Tensor], paths: list[list[Alleles]], first_step: int, parts: int, ranks: Ranks, remedy: str
) -> float:
    """The mean over steps, parts of a batch, paths and ranks.

    Raises:
        UserError: one of them is no number.
    """
    stacked = torch.stack(losses)
    ranks.average([stacked])
    values = stacked.double().cpu().view(len(paths), parts, -1).mean(1)
    lost = torch.nonzero(~torch.isfinite(values))
    if len(lost):
        step, which = lost[0].tolist()
        path = paths[step][which]
        where = f" on the path {tuple(path)}" if path is not None else ""
        raise UserError(f"the loss became {float(values[step, which])} at step {first_step + step}{where}: {remedy}")
    return float(values.mean())
