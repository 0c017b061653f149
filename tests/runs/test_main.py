"""The whole job on a space that is no chain of blocks, by another sampler; its configuration, and what is wrong with some."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

pytest.importorskip("torch")

from lissnas.errors import UserError
from lissnas.formats import read_scores, save_space
from lissnas.oneshot.data import DATA, ImageData, Split
from lissnas.runs import main, start
from lissnas.runs.main_config import check_config, read_config
from lissnas.spaces import SPACES, ExplicitSpace

TINY = """
space: cells.parquet
data: {name: eights}
supernet: {epochs: 1, batch_size: 20, ghost: null, optimizer: nesterov, schedule: linear, clip_norm: 5.0, ema: 0.9}
network: {epochs: 1, batch_size: 20, ghost: null, weight_decay: 0.0003}
sampler: balanced
evaluations: 40
calibration: 8
trees: 5
min_kendall: 0
queries: 2000
size: 100
limits: ["params <= 1.2e6"]
search: {method: random, population: 4, generations: 2, costs: [params]}
stand_alone: 20
retrained: 1
"""


def eights(seed: int = 0) -> ImageData:
    """Noise of 3 x 8 x 8 in 10 classes."""
    rng = np.random.default_rng(seed)

    def some(n: int) -> Split:
        return Split(rng.integers(0, 256, size=(n, 3, 8, 8), dtype=np.uint8), np.arange(n) % 10)

    return ImageData("eights", some(20), some(20), some(20), classes=10)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    module = ModuleType("images_of_a_test")
    module.eights = eights  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(DATA, "_entries", {**DATA._entries, "eights": f"{module.__name__}:eights"})
    save_space(SPACES.get("nasbench201")(resolution=8), tmp_path / "cells.parquet")
    (tmp_path / "tiny.yaml").write_text(TINY)
    return tmp_path


def test_the_whole_job_on_nasbench201(folder):
    config = read_config(folder / "tiny.yaml", None, "lissnas run tiny.yaml")
    check_config(config)
    done = start(folder / "run", "main", config.model_dump()).directory
    metrics = json.loads((done / "metrics.json").read_text())
    # a supernet on the full space stands beside that of the shrunk one, and both are searched alike, whoever wins
    assert set(metrics["supernets"]) == set(metrics["search"]) == {"full", "shrunk"}
    assert {one["evaluations"] for one in metrics["search"].values()} == {8}
    assert metrics["supernet_difference"]["n"] == 20
    assert {"ours", "full_search", "random"} <= set(metrics["final"])
    assert set(metrics["final"]["paired"]) >= {"full_search", "random"}
    assert 0 < metrics["final"]["paired"]["full_search"]["p_value"] <= 1
    assert metrics["search"]["full"]["front"][-1]["params"] <= 1.2e6
    page = (done / "report.html").read_text()
    assert "What the search found" in page
    measured = read_scores(done / "stand-alone.csv", SPACES.get("nasbench201")(resolution=8), "accuracy")
    assert 20 <= len(measured.scores) <= 23


def test_a_shrunk_space_that_no_search_can_use_is_said_before_more_is_trained(folder, monkeypatch):
    space = SPACES.get("nasbench201")(resolution=8)
    drawn = space.sample(200, np.random.default_rng(0))
    large = ExplicitSpace.of(space, drawn[space.cost(drawn).params > 3e5])
    monkeypatch.setattr(main, "load_shrunk", lambda run, parent: large)
    config = read_config(folder / "tiny.yaml", None, "lissnas run tiny.yaml", {"limits": ["params <= 3e5"]})
    with pytest.raises(UserError, match=r"no architecture of '.*' meets params <= 3e5: params goes from .*; relax"):
        start(folder / "run", "main", config.model_dump())
    assert {path.stem for path in (folder / "run" / "supernets").iterdir()} == {"full"}


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("clip_norm: 5.0", "clip: 5.0", "there is no setting 'supernet.clip'"),
        ("ema: 0.9", "ema: 9", "the settings of 'supernet' are wrong: ema must be between 0 and 1"),
        ("ema: 0.9", "precision: fp16", "precision fp16 takes a GPU, but the network is on 'cpu'"),
        ("ema: 0.9", "batch_size: 30", "the settings of 'supernet' are wrong: a batch must be 1 to 20 images"),
        ("name: eights", "name: eight", "there are no images 'eight': did you mean eights"),
        ("name: eights", "name: eights, train: 5", "the data 'eights' has no setting 'train'"),
        ("name: eights", "name: digits", "take images of 3 x 8 x 8 in 10 classes, but digits has 1 x 8 x 8 in 10"),
        ("name: eights", "name: cifar10", "the data 'cifar10' needs the setting 'folder'"),
        ("balanced", "balance", "unknown path sampler 'balance': did you mean balanced"),
        ("balanced", "strictly-fair", "the shrunk space is a list of networks"),
        ("costs: [params]", "costs: [param]", "the objective 'param' is no cost of 'nasbench201'"),
        (
            "method: random",
            "method: evolution",
            "the setting 'search.method' is wrong: it must be 'evolve', 'nsga2' or 'random'",
        ),
        ("params <= 1.2e6", "params <= 1", "meets params <= 1: params goes from"),
        ("space: cells.parquet", "space: darts-x", "unknown space 'darts-x'"),
        ("space: cells.parquet", "space: gpt-s", "'gpt-s' says nothing of layers"),
    ],
)
def test_mistakes_are_answered_before_a_run_begins(folder, old, new, words):
    (folder / "tiny.yaml").write_text(TINY.replace(old, new))
    with pytest.raises(UserError) as caught:
        check_config(read_config(folder / "tiny.yaml", None, ""))
    assert words in str(caught.value)


def test_settings_can_be_changed_by_name(folder):
    config = read_config(
        folder / "tiny.yaml", 7, "", {"supernet.epochs": 3, "retrained": 2, "data.name": "digits", "data.train": 99}
    )
    assert (config.supernet.epochs, config.supernet.clip_norm, config.retrained, config.seed) == (3, 5.0, 2, 7)
    assert config.data.model_dump() == {"name": "digits", "train": 99}
    assert config.space == str(folder / "cells.parquet")  # looked for beside the file
    with pytest.raises(UserError, match=r"there is no setting 'supernet.epoch': did you mean epochs"):
        read_config(None, None, "", {"supernet.epoch": 3})
