"""What a comparison is asked to do, and the methods that this means."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from pydantic import ConfigDict, Field

from lissnas.errors import UserError
from lissnas.evaluators import Evaluator, get_evaluator
from lissnas.formats.hints import nearest
from lissnas.predictors import PREDICTORS
from lissnas.predictors.base import MINIMUM
from lissnas.runs.predicting import PredictorConfig, make_predictor
from lissnas.runs.settings import check_settings
from lissnas.runs.shrink import ShrinkConfig, make_evaluator
from lissnas.shrinkers import LISSNAS, SHRINKERS, Shrinker
from lissnas.spaces import SearchSpace

__all__ = [
    "PAPER",
    "CompareConfig",
    "Method",
    "compared_methods",
    "comparison_evaluator",
    "equal_sizes",
    "method_names",
    "variants",
]

PAPER = "lissnas-paper"  # LISSNAS.as_in_paper, beside the names in SHRINKERS
WHOLE = 10**6  # a space below this is shrunk to shares of itself
SHARES = (0.01, 0.05, 0.2)
SIZES = (1000, 10_000, 100_000)

# What can be varied beside a method's own settings: how many pairs are learned from, and by which kind of predictor.
LABELS, KIND = "labels", "predictor"


class CompareConfig(PredictorConfig):
    """What a comparison is asked to do, resolved: every size is a number.

    Attributes:
        evaluations: the pairs that each predictor learns from.
        queries: the budget of each method.
        methods: names, in order; the first is the control of the paired tests, unless lissnas is among them.
        settings: of a method by name.
        vary: setting -> the values that are tried, one setting at a time.
        sizes: the equal sizes.
        seeds: how many.
    """

    model_config = ConfigDict(extra="forbid")

    space: str
    scores: str | None = None
    score: str | None = None
    evaluator: str | None = None
    task: str | None = None
    data: str | None = None
    higher_is_better: bool = True
    evaluations: int = Field(1000, ge=MINIMUM)
    queries: int = Field(100_000, ge=1)
    methods: list[str] = Field(min_length=1)
    settings: dict[str, dict[str, Any]] = Field(default_factory=dict)
    vary: dict[str, list[Any]] = Field(default_factory=dict)
    sizes: list[int] = Field(default_factory=list)
    limits: list[str] = Field(default_factory=list)
    seeds: int = Field(5, ge=2, le=1000)
    seed: int = Field(0, ge=0)
    command: str = ""


@dataclass(frozen=True)
class Method:
    """One row of the comparison: a method with its settings, and the predictor that it is given.

    Attributes:
        name: as the tables call it.
        method: in ``SHRINKERS``, or ``PAPER``.
        settings: that differ from its defaults.
        labels: pairs that the predictor learned from.
        predictor: its kind.
        varied: the setting that this row varies, and to what; None for the row as it was asked.
    """

    name: str
    method: str
    settings: dict[str, Any] = field(default_factory=dict)
    labels: int = 0
    predictor: str = ""
    varied: tuple[str, Any] | None = None

    def has(self, setting: str) -> bool:
        """Whether the method can be given this setting."""
        return _has(self.method, setting)

    def to_dict(self) -> dict[str, Any]:
        """Plain data; ``Method(**d)`` again."""
        return asdict(self)

    def make(self, queries: int, size: int | None, evaluations: int) -> Shrinker:
        """The shrinker, asked for ``size``.

        Raises:
            UserError: a size that cannot come out of the budget, or settings that exclude each other.
        """
        if self.method == PAPER:
            return LISSNAS.as_in_paper(queries=queries, size=size).with_settings(**self.settings)
        kind: Any = SHRINKERS.get(self.method)
        if kind.spends == "evaluations":
            # as many as the others' predictor learned from
            return kind(queries=queries, size=size, evaluations=evaluations, **self.settings)  # type: ignore[no-any-return]
        return kind(queries=queries, size=size, **self.settings)  # type: ignore[no-any-return]


def method_names() -> list[str]:
    """The names of all methods that can be compared."""
    return [*SHRINKERS.names(), PAPER]


def compared_methods(config: CompareConfig) -> list[Method]:
    """The rows of the comparison, in order: each method as it was asked, and one row for each value that is varied.

    A value that is the method's own already has no row: the method's first row is it.

    Raises:
        UserError: unknown methods or settings, a value of the wrong type, a setting that no method has.
    """
    for name in config.methods:
        if name != PAPER:
            SHRINKERS.get(name)
    for name, settings in config.settings.items():
        if name not in config.methods:
            raise UserError(
                f"--set {name}.{next(iter(settings))} is for a method that is not compared: {nearest(name, config.methods)}"
            )
        _check(name, settings)
    for setting in config.vary:
        if setting not in (LABELS, KIND) and not any(_has(name, setting) for name in config.methods):
            known = sorted(
                {LABELS, KIND, *(known for name in config.methods for known in inspect.signature(_kind(name)).parameters)}
            )
            raise UserError(f"none of the methods has a setting '{setting}' to vary: {nearest(setting, known)}")
    make_predictor(config)
    rows = [Method(n, n, dict(config.settings.get(n, {})), config.evaluations, config.predictor) for n in config.methods]
    return [method for row in rows for method in (row, *variants(row, config.vary, config.queries))]


def variants(row: Method, vary: Mapping[str, Sequence[Any]], queries: int) -> Iterator[Method]:
    """The rows that differ from ``row`` in one setting."""
    for setting, values in vary.items():
        for value in values:
            name = f"{row.method} {setting}={value}"
            if setting == LABELS:
                if isinstance(value, bool) or not isinstance(value, int) or value < MINIMUM:
                    raise UserError(f"labels must be whole numbers from {MINIMUM} on, but got {value!r}")
                if value != row.labels:
                    yield Method(name, row.method, row.settings, value, row.predictor, (setting, value))
            elif setting == KIND:
                if value != row.predictor:
                    PREDICTORS.get(str(value))
                    yield Method(name, row.method, row.settings, row.labels, str(value), (setting, value))
            elif row.has(setting):
                _check(row.method, {setting: value})
                varied = Method(name, row.method, {**row.settings, setting: value}, row.labels, row.predictor, (setting, value))
                if repr(varied.make(queries, None, row.labels)) != repr(row.make(queries, None, row.labels)):
                    yield varied


def comparison_evaluator(config: CompareConfig, space: SearchSpace) -> Evaluator:
    """What knows true scores: the evaluator, or the file of scores."""
    if config.scores is not None:
        return get_evaluator(
            "scores", space.root, path=config.scores, score=config.score, higher_is_better=config.higher_is_better
        )
    wanted = {name: getattr(config, name) for name in ("space", "evaluator", "task", "data", "higher_is_better")}
    return make_evaluator(ShrinkConfig(**wanted), space)


def equal_sizes(space: SearchSpace) -> list[int]:
    """The sizes at which all methods are compared: shares of a space below 10^6, else 10^3, 10^4 and 10^5."""
    if space.cardinality >= WHOLE:
        return list(SIZES)
    return sorted({max(1, round(share * space.cardinality)) for share in SHARES})


def _kind(method: str) -> type[Shrinker]:
    kind: type[Shrinker] = LISSNAS if method == PAPER else SHRINKERS.get(method)
    return kind


def _has(method: str, setting: str) -> bool:
    """Whether a method can be given this setting."""
    return setting in inspect.signature(_kind(method)).parameters


def _check(method: str, settings: Mapping[str, Any]) -> None:
    kind = _kind(method)
    taken = {"queries": "--budget", "size": "--sizes"}
    if kind.spends == "evaluations":
        taken |= {"evaluations": "--evaluations", "predictor": "--predictor"}
    check_settings(kind, method, settings, taken=taken)
    for name, value in settings.items():
        if name in inspect.signature(kind).parameters and callable(value):
            raise UserError(f"the setting '{name}' of '{method}' is a function, which only a script can give: leave it out")
