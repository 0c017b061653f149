"""The numbers of each section, without a drawing package."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from lissnas.reports import SECTIONS, RunData
from lissnas.reports.sections import asked, cost_scatter, edf
from lissnas.reports.summary import summary
from lissnas.reports.verdict import verdicts

Metrics = dict[str, Any]
ALWAYS = {"asked", "notes"}
MAIN_ONLY = {"search_front", "supernets", "final"}
COMPARE_ONLY = {"compare_table", "compare_ranks", "compare_front", "compare_sensitivity"}


@pytest.fixture(autouse=True)
def no_drawing_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "altair", None)
    monkeypatch.setitem(sys.modules, "vl_convert", None)


def numbers(name: str, metrics: Metrics) -> Any:
    return SECTIONS.get(name).numbers(RunData(metrics))


def test_a_run_without_numbers_has_only_what_was_asked_and_how_to_read_it() -> None:
    assert {name for name in SECTIONS.names() if numbers(name, {"kind": "shrink"}) is not None} == ALWAYS


def test_a_shrink_run_has_every_section_but_those_of_training(shrink_metrics: Metrics, main_metrics: Metrics) -> None:
    everything = set(SECTIONS.names()) - COMPARE_ONLY
    assert {name for name in everything if numbers(name, shrink_metrics) is not None} == everything - MAIN_ONLY
    assert {name for name in everything if numbers(name, main_metrics) is not None} == everything


def test_numbers_change_nothing(main_metrics: Metrics) -> None:
    import copy

    before = copy.deepcopy(main_metrics)
    for name in SECTIONS.names():
        numbers(name, main_metrics)
    assert main_metrics == before


def test_asked_says_space_score_limits_and_seed(shrink_metrics: Metrics) -> None:
    found = numbers("asked", shrink_metrics)
    facts = dict(found["facts"])
    assert facts["Space"].startswith("gpt-s: 1.9 trillion networks")
    assert facts["Score"] == "perplexity, lower is better"
    assert facts["Limits"] == "latency_ms <= 150"
    assert facts["Seed"] == "0"
    assert {"setting": "predictor.trees", "value": 800} in found["settings"]


def test_outcome_has_the_factor_and_the_spaces(main_metrics: Metrics) -> None:
    found = numbers("outcome", main_metrics)
    assert (found["before"], found["after"], found["factor"]) == (262_144, 10_000, 26.2144)
    assert [row["space"] for row in found["rows"]] == ["Full space", "Naive sample", "Shrunk space"]
    assert found["within_limits"] is None
    main_metrics["shrink"]["full"]["cardinality"] = "100000"
    assert numbers("outcome", main_metrics)["within_limits"] == 100_000


def test_the_way_down_reads_sizes_past_what_json_numbers_hold(shrink_metrics: Metrics) -> None:
    shrink_metrics["shrink"]["iterations"][0]["size"] = str(13**21)
    assert numbers("way_down", shrink_metrics)["iterations"][0]["size"] == 13**21


def test_the_shrink_index_stands_with_what_was_possible(shrink_metrics: Metrics) -> None:
    found = numbers("shrink_index", shrink_metrics)
    assert found["most"] == pytest.approx(1 - 0.2639, abs=1e-4)  # P(at least 2 of 10) where a tenth is good
    assert (found["final"]["p_full"], found["final"]["p_shrunk"]) == (0.1, 0.2214)


def test_edf_curves_end_at_one_and_quantiles_are_scores_of_the_run(shrink_metrics: Metrics) -> None:
    found = numbers("edf", shrink_metrics)
    for name in ("full", "naive", "shrunk"):
        steps = [step for step in found["steps"] if step["space"] == name]
        assert len(steps) == 200
        assert steps[-1]["share"] == 1.0
        assert [s["share"] for s in steps] == sorted(s["share"] for s in steps)
    for row in found["quantiles"]:
        assert row["50 %"] in shrink_metrics["edf"][row["space"]]
    assert [test["pair"] for test in found["tests"]] == ["shrunk against full", "shrunk against naive"]


def test_small_pockets_share_a_colour(main_metrics: Metrics) -> None:
    found = numbers("cost_scatter", main_metrics)
    groups = [row["group"] for row in found["rows"]]
    assert groups == ["full space", *(f"pocket {i}" for i in range(7)), "other pockets"]
    assert sum(row["n"] for row in found["rows"]) == 2000
    main_metrics["cost_scatter"]["pockets"] = None  # not counted
    assert [row["group"] for row in numbers("cost_scatter", main_metrics)["rows"]] == ["full space", "shrunk space"]


def test_a_space_without_costs_has_no_scatter(main_metrics: Metrics) -> None:
    main_metrics["cost_scatter"] = None
    assert numbers("cost_scatter", main_metrics) is None


def test_pairs_come_best_measured_first(shrink_metrics: Metrics) -> None:
    found = numbers("predicted_measured", shrink_metrics)
    measured = [pair["measured"] for pair in found["pairs"]]
    assert measured == sorted(measured)  # lower is better
    assert found["row"]["n"] == 800


def test_the_best_network_is_cut_into_blocks(shrink_metrics: Metrics) -> None:
    found = numbers("best_network", shrink_metrics)
    assert found["whole"] == {"embed": 768, "layers": 11, "bias": True}
    assert len(found["blocks"]) == 11
    assert set(found["blocks"][3]["alleles"]) == {"heads", "mlp"}
    assert found["scores"] == [{"what": "predicted", "value": 25.8123}]


def test_a_network_without_repeated_genes_is_no_chain(shrink_metrics: Metrics) -> None:
    shrink_metrics["best"]["genes"] = {"width": 3, "op_2": "skip"}
    found = numbers("best_network", shrink_metrics)
    assert found["blocks"] == []
    assert found["whole"] == {"width": 3, "op_2": "skip"}


def test_final_networks_come_ours_first(main_metrics: Metrics) -> None:
    main_metrics["final"] = dict(reversed(main_metrics["final"].items()))
    found = numbers("final", main_metrics)
    assert [row["short"] for row in found["rows"]] == ["ours", "full space", "random"]
    assert [row["evaluations"] for row in found["search"]] == [500, 500]


def test_notes_say_what_was_only_predicted(shrink_metrics: Metrics) -> None:
    shrink_metrics["learned_costs"] = {"latency_ms": {"r2": 0.95, "kendall": 0.9, "n": 800}}
    shrink_metrics["notes"] = ["one more"]
    notes = " ".join(numbers("notes", shrink_metrics)["notes"])
    for words in ("predictions, not measurements", "best network's score is predicted", "latency_ms is learned", "one more"):
        assert words in notes


@pytest.mark.parametrize(
    ("kind", "change", "improved", "words"),
    [
        ("shrink", {}, True, "is a better one by the predictor that shrank it: its predicted mean is 27.74 against 32.32"),
        ("shrink", {"mean": 33.0}, False, "is not a better one: its predicted mean is 33.00 against 32.32"),
        ("main", {"mean": 90.0}, False, "is not a better one"),
    ],
)
def test_the_verdict_on_the_space(
    shrink_metrics: Metrics, main_metrics: Metrics, kind: str, change: Metrics, improved: bool, words: str
) -> None:
    metrics = {"shrink": shrink_metrics, "main": main_metrics}[kind]
    metrics["shrink"]["shrunk"] |= change
    verdict = verdicts(RunData(metrics))[0]
    assert verdict.improved is improved
    assert words in verdict.sentence
    assert verdict.sentence in summary(RunData(metrics))[1]


def test_an_index_that_may_be_zero_is_no_improvement(shrink_metrics: Metrics) -> None:
    shrink_metrics["shrink"]["shrunk"]["shrink_index"] |= {"low": -0.01}
    assert verdicts(RunData(shrink_metrics))[0].improved is None


@pytest.mark.parametrize(
    ("test", "p_value", "improved", "words"),
    [
        (98.06, 0.61, None, "No clear difference"),
        (99.5, 0.003, True, "beats the best"),
        (95.0, 0.049, False, "No improvement"),
    ],
)
def test_the_verdict_on_the_network(
    main_metrics: Metrics, test: float, p_value: float, improved: bool | None, words: str
) -> None:
    main_metrics["final"]["ours"]["test"] = test
    main_metrics["final"]["paired"]["full_search"]["p_value"] = p_value
    verdict = verdicts(RunData(main_metrics))[-1]
    assert verdict.improved is improved
    assert words in verdict.sentence
    assert f"7 images that it alone gets right against 5 (McNemar's exact test, p = {p_value:.3}" in verdict.sentence


def test_a_weak_predictor_is_said_first(shrink_metrics: Metrics) -> None:
    shrink_metrics["predictor"]["kendall"] = 0.12
    assert verdicts(RunData(shrink_metrics))[0].sentence.startswith(
        "The predictor is weak: its Kendall τ on held-out networks is 0.120."
    )


def test_headlines(main_metrics: Metrics) -> None:
    title, lead, tiles = summary(RunData(main_metrics))
    assert title == "digits-shuffle: a smaller space for accuracy"
    assert lead[0] == "From 262,144 networks to 10,000."
    assert {tile.label: tile.value for tile in tiles}["Best network, retrained"] == "98.06"
    assert [tile.value for tile in tiles][:1] == ["262,144 → 10,000"]


@pytest.mark.parametrize(
    ("change", "improved", "words"),
    [
        ({}, None, "Neither supernet is shown to rank networks better"),
        (
            {"value": 0.2, "low": 0.1, "high": 0.3},
            True,
            "ranks networks better than that of the full one: Kendall τ 0.391 against",
        ),
        ({"value": -0.2, "low": -0.3, "high": -0.1}, False, "ranks networks worse than that of the full one"),
    ],
)
def test_the_supernets_are_judged_whoever_wins(
    main_metrics: Metrics, change: Metrics, improved: bool | None, words: str
) -> None:
    main_metrics["supernet_difference"] |= change
    found = [v for v in verdicts(RunData(main_metrics)) if words in v.sentence]
    assert [v.improved for v in found] == [improved]
    assert words in SECTIONS.get("supernets").numbers(RunData(main_metrics))["verdict"][0]


def test_a_front_without_costs_has_its_table_still(main_metrics: Metrics) -> None:
    for found in main_metrics["search"].values():
        found["costs"], found["front"] = [], found["front"][:1]
    section = SECTIONS.get("search_front")
    assert "<table" in section.draw(section.numbers(RunData(main_metrics)))


def test_predicted_scores_are_called_so_unless_a_benchmark_knows_them(main_metrics: Metrics) -> None:
    data = RunData(main_metrics)
    assert data.drawn_label == "predicted accuracy (%)"
    assert edf.numbers(data)["metric"] == cost_scatter.numbers(data)["metric"] == "predicted accuracy (%)"
    main_metrics["shrink"]["shrunk"]["source"] = "true"
    assert RunData(main_metrics).drawn_label == "accuracy (%)"


def test_limits_of_a_whole_job_are_those_of_its_searches(main_metrics: Metrics) -> None:
    main_metrics["asked"]["limits"] = ["flops <= 3"]
    assert dict(asked.numbers(RunData(main_metrics))["facts"])["Limits of the searches"] == "flops <= 3"
