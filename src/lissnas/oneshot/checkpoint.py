"""A training on disk: everything it goes on from, as one file, written whole or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lissnas.disk import write_bytes
from lissnas.errors import UserError
from lissnas.oneshot.ema import WeightAverage
from lissnas.oneshot.samplers import PathSampler
from lissnas.oneshot.weights import copy_into, pack_weights, read_weights

__all__ = ["Checkpoint", "State"]

NAME = "checkpoint.safetensors"
FORMAT = 2


@dataclass
class State:
    """What a training is at, as objects that hold it.

    Attributes:
        network: weights and statistics.
        optimizer: over the network's parameters; what it keeps of one has its shape.
        scaler: of the losses in fp16.
        average: of the weights, where one is kept.
        sampler: of paths, where the network is a supernet.
        history: float64[epochs], the mean loss of each epoch so far.
    """

    network: nn.Module
    optimizer: torch.optim.Optimizer
    scaler: torch.amp.GradScaler
    average: WeightAverage | None
    sampler: PathSampler | None
    history: NDArray[np.float64]

    def floats(self) -> list[Tensor]:
        """Weights and statistics, and their averages."""
        own = [tensor for tensor in self.network.state_dict().values() if tensor.is_floating_point()]
        return own + ([] if self.average is None else list(self.average.tensors.values()))

    def statistics(self) -> list[Tensor]:
        """The statistics among them."""
        own = {name: buffer for name, buffer in self.network.named_buffers() if buffer.is_floating_point()}
        return [*own.values(), *([] if self.average is None else (self.average.tensors[name] for name in own))]

    def require_finite(self, step: int, remedy: str) -> None:
        """Weights are numbers, after ``step`` steps.

        Raises:
            UserError: the first of those that are not.
        """
        tensors = self.network.state_dict()
        finite = torch.stack([torch.isfinite(tensor).all() for tensor in tensors.values()]).tolist()
        if not all(finite):
            name = list(tensors)[finite.index(False)]
            raise UserError(f"the weights '{name}' are no numbers any more after {step} steps: {remedy}")

    def tensors(self) -> dict[str, Tensor]:
        """All of it, as tensors by name."""
        tensors = {f"network/{name}": tensor for name, tensor in self.network.state_dict().items()}
        for name, parameter in self.network.named_parameters():
            for key, value in self.optimizer.state.get(parameter, {}).items():
                if isinstance(value, Tensor):
                    tensors[f"optimizer/{key}/{name}"] = value
        if self.scaler.is_enabled():
            kept = self.scaler.state_dict()
            tensors["scaler"] = torch.tensor([kept["scale"], kept["_growth_tracker"]], dtype=torch.float64)
        if self.average is not None:
            tensors |= {f"average/{name}": tensor for name, tensor in self.average.tensors.items()}
        if self.sampler is not None:
            tensors |= {f"sampler/{name}": torch.from_numpy(np.array(v)) for name, v in self.sampler.state().items()}
        tensors["history"] = torch.from_numpy(self.history)
        return tensors

    def take(self, tensors: dict[str, Tensor], source: str) -> None:
        """The inverse of :meth:`tensors`."""
        parts: dict[str, dict[str, Tensor]] = {"network": {}, "optimizer": {}, "average": {}, "sampler": {}}
        for name, tensor in tensors.items():
            kind, _, rest = name.partition("/")
            if rest:
                parts[kind][rest] = tensor
        copy_into(self.network, parts["network"], source)
        parameters = dict(self.network.named_parameters())
        for name, tensor in parts["optimizer"].items():
            key, _, rest = name.partition("/")
            parameter = parameters[rest]
            self.optimizer.state[parameter][key] = torch.empty_like(parameter).copy_(tensor)
        if self.scaler.is_enabled():
            scale, tracker = tensors["scaler"].tolist()
            self.scaler.load_state_dict({**self.scaler.state_dict(), "scale": scale, "_growth_tracker": int(tracker)})
        if self.average is not None:
            for name, tensor in parts["average"].items():
                self.average.tensors[name].copy_(tensor)
        if self.sampler is not None:
            self.sampler.restore({name: tensor.numpy() for name, tensor in parts["sampler"].items()})
        self.history[:] = tensors["history"].numpy()


class Checkpoint:
    """The last state of one training.

    Args:
        directory: where it is kept.
        identity: what makes it this training and no other, as plain JSON data.
    """

    def __init__(self, directory: str | Path, identity: dict[str, Any]) -> None:
        self.path = Path(directory) / NAME
        self.identity = identity

    def save(self, epoch: int, state: State) -> None:
        """Write the state after ``epoch`` epochs."""
        header = {"format": FORMAT, "epoch": epoch, "training": self.identity}
        write_bytes(self.path, pack_weights(state.tensors(), header))

    def told(self) -> str:
        """Where the last good state is, as the end of a sentence; nothing where none was written yet."""
        return f"; the last good state is kept in '{self.path}'" if self.path.exists() else ""

    def load(self, state: State) -> int:
        """Bring ``state`` to the last one that was written, if there is one: the number of epochs done.

        Raises:
            UserError: it belongs to another training, or another version of lissnas wrote it.
        """
        if not self.path.exists():
            return 0
        tensors, header = read_weights(self.path)
        if header.get("format") != FORMAT:
            raise UserError(f"'{self.path}' was written by another version of lissnas: go on with that one, or start anew")
        for key, value in self.identity.items():
            if header["training"].get(key) != value:
                raise UserError(
                    f"'{self.path}' is the checkpoint of another training ({key} differs): choose another directory"
                )
        state.take(tensors, str(self.path))
        return int(header["epoch"])
