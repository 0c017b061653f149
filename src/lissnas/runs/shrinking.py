"""The steps of shrinking, for every job that shrinks: go down, measure what came out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Genotypes, locate
from lissnas.errors import UserError
from lissnas.evaluators import Evaluator, Metric, scored_by
from lissnas.formats import load_space, save_space
from lissnas.predictors import Predictor
from lissnas.predictors.base import MINIMUM
from lissnas.quality import assess_space, ks, pockets, score_space
from lissnas.runs.directory import Run
from lissnas.runs.kept_answers import KeptAnswers
from lissnas.runs.measured import Evaluations, read_evaluations, write_evaluations
from lissnas.runs.predicting import ASSESSMENT, USUAL, read_predictor
from lissnas.runs.progress import Progress
from lissnas.runs.settings import check_settings
from lissnas.shrinkers import SHRINKERS, Iteration, NaiveTop, Shrinker
from lissnas.spaces import ConstrainedSpace, ExplicitSpace, Expression, SearchSpace, check_limits, from_definition

__all__ = [
    "cost_to_show",
    "describe_iteration",
    "load_shrunk",
    "make_shrinker",
    "measure_shrinkage",
    "require_enough",
    "require_limits",
    "shrink_step",
]

SHRUNK, WAY_DOWN = "shrunk.parquet", "shrinking.json"
DRAWN = 1000  # scores of each space that the report draws
USUAL_COSTS = ("flops", "macs", "latency_ms", "params")
LABELLED = 50  # true scores below which a mean is no result
MAX_POCKETS = 50_000  # members up to which pockets are counted
DRAWN_BEST = 100_000  # members among which the best is looked for where they are not a list


def shrink_step(
    run: Run,
    space: SearchSpace,
    shrinker: Shrinker,
    limits: Sequence[str],
    metric: Metric,
    progress: Progress,
    workers: int,
    truth: Evaluator | None = None,
    evaluations: str | None = None,
) -> None:
    """Go down, and write the shrunk space, each iteration of it, and what was spent.

    Args:
        truth: what a method asks that spends true evaluations as it goes; else the run's predictor is asked.
        evaluations: the file that these are written to.
    """

    def shrink() -> None:
        progress.say(f"shrinking '{space.name}' ({_number(space.cardinality)} networks) with {shrinker.name}")

        def on_iteration(iteration: Iteration) -> None:
            progress.say(describe_iteration(iteration, metric))
            if iteration.space is not None:
                with run.writing(f"iterations/iteration-{iteration.index:02d}.parquet") as path:
                    save_space(iteration.space, path)
            if iteration.codes is not None:
                columns = {f"code_{w}": iteration.codes[:, w] for w in range(iteration.codes.shape[1])}
                run.write_parquet(f"iterations/iteration-{iteration.index:02d}.parquet", columns)

        scorer: Predictor | Evaluator
        if truth is None:
            scorer = read_predictor(run, space, workers)
        else:
            told = partial(progress.advance, "true evaluations", total=run.config["evaluations"])
            scorer = KeptAnswers(truth, run.checkpoint("shrink"), told)
        result = shrinker.shrink(space, scorer, run.rng("shrink"), limits, on_iteration=on_iteration)
        progress.say(f"  {result.stopped}")
        if isinstance(scorer, KeptAnswers):
            write_evaluations(run, str(evaluations), space, Evaluations(*scorer.asked))
        with run.writing(SHRUNK) as path:
            save_space(result.space, path, made_by={"method": shrinker.name, "settings": repr(shrinker), "seed": run.seed})
        run.write_json(
            WAY_DOWN,
            {
                "method": shrinker.name,
                "settings": repr(shrinker),
                "threshold": result.threshold,
                "stopped": result.stopped,
                "queries": result.ledger.queries,
                "evaluations": result.ledger.evaluations,
                "iterations": [iteration.to_dict() for iteration in result.iterations],
            },
        )

    run.step("shrink", shrink, ["iterations/", SHRUNK, WAY_DOWN, *([] if truth is None else [str(evaluations)])])


def describe_iteration(iteration: Iteration, metric: Metric) -> str:
    """One line of the way down."""
    what = "given space " if iteration.index == 0 else f"iteration {iteration.index:2d}"
    return (
        f"  {what} {_number(iteration.size):>14} networks   predicted {metric.name}: "
        f"mean {iteration.mean:.4g}, best {iteration.best:.4g}"
        f"   good {iteration.p_good:.0%}   shrink index {iteration.shrink_index:.2f}   {iteration.queries:,} queries"
    )


def make_shrinker(
    method: str,
    queries: int,
    size: int | None,
    as_in_paper: bool,
    settings: dict[str, Any],
    evaluations: int | None = None,
) -> Shrinker:
    """The shrinker that a configuration asks for.

    Args:
        evaluations: true evaluations that a method may spend as it goes; None: this job spends them itself.

    Raises:
        UserError: an unknown method, or a setting that it does not have or cannot have.
    """
    kind = SHRINKERS.get(method)
    taken = {"queries": "--budget (queries: in a file)", "size": "--size (size: in a file)"}
    spent: dict[str, int] = {}
    if kind.spends == "evaluations":
        if evaluations is None:
            raise UserError(
                f"the method {method} spends true evaluations as it goes, and here they are spent before: choose another "
                "method, or use it in `lissnas shrink` with an evaluator"
            )
        taken["evaluations"] = "--evaluations (evaluations: in a file)"
        spent = {"evaluations": evaluations}
    check_settings(kind, method, settings, taken=taken)
    if not as_in_paper:
        return kind(queries=queries, size=size, **spent, **settings)  # type: ignore[no-any-return]
    if not hasattr(kind, "as_in_paper"):
        raise UserError(
            f"only the method lissnas has a form of its own in the paper, but got '{method}': leave --as-in-paper out"
        )
    return kind.as_in_paper(queries=queries, size=size).with_settings(**settings)  # type: ignore[no-any-return]


def require_enough(space: SearchSpace) -> None:
    """Refuse a space that has fewer architectures than the predictor needs."""
    if space.cardinality_is_exact and space.cardinality < MINIMUM:
        raise UserError(
            f"a predictor needs at least {MINIMUM} different networks, but '{space.name}' has only {space.cardinality}: "
            "there is nothing to shrink, evaluate them all"
        )


def require_limits(space: SearchSpace, limits: Sequence[str]) -> None:
    """Refuse limits that cannot be read, or that no architecture of ``space`` meets.

    Limits in a space whose costs are still to be learned are only read.
    """
    limits = check_limits(space, limits)
    unknown = [name for name, values in space.cost(space.sample(1, np.random.default_rng(0))).items() if np.isnan(values).any()]
    if limits and not any(name in Expression(limit).names for limit in limits for name in unknown):
        ConstrainedSpace(space, limits)


def measure_shrinkage(
    run: Run,
    space: SearchSpace,
    evaluations: str,
    limits: Sequence[str],
    metric: Metric,
    queries: int,
    workers: int,
    truth: Evaluator | None = None,
) -> dict[str, Any]:
    """The numbers of the report: what the predictor is worth, the way down, the evidence, the best network.

    Args:
        truth: an evaluator that costs nothing, which what came out is checked against. No method has seen these scores, and
            they count in no budget.
    """
    predictor = read_predictor(run, space, workers)
    shrunk = load_shrunk(run, space)
    way_down = json.loads(run.path(WAY_DOWN).read_text())
    assessment = json.loads(run.path(ASSESSMENT).read_text())
    seed = int(run.seeds("evidence").generate_state(1)[0])
    # limits hold for what is given as for what comes out, so the fair reference is the part of the space that meets them
    reference = ConstrainedSpace(space, limits) if limits else space
    size = min(shrunk.cardinality, max(1, queries // 10)) if _listed(shrunk) is None else shrunk.cardinality
    naive = NaiveTop(queries=queries, size=min(size, queries)).shrink(space, predictor, run.rng("naive"), limits).space
    subjects = {"full": reference, "naive": naive, "shrunk": shrunk}
    rows = {
        name: assess_space(subject, predictor, reference=reference, threshold=way_down["threshold"], seed=seed)
        for name, subject in subjects.items()
    }
    made = {name: _what(name, queries, limits) for name in rows}
    true_rows = {} if truth is None else _true_rows(subjects, truth, predictor, seed)
    drawn = {name: _drawn(subject, predictor, run.rng(f"drawn-{name}")) for name, subject in subjects.items()}
    higher = metric.higher_is_better
    known = read_evaluations(run, evaluations, space)
    return {
        "predictor": {k: v for k, v in assessment.items() if k not in ("predicted", "measured")}
        | {"kind": run.config.get("predictor", USUAL)},
        "shrink": {
            **way_down,
            **{name: {**row.to_dict(), "what": made[name]} for name, row in rows.items()},
            **({"truth": {name: {**row, "what": made[name]} for name, row in true_rows.items()}} if true_rows else {}),
        },
        "edf": {
            **{name: np.sort(scores).tolist() for name, (_, scores) in drawn.items()},
            "ks": {
                "shrunk_full": asdict(ks(drawn["shrunk"][1], drawn["full"][1], higher_is_better=higher)),
                "shrunk_naive": asdict(ks(drawn["shrunk"][1], drawn["naive"][1], higher_is_better=higher)),
            },
        },
        "cost_scatter": _cost_scatter(space, shrunk, limits, drawn),
        "predicted_measured": list(map(list, zip(assessment["predicted"], assessment["measured"], strict=True)))[:DRAWN],
        "best": best_network(shrunk, predictor, known, higher, truth),
    }


def load_shrunk(run: Run, space: SearchSpace) -> SearchSpace:
    """The shrunk space of a run, as a part of ``space`` (learned costs included)."""
    loaded = load_space(run.path(SHRUNK))
    if not isinstance(loaded, ExplicitSpace):
        return from_definition(loaded.definition(), space)
    parent = space.parent if isinstance(space, ExplicitSpace) else space
    return ExplicitSpace(parent, loaded.codes, loaded.name)


def _listed(space: SearchSpace) -> ExplicitSpace | None:
    """``space`` as a list of architectures: a list itself, or so small a part that it can be one."""
    if isinstance(space, ExplicitSpace):
        return space
    if not (space.cardinality_is_exact and space.cardinality <= MAX_POCKETS):
        return None
    return ExplicitSpace.of(space.root, np.concatenate(list(space.enumerate())), space.name)


def best_network(
    space: SearchSpace,
    predictor: Predictor,
    known: Evaluations,
    higher_is_better: bool,
    truth: Evaluator | None = None,
) -> dict[str, Any]:
    """The member with the best prediction (of 100,000 random ones where they are too many to list), its costs, and its
    measured score where it has one."""
    sign = 1.0 if higher_is_better else -1.0
    listed = _listed(space)
    genotypes = space.sample(DRAWN_BEST, np.random.default_rng(0)) if listed is None else listed.genotypes
    predicted = predictor.predict(genotypes)
    at = int(np.argmax(sign * predicted))
    one = genotypes[at : at + 1]
    measured = known.scores[(known.genotypes == one).all(axis=1)]
    if truth is not None and (truth.known is None or truth.known.is_valid(one).all()):
        measured = truth.evaluate(one)
    return {
        "architecture": space.format(one)[0],
        "genes": space.to_dicts(one)[0],
        "predicted": float(predicted[at]),
        "measured": float(measured[0]) if len(measured) else None,
        "costs": {name: float(values[0]) for name, values in space.cost(one).items()},
    }


def _drawn(space: SearchSpace, predictor: Predictor, rng: np.random.Generator) -> tuple[Genotypes, NDArray[np.float64]]:
    scored = score_space(space, predictor, rng, listed=DRAWN)
    return scored.genotypes, scored.values


def _what(name: str, queries: int, limits: Sequence[str]) -> str:
    """A space of the report in words."""
    return {
        "full": "the given space, within the limits" if limits else "the given space",
        "naive": f"the best of {queries:,} random networks",
        "shrunk": "the shrunk space",
    }[name]


def _true_rows(
    subjects: dict[str, SearchSpace], truth: Evaluator, predictor: Predictor, seed: int
) -> dict[str, dict[str, Any]]:
    """The evidence by true scores; of a table that does not hold all, by those of each space that it holds.

    A space with fewer than ``LABELLED`` of them has no row: a mean of so few is no result.
    """
    populations = {name: scored_by(truth, subject) for name, subject in subjects.items()}
    enough = {
        name: population
        for name, population in populations.items()
        if population is not None and (not population.cardinality_is_exact or population.cardinality >= LABELLED)
    }
    if "full" not in enough:
        return {}
    return {
        name: {
            **assess_space(population, predictor, reference=enough["full"], truth=truth, seed=seed).to_dict(),
            "cardinality": str(subjects[name].cardinality),
        }
        for name, population in enough.items()
    }


def _cost_scatter(
    space: SearchSpace,
    shrunk: SearchSpace,
    limits: Sequence[str],
    drawn: dict[str, tuple[Genotypes, NDArray[np.float64]]],
) -> dict[str, Any] | None:
    """Score against a cost, the shrunk space's networks with the pocket they belong to."""
    cost = cost_to_show(space, limits)
    if cost is None:
        return None
    listed = _listed(shrunk)
    label = pockets(listed) if listed is not None and listed.cardinality <= MAX_POCKETS else None
    genotypes, scores = drawn["shrunk"]
    if listed is None or label is None:
        member = np.zeros(len(genotypes), dtype=np.int64)
    else:
        member = label[locate(listed.codes, listed.encode(genotypes))]
    full_genotypes, full_scores = drawn["full"]
    return {
        "cost": cost,
        "full": np.stack([space.cost(full_genotypes)[cost], full_scores], axis=1).tolist(),
        "shrunk": [[float(c), float(s), int(p)] for c, s, p in zip(space.cost(genotypes)[cost], scores, member, strict=True)],
        "pockets": None if label is None else int(label.max() + 1),
        "pocket_sizes": None if label is None else np.bincount(label)[:20].tolist(),
    }


def cost_to_show(space: SearchSpace, limits: Sequence[str]) -> str | None:
    """The cost that a limit names, else the one that people know best, else the first."""
    limited = [name for limit in limits for name in space.cost_names if name in Expression(limit).names]
    known = [name for name in USUAL_COSTS if name in space.cost_names]
    return next(iter([*limited, *known, *space.cost_names]), None)


def _number(value: int) -> str:
    return f"{value:,}" if value < 10**12 else f"{value:.3e}"
