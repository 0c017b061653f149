"""A network on its way out: safetensors with everything needed to build it again, ONNX, and torch.export, checked."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lissnas.disk import write_bytes
from lissnas.errors import UserError, require
from lissnas.oneshot.data import Images
from lissnas.oneshot.devices import device_of
from lissnas.oneshot.evaluate import evaluating
from lissnas.oneshot.network import Path as Genotype
from lissnas.oneshot.network import build_network, layout_of, require_path
from lissnas.oneshot.weights import copy_into, read_weights, unpack_weights
from lissnas.spaces import from_definition
from lissnas.spaces.base import SearchSpace

__all__ = [
    "SUFFIXES",
    "convert",
    "export_network",
    "export_onnx",
    "export_torch",
    "find_network",
    "load_network",
    "network_header",
    "read_header",
    "unpack_network",
]

FORMAT = 1
TOLERANCE = 1e-4
OPSET = 18
SUFFIXES = {"safetensors": ".safetensors", "onnx": ".onnx", "torch-export": ".pt2"}


def network_header(space: SearchSpace, genotype: Genotype, data: Images, *, affine: bool = True) -> dict[str, Any]:
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
    """A network, in evaluation mode: normalised images float32[n, C, H, W] -> logits.

    Args:
        path: a safetensors file; a run, whose best network is meant (``run`` or ``run/best``); or a folder that a network was
            exported to.

    Raises:
        UserError: no such file, not a whole one, or no network of lissnas.
    """
    found = find_network(path)
    return _build(*read_weights(found), str(found))


def find_network(path: str | Path) -> Path:
    """The safetensors file that ``path`` means: see :func:`load_network`.

    Raises:
        UserError: there is none.
    """
    path = Path(path)
    name = f"{path.name}.safetensors"
    inside = [path / "networks" / "best.safetensors", path / "best.safetensors", path / "model.safetensors"]
    for found in (path, path.parent / "networks" / name, path.parent / name, *inside):
        if found.is_file():
            return found
    if not path.exists():
        raise UserError(f"'{path}' cannot be read, it does not exist: give a .safetensors file, a run, or an exported folder")
    raise UserError(f"'{path}' holds no network, neither (networks/)best.safetensors nor model.safetensors: name its file")


def read_header(path: str | Path) -> dict[str, Any]:
    """What the file of a network says of it: see :func:`network_header` and :func:`find_network`."""
    return read_weights(find_network(path))[1]


def unpack_network(data: bytes, source: str = "weights") -> nn.Module:
    """As :func:`load_network`, from the bytes of the file, which messages call ``source``."""
    return _build(*unpack_weights(data, source), source)


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
    files, difference = convert(weights, ("safetensors", "onnx"), seed)
    for kind, data in files.items():
        write_bytes(Path(directory) / f"{name}{SUFFIXES[kind]}", data)
    return difference


def convert(weights: bytes, kinds: Sequence[str], seed: int = 0, source: str = "weights") -> tuple[dict[str, bytes], float]:
    """A network as the bytes of a file of each kind, and the largest difference of their logits on random images.

    Args:
        kinds: of ``safetensors``, ``onnx`` and ``torch-export``.
        source: what messages call ``weights``.

    Raises:
        RuntimeError: one differs from the network by more than 1e-4.
        UserError: no such kind, or one that needs a package that is not installed.
    """
    network = unpack_network(weights, source)
    header = unpack_weights(weights)[1]
    shape = (header["input"]["channels"], header["input"]["resolution"], header["input"]["resolution"])
    images = torch.from_numpy(np.random.default_rng(seed).normal(size=(16, *shape)).astype(np.float32))
    with torch.no_grad():
        ours = network(images).numpy()
    files: dict[str, bytes] = {}
    largest = 0.0
    for kind in kinds:
        match kind:
            case "safetensors":
                files[kind] = weights
                theirs = ours  # the network was built from these very bytes
            case "onnx":
                files[kind] = export_onnx(network, shape)
                theirs = _run_onnx(files[kind], images)
            case "torch-export":
                files[kind] = export_torch(network, shape)
                theirs = _run_torch(files[kind], images)
            case _:
                raise UserError(f"a network is exported as {', '.join(SUFFIXES)} or huggingface, but got '{kind}'")
        difference = float(np.abs(theirs - ours).max())
        if not difference <= TOLERANCE:
            raise RuntimeError(f"{kind} differs by {difference:.2g}, more than {TOLERANCE:g}: nothing was written")
        largest = max(largest, difference)
    return files, largest


def _run_onnx(packed: bytes, images: Tensor) -> NDArray[np.float32]:
    runtime = require("onnxruntime", "oneshot")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = runtime.InferenceSession(packed, options, providers=["CPUExecutionProvider"])
    logits: NDArray[np.float32] = session.run(["logits"], {"images": images.numpy()})[0]
    return logits


def _run_torch(packed: bytes, images: Tensor) -> NDArray[np.float32]:
    with _quiet(), torch.no_grad():
        logits: NDArray[np.float32] = torch.export.load(io.BytesIO(packed)).module()(images).numpy()
    return logits


def _two(network: nn.Module, shape: tuple[int, int, int]) -> Tensor:
    """Two images, where the network is."""
    return torch.zeros(2, *shape, device=device_of(network))


def export_torch(network: nn.Module, shape: tuple[int, int, int]) -> bytes:
    """The bytes of a ``.pt2`` file: ``torch.export.load(file).module()`` takes images float32[batch, C, H, W], any batch.

    It computes where ``network`` is: one on a GPU is loaded onto a GPU.
    """
    file = io.BytesIO()
    with _quiet(), evaluating(network), torch.no_grad():
        program = torch.export.export(network, (_two(network, shape),), dynamic_shapes=({0: torch.export.Dim("batch")},))
        for node in program.graph.nodes:
            node.meta.pop("stack_trace", None)  # where each line of code stands on this machine
        torch.export.save(program, file)
    return file.getvalue()


def export_onnx(network: nn.Module, shape: tuple[int, int, int]) -> bytes:
    """The bytes of an ONNX file: ``images`` float32[batch, C, H, W] -> ``logits`` float32[batch, classes].

    The exporter notes where each line of code stands on this machine; those notes are taken out.
    """
    onnx = require("onnx", "oneshot")
    require("onnxscript", "oneshot")
    plain = _two(network, shape)
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
