"""From the rows of a comparison, one per method, seed and size, to its tables, tests and front."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lissnas.quality.ranking import paired_tests, rank_methods
from lissnas.runs.compare_config import KIND, LABELS, CompareConfig, Method
from lissnas.spaces import SearchSpace

__all__ = ["summarize_rows"]

Row = dict[str, Any]
CONTROL = "lissnas"  # what the others are tested against, where it is compared


def summarize_rows(
    rows: Sequence[Row],
    methods: Sequence[tuple[Method, str]],
    config: CompareConfig,
    space: SearchSpace,
    higher_is_better: bool,
    checked: bool,
) -> dict[str, Any]:
    """The numbers of the report.

    Args:
        rows: as ``comparing.shrink`` makes them.
        methods: all that were asked for, with the reason why one does not apply.
        checked: whether true scores are known.
    """
    applying = [method for method, reason in methods if not reason]
    control = next((method.name for method in applying if method.method == CONTROL), applying[0].name)
    tables = [
        _table(
            [row for row in rows if row["asked"] == asked], applying, asked, control, config.seeds, higher_is_better, checked
        )
        for asked in (None, *config.sizes)
    ]
    return {
        "seeds": config.seeds,
        "control": control,
        "queries": config.queries,
        "pairs": config.evaluations,
        "costs": list(space.cost_names),
        "higher_is_better": higher_is_better,
        "checked": checked,
        "methods": [
            {"method": method.name, "settings": method.settings, "reason": reason or None} for method, reason in methods
        ],
        "tables": tables,
        "sensitivity": _sensitivity(tables, applying, config),
    }


def _table(
    rows: Sequence[Row], methods: Sequence[Method], asked: int | None, control: str, seeds: int, higher: bool, checked: bool
) -> dict[str, Any]:
    """One size: a row per method, with the tests between them."""
    lines = []
    for method in methods:
        own = [row for row in rows if row["method"] == method.name]
        if own:
            lines.append({"method": method.name, **_line(own, asked, seeds, higher)})
    fit = [line for line in lines if line["left_out"] is None]
    measured = checked and all(line["true_mean"]["values"] for line in fit)
    score = "true_mean" if measured and fit else "predicted_mean"
    for line in lines:
        line["on_front"] = _on_front(line, fit, score, higher)
    return {"asked": asked, "score": score, "rows": lines, **_tests(fit, score, control, higher)}


def _line(rows: Sequence[Row], asked: int | None, seeds: int, higher: bool) -> dict[str, Any]:
    """A method at one size: mean and spread over its seeds."""
    there = [row for row in rows if row["missing"] is None]
    missing = [row["missing"] for row in rows if row["missing"] is not None]
    sizes = [int(row["size"]) for row in there]
    left_out = None
    if missing:
        left_out = f"{len(missing)} of {seeds} seeds gave nothing: {missing[0]}"
    elif asked is not None and min(sizes) < asked:
        left_out = f"smaller than {asked:,}"
    names = list(there[0]["statistics"]) if there else []
    reasons = {name: reason for row in there for name, reason in row["reasons"].items()}
    found: dict[str, Any] = {
        name: _spread([row["statistics"][name] for row in there], reasons.get(name), len(rows)) for name in names
    }
    for name in ("predicted_mean", "true_mean"):
        found.setdefault(name, _spread([], missing[0] if missing else None, len(rows)))
    # a size past what JSON readers hold is text
    size = str(round(sum(sizes) / len(sizes))) if sizes else None
    paid = {
        name: round(float(np.mean([row[name] for row in there])), 1) if there else None for name in ("queries", "evaluations")
    }
    stopped = there[0]["stopped"] if there else None
    cut = sum(row["cut_from"] is not None for row in there)
    best = [row["statistics"]["true_best"] for row in there if row["statistics"]["true_best"] is not None]
    found["true_best_of_all"] = (max(best) if higher else min(best)) if best else None
    return {"size": size, "left_out": left_out, "seeds": len(there), "cut": cut, **paid, "stopped": stopped, **found}


def _spread(values: Sequence[float | None], reason: str | None, expected: int) -> dict[str, Any]:
    """Mean and standard deviation over seeds; nothing where a seed has no value."""
    known = [value for value in values if value is not None]
    if not known or len(known) < expected:
        return {"mean": None, "spread": None, "values": [], "reason": reason or "not every seed has a value"}
    # equal values have none, whatever the last digit of their mean
    spread = None if len(known) < 2 else float(np.std(known, ddof=1)) if np.ptp(known) > 0 else 0.0
    return {"mean": float(np.mean(known)), "spread": spread, "values": known, "reason": reason}


def _tests(lines: Sequence[Mapping[str, Any]], score: str, control: str, higher: bool) -> dict[str, Any]:
    """Friedman and Nemenyi between all, and each against the control."""
    names = [line["method"] for line in lines if line[score]["values"]]
    if len(names) < 2:
        return {"ranking": None, "tests": None, "why_no_tests": f"{len(names)} of the methods can be compared, and it takes 2"}
    values = np.array([line[score]["values"] for line in lines if line[score]["values"]]).T
    values = values if higher else -values
    ranking = rank_methods(values)
    found: dict[str, Any] = {
        "ranking": {
            "ranks": dict(zip(names, ranking.ranks.tolist(), strict=True)),
            "chi2": ranking.chi2,
            "f": ranking.f,
            "p": ranking.p,
            "critical_difference": ranking.critical_difference,
            "groups": [[names[method] for method in group] for group in ranking.groups],
            "blocks": ranking.blocks,
        },
        "tests": None,
        "why_no_tests": None,
    }
    if control not in names:
        found["why_no_tests"] = f"{control}, which the others are tested against, is not among what can be compared"
        return found
    sign = 1.0 if higher else -1.0
    found["tests"] = [
        {"method": names[t.method], "difference": sign * t.difference, "better": t.difference > 0, "p": t.p, "p_holm": t.p_holm}
        for t in paired_tests(values, names.index(control))
    ]
    return found


def _on_front(line: Mapping[str, Any], others: Sequence[Mapping[str, Any]], score: str, higher: bool) -> bool | None:
    """Whether no other has as good a mean and as much diversity, and more of one; None where the line has no such point."""
    if line["left_out"] is not None or line[score]["mean"] is None or line["diversity"]["mean"] is None:
        return None
    sign = 1.0 if higher else -1.0

    def place(row: Mapping[str, Any]) -> tuple[float, float]:
        return sign * row[score]["mean"], row["diversity"]["mean"]

    mine = place(line)
    for other in others:
        if other[score]["mean"] is None or other["diversity"]["mean"] is None:
            continue
        theirs = place(other)
        if theirs[0] >= mine[0] and theirs[1] >= mine[1] and theirs != mine:
            return False
    return True


def _sensitivity(tables: Sequence[Mapping[str, Any]], methods: Sequence[Method], config: CompareConfig) -> list[Row]:
    """One row per setting, value and method, at the method's own size; the value that it has anyway among them."""
    lines = {line["method"]: line for line in tables[0]["rows"]}
    found: list[Row] = []
    for base in (method for method in methods if method.varied is None):
        for setting in config.vary:
            if setting not in (LABELS, KIND) and not base.has(setting):
                continue
            rows = [
                (m.varied[1], m.name, False) for m in methods if m.varied and m.method == base.method and m.varied[0] == setting
            ]
            usual = base.labels if setting == LABELS else base.predictor if setting == KIND else _usual(base, setting, config)
            for value, name, default in sorted([*rows, (usual, base.name, True)], key=_by_value):
                if name in lines:
                    line = {key: value for key, value in lines[name].items() if key != "method"}
                    found.append({"method": base.method, "setting": setting, "value": value, "default": default, **line})
    return found


def _usual(base: Method, setting: str, config: CompareConfig) -> Any:
    return getattr(base.make(config.queries, None, base.labels), setting)


def _by_value(row: tuple[Any, str, bool]) -> tuple[int, float, str]:
    value = row[0]
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return 0, float(value), ""
    return 1, 0.0, str(value)
