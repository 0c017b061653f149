from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lissnas.errors import UserError
from lissnas.predictors import PREDICTORS, XGBoostPredictor, get_predictor, list_predictors, load
from lissnas.testing import PredictorContract
from lissnas.testing.toys import toy_space, toy_target


class TestXGBoost(PredictorContract):
    def predictor(self) -> Any:
        return XGBoostPredictor(trees=80)


class TestXGBoostWithoutTheFastScorer(PredictorContract):
    def predictor(self) -> Any:
        return XGBoostPredictor(trees=80, labels="rank-normal", scorer="xgboost")


class TestXGBoostThatStopsEarly(PredictorContract):
    def predictor(self) -> Any:
        return XGBoostPredictor(settings="lightgbm", trees=300, learning_rate=0.3)


class TestLinear(PredictorContract):
    def predictor(self) -> Any:
        return get_predictor("linear")


class TestMLP(PredictorContract):
    def predictor(self) -> Any:
        return get_predictor("mlp", {"width": 32, "epochs": 40})


class TestEnsembleOfTrees(PredictorContract):
    def predictor(self) -> Any:
        return get_predictor("ensemble", {"members": 3, "settings": {"trees": 60}})


class TestEnsembleOfLines(PredictorContract):
    def predictor(self) -> Any:
        return get_predictor("ensemble", {"member": "linear", "settings": {"labels": "raw"}})


def test_registry_knows_them() -> None:
    assert list_predictors() == ["xgboost", "linear", "mlp", "ensemble"]
    assert PREDICTORS.get("xgboost") is XGBoostPredictor
    assert all(PREDICTORS.get(name).kind == name for name in list_predictors())
    with pytest.raises(UserError, match="did you mean xgboost"):
        get_predictor("xgbost")


@pytest.mark.parametrize("name", list_predictors())
def test_any_kind_is_read_by_its_header(name: str, tmp_path: Path, rng: np.random.Generator) -> None:
    space = toy_space()
    x = space.sample(100, rng)
    few = {"xgboost": {"trees": 20}, "mlp": {"epochs": 5}, "ensemble": {"settings": {"trees": 20}}}.get(name, {})
    fitted = get_predictor(name, few).fit(space, x, toy_target(space, x))
    path = tmp_path / f"p{fitted.endings[0]}"
    fitted.save(path)
    loaded = load(path, space, threads=2)
    assert type(loaded) is type(fitted)
    assert loaded.predict(x).tobytes() == fitted.predict(x).tobytes()
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    other = next(PREDICTORS.get(n) for n in list_predictors() if n != name)
    with pytest.raises(UserError, match=rf"of the kind '{name}', not"):
        other.load(path, space)
    with pytest.raises(UserError, match="such a predictor is saved as"):
        fitted.save(tmp_path / "p.pkl")


@pytest.mark.parametrize("name", ["linear", "mlp", "ensemble"])
def test_a_damaged_file_is_refused(name: str, tmp_path: Path, rng: np.random.Generator) -> None:
    space = toy_space()
    x = space.sample(60, rng)
    few = {"mlp": {"epochs": 2, "width": 4}, "ensemble": {"member": "linear"}}.get(name, {})
    whole = get_predictor(name, few).fit(space, x, toy_target(space, x)).to_bytes()
    path = tmp_path / "p.npz"
    for place in rng.integers(0, len(whole), size=40):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(damaged)
        with pytest.raises(UserError, match=r"changed or cut short|no predictor that lissnas saved"):
            load(path, space)


@pytest.mark.parametrize(
    ("name", "settings", "line"),
    [
        ("linear", {"labls": 1}, "the predictor 'linear' has no setting 'labls': did you mean labels"),
        ("linear", {"threads": 2}, "'threads' is no setting of what is learned"),
        ("linear", {"l2": 0}, "l2 must be above 0 and at most 1e\\+12, or None, but got 0"),
        ("linear", {"l2": float("nan")}, "l2 must be above 0"),
        ("linear", {"labels": "ranks"}, "labels must be one of auto, raw, rank-normal, log, logit"),
        ("mlp", {"width": 0}, "width must be a whole number from 1 to 4,096, but got 0"),
        ("mlp", {"epochs": 1.5}, "epochs must be a whole number"),
        ("mlp", {"l2": -1}, "l2 must be at least 0"),
        ("xgboost", {"settings": "best"}, "settings must be one of light, nasbench301, lightgbm"),
        ("ensemble", {"members": 1}, "members must be a whole number from 2 to 100"),
        ("ensemble", {"member": "ensemble"}, "members of another kind"),
        ("ensemble", {"member": "liner"}, "did you mean linear"),
        ("ensemble", {"bootstrap": 1}, "bootstrap must be true or false"),
        ("ensemble", {"settings": "light"}, "settings must be a group of settings"),
        ("ensemble", {"settings": {"tres": 3}}, "the predictor 'xgboost' has no setting 'tres': did you mean trees"),
    ],
)
def test_settings_that_cannot_be(name: str, settings: dict[str, Any], line: str) -> None:
    with pytest.raises(UserError, match=line):
        get_predictor(name, settings)
