"""TransNAS-Bench-101, both parts: seven tasks, at the last and at the best epoch."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from lissnas import get_evaluator
from lissnas.evaluators.transnasbench101 import TASKS
from lissnas.testing import EvaluatorContract

SIZES = {"macro": 3256, "micro": 4096}


@pytest.fixture(params=SIZES)
def part(request, real_data) -> str:
    return str(request.param)


@pytest.mark.usefixtures("real_data")
class TestMacro(EvaluatorContract):
    def evaluator(self):
        return get_evaluator("transnasbench101-macro")


@pytest.mark.usefixtures("real_data")
class TestMicroBest(EvaluatorContract):
    def evaluator(self):
        return get_evaluator("transnasbench101-micro", task="jigsaw_best")


def test_holds_all(part):
    for task, (_, unit, _) in TASKS.items():
        evaluator = get_evaluator(f"transnasbench101-{part}", task=task)
        assert evaluator.known is None
        assert len(evaluator.genotypes) == SIZES[part]
        assert evaluator.metric.unit == unit
        assert evaluator.higher_is_better


def test_the_best_epoch_is_known_of_some_and_no_worse(part):
    last = get_evaluator(f"transnasbench101-{part}")
    best = get_evaluator(f"transnasbench101-{part}", task="class_scene_best")
    assert 600 < best.known.cardinality < 800
    x = best.known.genotypes
    assert (best.evaluate(x) >= last.evaluate(x)).all()


def test_costs_of_the_file_are_those_of_the_space(part):
    evaluator = get_evaluator(f"transnasbench101-{part}")
    listed = evaluator.columns["class_scene_mparams"]
    has = np.isfinite(listed)
    counted = evaluator.space.cost(evaluator.genotypes[has]).params / 1e6
    assert np.abs(counted / listed[has] - 1).max() < 1e-5


def test_scores_by_official_strings(real_data):
    """The first rows of the files; ``abcdef`` of the micro part is a_bc_def."""
    macro = get_evaluator("transnasbench101-macro")
    assert macro.evaluate(macro.space.parse(["64-1114-basic", "64-1123-basic"])).tolist() == [49.995, 50.7564]
    micro = get_evaluator("transnasbench101-micro", task="room_layout")
    assert micro.evaluate(micro.space.parse(["64-41414-0_00_000"])).tolist() == [-1.09428]


def test_an_official_file(data_folder, tmp_path):
    def result(metric: str, values: list[float]) -> dict:
        return {"metrics": {metric: values}, "model_info": {"model_params": 3.0}, "total_epochs": len(values)}

    data = {
        "macro": {"64-1114-basic": {"class_scene": result("valid_top1", [40.0, 45.0, 44.0])}},
        "micro": {
            "64-41414-3_12_013": {
                "class_scene": result("valid_top1", [30.0, 35.0, 34.0]),
                "room_layout": result("valid_neg_loss", [-0.9, -0.7]),
                "normal": result("valid_ssim", [0.5, 0.4]),
                "segmentsemantic": result("valid_acc", [90.0, 91.0]),
            }
        },
    }
    path = tmp_path / "transnas-bench_v10141024.pth"
    path.write_bytes(pickle.dumps({"data": data}))
    for name, task, score in (
        ("macro", None, 44),
        ("macro", "class_scene_best", 45),
        ("micro", "class_scene", 34),
        ("micro", "room_layout", -0.7),
        ("micro", "normal_best", 0.5),
        ("micro", "segmentsemantic", 91),
    ):
        evaluator = get_evaluator(f"transnasbench101-{name}", task=task, data=tmp_path)
        assert evaluator.evaluate(evaluator.genotypes).tolist() == [score]
        assert evaluator.columns["class_scene_model_params"].tolist() == [3]
