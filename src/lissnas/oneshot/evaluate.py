"""Scores of subnets with inherited weights, their batch-norm statistics recalibrated, and of networks of their own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from lissnas.arrays import Genotypes, locate, unique
from lissnas.engines import map_chunks, split
from lissnas.errors import UserError
from lissnas.oneshot.batches import tensors
from lissnas.oneshot.data import ImageData
from lissnas.oneshot.network import Path
from lissnas.oneshot.norm import calibrating
from lissnas.oneshot.supernet import Supernet
from lissnas.oneshot.weights import copy_into, pack_weights, unpack_weights

__all__ = ["SubnetScores", "evaluate_subnets", "one_thread", "recalibrate", "score_network", "score_subnets"]

CHUNK = 256  # subnets scored together, sharing the activations of common prefixes


class SubnetScores(NamedTuple):
    """``accuracy`` float64[n] in percent, and the finer ``cross_entropy`` float64[n] in nats (lower is better)."""

    accuracy: NDArray[np.float64]
    cross_entropy: NDArray[np.float64]


def recalibrate(supernet: Supernet, genotype: Path, images: Tensor) -> None:
    """Set the batch-norm statistics of the subnet ``genotype`` to those of ``images``, normalised float32[n, C, H, W]."""
    with calibrating(supernet, len(images), keep=True):
        supernet(images, genotype)


def evaluate_subnets(
    supernet: Supernet,
    genotypes: Genotypes,
    data: ImageData,
    *,
    calibration: int = 256,
    batch_size: int = 1024,
    split: str = "validation",
    workers: int = 1,
) -> NDArray[np.float64]:
    """Accuracy in percent, float64[n]: see :func:`score_subnets`."""
    options = {"calibration": calibration, "batch_size": batch_size, "split": split, "workers": workers}
    return score_subnets(supernet, genotypes, data, **options).accuracy  # type: ignore[arg-type]


def score_subnets(
    supernet: Supernet,
    genotypes: Genotypes,
    data: ImageData,
    *,
    calibration: int = 256,
    batch_size: int = 1024,
    split: str = "validation",
    workers: int = 1,
) -> SubnetScores:
    """Scores of subnets with inherited weights, each with batch-norm statistics of its own.

    Statistics come from training images that run through the network together with the images that are scored: one pass does
    both. Subnets are sorted, and neighbors in that order share what their common prefix computed. Neither order nor number of
    workers changes a bit of the results, and the supernet is left as it was.

    Args:
        genotypes: uint8[n, L].
        calibration: training images that statistics are taken from; all of them, where there are fewer.
        batch_size: images scored at a time.
        split: validation, or test for final numbers.
        workers: processes; each computes with one thread.

    Raises:
        UserError: no architectures of the space that others were shrunk from.
    """
    space = supernet.space.root
    space.require_valid(genotypes)
    codes = space.encode(genotypes)
    members = unique(codes)
    scorer = _Scorer(supernet, data, calibration, batch_size, split)
    chunks = [space.decode(members[low : low + CHUNK]) for low in range(0, len(members), CHUNK)]
    found = list(map_chunks(scorer, chunks, workers=min(workers, max(len(chunks), 1))))
    rows = locate(members, codes)
    if not found:
        return SubnetScores(np.zeros(0), np.zeros(0))
    accuracy, cross_entropy = np.concatenate(found, axis=1)[:, rows]
    return SubnetScores(accuracy, cross_entropy)


class _Scorer:
    """Scores a chunk of sorted genotypes. It travels to worker processes as bytes."""

    def __init__(self, supernet: Supernet, data: ImageData, calibration: int, batch_size: int, split: str) -> None:
        if calibration < 2:
            raise UserError(f"calibration must be 2 training images or more, but got {calibration}")
        calibration = min(calibration, len(data.train))
        self.supernet = supernet
        self.data = data
        self.settings = (calibration, batch_size, split)

    def __getstate__(self) -> dict[str, Any]:
        weights = pack_weights(self.supernet.state_dict(), {})
        return {"space": self.supernet.space.root, "weights": weights, "data": self.data, "settings": self.settings}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.data, self.settings = state["data"], state["settings"]
        self.supernet = Supernet(state["space"], seed=0).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        copy_into(self.supernet, unpack_weights(state["weights"])[0], "supernet")

    def __call__(self, genotypes: Genotypes) -> NDArray[np.float64]:
        """Accuracy and cross entropy, float64[2, n]."""
        calibration, batch_size, name = self.settings
        device = next(self.supernet.parameters()).device
        images, labels = tensors(self.data.split(name), self.data, device)
        statistics = tensors(self.data.train, self.data, device)[0][:calibration]
        totals = torch.zeros(2, len(genotypes), dtype=torch.float64)
        paths = genotypes.tolist()
        with one_thread(device), evaluating(self.supernet), calibrating(self.supernet, calibration, keep=False):
            for part in split(len(labels), batch_size):
                together = torch.cat((statistics, images[part])).contiguous(memory_format=torch.channels_last)
                for index, logits in enumerate(_walk(self.supernet, paths, together)):
                    totals[:, index] += _score(logits[calibration:], labels[part])
        totals /= len(labels)
        totals[0] *= 100
        return totals.numpy()


def _walk(supernet: Supernet, paths: list[list[int]], images: Tensor) -> Iterator[Tensor]:
    """The logits of each path in turn; what it shares with the one before, from the front on, is not computed again."""
    activations = [supernet.stem(images)]
    before: list[nn.Module] = []
    for path in paths:
        blocks = supernet.blocks(path)
        shared = 0
        while shared < len(before) and blocks[shared] is before[shared]:
            shared += 1
        del activations[shared + 1 :]
        for block in blocks[shared:]:
            activations.append(block(activations[-1]))
        before = blocks
        yield supernet.tail(activations[-1])


def _score(logits: Tensor, labels: Tensor) -> Tensor:
    """Right answers and summed cross entropy, float64[2]."""
    right = (logits.argmax(1) == labels).sum()
    return torch.stack((right.double(), functional.cross_entropy(logits.double(), labels, reduction="sum"))).cpu()


@torch.no_grad()
def score_network(
    network: nn.Module, data: ImageData, split: str = "validation", batch_size: int = 1024
) -> tuple[float, float]:
    """Accuracy in percent and cross entropy in nats of one network, by its running statistics."""
    device = next(network.parameters()).device
    images, labels = tensors(data.split(split), data, device)
    total = torch.zeros(2, dtype=torch.float64)
    with evaluating(network):
        for low in range(0, len(labels), batch_size):
            total += _score(network(images[low : low + batch_size]), labels[low : low + batch_size])
    return 100 * float(total[0]) / len(labels), float(total[1]) / len(labels)


@contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """Within it ``network`` is in evaluation mode."""
    training = network.training
    network.eval()
    try:
        yield
    finally:
        network.train(training)


@contextmanager
def one_thread(device: torch.device | None = None) -> Iterator[None]:
    """Within it torch computes with one thread on the CPU, so that results do not depend on how many there are."""
    threads = torch.get_num_threads()
    if device is None or device.type == "cpu":
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
