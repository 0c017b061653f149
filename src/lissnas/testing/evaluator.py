"""The contract of an evaluator, as checks. See :class:`lissnas.evaluators.Evaluator`."""

from __future__ import annotations

import numpy as np

from lissnas.arrays import Genotypes
from lissnas.evaluators import Evaluator
from lissnas.spaces import sample_distinct
from lissnas.testing.checks import Check, SkipCheck, add_tests, ensure, ensure_refused

__all__ = ["EVALUATOR_CHECKS", "EvaluatorContract"]


def check_scores(evaluator: Evaluator, rng: np.random.Generator) -> None:
    """One finite float64 per architecture, also for a batch of none."""
    x = _some(evaluator, 12, rng)
    scores = evaluator.evaluate(x)
    ensure(scores.dtype == np.float64 and scores.shape == (len(x),), f"evaluate gave {scores.dtype}{list(scores.shape)}")
    ensure(np.isfinite(scores).all(), f"a score is {scores[~np.isfinite(scores)][:1]}")
    none = evaluator.evaluate(x[:0])
    ensure(none.dtype == np.float64 and none.shape == (0,), f"evaluate of no rows gave {none.dtype}{list(none.shape)}")


def check_repeats(evaluator: Evaluator, rng: np.random.Generator) -> None:
    """The same architectures score the same again, and what is given is not changed."""
    x = _some(evaluator, 6, rng)
    before = x.copy()
    x.flags.writeable = False
    one, two = evaluator.evaluate(x), evaluator.evaluate(x)
    ensure(np.array_equal(one, two), "the same architectures got other scores the second time")
    ensure(np.array_equal(x, before), "evaluate changed what it was given")


def check_batches(evaluator: Evaluator, rng: np.random.Generator) -> None:
    """A batch scores as its rows do one by one (to 1e-6 of the scores' size), in any order."""
    x = _some(evaluator, 6, rng)
    together = evaluator.evaluate(x)
    alone = np.concatenate([evaluator.evaluate(x[row : row + 1]) for row in range(len(x))])
    scale = 1e-6 * max(1.0, float(np.abs(together).max()))
    ensure(np.allclose(together, alone, rtol=0, atol=scale), f"a batch gave {together}, its rows alone {alone}")
    ensure(np.allclose(evaluator.evaluate(x[::-1]), together[::-1], rtol=0, atol=scale), "a score depends on the order of rows")


def check_counted(evaluator: Evaluator, rng: np.random.Generator) -> None:
    """``evaluations`` counts every architecture that was evaluated."""
    x = _some(evaluator, 5, rng)
    before = evaluator.evaluations
    evaluator.evaluate(x)
    evaluator.evaluate(x[:2])
    spent = evaluator.evaluations - before
    ensure(spent == len(x) + len(x[:2]), f"{len(x) + len(x[:2])} architectures were evaluated, but {spent} counted")


def check_metric(evaluator: Evaluator, rng: np.random.Generator) -> None:  # noqa: ARG001 - every check takes one
    """The metric has a name, and says which end of it is better."""
    metric = evaluator.metric
    ensure(isinstance(metric.name, str) and metric.name, f"the metric's name is {metric.name!r}")
    ensure(isinstance(metric.unit, str), f"the metric's unit is {metric.unit!r}")
    ensure(isinstance(metric.higher_is_better, bool), f"higher_is_better is {metric.higher_is_better!r}")


def check_known(evaluator: Evaluator, rng: np.random.Generator) -> None:
    """What it knows are architectures of its space, and one that it does not know is refused by name."""
    known = evaluator.known
    if known is None:
        raise SkipCheck("it scores every architecture of its space")
    ensure(known.root is evaluator.space.root or known.root.fingerprint == evaluator.space.root.fingerprint, "another root")
    x = evaluator.space.sample(200, rng)
    absent = x[~known.is_valid(x)]
    if len(absent):
        ensure_refused("evaluate() of one that it does not know", lambda: evaluator.evaluate(absent[:1]))


def check_refuses(evaluator: Evaluator, rng: np.random.Generator) -> None:
    """A wrong shape, dtype or allele is answered in one line, and not counted."""
    x = _some(evaluator, 3, rng)
    excess = x.copy()
    excess[1, 0] = 255
    before = evaluator.evaluations
    ensure_refused("evaluate() of a single row", lambda: evaluator.evaluate(x[0]))
    ensure_refused("evaluate() of int64", lambda: evaluator.evaluate(x.astype(np.int64)), "uint8")
    ensure_refused("evaluate() of an allele that does not exist", lambda: evaluator.evaluate(excess), "row 1")
    ensure(evaluator.evaluations == before, "what was refused was counted as an evaluation")


def _some(evaluator: Evaluator, n: int, rng: np.random.Generator) -> Genotypes:
    """Architectures that it can score: of those it knows, or of its space."""
    known = evaluator.known
    return evaluator.space.sample(n, rng) if known is None else sample_distinct(known, n, rng)


EVALUATOR_CHECKS = (
    Check("scores", "Each architecture gets one finite number.", check_scores),
    Check("repeats", "The same architecture gets the same score again.", check_repeats),
    Check("batches", "A batch scores as its rows do one by one.", check_batches),
    Check("counted", "Every evaluation is counted.", check_counted),
    Check("metric", "The metric has a name and a direction.", check_metric),
    Check("known", "An architecture that it has no score for is refused.", check_known),
    Check("refuses", "What is no architecture is answered in one line, and not paid for.", check_refuses),
)


class EvaluatorContract:
    """Inherit, and say which evaluator: ``def evaluator(self): return MyEvaluator(space)``. It is asked about 60 times."""


add_tests(EvaluatorContract, EVALUATOR_CHECKS, "evaluator")
