"""Scores of subnets with inherited weights, their batch-norm statistics recalibrated, and of networks of their own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from lissnas.arrays import Genotypes, locate, unique
from lissnas.engines import map_chunks
from lissnas.errors import UserError
from lissnas.oneshot.batches import calibration_images, evaluation_batches, require_images_fit
from lissnas.oneshot.data import Images
from lissnas.oneshot.devices import device_of, enough_memory
from lissnas.oneshot.network import Path, require_path
from lissnas.oneshot.norm import Statistics, calibrating
from lissnas.oneshot.supernet import Block, Supernet
from lissnas.oneshot.weights import copy_into, pack_weights, unpack_weights

__all__ = [
    "SubnetScores",
    "arrange",
    "evaluate_subnets",
    "one_thread",
    "recalibrate",
    "right_answers",
    "score_network",
    "score_subnets",
    "walk",
]

CHUNK = 256  # subnets scored together, sharing what common first blocks computed


class SubnetScores(NamedTuple):
    """``accuracy`` float64[n] in percent, and the finer ``cross_entropy`` float64[n] in nats (lower is better)."""

    accuracy: NDArray[np.float64]
    cross_entropy: NDArray[np.float64]


def recalibrate(supernet: Supernet, genotype: Path, images: Tensor) -> None:
    """Set the batch-norm statistics of the subnet ``genotype`` to those of ``images``, normalised float32[n, C, H, W].

    Raises:
        UserError: no architecture of the space that others were shrunk from.
    """
    require_path(supernet.space.root, genotype)
    with calibrating(supernet, len(images), keep=True):
        supernet(images, genotype)


def evaluate_subnets(
    supernet: Supernet,
    genotypes: Genotypes,
    data: Images,
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
    data: Images,
    *,
    calibration: int = 256,
    batch_size: int = 1024,
    split: str = "validation",
    workers: int = 1,
) -> SubnetScores:
    """Scores of subnets with inherited weights, each with batch-norm statistics of its own.

    Statistics come from training images that run through the network together with the first of the images that are scored:
    one pass does both. Subnets are put in an order in which neighbors begin with the same blocks, and share what those
    computed; what is kept for that, and no more, is held in memory. Subnets that compute the same in all are scored once.
    Neither order nor company nor number of workers changes a bit of a subnet's scores, and the supernet is left as it was.

    Args:
        genotypes: uint8[n, L].
        calibration: training images that statistics are taken from; all of them, where there are fewer.
        batch_size: images scored at a time. Memory is a few times what one layer makes of ``calibration + batch_size`` images.
        split: validation, or test for final numbers.
        workers: processes; each computes with one thread. A supernet on a GPU is scored there, by this process.

    Raises:
        UserError: no architectures of the space that others were shrunk from, images that its networks do not take, not enough
            memory, or a setting that makes no sense.
    """
    space = supernet.space.root
    space.require_valid(genotypes)
    require_images_fit(space, data)
    codes = space.encode(genotypes)
    members = unique(codes)
    if not len(members):
        return SubnetScores(np.zeros(0), np.zeros(0))
    distinct = space.decode(members)
    order, same = arrange(supernet, distinct)
    if device_of(supernet).type != "cpu":
        workers = 1
    scorer = _Scorer(supernet, data, calibration, batch_size, split)
    chunks = [distinct[order[low : low + CHUNK]] for low in range(0, len(order), CHUNK)]
    found = np.concatenate(list(map_chunks(scorer, chunks, workers=min(workers, len(chunks)))), axis=1)
    accuracy, cross_entropy = found[:, same[locate(members, codes)]]
    return SubnetScores(accuracy, cross_entropy)


def arrange(supernet: Supernet, genotypes: Genotypes) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """An order in which subnets that begin with the same blocks are neighbors.

    Returns:
        order: intp[m], a row of ``genotypes`` for each way through the supernet; m < n where some rows compute the same.
        same: intp[n], the place in ``order`` of the row that computes what each row does.
    """
    number: dict[Block, int] = {}
    ways = [tuple(number.setdefault(block, len(number)) for block in supernet.blocks(path)) for path in genotypes.tolist()]
    row_of = dict(zip(reversed(ways), reversed(range(len(ways))), strict=True))  # the first row of each way
    place = {way: index for index, way in enumerate(sorted(row_of))}
    order = np.array([row_of[way] for way in place], dtype=np.intp)
    return order, np.array([place[way] for way in ways], dtype=np.intp)


class _Scorer:
    """Scores a chunk of arranged genotypes. It travels to worker processes as bytes."""

    def __init__(self, supernet: Supernet, data: Images, calibration: int, batch_size: int, split: str) -> None:
        if calibration < 2:
            raise UserError(f"calibration must be 2 training images or more, but got {calibration}")
        calibration = min(calibration, len(data.train))
        self.supernet = supernet
        self.data = data
        self.settings = (calibration, batch_size, split)

    def __getstate__(self) -> dict[str, Any]:
        weights = pack_weights(self.supernet.state_dict(), {})
        made = partial(type(self.supernet), self.supernet.space.root, seed=0, **self.supernet.options)
        return {"made": made, "weights": weights, "data": self.data, "settings": self.settings}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.data, self.settings = state["data"], state["settings"]
        self.supernet = state["made"]().to(memory_format=torch.channels_last)
        copy_into(self.supernet, unpack_weights(state["weights"])[0], "supernet")

    def __call__(self, genotypes: Genotypes) -> NDArray[np.float64]:
        """Accuracy and cross entropy, float64[2, n]."""
        calibration, batch_size, split = self.settings
        device = device_of(self.supernet)
        chains = [self.supernet.blocks(path) for path in genotypes.tolist()]
        totals = torch.zeros(2, len(chains), dtype=torch.float64, device=device)
        statistics: list[Statistics] = []
        scored = 0
        settings = f"{calibration} images for statistics and {batch_size} to score at a time"
        with (
            enough_memory(device, settings, "choose a smaller calibration or batch_size"),
            one_thread(device),
            evaluating(self.supernet),
        ):
            for images, labels in evaluation_batches(self.data, split, batch_size, device):
                if not scored:
                    first = calibration_images(self.data, calibration, device)
                    images = torch.cat((first, images)).contiguous(memory_format=torch.channels_last)
                    mode = calibrating(self.supernet, calibration, keep=False, record=statistics)
                else:  # the walk is the same for all images, and so is the order of statistics
                    mode = calibrating(self.supernet, 0, keep=False, replay=iter(statistics))
                with mode:
                    for index, logits in enumerate(walk(self.supernet, chains, images)):
                        totals[:, index] += _score(logits[-len(labels) :], labels)
                scored += len(labels)
        totals /= scored
        totals[0] *= 100
        return totals.cpu().numpy()


def walk(supernet: Supernet, chains: Sequence[list[Block]], images: Tensor) -> Iterator[Tensor]:
    """The logits of each chain of blocks in turn; what it shares with the one before, from the front on, is not run again."""
    kept = [supernet.stem(images)]  # what the blocks gave that this chain shares with the one before
    for chain, following in zip(chains, [*chains[1:], []], strict=True):
        done = len(kept) - 1
        shared = _shared(chain, following)
        x = kept[-1]
        for depth, block in enumerate(chain[done:], start=done + 1):
            x = block(x)
            if depth <= shared:
                kept.append(x)
        yield supernet.tail(x)
        del kept[shared + 1 :]


def _shared(a: Sequence[Block], b: Sequence[Block]) -> int:
    """How many blocks both begin with."""
    return next((index for index, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def _score(logits: Tensor, labels: Tensor) -> Tensor:
    """Right answers and summed cross entropy, float64[2]."""
    right = (logits.argmax(1) == labels).sum()
    return torch.stack((right.double(), functional.cross_entropy(logits.double(), labels, reduction="sum")))


@torch.no_grad()
def score_network(network: nn.Module, data: Images, split: str = "validation", batch_size: int = 1024) -> tuple[float, float]:
    """Accuracy in percent and cross entropy in nats of one network, by its running statistics."""
    scores = [_score(logits, labels) for logits, labels in _answers(network, data, split, batch_size)]
    right, cross_entropy = (torch.stack(scores).sum(0) / len(data.split(split))).tolist()
    return 100 * right, cross_entropy


@torch.no_grad()
def right_answers(network: nn.Module, data: Images, split: str, batch_size: int = 1024) -> NDArray[np.bool_]:
    """Which images of a split one network gets right, bool[n], by its running statistics."""
    answers = _answers(network, data, split, batch_size)
    return torch.cat([logits.argmax(1) == labels for logits, labels in answers]).cpu().numpy()


def _answers(network: nn.Module, data: Images, split: str, batch_size: int) -> Iterator[tuple[Tensor, Tensor]]:
    """The logits of all images of a split, and their labels."""
    with evaluating(network):
        for images, labels in evaluation_batches(data, split, batch_size, device_of(network)):
            yield network(images), labels


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
