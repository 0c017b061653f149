"""Every command as a new user types it, from a space without scores to a shrunk space that is shrunk again."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

import lissnas as package
from lissnas.formats import load_space, read_space

OPTIONS = {
    "spaces": ["--json"],
    "sample": ["--out", "--number", "--limit", "--seed"],
    "check": ["--json"],
    "export": ["--out", "--number", "--seed"],
    "shrink": [
        "--scores",
        "--score",
        "--lower-is-better",
        "--evaluator",
        "--evaluations",
        "--method",
        "--limit",
        "--size",
        "--budget",
        "--trees",
        "--set",
        "--as-in-paper",
        "--seed",
        "--workers",
        "--out",
        "--json",
    ],
    "run": ["--seed", "--workers", "--out", "--json"],
    "resume": ["--workers", "--json"],
    "report": ["RUN"],
}


@pytest.mark.parametrize("command", OPTIONS)
def test_help_names_every_option(lissnas, command):
    said = lissnas(command, "--help")
    assert said.code == 0
    for option in OPTIONS[command]:
        assert option in said.out
    assert command in lissnas("--help").out


def test_without_a_command_it_says_what_there_is(lissnas):
    assert lissnas().out == lissnas("--help").out


def test_version(lissnas):
    assert lissnas("--version").out.strip() == package.__version__


def test_spaces_are_listed_and_explained(folder, lissnas):
    listed = lissnas("spaces").out
    for name in package.list_spaces():
        assert name in listed
    one = lissnas("spaces", "toy.yaml").out
    assert "2187" in one
    assert "op_0=" in one
    size = lissnas("spaces", "nats-size").out
    assert "alleles                8, 16, 24, 32, 40, 48, 56, 64\n" in size  # in the order of their steps
    assert "benchmarks             nasbench201: cifar10-valid, cifar100-valid" in lissnas("spaces", "nasbench201").out


def test_a_drawing_is_not_written_over(folder, lissnas):
    assert lissnas("spaces", "toy.yaml", "--draw", "toy.svg").code == 0
    said = lissnas("spaces", "toy.yaml", "--draw", "toy.svg")
    assert said.code == 2
    assert said.err == ["lissnas: 'toy.svg' exists already: choose another --draw, or remove it first"]


def test_check_says_what_holds(folder, lissnas):
    said = lissnas("check", "toy.yaml")
    assert said.code == 0
    assert said.err == []
    assert all(line.startswith(("holds", "not checked")) for line in said.out.splitlines())


def rows_of(path):
    with Path(path).open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_sample_holds_different_networks_that_meet_the_limits(folder, lissnas):
    limits = ("--limit", "size <= 32", "--limit", "op_0 == 'pool'")
    said = lissnas("sample", "toy.yaml", "-n", "50", "--out", "new/a.csv", *limits)
    assert said.code == 0
    assert said.err[-1].strip() == "lissnas shrink toy.yaml --scores new/a.csv --score YOUR_COLUMN"
    rows = rows_of("new/a.csv")
    assert len({tuple(row.values()) for row in rows}) == len(rows) == 50
    assert {row["op_0"] for row in rows} == {"pool"}
    assert {row["width"] for row in rows} == {"8", "16"}
    assert {row["size"] for row in rows} == {"16", "32"}
    for seed in ("0", "1"):
        lissnas("sample", "toy.yaml", "-n", "50", "--out", f"{seed}.csv", "--seed", seed, *limits)
    assert Path("0.csv").read_bytes() == Path("new/a.csv").read_bytes() != Path("1.csv").read_bytes()


def test_a_sample_may_be_all_there_is(folder, lissnas):
    assert lissnas("sample", "toy.yaml", "-n", "729", "--limit", "width == 8", "--out", "a.csv").code == 0
    assert len({tuple(row.values()) for row in rows_of("a.csv")}) == 729


def test_export_writes_a_whole_space_or_a_part(folder, lissnas):
    assert lissnas("export", "toy.yaml", "--out", "all.csv").code == 0
    assert len({tuple(row.values()) for row in rows_of("all.csv")}) == 2187
    assert lissnas("export", "toy.yaml", "--out", "some.parquet", "-n", "10").code == 0
    assert lissnas("export", "shufflenetv2", "--out", "large.csv", "-n", "10").code == 0
    assert len(rows_of("large.csv")) == 10


def test_from_a_space_without_scores_to_a_space_that_is_shrunk_again(folder, lissnas):
    assert lissnas("sample", "toy.yaml", "-n", "200", "--out", "to_measure.csv").code == 0
    rows = rows_of("to_measure.csv")
    for number, row in enumerate(rows):  # perplexity: lower is better, so convolutions and width are good
        kinds = [row[f"op_{i}"] for i in range(6)]
        row["perplexity"] = 40 - 3 * kinds.count("conv") - int(row["width"]) / 8 + number * 1e-6
    with Path("measured_now.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=rows[0])
        writer.writeheader()
        writer.writerows(rows)

    scored = ("--scores", "measured_now.csv", "--score", "perplexity", "--lower-is-better", "--trees", "60")
    said = lissnas("shrink", "toy.yaml", *scored, "--budget", "3000", "--limit", "size <= 32", "--out", "one")
    assert said.code == 0
    assert "From 2,187 networks" in said.out
    assert "one/report.html" in said.out
    metrics = json.loads(Path("one/metrics.json").read_text())
    assert metrics["command"].startswith("lissnas shrink toy.yaml --scores measured_now.csv")
    assert metrics["shrink"]["shrunk"]["mean"] < metrics["shrink"]["full"]["mean"]
    shrunk = load_space("one/shrunk.parquet")
    members = np.concatenate(list(shrunk.enumerate()))
    assert 1 < len(members) < 200
    assert read_space("toy.yaml").cost(members)["size"].max() <= 32

    assert lissnas("export", "one/shrunk.parquet", "--out", "shrunk.csv").code == 0
    exported = rows_of("shrunk.csv")
    assert len(exported) == len(members)
    assert {row["width"] for row in exported} <= {"8", "16"}

    again = lissnas("shrink", "one/shrunk.parquet", *scored, "--budget", "3000", "--size", "10", "--out", "two", "--json")
    assert again.code == 0
    smaller = load_space("two/shrunk.parquet")
    assert smaller.cardinality == 10
    assert smaller.root.fingerprint == shrunk.root.fingerprint
    assert shrunk.is_valid(np.concatenate(list(smaller.enumerate()))).all()


def test_an_evaluator_in_the_current_folder(folder, lissnas):
    arguments = "--evaluator bad_evaluators:good --evaluations 60 --budget small --trees 20 --size 30 --out r"
    said = lissnas("shrink", "toy.yaml", *arguments.split())
    assert said.code == 0
    assert said.err[0].startswith("60 true evaluations at ")
    assert load_space("r/shrunk.parquet").cardinality == 30


def test_the_next_free_directory_is_taken(folder, lissnas):
    for number in (1, 2):
        said = lissnas("shrink", "toy.yaml", "--scores", "measured.csv", "--trees", "5", "--budget", "small")
        assert said.code == 0
        assert Path(f"runs/toy-{number}/metrics.json").exists()


@pytest.mark.parametrize("command", ["resume run --json", "spaces toy.yaml --json", "check toy.yaml --json", "spaces --json"])
def test_json_is_one_value_on_stdout(run, lissnas, command):
    said = lissnas(*command.split())
    assert said.code == 0
    assert len(said.out.splitlines()) == 1
    value = json.loads(said.out)
    if command.startswith("resume"):
        assert value["run"] == "run"
        assert value == {"run": "run", **json.loads((run / "metrics.json").read_text())}


def test_a_report_is_drawn_anew_and_the_run_stays_whole(run, lissnas):
    page = (run / "report.html").read_bytes()
    (run / "report.html").write_bytes(b"spoiled")
    said = lissnas("report", "run")
    assert said.code == 0
    assert said.err[-1] == "report: run/report.html"
    assert (run / "report.html").read_bytes() == page
    assert lissnas("resume", "run").code == 0  # the journal knows of it
