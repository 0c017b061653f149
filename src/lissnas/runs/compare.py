"""The job ``compare``: every method with the same pairs, predictor and budget, over several seeds.

For each seed a predictor is fitted to pairs of its own (the same for all methods). Each method then shrinks the space, once at
its own size and once for each equal size, for which one rule holds: it is asked for so many networks; where it gives fewer,
for 2, 4 and 8 times as many, as long as that gives more; of more than were wanted the best by the predictor are kept. Where a
result is no list, the best of as many of its members as the rest of the budget pays for (a random part, where that is no more
than were wanted). What is still smaller is shown, and left out of the tests.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Genotypes
from lissnas.errors import UserError
from lissnas.evaluators import Evaluator, scored_by
from lissnas.formats import get_space, load_space
from lissnas.predictors.costs import learned_costs
from lissnas.quality.population import populate
from lissnas.runs import comparing
from lissnas.runs.checkpoint import evaluate_in_chunks
from lissnas.runs.compare_config import CompareConfig, Method, compared_methods
from lissnas.runs.compare_summary import summarize_rows
from lissnas.runs.comparing import REFERENCE, SPACE, evaluations_file, load_truth, predictor_file, unpack
from lissnas.runs.directory import Run
from lissnas.runs.header import CONFIG
from lissnas.runs.measured import Evaluations, write_evaluations
from lissnas.runs.progress import Progress
from lissnas.runs.settings import read_settings
from lissnas.runs.shrink import METRICS, head, report_step
from lissnas.runs.shrinking import require_enough, require_limits
from lissnas.spaces import ConstrainedSpace, Expression, SearchSpace, check_limits, sample_distinct

__all__ = ["check_config", "evaluations_that_fit", "inapplicable", "run_job"]

ROWS = "rows.json"
PREDICTORS = "predictors.json"
ASKED_AT_ONCE = 32  # true evaluations that are saved together
REFERENCE_SIZE = 20_000  # architectures that stand for the given space
LARGE_TABLE = 1 << 17  # the same where the space is small enough to be listed


def evaluations_that_fit(space: SearchSpace, evaluator: Evaluator, wanted: int | None = None) -> int:
    """How many pairs a predictor learns from: ``wanted``; else 10,000, or 5% of a space where that is less, but at least 100.

    Of an evaluator that knows some architectures only, half of them at most: the others judge what came out.
    """
    known = evaluator.known
    if wanted is None:
        wanted = min(10_000, max(100, space.cardinality // 20))
        if known is not None:
            held = scored_by(evaluator, space)
            wanted = min(wanted, max(1, (held.cardinality if held is not None else 0) // 2))
    return min(wanted, space.cardinality)


def check_config(config: CompareConfig) -> list[tuple[Method, str]]:
    """Read all that the job will read, so that a mistake is answered before a run begins.

    Returns:
        Each method, and why it does not apply to the space (empty: it does).

    Raises:
        UserError: the mistake; no method applies.
    """
    space = get_space(config.space)
    if (config.scores is None) == (config.evaluator is None):
        raise UserError(
            "scores come from a file (--scores FILE) or an evaluator (--evaluator NAME or module:function): give one; "
            f"to get networks to measure: lissnas sample {config.space} -n 300 --out to_measure.csv"
        )
    require_limits(space, config.limits)
    learned = learned_costs(space)
    for limit in check_limits(space, config.limits):
        if any(name in Expression(limit).names for name in learned):
            raise UserError(
                f"a comparison learns no costs, but the limit '{limit}' needs one: leave it out, or write the cost as a formula"
            )
    evaluator, _ = load_truth(config, space)
    candidates = _candidates(evaluator, space)
    require_enough(candidates)
    methods = compared_methods(config)
    if config.evaluations > candidates.cardinality:
        raise UserError(
            f"{config.evaluations:,} pairs were asked for, but {evaluator} has a score for {candidates.cardinality:,}: "
            "ask for fewer"
        )
    for size in config.sizes:
        if not 1 <= size < space.cardinality:
            raise UserError(
                f"an equal size must be from 1 to {space.cardinality - 1:,}, below that of '{space.name}', but got {size:,}"
            )
    reasons = [(method, inapplicable(method, space, evaluator, config)) for method in methods]
    if all(reason for _, reason in reasons):
        raise UserError(f"no method applies to '{space.name}': {'; '.join(f'{m.name}: {r}' for m, r in reasons)}")
    return reasons


def inapplicable(method: Method, space: SearchSpace, evaluator: Evaluator, config: CompareConfig) -> str:
    """Why a method cannot do anything with this space, budget and evaluator; empty where it can."""
    if method.labels > _candidates(evaluator, space).cardinality:
        return f"only {_candidates(evaluator, space).cardinality:,} networks have a score"
    try:
        shrinker = method.make(config.queries, None, method.labels)
        if shrinker.spends == "evaluations" and evaluator.known is not None:
            return "it asks for true scores of networks of its own choice, and not all have one"
        if shrinker.spends == "evaluations" and not evaluator.is_free:
            return "it spends true evaluations of its own, which cost something here"
        shrinker.check(space, config.limits)
    except UserError as error:
        return str(error)
    return ""


def run_job(run: Run, progress: Progress, workers: int) -> None:
    """Everything, in steps."""
    config = read_settings(CompareConfig, run.config, str(run.path(CONFIG)))
    comparing.forget()
    run.step("space", lambda: _write_space(run, get_space(config.space)), [SPACE])
    space = load_space(run.path(SPACE))
    evaluator, truth = load_truth(config, space)
    within = ConstrainedSpace(space, config.limits) if config.limits else space
    run.step("reference", lambda: _write_reference(run, within, truth), [REFERENCE])
    methods = [(method, inapplicable(method, space, evaluator, config)) for method in compared_methods(config)]
    applying = [method for method, reason in methods if not reason]

    pairs = max(method.labels for method in applying)
    run.step("evaluations", lambda: _evaluate(run, space, evaluator, pairs, config.seeds, progress, workers), ["evaluations/"])
    run.step("predictors", lambda: _fit(run, applying, config.seeds, progress, workers), ["predictors/", PREDICTORS])
    _require_trust(run, config)
    run.step("compare", lambda: _compare(run, applying, config.seeds, progress, workers), [ROWS])

    def measure() -> None:
        metric = evaluator.metric
        rows = json.loads(run.path(ROWS).read_text())
        fitted = json.loads(run.path(PREDICTORS).read_text())
        found = summarize_rows(rows, methods, config, space, metric.higher_is_better, truth is not None)
        base = [row for row in fitted if (row["predictor"], row["labels"]) == (config.predictor, config.evaluations)]
        predictor = {name: float(np.mean([row[name] for row in base])) for name in ("kendall", "spearman", "r2", "top_overlap")}
        trust = (
            predictor | {"n": config.evaluations, "kind": config.predictor, "checked_on": base[0]["checked_on"]}
            if base
            else None
        )
        numbers = {"predictor": trust, "predictors": fitted, "compare": found, "notes": _notes(config, truth)}
        run.write_json(METRICS, {**head(run, space, metric, config.command), **numbers})

    run.step("metrics", measure, [METRICS])
    report_step(run, progress)


def _notes(config: CompareConfig, truth: Evaluator | None) -> list[str]:
    notes = [
        f"Seeds are the blocks of all tests, and {config.seeds} of them tell only large differences: what is not told apart "
        "here is not shown to be equal. Wilcoxon's test could not reach .05 over 5 seeds at all, so pairs are tested by t.",
        "At their own sizes methods are hardly comparable by means: a smaller space is easily a better one.",
        "The paired test is about this space, this score and this budget; it does not speak for other spaces.",
    ]
    if truth is not None and truth.known is not None:
        notes.append(
            "True means come from the members that have a true score, without the networks that the predictor learned from."
        )
    return notes


# -- the steps ----------------------------------------------------------------------------------------------------------


def _write_space(run: Run, space: SearchSpace) -> None:
    from lissnas.formats import save_space

    with run.writing(SPACE) as path:
        save_space(space, path)


def _write_reference(run: Run, within: SearchSpace, truth: Evaluator | None) -> None:
    held = within if truth is None else scored_by(truth, within)
    if held is None:
        raise UserError(f"{truth} has a score for no architecture of '{within.name}' within the limits: relax them")
    x = populate(held, run.rng("reference"), drawn=REFERENCE_SIZE, listed=LARGE_TABLE).genotypes
    codes = within.root.encode(x)
    scores = np.full(len(x), np.nan) if truth is None else truth.evaluate(x)
    columns = {f"code_{word}": codes[:, word] for word in range(codes.shape[1])}
    run.write_parquet(REFERENCE, {**columns, "score": scores})


def _evaluate(run: Run, space: SearchSpace, evaluator: Evaluator, n: int, seeds: int, progress: Progress, workers: int) -> None:
    """The pairs of each seed, in an order of chance, so that the first so many are a sample too.

    Where evaluations cost something, all seeds share one sample of them.
    """
    candidates = _candidates(evaluator, space)
    paid = not (evaluator.is_free or evaluator.known is not None)
    drawn: list[Genotypes] = []
    for seed in range(seeds):
        rng = run.rng(f"pairs-{seed}")
        x = drawn[0] if paid and drawn else sample_distinct(candidates, n, rng)
        drawn.append(x[rng.permutation(len(x))])
    if not paid:
        scores = [evaluator.evaluate(x) for x in drawn]
    else:
        chunks = [drawn[0][low : low + ASKED_AT_ONCE] for low in range(0, n, ASKED_AT_ONCE)]
        progress.say(f"{n:,} true evaluations, which all seeds share")
        told = progress.of("true evaluations, in parts")
        asked = evaluate_in_chunks(
            run, "evaluations", chunks, _asking(run, evaluator), workers=workers, threads=True, progress=told
        )
        by_code = dict(zip(map(bytes, drawn[0]), np.concatenate(asked).tolist(), strict=True))
        scores = [np.array([by_code[bytes(row)] for row in x]) for x in drawn]
    for seed, (x, values) in enumerate(zip(drawn, scores, strict=True)):
        write_evaluations(run, evaluations_file(seed), space, Evaluations(x, values))


def _asking(run: Run, evaluator: Evaluator) -> Callable[[Genotypes], NDArray[np.float64]]:
    def ask(x: Genotypes) -> NDArray[np.float64]:
        try:
            return evaluator.evaluate(x)
        except UserError as error:
            raise UserError(f"{error}: mend it, then `lissnas resume {shlex.quote(str(run.directory))}` goes on") from error

    return ask


def _fit(run: Run, methods: list[Method], seeds: int, progress: Progress, workers: int) -> None:
    kinds = sorted({(method.predictor, method.labels) for method in methods})
    progress.say(f"fitting {seeds * len(kinds)} predictors, one for each seed{' and kind' if len(kinds) > 1 else ''}")
    pieces = [
        {"run": str(run.directory), "seed": seed, "predictor": kind, "labels": labels}
        for seed in range(seeds)
        for kind, labels in kinds
    ]
    told = progress.of("predictors")
    abouts = []
    for array in evaluate_in_chunks(run, "predictors", pieces, comparing.fit, workers=workers, progress=told):
        about, data = unpack(array)
        run.timed(f"predictor {about['predictor']} {about['labels']}, seed {about['seed']}", about.pop("seconds"))
        run.write_bytes(predictor_file(about["seed"], about["predictor"], about["labels"]), data)
        abouts.append(about)
    run.write_json(PREDICTORS, abouts)


def _require_trust(run: Run, config: CompareConfig) -> None:
    fitted = json.loads(run.path(PREDICTORS).read_text())
    taus = [row["kendall"] for row in fitted if (row["predictor"], row["labels"]) == (config.predictor, config.evaluations)]
    if taus and np.mean(taus) < config.min_kendall:
        raise UserError(
            f"the predictor has learned next to nothing: its mean Kendall tau over {len(taus)} seeds is {np.mean(taus):.2f}, "
            f"below {config.min_kendall:g}, and a comparison would be of noise: give more --evaluations or another "
            "--predictor; to compare all the same: --min-kendall 0"
        )


def _compare(run: Run, methods: list[Method], seeds: int, progress: Progress, workers: int) -> None:
    progress.say(f"comparing {len(methods)} methods with {seeds} seeds: {', '.join(m.name for m in methods)}")
    # seed by seed, so that a process loads each predictor once
    pieces = [
        {"run": str(run.directory), "seed": seed, "method": method.to_dict()} for seed in range(seeds) for method in methods
    ]
    told = progress.of("methods and seeds")
    rows = []
    for array in evaluate_in_chunks(run, "compare", pieces, comparing.shrink, workers=workers, progress=told):
        found, _ = unpack(array)
        for row in found:
            at = "its own size" if row["asked"] is None else f"{row['asked']} networks"
            run.timed(f"{row['method']}, seed {row['seed']}, {at}", row.pop("seconds"))
            rows.append(row)
    run.write_json(ROWS, rows)


def _candidates(evaluator: Evaluator, space: SearchSpace) -> SearchSpace:
    candidates = scored_by(evaluator, space)
    if candidates is None:
        raise UserError(f"{evaluator} has a score for no architecture of '{space.name}': give another evaluator or space")
    return candidates
