"""Weights on disk and between processes: safetensors with one JSON header, always the same bytes for the same content."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lissnas.errors import UserError, require

__all__ = ["copy_into", "pack_weights", "read_weights", "unpack_weights"]

KEY = "lissnas"  # safetensors writes several metadata keys in random order, so there is one, holding JSON


def pack_weights(tensors: Mapping[str, Tensor], header: Mapping[str, Any]) -> bytes:
    """``tensors`` and ``header`` (plain JSON data) as the bytes of a safetensors file."""
    save = require("safetensors.torch", "oneshot").save
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    data: bytes = save(plain, metadata={KEY: json.dumps(header, sort_keys=True)})
    return data


def unpack_weights(data: bytes, source: str = "weights") -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The inverse of :func:`pack_weights`.

    Raises:
        UserError: not a whole safetensors file, or one that lissnas did not write.
    """
    safetensors = require("safetensors.torch", "oneshot")
    try:
        tensors = safetensors.load(data)
        size = int.from_bytes(data[:8], "little")
        metadata = json.loads(data[8 : 8 + size]).get("__metadata__", {})
    except Exception:  # the reader has its own exception type, and json another
        raise UserError(f"'{source}' is no whole safetensors file: it is cut off or was changed, so make it again") from None
    if KEY not in metadata:
        raise UserError(f"'{source}' was not written by lissnas: its metadata has no '{KEY}'")
    return tensors, json.loads(metadata[KEY])


def read_weights(path: str | Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and header of a file that :func:`pack_weights` made.

    Raises:
        UserError: no such file, or not a whole one.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise UserError(f"'{path}' cannot be read: {error.strerror}") from None
    return unpack_weights(data, str(path))


def copy_into(network: torch.nn.Module, tensors: Mapping[str, Tensor], source: str) -> None:
    """Load ``tensors`` into ``network``, which must have exactly these.

    Raises:
        UserError: it has others.
    """
    own = network.state_dict()
    if {name: t.shape for name, t in own.items()} != {name: t.shape for name, t in tensors.items()}:
        raise UserError(f"the weights in '{source}' are those of another network: give the file that belongs to it")
    network.load_state_dict(dict(tensors))
