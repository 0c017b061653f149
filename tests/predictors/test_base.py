from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from numpy.typing import NDArray

from lissnas.arrays import Genotypes
from lissnas.errors import UserError
from lissnas.predictors import Predictor
from lissnas.predictors.assessment import assign_folds, top_overlap
from lissnas.spaces import ExplicitSpace, Gene, ProductSpace, SearchSpace


class Nearest(Predictor):
    """Predicts the score of the first training row that is equal, else the mean."""

    def _settings(self) -> dict[str, object]:
        return {}

    def _fit(self, space: SearchSpace, genotypes: Genotypes, scores: NDArray[np.float64], seed: int) -> None:
        self.known = dict(zip(map(bytes, genotypes[::-1]), scores[::-1].tolist(), strict=True))
        self.mean = float(scores.mean())

    def _predict(self, genotypes: Genotypes) -> NDArray[np.float64]:
        return np.array([self.known.get(bytes(row), self.mean) for row in genotypes])


@pytest.fixture
def space() -> ProductSpace:
    return ProductSpace("small", [Gene(f"g{i}", ("a", "b", "c")) for i in range(5)])


def test_equal_architectures_are_never_on_both_sides(space: ProductSpace, rng: np.random.Generator) -> None:
    x = np.repeat(space.sample(40, rng), 3, axis=0)
    report = Nearest().fit(space, x, rng.normal(size=len(x))).assess(folds=4)
    # were a duplicate in the training part, its score would have been predicted
    assert not np.isin(report.predicted, report.measured).any()
    assert report.n == 120
    assert report.measured.shape == report.predicted.shape == (120,)


def test_folds_are_even_over_codes_and_hold_equal_ones_together(rng: np.random.Generator) -> None:
    codes = rng.integers(0, 50, size=(400, 1)).astype(np.uint64)
    folds = assign_folds(codes, 5, rng)
    by_code = {int(code): {int(f) for f in folds[codes[:, 0] == code]} for code in codes[:, 0]}
    assert all(len(found) == 1 for found in by_code.values())
    sizes = np.bincount([found.pop() for found in by_code.values()], minlength=5)
    assert sizes.max() - sizes.min() <= 1


@pytest.mark.parametrize("folds", [1, 0, 26, 2.5, "5"])
def test_folds_out_of_range_are_refused(folds: int, rng: np.random.Generator) -> None:
    with pytest.raises(UserError, match="from 2 to 25"):
        assign_folds(np.arange(50, dtype=np.uint64)[:, None], folds, rng)


@pytest.mark.parametrize(
    ("predicted", "measured", "higher", "expected"),
    [
        (range(20), range(20), True, 1.0),
        (range(20), range(20), False, 1.0),
        (range(20), range(20, 0, -1), True, 0.0),
        ([*range(18), 30, 31], [*range(17), 40, 30, 41], True, 0.5),
        (range(5), range(5), True, 1.0),  # at least one
        (range(20), [0.0] * 19 + [1.0], True, 1.0),  # all the others share the edge
    ],
)
def test_top_overlap(predicted: list[float], measured: list[float], higher: bool, expected: float) -> None:
    assert top_overlap(np.array(predicted, dtype=float), np.array(measured, dtype=float), higher) == expected


def test_assessment_numbers_of_a_perfect_and_of_a_constant_prediction(space: ProductSpace, rng: np.random.Generator) -> None:
    x = space.decode(np.arange(100, dtype=np.uint64)[:, None])

    class Perfect(Nearest):
        def _predict(self, genotypes: Genotypes) -> NDArray[np.float64]:
            return genotypes @ np.array([81.0, 27, 9, 3, 1])

    perfect = Perfect().fit(space, x, np.arange(100.0)).assess()
    assert (perfect.kendall, perfect.spearman, perfect.r2, perfect.top_overlap) == pytest.approx((1, 1, 1, 1))
    blind = Nearest().fit(space, x, np.r_[np.zeros(50), np.ones(50)]).assess()
    assert abs(blind.kendall) < 0.5
    assert blind.r2 < 0.1


def test_a_fold_without_differences_is_predicted_as_a_constant(space: ProductSpace) -> None:
    x = space.decode(np.arange(30, dtype=np.uint64)[:, None])
    report = Nearest().fit(space, x, np.r_[np.zeros(29), 1.0]).assess()
    assert set(report.predicted) <= {0.0, 1 / 24}


def test_a_shrunk_space_learns_from_networks_that_it_dropped(space: ProductSpace, rng: np.random.Generator) -> None:
    x = space.decode(np.arange(60, dtype=np.uint64)[:, None])
    kept = ExplicitSpace.of(space, x[:5])
    fitted = Nearest().fit(kept, x, np.arange(60.0))
    near, scores = fitted.predict_neighbors(x[:1])
    assert kept.is_valid(near.genotypes).all()
    assert scores.tolist() == fitted.predict(near.genotypes).tolist()


def test_what_cannot_be_learned_from(space: ProductSpace, rng: np.random.Generator) -> None:
    x = space.sample(100, rng)
    y = rng.normal(size=100)
    for scores, line in (
        (np.where(np.arange(100) == 7, np.inf, y), "row 7: a score must be a finite number"),
        (np.where(np.arange(100) == 9, 1e200, y), "row 9"),
        (y[:, None], r"float64\[100\]"),
        (["a"] * 100, "must be numbers"),
    ):
        with pytest.raises(UserError, match=line):
            Nearest().fit(space, x, scores)
    with pytest.raises(UserError, match=r"at least 20 different measured networks, but got 1: .*lissnas sample"):
        Nearest().fit(space, np.repeat(x[:1], 100, axis=0), y)
    conditional = ProductSpace("c", [Gene("n", (1, 2)), Gene("m", (1, 2), active="n > 1")])
    with pytest.raises(UserError, match="row 3"):
        Nearest().fit(conditional, np.array([[0, 2], [1, 0], [1, 1], [0, 0]], dtype=np.uint8), y[:4])
    with pytest.raises(UserError, match="learned nothing yet"):
        Nearest().predict(x)
    with pytest.raises(UserError, match="learned nothing yet"):
        Nearest().assess()


def test_a_failed_fit_leaves_nothing_that_predicts(space: ProductSpace, rng: np.random.Generator) -> None:
    x, y = space.sample(100, rng), rng.normal(size=100)
    predictor = Nearest().fit(space, x, y)
    clone = predictor.clone()
    assert vars(clone) == {}

    def broken(*_: object) -> None:
        raise UserError("no")

    predictor._fit = broken  # type: ignore[method-assign]
    with pytest.raises(UserError, match="no"):
        predictor.fit(space, x, y)
    with pytest.raises(UserError, match="learned nothing yet"):
        predictor.predict(x)


def test_the_room_loads_no_heavy_library() -> None:
    code = (
        "import sys, lissnas.predictors as p\n"
        "heavy = {'xgboost', 'numba', 'scipy', 'sklearn', 'pyarrow'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "p.XGBoostPredictor()\n"
        "heavy = {'xgboost', 'numba', 'sklearn', 'pyarrow'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
