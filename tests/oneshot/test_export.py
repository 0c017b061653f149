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


def test_torch_export_computes_the_same_in_any_batch_and_says_nothing_of_this_machine(trained, tmp_path):
    files, difference = module.convert(trained.weights, ["safetensors", "onnx", "torch-export"])
    assert list(files) == ["safetensors", "onnx", "torch-export"]
    assert 0 <= difference <= 1e-4
    (tmp_path / "best.pt2").write_bytes(files["torch-export"])
    images = torch.randn(5, 1, 8, 8)
    with torch.no_grad():
        theirs = torch.export.load(tmp_path / "best.pt2").module()(images)
        torch.testing.assert_close(theirs, trained.network()(images), atol=1e-5, rtol=0)
    for mark in (str(Path(module.__file__).parents[2]), str(Path.home()) + "/", getpass.getuser() + "@"):
        assert mark.encode() not in files["torch-export"]


def test_an_unknown_format_is_refused(trained):
    with pytest.raises(UserError, match="safetensors, onnx, torch-export or huggingface, but got 'keras'"):
        module.convert(trained.weights, ["keras"])


def test_a_network_is_found_in_a_run_by_name_and_in_an_exported_folder(trained, tmp_path):
    run, hub = tmp_path / "run", tmp_path / "hub"
    export_network(trained.weights, run / "networks")
    hub.mkdir()
    (hub / "model.safetensors").write_bytes(trained.weights)
    images = torch.randn(3, 1, 8, 8)
    expected = trained.network()(images)
    for path in (run, run / "best", run / "networks", run / "networks" / "best", run / "networks" / "best.safetensors", hub):
        assert torch.equal(load_network(path)(images), expected)
    with pytest.raises(UserError, match="it does not exist"):
        load_network(tmp_path / "nowhere")
    with pytest.raises(UserError, match="holds no network"):
        load_network(tmp_path)


def test_a_hub_folder_tells_what_is_known_and_loads_the_same_in_a_fresh_process(trained, tmp_path):
    import json
    import subprocess
    import sys

    import yaml

    from lissnas.oneshot.hub import hub_files, run_metrics

    run = tmp_path / "run"
    export_network(trained.weights, run / "networks")
    (run / "retrained.json").write_text(json.dumps({"ours": {"test": 12.345, "costs": {"flops": 10000.0}}}))
    metrics = run_metrics(run / "networks" / "best.safetensors")
    files = hub_files(trained.weights, metrics, "apache-2.0")
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    assert sorted(files) == ["README.md", "config.json", "model.safetensors"]
    config = json.loads(files["config.json"])
    assert config["architecture"] == "(3, 0, 1)"
    assert config["classes"] == 10
    card = files["README.md"].decode()
    front = yaml.safe_load(card.split("---")[1])
    assert front["license"] == "apache-2.0"
    values = [result["metrics"][0]["value"] for result in front["model-index"][0]["results"]]
    assert values == [round(trained.accuracy, 3), 12.345]
    assert "batch_size: 32" in card
    assert "| flops | 10,000 |" in card
    assert "not stated by who trained it" in hub_files(trained.weights, {}, None)["README.md"].decode()

    images = torch.randn(4, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    script = (
        "import sys, torch, lissnas; torch.set_num_threads(1); "
        "images = torch.randn(4, 1, 8, 8, generator=torch.Generator().manual_seed(0)); "
        "print(lissnas.load_network(sys.argv[1])(images).tolist())"
    )
    said = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True).stdout
    assert json.loads(said) == trained.network()(images).tolist()


def test_the_command_exports_a_run(trained, tmp_path):
    from lissnas.cli.app import run_app

    export_network(trained.weights, tmp_path / "run" / "networks")
    run, out = str(tmp_path / "run"), tmp_path / "out"
    formats = [word for kind in ("onnx", "torch-export", "huggingface") for word in ("--format", kind)]
    assert run_app(["export", run, "--out", str(out), *formats]) == 0
    names = ["README.md", "best.onnx", "best.pt2", "config.json", "model.safetensors"]
    assert sorted(path.name for path in out.iterdir()) == names
    for wrong in (
        [run, "--out", str(out), "--format", "onnx"],
        [run, "--out", str(tmp_path / "new"), "--format", "keras"],
        [str(tmp_path / "none"), "--out", str(tmp_path / "new"), "--format", "onnx"],
    ):
        assert run_app(["export", *wrong]) == 2
    assert not (tmp_path / "new").exists()
