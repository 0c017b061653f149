"""A training on disk: weights, momentum and history as one file, written whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from lissnas.disk import write_bytes
from lissnas.errors import UserError
from lissnas.oneshot.weights import copy_into, pack_weights, read_weights

__all__ = ["Checkpoint"]

NAME = "checkpoint.safetensors"


class Checkpoint:
    """The last state of one training.

    Args:
        directory: where it is kept.
        network: whose weights and statistics are kept.
        optimizer: SGD with momentum, over the network's parameters.
        identity: what makes it this training and no other, as plain JSON data.
    """

    def __init__(
        self, directory: str | Path, network: nn.Module, optimizer: torch.optim.Optimizer, identity: dict[str, Any]
    ) -> None:
        self.path = Path(directory) / NAME
        self.network = network
        self.optimizer = optimizer
        self.identity = identity

    def save(self, epoch: int, history: NDArray[np.float64]) -> None:
        """Write the state after ``epoch`` epochs."""
        tensors = {f"network/{name}": tensor for name, tensor in self.network.state_dict().items()}
        for name, parameter in self.network.named_parameters():
            buffer = self.optimizer.state[parameter].get("momentum_buffer") if parameter in self.optimizer.state else None
            if buffer is not None:
                tensors[f"momentum/{name}"] = buffer
        tensors["history"] = torch.from_numpy(history)
        write_bytes(self.path, pack_weights(tensors, {"epoch": epoch, "training": self.identity}))

    def load(self, history: NDArray[np.float64]) -> int:
        """Take up the last state, if there is one: the number of epochs done.

        Raises:
            UserError: it belongs to another training.
        """
        if not self.path.exists():
            return 0
        tensors, header = read_weights(self.path)
        for key, value in self.identity.items():
            if header["training"].get(key) != value:
                raise UserError(
                    f"'{self.path}' is the checkpoint of another training ({key} differs): choose another directory"
                )
        parts: dict[str, dict[str, torch.Tensor]] = {"network": {}, "momentum": {}}
        for name, tensor in tensors.items():
            kind, _, rest = name.partition("/")
            if rest:
                parts[kind][rest] = tensor
        copy_into(self.network, parts["network"], str(self.path))
        for name, parameter in self.network.named_parameters():
            if name in parts["momentum"]:
                buffer = torch.empty_like(parameter).copy_(parts["momentum"][name])
                self.optimizer.state[parameter]["momentum_buffer"] = buffer
        history[:] = tensors["history"].numpy()
        return int(header["epoch"])
