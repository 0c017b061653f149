"""How to train: every setting of the loop, checked. Without torch, so that a configuration can be read where there is none."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

from lissnas.errors import UserError

__all__ = ["Recipe"]

SCHEDULES = ("cosine", "linear", "step")
OPTIMIZERS = ("sgd", "nesterov", "rmsprop")
PRECISIONS = ("float32", "bf16", "fp16")


@dataclass(frozen=True)
class Recipe:
    """How to train.

    Attributes:
        epochs: passes over the training split.
        batch_size: images in a step, those of all devices together.
        learning_rate: at its highest.
        min_learning_rate: where the rate ends.
        optimizer: SGD with momentum, the same by Nesterov, or RMSprop as TensorFlow has it.
        momentum: of the optimizer.
        epsilon: of RMSprop, under the root.
        weight_decay: on weights of two dimensions or more; norms and biases are left alone (SPOS).
        schedule: how the rate falls: along a cosine, a line, or by the factor ``decay`` each ``decay_epochs`` epochs.
        decay, decay_epochs: of the schedule "step", counted from the first epoch (MnasNet: 0.97 each 2.4 epochs).
        warmup_epochs: during which the rate rises from zero.
        label_smoothing: the share of a label that is spread over all classes.
        clip_norm: gradients are scaled down so that their norm, over all that a step trains, is no larger; None: they are not.
        clip_value: no gradient is larger than that in any place; None: they may be.
        ema: the decay of a moving average of the weights, which the trained network then has, say 0.9999; None: its own.
        ghost: images in a ghost batch, a divisor of what a device computes at a time; None: all of these.
        precision: what layers compute in; weights are float32 always. fp16 takes a GPU.
        accumulate: a step's images are computed in so many parts, one after the other, which takes less memory.
        compile: ``torch.compile`` for a network of its own; a supernet is another network at each step.
        channels_last: the order of images in memory, which most layers are faster in.
        checkpoint_epochs: a checkpoint is written each time so many epochs are done, and at the end.

    Raises:
        UserError: a setting that makes no sense.
    """

    epochs: int = 100
    batch_size: int = 64
    learning_rate: float = 0.2
    min_learning_rate: float = 0.0
    optimizer: Literal["sgd", "nesterov", "rmsprop"] = "sgd"
    momentum: float = 0.9
    epsilon: float = 1e-3
    weight_decay: float = 4e-5
    schedule: Literal["cosine", "linear", "step"] = "cosine"
    decay: float = 0.97
    decay_epochs: float = 2.4
    warmup_epochs: float = 0.0
    label_smoothing: float = 0.1
    clip_norm: float | None = None
    clip_value: float | None = None
    ema: float | None = None
    ghost: int | None = 32
    precision: Literal["float32", "bf16", "fp16"] = "float32"
    accumulate: int = 1
    compile: bool = False
    channels_last: bool = True
    checkpoint_epochs: int = 25

    __pydantic_config__: ClassVar = {"extra": "forbid"}  # a setting of another name in a configuration is a mistake

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "accumulate", "checkpoint_epochs"):
            value = getattr(self, name)
            self._require(
                isinstance(value, int) and not isinstance(value, bool) and value >= 1, name, "a whole number, 1 or more"
            )
        self._require(0 < self.learning_rate < math.inf, "learning_rate", "more than 0, and finite")
        self._require(0 <= self.min_learning_rate <= self.learning_rate, "min_learning_rate", "0 to learning_rate")
        self._require(self.optimizer in OPTIMIZERS, "optimizer", " or ".join(OPTIMIZERS))
        self._require(0 <= self.momentum < 1, "momentum", "at least 0 and below 1")
        self._require(self.momentum > 0 or self.optimizer != "nesterov", "momentum", "more than 0 for nesterov")
        self._require(0 < self.epsilon < math.inf, "epsilon", "more than 0, and finite")
        self._require(0 <= self.weight_decay < math.inf, "weight_decay", "0 or more, and finite")
        self._require(self.schedule in SCHEDULES, "schedule", " or ".join(SCHEDULES))
        self._require(0 < self.decay <= 1, "decay", "more than 0 and at most 1")
        self._require(0 < self.decay_epochs < math.inf, "decay_epochs", "more than 0, and finite")
        self._require(0 <= self.warmup_epochs <= self.epochs, "warmup_epochs", f"0 to epochs ({self.epochs})")
        self._require(0 <= self.label_smoothing < 1, "label_smoothing", "at least 0 and below 1")
        for name in ("clip_norm", "clip_value"):
            limit = getattr(self, name)
            self._require(limit is None or 0 < limit < math.inf, name, "more than 0, and finite, or none")
        self._require(self.ema is None or 0 < self.ema < 1, "ema", "between 0 and 1, or none")
        self._require(self.precision in PRECISIONS, "precision", " or ".join(PRECISIONS))
        part = self.batch_size // self.accumulate
        self._require(part * self.accumulate == self.batch_size, "accumulate", f"a divisor of batch_size {self.batch_size}")
        if self.ghost is not None:
            rule = f"2 or more and divide batch_size / accumulate = {part}"
            self._require(self.ghost >= 2 and part % self.ghost == 0, "ghost", rule)

    def _require(self, holds: bool, name: str, rule: str) -> None:
        if not holds:
            raise UserError(f"{name} must be {rule}, but got {getattr(self, name)!r}")

    def rate(self, step: int, steps_per_epoch: int) -> float:
        """The learning rate at ``step``, counted from the first of the training."""
        warmup = self.warmup_epochs * steps_per_epoch
        if step < warmup:
            return self.learning_rate * (step + 1) / warmup
        if self.schedule == "step":
            decays = math.floor(step / (self.decay_epochs * steps_per_epoch))
            return max(self.learning_rate * self.decay**decays, self.min_learning_rate)
        progress = (step - warmup) / (self.epochs * steps_per_epoch - warmup)
        share = 1 - progress if self.schedule == "linear" else (1 + math.cos(math.pi * progress)) / 2
        return self.min_learning_rate + (self.learning_rate - self.min_learning_rate) * share
