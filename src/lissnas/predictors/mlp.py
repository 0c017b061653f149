"""A small neural network on one-hot features, trained with NumPy alone.

The rooms below ``oneshot`` do not import torch. At this size they need not: 1,000 networks take about a second.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Genotypes, unique
from lissnas.predictors.arguments import check_choice, check_number, check_whole
from lissnas.predictors.assessment import assign_folds
from lissnas.predictors.labelled import LabelledPredictor, Labels
from lissnas.predictors.labels import LABELS, LabelKind
from lissnas.spaces import SearchSpace

__all__ = ["MLPPredictor"]

BATCH = 64
PATIENCE = 20  # epochs without a better held-out error after which training ends
HELD_OUT = 10  # one part in so many is held out for that
_BLOCK = 1 << 12  # rows whose activations exist at once
_FADE, _FADE_SQUARE, _TINY = 0.9, 0.999, 1e-8  # Adam's own (Kingma and Ba 2015)

Array = NDArray[np.float64]


class MLPPredictor(LabelledPredictor):
    """Two hidden layers with ReLU, Adam with decoupled weight decay, and an early stop on a tenth that is held out.

    Training is deterministic for a seed: it draws only from the seed's generator, and sums in double precision.

    Args:
        width: units in each hidden layer.
        epochs: the most passes over the networks; training ends after 20 without a better held-out error, and the weights
            of the best one are kept.
        learning_rate: of Adam; it falls to zero along a cosine.
        l2: the weight decay, per step and learning rate.
        features: which features of the space: ``one-hot``, or another of its ``feature_kinds``.
        labels: what is learned: ``raw``, ``rank-normal``, ``log``, ``logit`` or ``auto`` (see ``XGBoostPredictor``).

    Attributes:
        epochs_used: passes behind the weights that were kept (after ``fit``).

    Raises:
        UserError: a setting outside its range.
    """

    kind = "mlp"
    epochs_used: int
    _parameters: list[Array]  # three weights, three biases

    def __init__(
        self,
        width: int = 128,
        epochs: int = 200,
        learning_rate: float = 2e-3,
        l2: float = 1e-2,
        features: str = "one-hot",
        labels: LabelKind = "auto",
    ) -> None:
        self.width = check_whole("width", width, 1, 4096)
        self.epochs = check_whole("epochs", epochs, 1, 100_000)
        self.learning_rate = check_number("learning_rate", learning_rate, 0, 1)
        self.l2 = check_number("l2", l2, 0, 1e3, least_included=True)
        self.features = features
        self.labels = check_choice("labels", labels, LABELS)  # type: ignore[assignment]

    def check(self, space: SearchSpace) -> None:
        """Refuse features that ``space`` does not have."""
        space.features(space.sample(1, np.random.default_rng(0)), self.features)

    def _settings(self) -> dict[str, object]:
        return {name: getattr(self, name) for name in ("width", "epochs", "learning_rate", "l2", "features", "labels")}

    def _learn(self, space: SearchSpace, genotypes: Genotypes, labels: Labels, seed: int) -> None:
        rng = np.random.default_rng(seed)
        codes = space.encode(genotypes)
        held_out = assign_folds(codes, min(HELD_OUT, len(unique(codes)) // 2), rng) == 0
        x = space.features(genotypes, self.features).astype(np.float64)
        sizes = (x.shape[1], self.width, self.width, 1)
        parameters = [rng.normal(0, np.sqrt(2 / low), size=(low, high)) for low, high in itertools.pairwise(sizes)]
        parameters += [np.zeros(out) for out in sizes[1:]]
        parameters[2] *= 0.1  # starts near the mean
        step = _Adam(parameters, self.learning_rate, self.l2)
        known, known_labels = x[~held_out], labels[~held_out]
        steps = self.epochs * -(-len(known) // BATCH)
        best, kept = np.inf, [p.copy() for p in parameters]
        self.epochs_used = 0
        for epoch in range(1, self.epochs + 1):
            order = rng.permutation(len(known))
            for low in range(0, len(order), BATCH):
                rows = order[low : low + BATCH]
                step(_gradients(parameters, known[rows], known_labels[rows]), steps)
            error = float(np.mean((_forward(parameters, x[held_out])[-1] - labels[held_out]) ** 2))
            if error < best:
                best, kept, self.epochs_used = error, [p.copy() for p in parameters], epoch
            elif epoch - self.epochs_used >= PATIENCE:
                break
        self._parameters = kept

    def _label(self, genotypes: Genotypes) -> Labels:
        labels = np.empty(len(genotypes))
        # blocks are filled up: BLAS may sum in another order for another number of rows
        for low in range(0, len(genotypes), _BLOCK):
            some = genotypes[low : low + _BLOCK]
            x = self.space.features(some, self.features).astype(np.float64)
            padded = x if len(x) % 64 == 0 else np.concatenate([x, np.zeros((-len(x) % 64, x.shape[1]))])
            labels[low : low + len(some)] = _forward(self._parameters, padded)[-1][: len(x)]
        return labels

    def _pack(self) -> dict[str, NDArray[Any]]:
        return {f"parameter_{i}": p for i, p in enumerate(self._parameters)} | {"epochs": np.array(self.epochs_used)}

    def _unpack(self, model: Any, about: dict[str, Any]) -> None:
        super()._unpack(model, about)
        self._parameters = [model[f"parameter_{i}"] for i in range(6)]
        self.epochs_used = int(model["epochs"])


class _Adam:
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019) on a list of arrays, which it changes in place."""

    def __init__(self, parameters: list[Array], learning_rate: float, decay: float) -> None:
        self.parameters, self.learning_rate, self.decay = parameters, learning_rate, decay
        self.mean = [np.zeros_like(p) for p in parameters]
        self.square = [np.zeros_like(p) for p in parameters]
        self.taken = 0

    def __call__(self, gradients: list[Array], steps: int) -> None:
        """Take one of ``steps`` steps."""
        rate = self.learning_rate * 0.5 * (1 + np.cos(np.pi * self.taken / steps))
        self.taken += 1
        scale = np.sqrt(1 - _FADE_SQUARE**self.taken) / (1 - _FADE**self.taken)
        for p, gradient, mean, square in zip(self.parameters, gradients, self.mean, self.square, strict=True):
            mean += (1 - _FADE) * (gradient - mean)
            square += (1 - _FADE_SQUARE) * (gradient**2 - square)
            if p.ndim == 2:
                p *= 1 - rate * self.decay
            p -= rate * scale * mean / (np.sqrt(square) + _TINY)


def _forward(parameters: list[Array], x: Array) -> list[Array]:
    """What each layer gives: two hidden ones float64[n, W], and the labels float64[n]."""
    one, two, three, b1, b2, b3 = parameters
    first = np.maximum(x @ one + b1, 0)
    second = np.maximum(first @ two + b2, 0)
    return [first, second, (second @ three)[:, 0] + b3[0]]


def _gradients(parameters: list[Array], x: Array, labels: Labels) -> list[Array]:
    """Of the mean squared error, for each parameter."""
    _, two, three, *_ = parameters
    first, second, out = _forward(parameters, x)
    of_out = (2 / len(x)) * (out - labels)[:, None]
    of_second = (of_out @ three.T) * (second > 0)
    of_first = (of_second @ two.T) * (first > 0)
    biases = [of_first.sum(axis=0), of_second.sum(axis=0), of_out.sum(axis=0)]
    return [x.T @ of_first, first.T @ of_second, second.T @ of_out, *biases]
