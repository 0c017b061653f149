"""What every method makes of one space with one predictor, and the true scores of what it made."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Genotypes
from lissnas.errors import UserError
from lissnas.evaluators import Evaluator
from lissnas.experiments.data import available, digest, evaluator_of
from lissnas.experiments.stages import Method, Scale, ShrinkStage
from lissnas.experiments.stand_in import StandIn
from lissnas.formats import get_space
from lissnas.predictors import Predictor, XGBoostPredictor
from lissnas.quality import cosine_diversity
from lissnas.shrinkers import LISSNAS, SHRINKERS, Shrinker
from lissnas.spaces import ExplicitSpace, SearchSpace, sample_distinct

__all__ = ["FULL", "Made", "Outcome", "files_of_outcome", "make_outcome", "read_outcome"]

FULL = "full"  # the space itself, which the others are judged beside
LISTED = 1 << 20  # networks up to which a space with a table is judged by all that the table holds
DECIMALS = 6  # scores are kept to so many decimals: floats from a table, whatever the platform's last bit
COSTS = ("flops", "params")

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Made:
    """One space: the full one, or what a method made.

    Attributes:
        scores: true ones of those of its networks that are judged.
        costs: of the same networks, by name.
        rows: which of the full space's judged networks they are; None where its own were drawn.
        about: ``size``, ``queries``, ``stopped``, ``iterations``, ``d1000``, ``cosine_mean``, ``cosine_max``; or ``refused``.
    """

    key: str
    label: str
    scores: Floats
    costs: Mapping[str, Floats]
    rows: NDArray[np.int64] | None
    about: Mapping[str, Any]

    @property
    def size(self) -> int:
        """How many networks it has."""
        return int(self.about["size"])


@dataclass(frozen=True)
class Outcome:
    """One stage, one seed.

    Attributes:
        benchmark: what scored it; None: the stand-in.
        exact: every network of a listed space has its true score, so nothing about it is a sample's.
        metric: what the score is.
        predictor: how good it was: ``pairs``, ``spearman`` on judged networks, ``labels``.
        made: by key; a method that refused is not among them.
        refused: why, by key.
        weaker: predictors of fewer pairs: ``pairs``, ``spearman``, and ``top30`` to ``top5``, the true mean of their best
            judged networks.
    """

    stage: str
    seed: int
    space: str
    benchmark: str | None
    exact: bool
    metric: str
    predictor: Mapping[str, Any]
    made: Mapping[str, Made]
    refused: Mapping[str, str]
    weaker: Sequence[Mapping[str, float]] = ()

    @property
    def full(self) -> Made:
        """The space itself."""
        return self.made[FULL]


def files_of_outcome(stage: str, seed: int) -> tuple[str, str]:
    """The files of one seed of a stage: what is said of each space, and the judged networks."""
    return f"stages/{stage}-{seed}.json", f"stages/{stage}-{seed}.parquet"


def make_outcome(
    stage: ShrinkStage,
    scale: Scale,
    index: int,
    seeds: np.random.SeedSequence,
    say: Callable[[str], None],
    threads: int = 1,
    proxy: Evaluator | None = None,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Run all methods of ``stage``.

    Args:
        proxy: the truth of a stage that has one.

    Returns:
        What goes into the two files of :func:`files_of_outcome`: plain data, and the columns of a table.
    """
    data_rng, truth_rng, *_ = (np.random.default_rng(child) for child in seeds.spawn(3))
    space = get_space(stage.space)
    benchmark = available(stage.benchmarks) if stage.benchmarks else None
    truth = proxy or (StandIn(space) if stage.stand_in else evaluator_of(str(benchmark), stage.task))
    judge = _Judge(space, truth, scale, data_rng)
    say(f"{stage.name}, seed {index}: fitting a predictor to {len(judge.pairs):,} networks")
    # trained on one thread, so that the trees are the same for any number of workers
    predictor = XGBoostPredictor(trees=scale.trees).fit(
        space, judge.pairs, truth.evaluate(judge.pairs), higher_is_better=truth.higher_is_better, seed=index
    )
    predictor.threads = threads
    made = [judge.full(truth_rng)]
    refused: dict[str, str] = {}
    method_seeds = np.random.SeedSequence(seeds.entropy, spawn_key=(*seeds.spawn_key, 99))
    for place, (key, method) in enumerate(stage.methods.items()):
        rng = np.random.default_rng(np.random.SeedSequence(method_seeds.entropy, spawn_key=(*method_seeds.spawn_key, place)))
        say(f"{stage.name}, seed {index}: {method.label}")
        try:
            made.append(_make(key, method, space, predictor, judge, scale, rng))
        except UserError as reason:
            refused[key] = str(reason)
    full = made[0]
    predicted = predictor.predict(judge.judged)
    about = {
        "stage": stage.name,
        "seed": index,
        "space": stage.space,
        "benchmark": benchmark,
        "data": digest(benchmark),
        "exact": judge.exact,
        "metric": truth.metric.name,
        "predictor": {
            "pairs": len(judge.pairs),
            "spearman": _spearman(predicted, full.scores),
            "labels": predictor.labels_used,
            "trees": scale.trees,
        },
        "weaker": [_weaker(space, truth, judge, n, index) for n in stage.weaker if n <= len(judge.pairs)],
        "made": {m.key: {"label": m.label, "listed": m.rows is not None, **m.about} for m in made},
        "refused": refused,
    }
    columns: dict[str, Any] = {
        "key": np.repeat([m.key for m in made], [len(m.scores) for m in made]).tolist(),
        "row": np.concatenate([np.full(len(m.scores), -1) if m.rows is None else m.rows for m in made]).astype(np.int64),
        "score": np.round(np.concatenate([m.scores for m in made]), DECIMALS),
    }
    for name in full.costs:
        columns[name] = np.concatenate([m.costs[name] for m in made])
    return about, columns


def read_outcome(directory: Path, stage: str, seed: int) -> Outcome:
    """What :func:`make_outcome` left in a run directory."""
    import pyarrow.parquet as pq

    about_file, table_file = files_of_outcome(stage, seed)
    about = json.loads((directory / about_file).read_text())
    table = pq.read_table(directory / table_file)
    keys = np.array(table.column("key").to_pylist())
    columns = {name: table.column(name).to_numpy() for name in table.column_names if name != "key"}
    made = {}
    for key, said in about["made"].items():
        at = np.flatnonzero(keys == key)
        costs = {name: columns[name][at] for name in columns if name not in ("row", "score")}
        rows = columns["row"][at] if said["listed"] else None
        made[key] = Made(key, said["label"], columns["score"][at], costs, rows, said)
    fields = {
        name: about[name]
        for name in ("stage", "seed", "space", "benchmark", "exact", "metric", "predictor", "refused", "weaker")
    }
    return Outcome(made=made, **fields)


class _Judge:
    """Which networks teach the predictor, and which judge."""

    def __init__(self, space: SearchSpace, truth: Evaluator, scale: Scale, rng: np.random.Generator) -> None:
        self.space, self.truth, self.scale = space, truth, scale
        known = truth.known
        short = space.cardinality_is_exact and space.cardinality <= LISTED
        self.listed = known is not None or (truth.is_free and short)
        self.exact = self.listed and known is None
        if not self.listed:
            self.pairs = sample_distinct(space, scale.pairs, rng)
            self.judged = self.pairs[:0]
            return
        everything = known.genotypes if known is not None else np.concatenate(list(space.enumerate()))
        order = rng.permutation(len(everything))
        # of a sample half at most teaches: the rest judges
        pairs = min(scale.pairs, len(everything) // 2 if known is not None else max(100, len(everything) // 20))
        self.pairs = everything[np.sort(order[:pairs])]
        # a complete table judges whole, or nothing could be said of a maximum; a sample by what the predictor never saw
        self.judged = everything if self.exact else everything[np.sort(order[pairs:])]
        self.scores = truth.evaluate(self.judged)

    def full(self, rng: np.random.Generator) -> Made:
        """The space itself."""
        if not self.listed:
            self.judged = self.space.sample(self.scale.truths, rng)
            self.scores = self.truth.evaluate(self.judged)
        about = {"size": str(self.space.cardinality), **_diversity(self.space, rng)}
        rows = np.arange(len(self.judged)) if self.listed else None
        return Made(FULL, "full space", self.scores, _costs(self.space, self.judged), rows, about)

    def of(self, space: SearchSpace, rng: np.random.Generator) -> tuple[Genotypes, Floats, NDArray[np.int64] | None]:
        """The judged networks of a shrunk space."""
        if self.listed:
            rows = np.flatnonzero(space.is_valid(self.judged))
            return self.judged[rows], self.scores[rows], rows
        if isinstance(space, ExplicitSpace) and space.cardinality <= self.scale.truths:
            genotypes = space.genotypes
        else:
            genotypes = space.sample(self.scale.truths, rng)
        return genotypes, self.truth.evaluate(genotypes), None


def _make(
    key: str,
    method: Method,
    space: SearchSpace,
    predictor: Predictor,
    judge: _Judge,
    scale: Scale,
    rng: np.random.Generator,
) -> Made:
    shrink_rng, judge_rng = rng.spawn(2)
    result = shrinker_of(method, scale).shrink(space, predictor, shrink_rng)
    genotypes, scores, rows = judge.of(result.space, judge_rng)
    about = {
        "size": str(result.space.cardinality),
        "queries": result.ledger.queries,
        "stopped": result.stopped,
        "iterations": [iteration.to_dict() | {"size": str(iteration.size)} for iteration in result.iterations],
        **_diversity(result.space, judge_rng),
    }
    return Made(key, method.label, scores, _costs(space, genotypes), rows, about)


def _weaker(space: SearchSpace, truth: Evaluator, judge: _Judge, pairs: int, seed: int) -> dict[str, float]:
    """How a predictor of ``pairs`` networks ranks the judged ones."""
    few = judge.pairs[np.random.default_rng([seed, pairs]).permutation(len(judge.pairs))[:pairs]]
    learner = XGBoostPredictor(trees=judge.scale.trees)
    predicted = learner.fit(space, few, truth.evaluate(few), higher_is_better=truth.higher_is_better, seed=seed).predict(
        judge.judged
    )
    order = np.argsort(-predicted if truth.higher_is_better else predicted, kind="stable")
    tops = {f"top{x}": float(judge.scores[order[: max(1, len(order) * x // 100)]].mean()) for x in (30, 20, 10, 5)}
    return {"pairs": pairs, "spearman": _spearman(predicted, judge.scores), **tops}


def shrinker_of(method: Method, scale: Scale) -> Shrinker:
    """The shrinker of a method at the sizes of a scale."""
    settings = dict(method.settings)
    queries = round(method.budget * scale.queries)
    size = None if method.size is None else max(1, round(method.size * scale.queries / 100_000))
    if settings.pop("as_in_paper", False):
        return LISSNAS.as_in_paper(queries, size).with_settings(**settings)
    shrinker: Shrinker = SHRINKERS.get(method.shrinker)(queries=queries, **settings, **({"size": size} if size else {}))
    return shrinker


def _diversity(space: SearchSpace, rng: np.random.Generator) -> dict[str, float | None]:
    if space.cardinality_is_exact and space.cardinality < 2:
        return {"d1000": None, "cosine_mean": None, "cosine_max": None}
    found = cosine_diversity(space, rng)
    return {"d1000": found.d1000, "cosine_mean": found.mean, "cosine_max": found.maximum}


def _costs(space: SearchSpace, genotypes: Genotypes) -> dict[str, Floats]:
    costs = space.cost(genotypes) if len(genotypes) else {name: np.zeros(0) for name in space.cost_names}
    return {name: np.asarray(costs[name], dtype=np.float64) for name in COSTS if name in space.cost_names}


def _spearman(first: Floats, second: Floats) -> float:
    from scipy.stats import spearmanr

    return round(float(spearmanr(first, second)[0]), 6)
