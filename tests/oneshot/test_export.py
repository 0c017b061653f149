"""What leaves the house: a file that builds its network again, and an ONNX file that computes the same."""

from __future__ import annotations

import getpass
import socket
from pathlib import Path

import numpy as np
import pytest
import torch

from lissnas.errors import UserError
from lissnas.oneshot import export as module
from lissnas.oneshot import export_network, load_network, read_header
from lissnas.oneshot.retrain import retrain
from lissnas.spaces import ExplicitSpace


@pytest.fixture(scope="module")
def trained(small, data):
    from lissnas.oneshot import Recipe

    space = ExplicitSpace.of(small, np.array([[3, 0, 1], [0, 0, 0]], dtype=np.uint8))
    return retrain(space, space.genotypes[1:], data, Recipe(epochs=3, batch_size=32, ghost=16), seed=0)[0]


@pytest.fixture(scope="module")
def exported(trained, tmp_path_factory):
    folder = tmp_path_factory.mktemp("export")
    return folder, export_network(trained.weights, folder)


def test_both_files_compute_the_same(exported, trained):
    import onnxruntime

    folder, difference = exported
    assert 0 <= difference <= 1e-4
    images = torch.randn(7, 1, 8, 8)  # another batch size than it was exported with
    session = onnxruntime.InferenceSession(folder / "best.onnx", providers=["CPUExecutionProvider"])
    theirs = session.run(None, {"images": images.numpy()})[0]
    network = load_network(folder / "best.safetensors")
    assert not network.training
    with torch.no_grad():
        np.testing.assert_allclose(theirs, network(images).numpy(), atol=1e-4)
        assert torch.equal(network(images), trained.network()(images))


def test_the_header_says_how_to_feed_it(exported, data):
    header = read_header(exported[0] / "best.safetensors")
    assert header["genotype"] == [3, 0, 1]
    assert header["architecture"] == "(3, 0, 1)"
    assert header["input"] == {"channels": 1, "resolution": 8, "layout": "NCHW", "dtype": "float32"}
    assert header["normalisation"]["mean"] == list(data.mean)
    assert header["validation"]["accuracy"] >= 0


def test_the_same_network_is_the_same_bytes(exported, trained, tmp_path):
    export_network(trained.weights, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["best.onnx", "best.safetensors"]
    for name in ("best.onnx", "best.safetensors"):
        assert (tmp_path / name).read_bytes() == (exported[0] / name).read_bytes()


def test_nothing_of_this_machine_stands_in_the_files(exported):
    marks = [str(Path(module.__file__).parents[2]), str(Path(torch.__file__).parents[1]), str(exported[0]), str(Path.home())]
    marks += [".py", "stack_trace", getpass.getuser() + "@", socket.gethostname()]
    for name in ("best.onnx", "best.safetensors"):
        held = (exported[0] / name).read_bytes()
        assert [mark for mark in marks if len(mark) > 2 and mark.encode() in held] == []


def test_a_difference_is_no_export(trained, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "TOLERANCE", -1.0)
    with pytest.raises(RuntimeError, match="nothing was written"):
        export_network(trained.weights, tmp_path)
    assert not list(tmp_path.iterdir())


def test_files_that_are_no_networks_are_refused(exported, tmp_path):
    from safetensors.torch import save_file

    path = tmp_path / "x.safetensors"
    with pytest.raises(UserError, match="cannot be read"):
        load_network(path)
    whole = (exported[0] / "best.safetensors").read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match="no whole safetensors file"):
        load_network(path)
    save_file({"a": torch.zeros(2)}, path)
    with pytest.raises(UserError, match="was not written by lissnas"):
        load_network(path)
