"""The sections of a comparison: their numbers, and that they can be drawn."""

from __future__ import annotations

from typing import Any

import pytest

from lissnas.reports import SECTIONS, RunData
from lissnas.reports.comparison import spread
from lissnas.reports.summary import summary
from lissnas.reports.write import render

Metrics = dict[str, Any]


def value(mean: float | None, around: float | None = 0.02, reason: str | None = None) -> Metrics:
    return {"mean": mean, "spread": around, "values": [] if mean is None else [mean, mean], "reason": reason}


def line(method: str, mean: float, edits: float, *, front: bool | None = True, left_out: str | None = None) -> Metrics:
    return {
        "method": method,
        "size": "100",
        "left_out": left_out,
        "seeds": 5,
        "cut": 0,
        "queries": 900.0,
        "evaluations": 0.0,
        "stopped": "done",
        "predicted_mean": value(mean + 1),
        "true_mean": value(mean),
        "true_best": value(None, reason="too few"),
        "p_good": value(0.5),
        "shrink_index": value(0.25),
        "diversity": value(edits),
        "coverage_size": value(0.9),
        "true_best_of_all": None,
        "on_front": front,
    }


@pytest.fixture
def metrics() -> Metrics:
    rows = [line("lissnas", 90.0, 3.0), line("naive", 89.0, 4.0), line("<b>bad</b>", 88.0, 2.0, front=False)]
    table = {
        "asked": 100,
        "score": "true_mean",
        "rows": [*rows, line("nse", 91.0, 1.0, front=None, left_out="smaller than 100")],
        "ranking": {
            "ranks": {"lissnas": 1.0, "naive": 2.0, "<b>bad</b>": 3.0},
            "chi2": 10.0,
            "f": None,
            "p": 0.007,
            "critical_difference": 1.48,
            "groups": [["lissnas", "naive"], ["naive", "<b>bad</b>"]],
            "blocks": 5,
        },
        "tests": [{"method": "naive", "difference": -1.0, "better": False, "p": 0.01, "p_holm": 0.02}],
        "why_no_tests": None,
    }
    varied = {key: item for key, item in line("lissnas", 90.0, 3.0).items() if key != "method"}
    return {
        "kind": "compare",
        "space": {"name": "toy", "cardinality": "2187"},
        "metric": {"name": "accuracy", "unit": "%", "higher_is_better": True},
        "predictor": {"kendall": 0.7, "n": 200, "checked_on": "networks that it did not learn from"},
        "predictors": [
            {"predictor": "xgboost", "labels": labels, "kendall": tau, "spearman": 0.8, "r2": 0.5}
            | {"top_overlap": 0.4, "top_5": None, "top_1": None}
            for labels, tau in ((200, 0.6), (200, 0.8), (50, 0.3))
        ],
        "compare": {
            "seeds": 5,
            "control": "lissnas",
            "queries": 1000,
            "pairs": 200,
            "costs": ["size"],
            "higher_is_better": True,
            "checked": True,
            "methods": [
                *({"method": name, "settings": {}, "reason": None} for name in ("lissnas", "naive", "<b>bad</b>", "nse")),
                {"method": "dds", "settings": {}, "reason": "no gene is ordered"},
            ],
            "tables": [table],
            "sensitivity": [
                {"method": "lissnas", "setting": "draws", "value": 5, "default": False, **varied},
                {"method": "lissnas", "setting": "draws", "value": 20, "default": True, **varied},
            ],
        },
    }


def numbers(name: str, metrics: Metrics) -> Any:
    return SECTIONS.get(name).numbers(RunData(metrics))


def test_predictors_by_pairs_are_a_learning_curve(metrics: Metrics) -> None:
    rows = numbers("compare_table", metrics)["predictors"]
    assert [(row["labels"], row["kendall"]) for row in rows] == [("50", "0.300"), ("200", "0.700 ± 0.141")]
    assert rows[1]["top_overlap"] == "40.0 % ± 0.0"
    assert "top_1" not in rows[1]  # so few networks have no best 1%


def test_a_mean_and_its_spread() -> None:
    assert spread(value(93.2149, 0.0449)) == "93.21 ± 0.04"
    assert spread(value(0.4567, 1e-9), "coefficient") == "0.457 ± 0.000"
    assert spread(value(0.123, 0.01), "share") == "12.3 % ± 1.0"
    assert spread(value(5.0, None)) == "5.000"
    assert spread(value(None)) == "–"


def test_the_table_names_control_rank_and_who_is_in_no_test(metrics: Metrics) -> None:
    found = numbers("compare_table", metrics)
    (table,) = found["tables"]
    assert [row["method"] for row in table["rows"]] == ["lissnas (control)", "naive", "<b>bad</b>", "nse"]
    assert (table["rows"][1]["rank"], table["rows"][1]["p_holm"]) == (2.0, 0.02)
    assert "nse is in no test: smaller than 100." in table["notes"]
    assert "No true best: too few (lissnas, naive, <b>bad</b>, nse)." in table["notes"]
    assert found["inapplicable"] == [{"method": "dds", "reason": "no gene is ordered"}]


def test_lines_of_ranks_overlap_where_the_difference_is_not_critical(metrics: Metrics) -> None:
    (figure,) = numbers("compare_ranks", metrics)["figures"]
    first, second, third = figure["rows"]
    assert first["high"] > second["low"]
    assert first["high"] < third["low"]
    assert [row["near"] for row in figure["rows"]] == ["yes", "yes", "no"]


def test_the_front_leaves_out_what_is_not_compared(metrics: Metrics) -> None:
    (figure,) = numbers("compare_front", metrics)["figures"]
    assert [(p["method"], p["front"]) for p in figure["points"]] == [
        ("naive", "on the front"),
        ("lissnas", "on the front"),
        ("<b>bad</b>", "behind it"),
    ]


def test_the_usual_value_is_marked(metrics: Metrics) -> None:
    rows = numbers("compare_sensitivity", metrics)["settings"]["draws"]
    assert [row["shown"] for row in rows] == ["5", "20 (as it is)"]


def test_the_top_says_who_is_best_and_who_cannot_be_told_apart(metrics: Metrics) -> None:
    title, lead, tiles = summary(RunData(metrics))
    assert title == "toy: shrinkers compared by accuracy"
    assert lead[-1] == (
        "At 100 networks the best true mean is that of lissnas, 90.00 ± 0.02. By ranks it cannot be told apart from 1 other."
    )
    assert [tile.value for tile in tiles] == ["2,187", "4", "Kendall τ 0.700"]


def test_the_page_is_drawn_and_names_are_escaped(metrics: Metrics) -> None:
    pytest.importorskip("altair")
    pytest.importorskip("vl_convert")
    html = render(RunData(metrics))
    assert "<b>bad</b>" not in html
    for title in ("Methods side by side", "Which can be told apart", "Quality against diversity", "What each setting does"):
        assert title in html
