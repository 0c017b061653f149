"""Costs that are learned from a column of measured networks: ``latency_ms: {learn: latency_ms}``."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Genotypes
from lissnas.errors import UserError
from lissnas.predictors.assessment import Assessment
from lissnas.predictors.base import check_training
from lissnas.predictors.xgboost import XGBoostPredictor
from lissnas.spaces import ConstrainedSpace, ExplicitSpace, LearnedCost, ProductSpace, SearchSpace

__all__ = ["attach_costs", "cost_measurements", "learn_costs", "learned_costs"]


def learned_costs(space: SearchSpace) -> dict[str, str]:
    """The costs of ``space`` that are learned: name -> the column they are learned from."""
    root = space.root
    if not isinstance(root, ProductSpace):
        return {}
    return {cost.name: cost.column for cost in root.costs if isinstance(cost, LearnedCost)}


def learn_costs(
    space: SearchSpace, genotypes: Genotypes, columns: Mapping[str, NDArray[np.float64]], *, seed: int = 0, threads: int = 1
) -> tuple[dict[str, XGBoostPredictor], dict[str, Assessment]]:
    """Fit one predictor per learned cost whose column is there, and say how well each predicts what was held out.

    A row whose column is empty (NaN) is left out of that cost's fit.

    Raises:
        UserError: as :func:`cost_measurements` says.
    """
    models: dict[str, XGBoostPredictor] = {}
    assessments: dict[str, Assessment] = {}
    for name, (known, values) in cost_measurements(space, genotypes, columns).items():
        model = XGBoostPredictor(labels="raw", threads=threads)
        model.fit(space.root, known, values, higher_is_better=False, seed=seed)
        models[name], assessments[name] = model, model.assess()
    return models, assessments


def cost_measurements(
    space: SearchSpace, genotypes: Genotypes, columns: Mapping[str, NDArray[np.float64]]
) -> dict[str, tuple[Genotypes, NDArray[np.float64]]]:
    """What each learned cost is learned from: the networks whose cell in its column is not empty, and the values.

    Raises:
        UserError: a cost whose column is not there, or does not hold enough to learn from.
    """
    found = {}
    for name, column in learned_costs(space).items():
        if column not in columns:
            known = ", ".join(columns) or "none"
            raise UserError(
                f"the cost '{name}' is learned from the column '{column}', which the scores do not have: they have {known}"
            )
        there = np.isfinite(columns[column])
        try:
            found[name] = genotypes[there], check_training(space.root, genotypes[there], columns[column][there])
        except UserError as error:
            raise UserError(f"the cost '{name}' cannot be learned from the column '{column}': {error}") from None
    return found


def attach_costs(space: SearchSpace, models: Mapping[str, XGBoostPredictor]) -> SearchSpace:
    """The same space, its learned costs answered by ``models``."""
    if not models:
        return space
    match space:
        case ProductSpace():
            return space.with_learned_costs({name: model.predict for name, model in models.items()})
        case ConstrainedSpace():
            return ConstrainedSpace(attach_costs(space.parent, models), space.limits, space.name)
        case ExplicitSpace():
            return ExplicitSpace(attach_costs(space.parent, models), space.codes, space.name)
        case _:
            raise UserError(f"a {type(space).__name__} cannot take learned costs: start from the space it was made of")
