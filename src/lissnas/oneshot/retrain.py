"""Many networks trained alone, side by side in processes; each depends on the seed and its own code, and on nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from lissnas.arrays import Genotypes
from lissnas.disk import write_bytes
from lissnas.engines import map_chunks
from lissnas.errors import UserError
from lissnas.oneshot.data import Images
from lissnas.oneshot.evaluate import one_thread, score_network
from lissnas.oneshot.export import network_header, unpack_network
from lissnas.oneshot.network import build_network
from lissnas.oneshot.train import Recipe, train_network
from lissnas.oneshot.weights import pack_weights, unpack_weights
from lissnas.spaces.base import SearchSpace

__all__ = ["TrainedNetwork", "retrain"]


@dataclass(frozen=True)
class TrainedNetwork:
    """A network that was trained alone.

    Attributes:
        genotype: uint8[L].
        accuracy: on the validation split, percent.
        cross_entropy: on the validation split, nats.
        weights: the network as the bytes of a safetensors file.
    """

    genotype: Genotypes
    accuracy: float
    cross_entropy: float
    weights: bytes

    def network(self) -> nn.Module:
        """The network, in evaluation mode."""
        return unpack_network(self.weights)


def retrain(
    space: SearchSpace,
    genotypes: Genotypes,
    data: Images,
    recipe: Recipe,
    *,
    seed: int,
    workers: int = 1,
    directory: str | Path | None = None,
    on_result: Callable[[TrainedNetwork], None] | None = None,
    device: str = "cpu",
    devices: int = 1,
) -> list[TrainedNetwork]:
    """Train each of ``genotypes`` (uint8[n, L]) from scratch; results in their order.

    Args:
        seed: with a network's code, all that chance depends on: the same network trains the same in any list.
        workers: processes, each with one thread; the results are the same bytes for any number.
        directory: each network is written there once it is trained (``<code>.safetensors``), and read where it is there
            already. It must belong to one (space, data, recipe, seed).
        on_result: told each network, in order.
        device: where they are trained.
        devices: processes that train one network together, each on a device of that kind.

    Raises:
        UserError: no architectures of the space, a file of another training, or a loss that is no number any more.
    """
    space.require_valid(genotypes)
    folder = None if directory is None else Path(directory)
    codes = space.encode(genotypes)
    names = ["-".join(f"{int(word):016x}" for word in code) for code in codes]
    jobs: list[_Job] = []
    for index, name in enumerate(names):
        path = None if folder is None else folder / f"{name}.safetensors"
        if name not in names[:index] and not (path and path.exists()):
            jobs.append(_Job(genotypes[index], tuple(int(word) for word in codes[index]), path))
    done: dict[bytes, TrainedNetwork] = {}
    work = map_chunks(_Trainer(space.root, data, recipe, seed, device, devices), jobs, workers=workers)
    results = []
    for genotype, name in zip(genotypes, names, strict=True):
        key = genotype.tobytes()
        while key not in done:
            path = None if folder is None else folder / f"{name}.safetensors"
            if path is not None and path.exists():
                done[key] = _read(path, data, recipe, seed)
            else:
                trained = _unpack(next(work))
                done[trained.genotype.tobytes()] = trained
        results.append(done[key])
        if on_result:
            on_result(done[key])
    return results


@dataclass(frozen=True)
class _Job:
    genotype: Genotypes
    code: Sequence[int]
    path: Path | None


@dataclass(frozen=True)
class _Trainer:
    """Trains one network. It travels to worker processes."""

    space: SearchSpace
    data: Images
    recipe: Recipe
    seed: int
    device: str
    devices: int

    def __call__(self, job: _Job) -> bytes:
        root = np.random.SeedSequence([self.seed, *job.code])
        initial, order = (int(word) for word in root.generate_state(2, np.uint64) >> np.uint64(2))
        with one_thread():
            network = build_network(self.space, job.genotype, seed=initial).to(self.device)
            train_network(network, self.data, self.recipe, seed=order, devices=self.devices)
            accuracy, cross_entropy = score_network(network, self.data)
        header = network_header(self.space, job.genotype, self.data)
        header["validation"] = {"accuracy": accuracy, "cross_entropy": cross_entropy}
        header["training"] = _training(self.data, self.recipe, self.seed)
        packed = pack_weights(network.state_dict(), header)
        if job.path is not None:
            write_bytes(job.path, packed)
        return packed


def _training(data: Images, recipe: Recipe, seed: int) -> dict[str, Any]:
    return {"data": data.fingerprint, "recipe": asdict(recipe), "seed": seed}


def _read(path: Path, data: Images, recipe: Recipe, seed: int) -> TrainedNetwork:
    try:
        packed = path.read_bytes()
    except OSError as error:
        raise UserError(f"'{path}' cannot be read: {error.strerror}") from None
    if unpack_weights(packed, str(path))[1].get("training") != _training(data, recipe, seed):
        raise UserError(f"'{path}' was trained with other data, another recipe or another seed: choose another directory")
    return _unpack(packed)


def _unpack(packed: bytes) -> TrainedNetwork:
    header = unpack_weights(packed)[1]
    genotype = np.array(header["genotype"], dtype=np.uint8)
    return TrainedNetwork(genotype, header["validation"]["accuracy"], header["validation"]["cross_entropy"], packed)
