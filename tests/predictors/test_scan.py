"""The best of a large sample: what a sort of all of it gives, whatever the workers."""

from __future__ import annotations

import numpy as np
import pytest

from lissnas.errors import UserError
from lissnas.predictors import XGBoostPredictor, scan
from lissnas.predictors.scan import top_of_sample
from lissnas.spaces import Gene, ProductSpace, TableCost


@pytest.fixture(scope="module")
def space() -> ProductSpace:
    genes = [Gene(f"op_{i}", ("k3", "k5", "k7", "x")) for i in range(6)]
    return ProductSpace("plain", genes, costs=[TableCost("flops", 0.0, np.random.default_rng(1).random((6, 4)))])


@pytest.fixture(scope="module", params=[True, False])
def predictor(space: ProductSpace, request: pytest.FixtureRequest) -> XGBoostPredictor:
    x = space.sample(300, np.random.default_rng(0))
    y = np.random.default_rng(2).normal(size=(6, 4))[np.arange(6), x].sum(axis=1)
    return XGBoostPredictor(trees=30, depth=3).fit(space, x, y, higher_is_better=request.param)


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan, "CHUNK", 500)


def test_draws_of_the_whole_space_give_its_best(space: ProductSpace, predictor: XGBoostPredictor) -> None:
    """60,000 draws leave out one of 4,096 networks with a chance of 4,096 e^-14.6 = .002, for this seed not."""
    rows = np.concatenate(list(space.enumerate()))
    sign = 1.0 if predictor.higher_is_better else -1.0
    genotypes, scores = top_of_sample(space, predictor, 60_000, 300, seed=1)
    assert np.array_equal(scores, sign * np.sort(-sign * predictor.predict(rows))[:300] * -1.0)
    assert np.array_equal(predictor.predict(genotypes), scores)
    assert len(np.unique(genotypes, axis=0)) == 300


def test_the_same_bytes_for_any_number_of_workers(space: ProductSpace, predictor: XGBoostPredictor) -> None:
    one, three = (top_of_sample(space, predictor, 7_300, 40, seed=3, workers=workers) for workers in (1, 3))
    assert one[0].tobytes() == three[0].tobytes()
    assert one[1].tobytes() == three[1].tobytes()


def test_limits_hold_and_what_meets_none_is_said(space: ProductSpace, predictor: XGBoostPredictor) -> None:
    genotypes, _ = top_of_sample(space, predictor, 5_000, 50, limits=["flops <= 2.5"])
    assert (space.cost(genotypes)["flops"] <= 2.5).all()
    with pytest.raises(UserError, match="none of 2,000 draws"):
        top_of_sample(space, predictor, 2_000, 50, limits=["flops < 0"])


@pytest.mark.parametrize(
    ("draws", "keep", "said"), [(0, 1, "draws must be"), (10, 0, "keep must be"), (10, 11, "keep 11 of 10")]
)
def test_mistakes_are_one_line(space: ProductSpace, predictor: XGBoostPredictor, draws: int, keep: int, said: str) -> None:
    with pytest.raises(UserError, match=said):
        top_of_sample(space, predictor, draws, keep)
