"""The work of a comparison, in pieces that any process can do: fit one predictor, run one method with one seed, judge a space.

A piece is a plain dictionary, and reads all else from the run directory. What it gives back is bytes: JSON, and after a zero
byte whatever is no text.
"""

from __future__ import annotations

import json
import time
import zlib
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Codes, Genotypes, locate, unique
from lissnas.errors import UserError
from lissnas.evaluators import Evaluator
from lissnas.formats import load_space
from lissnas.predictors import PREDICTORS, Predictor, load
from lissnas.predictors.assessment import compare as compare_predictions
from lissnas.quality import good_threshold, is_good
from lissnas.quality.statistic import FEWEST
from lissnas.runs.compare_config import CompareConfig, Method, comparison_evaluator
from lissnas.runs.compare_judge import LISTED, Fitted, Shared, judge
from lissnas.runs.header import Header
from lissnas.runs.predicting import make_predictor
from lissnas.shrinkers import Shrinkage
from lissnas.spaces import ConstrainedSpace, ExplicitSpace, SearchSpace, sample_distinct

__all__ = [
    "REFERENCE",
    "SPACE",
    "evaluations_file",
    "fit",
    "forget",
    "load_truth",
    "predictor_file",
    "shrink",
    "unpack",
]

SPACE = "space.parquet"
REFERENCE = "reference.parquet"  # architectures that stand for the given space, with their true scores where there are some
HELD_OUT = 2000  # networks that a predictor is checked against
AGAIN = (1, 2, 4, 8)  # times the size that a method is asked for, until it gives enough

Floats = NDArray[np.float64]


def pack(about: Any, data: bytes = b"") -> NDArray[np.uint8]:
    """JSON, a zero byte, and ``data``."""
    return np.frombuffer(json.dumps(about).encode() + b"\0" + data, dtype=np.uint8)


def unpack(array: NDArray[np.uint8]) -> tuple[Any, bytes]:
    """What :func:`pack` was given."""
    about, _, data = array.tobytes().partition(b"\0")
    return json.loads(about), data


def evaluations_file(seed: int) -> str:
    """The pairs that the predictors of this seed learn from."""
    return f"evaluations/seed-{seed:02d}.parquet"


def predictor_file(seed: int, kind: str, labels: int) -> str:
    """The predictor of this kind that learned from the first so many pairs of a seed."""
    ending: str = PREDICTORS.get(kind).endings[0]
    return f"predictors/seed-{seed:02d}-{kind}-{labels}{ending}"


def forget() -> None:
    """Read everything anew: a folder of the same name may be another run."""
    _shared.cache_clear()
    _fitted.cache_clear()


def load_truth(config: CompareConfig, space: SearchSpace) -> tuple[Evaluator, Evaluator | None]:
    """What is asked for scores, and the same where it may judge what came out: a table, a surrogate, a file of scores."""
    evaluator = comparison_evaluator(config, space)
    return evaluator, evaluator if evaluator.is_free or evaluator.known is not None else None


# -- one predictor ------------------------------------------------------------------------------------------------------


def fit(piece: dict[str, Any]) -> NDArray[np.uint8]:
    """Fit one predictor: {run, seed, predictor, labels} -> how far it can be trusted, and its file."""
    shared = _shared(piece["run"])
    config = shared.config
    genotypes, scores = _pairs(shared, piece["run"], piece["seed"], piece["labels"])
    began = time.process_time()
    settings = config.predictor_settings if piece["predictor"] == config.predictor else {}
    trees = config.trees if piece["predictor"] == config.predictor else None
    predictor = make_predictor(
        config.model_copy(update={"predictor": piece["predictor"], "predictor_settings": settings, "trees": trees})
    )
    seed = _seed(config.seed, f"fit-{piece['seed']}").integers(1 << 31)
    predictor.fit(shared.space, genotypes, scores, higher_is_better=shared.evaluator.higher_is_better, seed=int(seed))
    seconds = time.process_time() - began
    about = {key: piece[key] for key in ("seed", "predictor", "labels")} | _trust(shared, predictor, genotypes)
    return pack({**about, "seconds": seconds}, predictor.to_bytes(predictor.endings[0]))


def _trust(shared: Shared, predictor: Predictor, learned: Genotypes) -> dict[str, Any]:
    """How well it ranks networks that it has not learned from: those with a true score, or parts that are held out."""
    genotypes, scores = shared.reference, shared.scores
    if scores is not None:
        new = np.flatnonzero(locate(unique(shared.space.encode(learned)), shared.space.encode(genotypes)) < 0)
        if len(new) >= FEWEST and np.ptp(scores[new]) > 0:
            rows = new[np.linspace(0, len(new) - 1, min(HELD_OUT, len(new))).astype(np.intp)]
            predicted, uncertainty = predictor._predict_with_uncertainty(genotypes[rows])
            found = compare_predictions(predicted, scores[rows], 1, predictor.higher_is_better, uncertainty)
            return _assessed(found, "networks that it did not learn from")
    return _assessed(predictor.assess(), "five parts held out in turn")


def _assessed(found: Any, how: str) -> dict[str, Any]:
    names = ("kendall", "spearman", "r2", "top_overlap", "top_5", "top_1", "uncertainty_kendall", "within_two", "n")
    return {name: getattr(found, name) for name in names} | {"checked_on": how}


# -- one method with one seed -------------------------------------------------------------------------------------------


def shrink(piece: dict[str, Any]) -> NDArray[np.uint8]:
    """One method with one seed, at its own size and at each equal one: {run, seed, method} -> rows."""
    shared = _shared(piece["run"])
    method = Method(**piece["method"])
    fitted = _fitted(piece["run"], piece["seed"], method.predictor, method.labels)
    sizes = [None] if method.method == "none" else [None, *shared.config.sizes]
    return pack([_row(shared, fitted, method, piece["seed"], asked) for asked in sizes])


def _row(shared: Shared, fitted: Fitted, method: Method, seed: int, asked: int | None) -> dict[str, Any]:
    row: dict[str, Any] = {"method": method.name, "seed": seed, "asked": asked}
    began = time.process_time()
    try:
        result = _asked(shared, fitted, method, seed, asked)
    except UserError as error:
        return {**row, "missing": str(error), "seconds": time.process_time() - began}
    rng = _seed(shared.config.seed, f"judge-{method.name}-{seed}-{asked}")
    subject, asked_more = result.space, 0
    if asked is not None and subject.cardinality > asked:
        left = result.ledger.max_queries - result.ledger.queries
        subject, asked_more = _cut(shared, fitted, subject, asked, left, rng)
    seconds = time.process_time() - began
    return {
        **row,
        "missing": None,
        "size": str(subject.cardinality),
        "cut_from": str(result.space.cardinality) if subject is not result.space else None,
        "queries": result.ledger.queries + asked_more,
        "evaluations": result.ledger.evaluations,
        "stopped": result.stopped,
        **judge(shared, fitted, subject, rng),
        "seconds": seconds,
    }


def _asked(shared: Shared, fitted: Fitted, method: Method, seed: int, asked: int | None) -> Shrinkage:
    """What the method gives when it is asked for so many; where that is less, for twice as many, as long as that helps."""
    best: Shrinkage | None = None
    for times in AGAIN if asked is not None else (1,):
        try:
            shrinker = method.make(shared.config.queries, None if asked is None else times * asked, method.labels)
            scorer = shared.evaluator if shrinker.spends == "evaluations" else fitted.predictor
            # the same chance for every variant of a method
            rng = _seed(shared.config.seed, f"shrink-{method.method}-{seed}-{asked}-{times}")
            found = shrinker.shrink(shared.space, scorer, rng, shared.config.limits)
        except UserError:
            if best is None:
                raise
            break
        if best is not None and found.space.cardinality <= best.space.cardinality:
            break
        best = found
        if asked is None or found.space.cardinality >= asked:
            break
    if best is None:
        raise AssertionError("a method was asked for nothing")
    return best


def _cut(
    shared: Shared, fitted: Fitted, space: SearchSpace, size: int, left: int, rng: np.random.Generator
) -> tuple[ExplicitSpace, int]:
    """The best ``size`` members by the predictor, of those that ``left`` queries pay for; and what that cost.

    The members of a list were paid for when it was made.
    """
    if isinstance(space, ExplicitSpace):
        genotypes, cost = space.genotypes, 0
    elif min(left, LISTED) <= size:
        return ExplicitSpace.of(shared.space.root, sample_distinct(space, size, rng)), 0
    else:
        genotypes = sample_distinct(space, min(left, LISTED), rng)
        cost = len(genotypes)
    sign = 1.0 if fitted.predictor.higher_is_better else -1.0
    order = np.argsort(-sign * fitted.predictor.predict(genotypes), kind="stable")[:size]
    return ExplicitSpace.of(shared.space.root, genotypes[np.sort(order)]), cost


# -- what is read from the run ------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _shared(run: str) -> Shared:
    directory = Path(run)
    config = CompareConfig.model_validate(Header.read(directory).config)
    space = load_space(directory / SPACE)
    within = ConstrainedSpace(space, config.limits) if config.limits else space
    evaluator, truth = load_truth(config, space)
    codes, scores = _read(directory / REFERENCE, space)
    partial = truth is not None and truth.known is not None
    threshold = None if truth is None else good_threshold(scores, higher_is_better=evaluator.higher_is_better)
    return Shared(
        config=config,
        space=space,
        within=within,
        evaluator=evaluator,
        truth=truth,
        reference=space.root.decode(codes),
        scores=None if truth is None else scores,
        known=(codes, scores) if partial else None,
        threshold=threshold,
    )


@lru_cache(maxsize=4)
def _fitted(run: str, seed: int, kind: str, labels: int) -> Fitted:
    shared = _shared(run)
    predictor = load(Path(run) / predictor_file(seed, kind, labels), shared.space)
    genotypes, _ = _pairs(shared, run, seed, labels)
    higher = predictor.higher_is_better
    seen = predictor.predict(shared.within.sample(HELD_OUT, _seed(shared.config.seed, f"seen-{seed}")))
    threshold = good_threshold(seen, higher_is_better=higher)
    share = float(is_good(seen, threshold, higher_is_better=higher).mean())
    return Fitted(predictor, unique(shared.space.encode(genotypes)), threshold, share)


def _pairs(shared: Shared, run: str, seed: int, labels: int) -> tuple[Genotypes, Floats]:
    codes, scores = _read(Path(run) / evaluations_file(seed), shared.space)
    return shared.space.root.decode(codes[:labels]), scores[:labels]


def _read(path: Path, space: SearchSpace) -> tuple[Codes, Floats]:
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    codes = np.stack([table[f"code_{word}"].to_numpy() for word in range(len(space.code_layout.words))], axis=1)
    return codes, table["score"].to_numpy()


def _seed(seed: int, name: str) -> np.random.Generator:
    """As ``Run.rng``, which a worker process does not have."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(zlib.crc32(name.encode()),)))
