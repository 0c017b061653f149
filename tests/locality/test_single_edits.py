"""The expected change of every single edit, against enumeration."""

from __future__ import annotations

import numpy as np
import pytest

from lissnas import UserError, get_space
from lissnas.locality import expected_edits
from lissnas.predictors import XGBoostPredictor
from lissnas.spaces import RestrictedSpace


def fitted(space):
    x = space.sample(300, np.random.default_rng(0))
    score = 2.0 * (x[:, 1] == 3) + (x == 2).sum(axis=1) + 3.0 * ((x[:, 0] == 1) & (x[:, 2] == 1))
    return XGBoostPredictor(trees=30, labels="raw").fit(space, x, score)


def test_the_mean_over_all_networks_of_what_an_edit_changes():
    space = get_space("nasbench201")
    predictor = fitted(space)
    edits = expected_edits(space, predictor)
    rows = np.concatenate(list(space.enumerate()))
    one = rows[rows[:, 1] == 0]
    other = one.copy()
    other[:, 1] = 3
    assert edits.change(1, 0, 3) == pytest.approx((predictor.predict(other) - predictor.predict(one)).mean(), abs=1e-4)
    assert edits.mean == pytest.approx(predictor.predict(rows).mean(), abs=1e-4)
    assert edits.rows()[0]["change"] == pytest.approx(edits.largest.max())
    assert edits.names[int(edits.largest.argmax())] in edits.sentence
    assert edits.unit == "score"


def test_of_a_restriction_only_what_is_kept():
    space = get_space("nasbench201")
    part = RestrictedSpace(space, {space.genes[1].name: [0, 1]})
    edits = expected_edits(part, fitted(space))
    assert np.isfinite(edits.given[1]).tolist() == [True, True, False, False, False]


def test_a_graph_is_no_product():
    graph = get_space("nasbench101")
    x = graph.sample(100, np.random.default_rng(0))
    with pytest.raises(UserError, match="query all"):
        expected_edits(graph, XGBoostPredictor(trees=5).fit(graph, x, x.sum(axis=1) + 0.0))
