"""What is learned from evaluated architectures, cheap enough to be asked a hundred million times.

A ``Predictor`` (``base``: the contract) is fitted to pairs of architecture and score and then predicts scores, on their own
scale, for any architecture of the space: ``fit``, ``predict``, ``predict_neighbors``, and ``assess``, which says by held-out
folds how far it can be trusted. ``PREDICTORS`` names the kinds there are; a new one is one file and one entry.

    predictor = XGBoostPredictor().fit(space, genotypes, scores, higher_is_better=True)
    predictor.assess().kendall        # held out; also the top 10%, 5% and 1% of it that are in the true top
    predictor.predict(genotypes)      # float64[n]
    predictor.save("predictor.ubj")   # XGBoost's own format; load(path, space) reads any kind
    get_predictor("ensemble", {"member": "linear"})   # by name; .predict_with_uncertainty(genotypes) -> mean, deviation

``xgboost`` is the predictor (``tree_settings``: its groups of settings), ``linear``, ``mlp`` and ``ensemble`` the others;
``labels`` is what they learn in place of the raw scores (``labelled``), ``assessment`` how they are judged and the learning
curve, ``model_file`` how they are kept on disk. ``tree_scorer`` is the fast way through trees (``tree_masks``: what is
tabulated, ``kernels``: the compiled loops).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lissnas.predictors.assessment import Assessment, CurvePoint, learning_curve
from lissnas.predictors.base import Predictor
from lissnas.predictors.kinds import PREDICTORS, get_predictor, list_predictors, load

if TYPE_CHECKING:
    from lissnas.predictors.ensemble import EnsemblePredictor
    from lissnas.predictors.linear import LinearPredictor
    from lissnas.predictors.mlp import MLPPredictor
    from lissnas.predictors.xgboost import XGBoostPredictor

__all__ = [
    "PREDICTORS",
    "Assessment",
    "CurvePoint",
    "EnsemblePredictor",
    "LinearPredictor",
    "MLPPredictor",
    "Predictor",
    "XGBoostPredictor",
    "get_predictor",
    "learning_curve",
    "list_predictors",
    "load",
]

_KINDS = {
    "EnsemblePredictor": "ensemble",
    "LinearPredictor": "linear",
    "MLPPredictor": "mlp",
    "XGBoostPredictor": "xgboost",
}


def __getattr__(name: str) -> Any:
    if name in _KINDS:
        return PREDICTORS.get(_KINDS[name])
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
