from __future__ import annotations

from typing import Any

import pytest

from lissnas.errors import UserError
from lissnas.predictors import PREDICTORS, XGBoostPredictor, list_predictors
from lissnas.testing import PredictorContract


class TestXGBoost(PredictorContract):
    def predictor(self) -> Any:
        return XGBoostPredictor(trees=80)


class TestXGBoostWithoutTheFastScorer(PredictorContract):
    def predictor(self) -> Any:
        return XGBoostPredictor(trees=80, labels="rank-normal", scorer="xgboost")


def test_registry_knows_it() -> None:
    assert list_predictors() == ["xgboost"]
    assert PREDICTORS.get("xgboost") is XGBoostPredictor
    with pytest.raises(UserError, match="did you mean xgboost"):
        PREDICTORS.get("xgbost")
