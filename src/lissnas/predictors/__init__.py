"""What is learned from evaluated architectures, cheap enough to be asked a hundred million times.

A ``Predictor`` (``base``: the contract) is fitted to pairs of architecture and score and then predicts scores, on their own
scale, for any architecture of the space: ``fit``, ``predict``, ``predict_neighbors``, and ``assess``, which says by held-out
folds how far it can be trusted. ``PREDICTORS`` names the kinds there are; a new one is one file and one entry.

    predictor = XGBoostPredictor().fit(space, genotypes, scores, higher_is_better=True)
    predictor.assess().kendall        # held out
    predictor.predict(genotypes)      # float64[n]
    predictor.save("predictor.ubj")   # XGBoost's own format; XGBoostPredictor.load(path, space)

``xgboost`` is the predictor, ``labels`` what it learns in place of the raw scores, ``model_file`` how it is kept on disk.
``tree_scorer`` is the fast way through its trees (``tree_masks``: what is tabulated, ``kernels``: the compiled loops).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lissnas.predictors.base import Assessment, Predictor
from lissnas.registry import Registry

if TYPE_CHECKING:
    from lissnas.predictors.xgboost import XGBoostPredictor

__all__ = ["PREDICTORS", "Assessment", "Predictor", "XGBoostPredictor", "list_predictors"]

PREDICTORS = Registry("predictor", {"xgboost": "lissnas.predictors.xgboost:XGBoostPredictor"})


def list_predictors() -> list[str]:
    """The names of all known predictors."""
    return PREDICTORS.names()


def __getattr__(name: str) -> Any:
    if name == "XGBoostPredictor":
        return PREDICTORS.get("xgboost")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
