"""The contract of a predictor, as checks. See :class:`lissnas.predictors.Predictor`."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from lissnas.predictors import Predictor
from lissnas.spaces import ExplicitSpace, Gene, Neighbors, ProductSpace
from lissnas.testing.checks import Check, add_tests, ensure, ensure_refused
from lissnas.testing.toys import toy_space, toy_target

__all__ = ["PREDICTOR_CHECKS", "PredictorContract"]

TRAIN, TEST = 200, 300


def check_learns(predictor: Predictor, rng: np.random.Generator) -> None:
    """An additive target is learned far better than chance, on the scale of the scores, whichever end is better."""
    space = toy_space()
    x, held_out = space.sample(TRAIN, rng), space.sample(TEST, rng)
    truth = toy_target(space, held_out)
    for sign in (1.0, -1.0):
        fitted = predictor.clone().fit(space, x, sign * toy_target(space, x), higher_is_better=sign > 0)
        ensure(fitted.higher_is_better == (sign > 0), "fit does not keep what is better")
        predicted = fitted.predict(held_out)
        ensure(predicted.dtype == np.float64 and predicted.shape == (TEST,), f"predict gave {predicted.dtype}{predicted.shape}")
        ensure(np.isfinite(predicted).all(), "a prediction is not finite")
        correlation = float(np.corrcoef(predicted, sign * truth)[0, 1])
        ensure(correlation > 0.5, f"held-out correlation with an additive target is {correlation:.2f}; chance is 0")
        middle = abs(predicted.mean() - sign * truth.mean())
        ensure(middle < 2 * truth.std(), f"predictions are not on the scale of the scores: mean {predicted.mean():.3g}")


def check_repeats(predictor: Predictor, rng: np.random.Generator) -> None:
    """The same pairs and seed give the same predictor, and neither fitting nor predicting changes what is given."""
    space = toy_space()
    x, held_out = space.sample(TRAIN, rng), space.sample(TEST, rng)
    y = toy_target(space, x)
    before = x.copy(), y.copy()
    x.flags.writeable = held_out.flags.writeable = y.flags.writeable = False
    one, two = (predictor.clone().fit(space, x, y, seed=3).predict(held_out) for _ in range(2))
    ensure(np.array_equal(one, two), "the same pairs and seed gave other predictions")
    ensure(np.array_equal(x, before[0]) and np.array_equal(y, before[1]), "fit changed what it was given")


def check_rows_alone(predictor: Predictor, rng: np.random.Generator) -> None:
    """A prediction does not depend on the rows beside it; a batch of none is answered with none."""
    space = toy_space()
    x = space.sample(TRAIN, rng)
    fitted = predictor.clone().fit(space, x, toy_target(space, x))
    some = space.sample(20, rng)
    together = fitted.predict(some)
    alone = np.concatenate([fitted.predict(some[row : row + 1]) for row in range(len(some))])
    ensure(np.allclose(together, alone, rtol=1e-6, atol=1e-6), "a prediction depends on the rows beside it")
    ensure(fitted.predict(some[:0]).shape == (0,), "predict of no rows")


def check_neighbors(predictor: Predictor, rng: np.random.Generator) -> None:
    """``predict_neighbors`` names the space's one-edit neighbors, scored as ``predict`` scores them; shrunk spaces too."""
    space = toy_space()
    x = space.sample(TRAIN, rng)
    shrunk = ExplicitSpace.of(space, space.sample(3000, rng))
    for subject in (space, shrunk):
        fitted = predictor.clone().fit(subject, x, toy_target(space, x))
        rows = subject.sample(10, rng)
        near, scores = fitted.predict_neighbors(rows)
        expected = subject.all_neighbors(rows)
        ensure(_as_set(near) == _as_set(expected), f"predict_neighbors names others than '{subject.name}' does")
        ensure(scores.shape == (len(near.genotypes),), f"predict_neighbors gave {scores.shape} scores")
        again = fitted.predict(near.genotypes)
        ensure(np.allclose(scores, again, rtol=1e-4, atol=1e-4), "predict_neighbors and predict disagree")


def check_assess(predictor: Predictor, rng: np.random.Generator) -> None:
    """``assess`` holds out every network once, leaks no duplicate, and leaves the fitted predictor as it was."""
    space = toy_space()
    x = space.sample(TRAIN // 2, rng)
    x = np.concatenate([x, x[:20]])
    y = toy_target(space, x)
    fitted = predictor.clone().fit(space, x, y)
    before = fitted.predict(x)
    report = fitted.assess(folds=3)
    ensure(report.n == len(x) and report.folds == 3, f"assess reports {report.n} networks and {report.folds} folds")
    for name in ("kendall", "spearman"):
        value = getattr(report, name)
        ensure(0.1 < value <= 1, f"held-out {name} of an additive target is {value:.2f}")
    ensure(report.r2 <= 1 and 0 <= report.top_overlap <= 1, f"r2 {report.r2}, top overlap {report.top_overlap}")
    ensure(report.kendall_low <= report.kendall <= report.kendall_high + 1e-9, "the interval of Kendall's tau does not hold it")
    ensure(np.array_equal(fitted.predict(x), before), "assess changed the fitted predictor")


def check_saved(predictor: Predictor, rng: np.random.Generator) -> None:
    """A saved predictor is the same bytes for the same fit, and loads as one that predicts the same bits; not elsewhere."""
    space = toy_space()
    x = space.sample(TRAIN, rng)
    y = toy_target(space, x)
    fitted = predictor.clone().fit(space, x, y, higher_is_better=False, seed=2)
    kind, some = type(fitted), space.sample(TEST, rng)
    with tempfile.TemporaryDirectory() as folder:
        path, again = (Path(folder) / f"{name}{kind.endings[0]}" for name in ("one", "two"))
        fitted.save(path)
        predictor.clone().fit(space, x, y, higher_is_better=False, seed=2).save(again)
        ensure(path.read_bytes() == again.read_bytes(), "the same fit was saved as other bytes")
        loaded = kind.load(path, space)
        ensure(np.array_equal(loaded.predict(some), fitted.predict(some)), "a loaded predictor predicts other scores")
        ensure(not loaded.higher_is_better, "a loaded predictor forgot what is better")
        loaded.save(again)
        ensure(path.read_bytes() == again.read_bytes(), "a loaded predictor is saved as other bytes")
        other = ProductSpace("other", [Gene(f"g{i}", ("a", "b")) for i in range(space.length)])
        ensure_refused("load() for another space", lambda: kind.load(path, other), "toy")
        path.write_bytes(path.read_bytes()[:-3])
        ensure_refused("load() of a file that was cut short", lambda: kind.load(path, space), "one")


def check_refuses(predictor: Predictor, rng: np.random.Generator) -> None:
    """What cannot be learned from is answered in one line: too few networks, equal scores, NaN, other lengths, strangers."""
    space = toy_space()
    x = space.sample(TRAIN, rng)
    y = toy_target(space, x)
    fresh = predictor.clone()
    ensure_refused("predict() before fit()", lambda: fresh.predict(x))
    ensure_refused("fit() to 3 networks", lambda: fresh.fit(space, x[:3], y[:3]), "3")
    ensure_refused("fit() to one network many times", lambda: fresh.fit(space, np.repeat(x[:1], 100, axis=0), y[:100]))
    ensure_refused("fit() to equal scores", lambda: fresh.fit(space, x, np.full(len(x), 70.0)), "equal")
    holed = y.copy()
    holed[4] = np.nan
    ensure_refused("fit() to a NaN", lambda: fresh.fit(space, x, holed), "row 4")
    ensure_refused("fit() to fewer scores", lambda: fresh.fit(space, x, y[:-1]))
    ensure_refused("fit() to int64 genotypes", lambda: fresh.fit(space, x.astype(np.int64), y), "uint8")
    fitted = fresh.fit(space, x, y)
    ensure_refused("predict() of a single row", lambda: fitted.predict(x[0]))
    ensure_refused("predict() of int64", lambda: fitted.predict(x.astype(np.int64)), "uint8")


def _as_set(near: Neighbors) -> set[tuple[int, ...]]:
    return {(int(parent), *row.tolist()) for parent, row in zip(near.parents, near.genotypes, strict=True)}


PREDICTOR_CHECKS = (
    Check("learns", "An additive target is learned better than chance, in both directions.", check_learns),
    Check("repeats", "The same pairs and seed give the same predictions.", check_repeats),
    Check("rows alone", "A prediction does not depend on what is predicted beside it.", check_rows_alone),
    Check("neighbors", "Predicted neighborhoods equal the space's neighbors and their predictions.", check_neighbors),
    Check("assess", "Held-out assessment leaks nothing and changes nothing.", check_assess),
    Check("saved", "A saved predictor predicts the same bits, and files are the same for the same fit.", check_saved),
    Check("refuses", "What cannot be learned from is answered in one line.", check_refuses),
)


class PredictorContract:
    """Inherit, and say which predictor, not fitted: ``def predictor(self): return MyPredictor()``."""


add_tests(PredictorContract, PREDICTOR_CHECKS, "predictor")
