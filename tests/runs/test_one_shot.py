"""The jobs supernet, search and retrain, one after the other; stopped anywhere they end in the same bytes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("pymoo")

from lissnas.disk import write_bytes
from lissnas.errors import UserError
from lissnas.formats import get_space, read_scores, save_space
from lissnas.oneshot.recipe import Recipe
from lissnas.predictors import XGBoostPredictor
from lissnas.runs import Progress, RunInterrupted, resume, start
from lissnas.runs import search as search_job
from lissnas.runs.images import DataConfig
from lissnas.runs.one_shot import load_supernet
from lissnas.runs.retrain import RetrainConfig
from lissnas.runs.search import SearchJobConfig
from lissnas.runs.searching import SearchConfig
from lissnas.runs.supernet import SupernetConfig
from lissnas.spaces import ExplicitSpace

MAY_DIFFER = {"journal.jsonl", "timings.json", "report.html"}
DATA = {"name": "digits", "train": 96, "validation": 100}
SHORT = Recipe(epochs=2, batch_size=48, ghost=16, checkpoint_epochs=1)
LEARNS = Recipe(epochs=1, batch_size=16, ghost=None, learning_rate=0.1, label_smoothing=0.0)  # enough to tell networks apart


def contents(directory: Path) -> dict[str, bytes]:
    found = (p for p in sorted(directory.rglob("*")) if p.is_file() and p.name not in MAY_DIFFER)
    named = {str(p.relative_to(directory)): p for p in found}
    return {name: path.read_bytes() for name, path in named.items() if not name.startswith("logs/")}  # which hold clock times


class Stops(Progress):
    """As Ctrl-C would, once something is through for the nth time."""

    def __init__(self, task: str, after: int) -> None:
        self.task, self.after = task, after

    def advance(self, task: str, done: int, total: int) -> None:
        if self.task in task and done == self.after:
            self.after = -1
            raise KeyboardInterrupt


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A supernet of digits-shuffle, trained for two epochs on paths of a shrunk space."""
    folder = tmp_path_factory.mktemp("trained")
    root = get_space("digits-shuffle")
    save_space(ExplicitSpace.of(root, root.sample(300, np.random.default_rng(0))), folder / "small.parquet")
    config = SupernetConfig(space=str(folder / "small.parquet"), data=DATA, recipe=SHORT)
    return start(folder / "run", "supernet", config.model_dump()).directory


def test_a_k_shot_supernet_is_stopped_and_gone_on_with_logged_and_searched(tmp_path):
    config = SupernetConfig(space="digits-shuffle", data=DATA, recipe=SHORT, shots=2).model_dump()
    start(tmp_path / "a", "supernet", config)
    with pytest.raises(RunInterrupted):
        start(tmp_path / "b", "supernet", config, progress=Stops("epochs", 1))
    done = resume(tmp_path / "b").directory
    assert contents(tmp_path / "a") == contents(done)
    lines = [json.loads(line) for line in (done / "logs/supernet-full/training.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in lines] == [1, 2]
    assert [line["loss"] for line in lines] == json.loads((done / "supernets/full.json").read_text())["losses"]
    assert {"images_per_second", "seconds_left"} <= lines[0].keys()
    given = {"weights": str(done / "supernets/full.safetensors"), "space": str(done / "space.parquet"), "data": DATA}
    asked = SearchConfig(method="random", population=2, generations=2)
    found = start(tmp_path / "s", "search", SearchJobConfig(**given, search=asked).model_dump()).directory
    assert json.loads((found / "search-full.json").read_text())["evaluations"] == 4
    supernet, _ = load_supernet(done / "supernets/full.safetensors", get_space("digits-shuffle"))
    assert supernet.options["shots"] == 2


def test_a_run_goes_on_with_the_images_that_it_began_with(tmp_path, monkeypatch):
    config = SupernetConfig(space="digits-shuffle", data=DATA, recipe=SHORT).model_dump()
    with pytest.raises(RunInterrupted):
        start(tmp_path / "a", "supernet", config, progress=Stops("epochs", 1))
    before, original = contents(tmp_path / "a"), DataConfig.load
    monkeypatch.setattr(DataConfig, "load", lambda self, seed: replace(original(self, seed), shift=0))
    with pytest.raises(UserError, match=r"the images of 'digits' are others .* than when this run began .* or start a new run"):
        resume(tmp_path / "a")
    assert contents(tmp_path / "a") == before
    monkeypatch.undo()
    assert (resume(tmp_path / "a").directory / "supernets/full.safetensors").exists()


def search_config(trained: Path, **options) -> SearchJobConfig:
    asked = {"method": "nsga2", "population": 12, "generations": 3, **options.pop("search", {})}
    given = {"weights": str(trained / "supernets/shrunk.safetensors"), "space": str(trained / "space.parquet"), "data": DATA}
    return SearchJobConfig(**{**given, "limits": ["flops <= 115e3"], **options}, search=SearchConfig(**asked))


def test_a_search_that_is_stopped_ends_in_the_same_bytes_and_asks_nothing_twice(trained, tmp_path, monkeypatch):
    config = search_config(trained).model_dump()
    start(tmp_path / "a", "search", config)
    asked = []
    original = search_job.OneShotSteps.evaluator

    def counting(self, name):
        evaluator = original(self, name)
        inner = evaluator._evaluate
        monkeypatch.setattr(evaluator, "_evaluate", lambda genotypes: (asked.append(len(genotypes)), inner(genotypes))[1])
        return evaluator

    monkeypatch.setattr(search_job.OneShotSteps, "evaluator", counting)
    with pytest.raises(RunInterrupted, match="lissnas resume"):
        start(tmp_path / "b", "search", config, progress=Stops("generations", 2))
    assert asked == [12, 12]
    resume(tmp_path / "b")
    assert asked == [12, 12, 12]
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    found = json.loads((tmp_path / "a/search-shrunk.json").read_text())
    assert found["evaluations"] == 36
    assert max(one["flops"] for one in found["front"]) <= 115e3
    scores = [one["score"] for one in found["front"]]
    assert scores == sorted(scores, reverse=True)


def test_what_is_retrained_trains_a_predictor(trained, tmp_path, monkeypatch):
    def safetensors_alone(weights: bytes, directory: Path, name: str) -> float:  # ONNX takes 15 s, and has tests of its own
        write_bytes(directory / f"{name}.safetensors", weights)
        return 0.0

    monkeypatch.setattr("lissnas.runs.retrain.export_network", safetensors_alone)
    found = start(tmp_path / "s", "search", search_config(trained, search={"method": "random", "generations": 2}).model_dump())
    given = {"architectures": str(found.directory / "found-shrunk.csv"), "space": str(found.directory / "space.parquet")}
    config = RetrainConfig(**given, n=20, data=DATA, network=LEARNS).model_dump()
    with pytest.raises(RunInterrupted):
        start(tmp_path / "r", "retrain", config, progress=Stops("networks trained", 7))
    done = resume(tmp_path / "r").directory
    final = json.loads((done / "retrained.json").read_text())
    assert final["ours"]["validation"] == max(row["validation"] for row in final["lists"]["ours"])

    space = get_space(str(found.directory / "space.parquet"))
    measured = read_scores(done / "stand-alone.csv", space.root, "accuracy")
    assert measured.scores.tolist() == [row["validation"] for row in final["lists"]["ours"]]
    assert space.format(measured.genotypes) == [row["architecture"] for row in final["lists"]["ours"]]
    predictor = XGBoostPredictor(trees=5).fit(space.root, measured.genotypes, measured.scores, higher_is_better=True)
    assert np.isfinite(predictor.predict(measured.genotypes)).all()


def test_a_supernet_is_of_one_space_and_was_trained_on_some_images(trained):
    with pytest.raises(UserError, match=r"holds the supernet of another space .* than 'nasbench201'.*--space"):
        search_job.check_config(search_config(trained, space="nasbench201", data={**DATA}, limits=[]))
    with pytest.raises(UserError, match="was trained on other images"):
        search_job.check_config(search_config(trained, data={"name": "digits", "train": 96, "validation": 120}))
    with pytest.raises(UserError, match="the objective 'latency' is no cost"):
        search_job.check_config(search_config(trained, search={"costs": ["latency"]}))
    with pytest.raises(UserError, match="meets flops <= 1: flops goes from"):
        search_job.check_config(search_config(trained, limits=["flops <= 1"]))
    with pytest.raises(UserError, match=r"holds no supernet|is no whole safetensors file"):
        search_job.check_config(search_config(trained, weights=str(trained / "config.yaml")))
