"""The command that compares methods under one budget and one predictor."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from lissnas.cli.console import stderr
from lissnas.cli.jobs import (
    absolute_name,
    command_line,
    default_benchmark,
    do_job,
    next_free,
    read_pairs,
)
from lissnas.cli.options import (
    DataOption,
    EvaluatorOption,
    JsonOption,
    LimitOption,
    LowerIsBetterOption,
    OutOption,
    PredictorOption,
    PredictorSetOption,
    ScoreOption,
    ScoresOption,
    SeedOption,
    SpaceArgument,
    TaskOption,
    TreesOption,
    WorkersOption,
)
from lissnas.errors import UserError
from lissnas.formats import get_space
from lissnas.runs import start
from lissnas.runs.budget import BUDGETS, read_budget
from lissnas.spaces import SearchSpace

__all__ = ["compare", "seconds_of_methods", "summarize_comparison"]

SMALL = 2000  # queries below which LISSNAS has no iteration


def compare(
    space: SpaceArgument,
    scores: ScoresOption = None,
    score: ScoreOption = None,
    lower_is_better: LowerIsBetterOption = False,
    evaluator: EvaluatorOption = None,
    task: TaskOption = None,
    data: DataOption = None,
    evaluations: Annotated[
        int | None, typer.Option(help="Pairs that each predictor learns from; 10,000, or 5% of a small space.", min=20)
    ] = None,
    methods: Annotated[
        str | None, typer.Option(help="Which, with commas; all if not given. lissnas-paper is the paper's own form.")
    ] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="A setting of a method: lissnas.draws=30. May be repeated.")
    ] = None,
    vary: Annotated[
        list[str] | None,
        typer.Option(help="A setting tried with several values: draws=5,20,50; also labels and predictor. May be repeated."),
    ] = None,
    sizes: Annotated[
        str | None,
        typer.Option(help="Equal sizes, with commas, or none; 1, 5 and 20% of a space below 10^6, else 10^3, 10^4, 10^5."),
    ] = None,
    limit: LimitOption = None,
    budget: Annotated[
        str | None,
        typer.Option(help="small, medium, large, or a number of predictor queries; medium, at most half of a small space."),
    ] = None,
    predictor: PredictorOption = "xgboost",
    predictor_set: PredictorSetOption = None,
    trees: TreesOption = None,
    min_kendall: Annotated[
        float, typer.Option(help="The least mean Kendall tau of the predictors, below which nothing is compared.", min=0, max=1)
    ] = 0.1,
    seeds: Annotated[
        int, typer.Option(help="How many seeds: pairs, predictor and method are drawn anew with each.", min=2)
    ] = 5,
    seed: SeedOption = 0,
    workers: WorkersOption = 2,
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Every shrinker with the same pairs, predictor and budget, over several seeds: means, tests, ranks, the front.

    Examples:

      lissnas compare nasbench201 --data accuracy.csv --task cifar100-valid

      lissnas compare my-space.yaml --scores measured.csv --score top1 --methods lissnas,naive --seeds 10

      lissnas compare nasbench201 --methods lissnas --vary draws=5,20,50 --vary iterations=1,4,8 --sizes none
    """
    from lissnas.runs.compare import check_config, evaluations_that_fit
    from lissnas.runs.compare_config import CompareConfig, comparison_evaluator, equal_sizes, method_names

    if scores is None and evaluator is None:
        space, evaluator = default_benchmark(space)
    subject = get_space(space)
    config = CompareConfig(
        space=absolute_name(space),
        scores=str(scores.resolve()) if scores else None,
        score=score,
        evaluator=evaluator,
        task=task,
        data=str(data.resolve()) if data else None,
        higher_is_better=not lower_is_better,
        queries=_queries(budget, subject),
        methods=_names(methods) if methods is not None else method_names(),
        settings=_settings(set_ or []),
        vary=dict(_varied(pair) for pair in vary or []),
        sizes=_sizes(sizes) if sizes is not None else equal_sizes(subject),
        limits=list(limit or []),
        predictor=predictor,
        predictor_settings=read_pairs(predictor_set or [], "--predictor-set labels=rank-normal"),
        trees=trees,
        min_kendall=min_kendall,
        seeds=seeds,
        seed=seed,
        command=command_line(),
    )
    if (config.scores is None) != (config.evaluator is None):
        fitting = evaluations_that_fit(subject, comparison_evaluator(config, subject), evaluations)
        config = config.model_copy(update={"evaluations": evaluations or max(20, fitting)})
    for method, reason in check_config(config):
        if reason:
            stderr.print(f"{method.name} does not apply: {reason}", markup=False)
    directory = out or next_free(f"compare-{Path(space).stem}")
    do_job(lambda progress: start(directory, "compare", config.model_dump(), progress=progress, workers=workers), as_json)


def _queries(budget: str | None, space: SearchSpace) -> int:
    """A budget that covers a space makes all methods the same, so what was not asked for is half of it at most."""
    if budget is not None:
        return read_budget(budget).queries
    return min(BUDGETS["medium"].queries, max(SMALL, space.cardinality // 2))


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names or len(set(names)) < len(names):
        raise UserError(f"methods are different names with commas between them, but got '{text}': --methods lissnas,naive")
    return names


def _sizes(text: str) -> list[int]:
    if text == "none":
        return []
    try:
        sizes = [float(part) for part in text.split(",")]
    except ValueError:
        sizes = [0.0]
    if any(not size.is_integer() or size < 1 for size in sizes):
        raise UserError(f"sizes are whole numbers with commas between them, or none, but got '{text}': --sizes 1000,10000")
    return sorted({int(size) for size in sizes})


def _settings(pairs: list[str]) -> dict[str, dict[str, Any]]:
    settings: dict[str, dict[str, Any]] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        method, dot, setting = name.rpartition(".")
        if not equals or not dot or not method or not setting.isidentifier():
            raise UserError(f"a setting is given as method.name=value, but got '{pair}': --set lissnas.draws=30")
        settings.setdefault(method, {})[setting] = _value(setting, value)
    return settings


def _varied(pair: str) -> tuple[str, list[Any]]:
    name, equals, values = pair.partition("=")
    if not equals or not name.isidentifier() or not values:
        raise UserError(f"what is varied is given as name=value,value, but got '{pair}': --vary draws=5,20,50")
    return name, [_value(name, value) for value in values.split(",")]


def _value(name: str, text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError):
        raise UserError(f"the value of '{name}' is no number, word or list: '{text}': {name}=30") from None


# -- the tables on stdout -----------------------------------------------------------------------------------------------


def summarize_comparison(metrics: dict[str, Any], directory: Path) -> str:
    """The tables of a finished comparison, with what each method took, as plain text."""
    from lissnas.reports.comparison import TRUST, trusted

    found = metrics["compare"]
    seconds = seconds_of_methods(directory)
    lines = [
        "",
        f"{found['seeds']} seeds, {found['pairs']:,} pairs for each predictor, {found['queries']:,} queries for each method. "
        f"Mean and standard deviation over seeds of {metrics['metric']['name']}.",
    ]
    if metrics["predictor"]:
        lines.append(
            f"The predictor's Kendall tau on {metrics['predictor']['checked_on']} is {metrics['predictor']['kendall']:.2f}."
        )
    learned = trusted(metrics["predictors"])
    if len(learned) > 1:
        head = ["predictor", "pairs", *(TRUST[key][0] for key in learned[0] if key in TRUST)]
        lines += ["", *_columns([head, *(list(row.values()) for row in learned)])]
    if not found["checked"]:
        lines.append("No true scores: all means are predicted by the predictor that chose the networks.")
    for table in found["tables"]:
        lines += ["", *_table(table, found, seconds)]
    lines += [f"{row['method']} does not apply: {row['reason']}" for row in found["methods"] if row["reason"]]
    report = directory / "report.html"
    lines += ["", f"Everything is in {directory}{f': open {report}' if report.exists() else ''}"]
    return "\n".join(lines)


def _table(table: dict[str, Any], found: dict[str, Any], seconds: dict[tuple[str, int | None], float]) -> list[str]:
    asked = table["asked"]
    cost = f"coverage_{found['costs'][0]}" if found["costs"] else None
    head = [
        "",
        "networks",
        "true mean",
        "true best",
        "predicted",
        "good",
        "edits apart",
        "bins",
        "queries",
        "CPU s",
        "rank",
        "p",
    ]
    tests = {test["method"]: test for test in table["tests"] or []}
    ranks = (table["ranking"] or {}).get("ranks", {})
    body = [head]
    for line in table["rows"]:
        name = line["method"]
        took = seconds.get((name, asked))
        p = "control" if name == found["control"] else f"{tests[name]['p_holm']:.3g}" if name in tests else "-"
        body.append(
            [
                f"{name}{' *' if line['on_front'] else ''}",
                f"{int(line['size']):,}" if line["size"] and int(line["size"]) < 10**12 else f"{int(line['size'] or 0):.3g}",
                *(_cell(line.get(key)) for key in ("true_mean", "true_best", "predicted_mean")),
                *(_cell(line.get(key), digits=3) for key in ("p_good", "diversity")),
                _cell(line.get(cost), digits=2) if cost else "-",
                "-" if line["queries"] is None else f"{line['queries']:,.0f}",
                "-" if took is None else f"{took:.2g}",
                f"{ranks[name]:.1f}" if name in ranks else "-",
                p,
            ]
        )
    title = "At each method's own size" if asked is None else f"At {asked:,} networks"
    lines = [f"{title} (* on the front of {table['score'].replace('_', ' ')} and edits apart; p against {found['control']})"]
    lines += _columns(body)
    ranking = table["ranking"]
    if ranking:
        p = "below 1e-300" if ranking["p"] == 0 else f"{ranking['p']:.2g}"
        lines.append(
            f"  Friedman p {p}; mean ranks closer than {ranking['critical_difference']:.2f} cannot be told apart (Nemenyi)"
        )
    if table["why_no_tests"]:
        lines.append(f"  no tests: {table['why_no_tests']}")
    lines += [f"  {line['method']} is in no test: {line['left_out']}" for line in table["rows"] if line["left_out"]]
    return lines


def _columns(rows: list[list[str]]) -> list[str]:
    """Rows in columns, the first to the left."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(f"{c:<{w}}" if i == 0 else f"{c:>{w}}" for i, (c, w) in enumerate(zip(row, widths, strict=True)))
        for row in rows
    ]


def _cell(value: dict[str, Any] | None, digits: int = 5) -> str:
    if value is None or value["mean"] is None:
        return "-"
    spread = "" if value["spread"] is None else f" ±{value['spread']:.2g}"
    return f"{value['mean']:.{digits}g}{spread}"


def seconds_of_methods(directory: Path) -> dict[tuple[str, int | None], float]:
    """CPU seconds of each method at each size, the mean over seeds."""
    timings = directory / "timings.json"
    parts = json.loads(timings.read_text()).get("parts", {}) if timings.exists() else {}
    taken: dict[tuple[str, int | None], list[float]] = {}
    for name, value in parts.items():
        method, *where = name.rsplit(", ", 2)
        if len(where) == 2:  # a predictor's has a seed only
            at = where[1]
            size = None if at == "its own size" else int(at.split(" ")[0])
            taken.setdefault((method, size), []).append(value)
    return {key: sum(values) / len(values) for key, values in taken.items()}
