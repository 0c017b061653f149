"""A network on its way out: safetensors with everything needed to build it again, and ONNX, checked against each other."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lissnas.disk import write_bytes
from lissnas.errors import UserError, require
from lissnas.oneshot.data import ImageData
from lissnas.oneshot.evaluate import evaluating
from lissnas.oneshot.network import Path as Genotype
from lissnas.oneshot.network import build_network, layout_of, require_path
from lissnas.oneshot.weights import copy_into, read_weights, unpack_weights
from lissnas.spaces import from_definition
from lissnas.spaces.base import SearchSpace

__all__ = ["export_network", "export_onnx", "load_network", "network_header", "read_header", "unpack_network"]

FORMAT = 1
TOLERANCE = 1e-4
OPSET = 18


def network_header(space: SearchSpace, genotype: Genotype, data: ImageData, *, affine: bool = True) -> dict[str, Any]:
    """What a file says of its network, as plain JSON data: how to build it, and what it wants to be fed."""
    path = require_path(space, genotype)
    layout = layout_of(space)
    return {
        "format": FORMAT,
        "space": space.root.definition(),
        "genotype": path,
        "architecture": space.format(np.array([path], dtype=np.uint8))[0],
        "affine": affine,
        "input": {"channels": layout.in_channels, "resolution": layout.resolution, "layout": "NCHW", "dtype": "float32"},
        "normalisation": {"mean": list(data.mean), "deviation": list(data.deviation), "rule": "(pixel - mean) / deviation"},
        "classes": layout.classes,
        "data": data.name,
    }


def load_network(path: str | Path) -> nn.Module:
    """The network of a safetensors file, in evaluation mode: normalised images float32[n, C, H, W] -> logits.

    Raises:
        UserError: no such file, not a whole one, or no network of lissnas.
    """
    return _build(*read_weights(path), str(path))


def read_header(path: str | Path) -> dict[str, Any]:
    """What a safetensors file says of its network: see :func:`network_header`."""
    return read_weights(path)[1]


def unpack_network(data: bytes) -> nn.Module:
    """As :func:`load_network`, from the bytes of the file."""
    return _build(*unpack_weights(data), "weights")


def _build(tensors: dict[str, Tensor], header: dict[str, Any], source: str) -> nn.Module:
    if header.get("format") != FORMAT:
        raise UserError(f"'{source}' holds no network of format {FORMAT}: it holds {header.get('format', 'something else')}")
    space = from_definition(header["space"])
    network = build_network(space, header["genotype"], affine=header["affine"], seed=0)
    copy_into(network, tensors, source)
    return network.eval()


def export_network(weights: bytes, directory: str | Path, name: str = "best", seed: int = 0) -> float:
    """Write ``<name>.safetensors`` and ``<name>.onnx``; the largest difference between their logits on random images.

    Args:
        weights: a network as :class:`~lissnas.oneshot.retrain.TrainedNetwork` holds it.

    Raises:
        RuntimeError: they differ by more than 1e-4.
    """
    runtime = require("onnxruntime", "oneshot")
    directory = Path(directory)
    network = unpack_network(weights)
    header = unpack_weights(weights)[1]
    shape = (header["input"]["channels"], header["input"]["resolution"], header["input"]["resolution"])
    packed = export_onnx(network, shape)

    options = runtime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = runtime.InferenceSession(packed, options, providers=["CPUExecutionProvider"])
    images = np.random.default_rng(seed).normal(size=(16, *shape)).astype(np.float32)
    theirs = session.run(["logits"], {"images": images})[0]
    with torch.no_grad():
        ours = network(torch.from_numpy(images)).numpy()
    difference = float(np.abs(theirs - ours).max())
    if not difference <= TOLERANCE:
        raise RuntimeError(f"torch and onnxruntime differ by {difference:.2g}, more than {TOLERANCE:g}: nothing was written")
    write_bytes(directory / f"{name}.safetensors", weights)
    write_bytes(directory / f"{name}.onnx", packed)
    return difference


def export_onnx(network: nn.Module, shape: tuple[int, int, int]) -> bytes:
    """The bytes of an ONNX file: ``images`` float32[batch, C, H, W] -> ``logits`` float32[batch, classes].

    The exporter notes where each line of code stands on this machine; those notes are taken out.
    """
    onnx = require("onnx", "oneshot")
    require("onnxscript", "oneshot")
    plain = torch.zeros(2, *shape)
    with _quiet(), evaluating(network), torch.no_grad():
        program = torch.onnx.export(
            network,
            (plain,),
            dynamo=True,
            external_data=False,
            input_names=["images"],
            output_names=["logits"],
            dynamic_shapes=({0: torch.export.Dim("batch")},),
            opset_version=OPSET,
            verbose=False,
        )
        assert program is not None
        model = program.model_proto
    for part in (model, model.graph, *model.graph.node, *model.graph.value_info, *model.graph.input, *model.graph.output):
        del part.metadata_props[:]
        part.doc_string = ""
    onnx.checker.check_model(model)
    packed: bytes = model.SerializeToString(deterministic=True)
    return packed


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """The exporter speaks of torchvision, and of its own progress, to whoever is there."""
    names = ("torch.onnx", "onnxscript", "onnx_ir", "torch.export")
    levels = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
