"""supernet, search, retrain and latency on the command line: the way through, and mistakes in one line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from lissnas.formats import get_space, save_space
from lissnas.spaces import ExplicitSpace

from .conftest import Command

pytest.importorskip("torch")

TINY = [
    "--data-set",
    "train=96",
    "--data-set",
    "validation=100",
    "--set",
    "epochs=1",
    "--set",
    "batch_size=48",
    "--set",
    "ghost=16",
]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("supernet digits-shuffle --set epoch=3", "a recipe has no setting 'epoch': did you mean epochs"),
        ("supernet digits-shuffle --set epochs=0", "epochs must be a whole number, 1 or more, but got 0"),
        ("supernet digits-shuffle --data mnist", "there are no images 'mnist': there are digits, cifar10"),
        ("supernet digits-shuffle --data cifar10", "the data 'cifar10' needs the setting 'folder'"),
        ("supernet digits-shuffle --data-set train=x", "the setting 'train' of the data 'digits' is wrong"),
        ("supernet digits-shuffle --sampler unifrom", "unknown path sampler 'unifrom': did you mean uniform"),
        ("supernet", "which space? Name one (see: lissnas spaces), or a job that has one: --recipe NAME"),
        ("supernet --recipe imagenet-shufflenet", "did you mean imagenet-shufflenetv2"),
        ("supernet --recipe cifar10-nasbench101 --device cpu --data-set folder=nowhere", "nowhere"),
        ("supernet digits-shuffle --shots 0", "'--shots'"),
        ("supernet digits-shuffle --set compile=true", "compile is for networks of their own"),
        ("supernet digits-shuffle --data-set train=0", "train must be 1 image or more, but got 0"),
        ("supernet digits-shuffle --set precision=fp16", "precision fp16 takes a GPU, but the network is on 'cpu'"),
        (
            "supernet digits-shuffle --set learning_rate=fast",
            "the setting 'recipe.learning_rate' is wrong: it must be a number",
        ),
        ("supernet toy.yaml", "'toy' says nothing of layers"),
        ("supernet shufflenetv2", "take images of 3 x 224 x 224 in 1000 classes, but digits has 1 x 8 x 8 in 10"),
        ("search nowhere", "'nowhere' does not exist: give the directory of a run"),
        ("search measured.csv", "does not say what it is of: name its space, --space SPACE"),
        ("search measured.csv --space digits-shuffle", "is no whole safetensors file"),
        ("search .", "is not a run directory"),
        ("retrain measured.csv --space digits-shuffle", "has no column for the gene 'block_0'"),
        ("retrain nothing.csv --space digits-shuffle", "'nothing.csv' does not exist"),
        ("latency toy.yaml --out o.parquet", "'toy' says nothing of layers"),
        ("latency digits-shuffle --out o.parquet --device tpu", "a device is cpu or cuda, but got 'tpu'"),
        ("latency digits-shuffle --out o.parquet --networks 1", "is checked on 2 networks or more, but got --networks 1"),
        ("latency digits-shuffle --out o.csv", "is written as .parquet, but got 'o.csv'"),
        ("latency digits-shuffle --out o.parquet --table measured.csv", "has no column 'gene'"),
    ],
)
def test_mistakes_are_one_line(lissnas: Command, folder: Path, arguments: str, words: str):
    said = lissnas(*arguments.split())
    assert said.code == 2
    assert words in said.err[-1]
    assert not said.out
    assert not (folder / "runs").exists()


def test_one_after_the_other(lissnas: Command, folder: Path):
    assert lissnas("supernet", "digits-shuffle", *TINY, "--out", "s").code == 0
    limits = ["--limit", "flops <= 110e3", "--population", "6", "--generations", "2"]
    found = lissnas("search", "s", *limits, "--out", "f", "--json")
    assert found.code == 0
    numbers = json.loads(found.out)
    assert numbers["search"]["full"]["evaluations"] == 12
    assert numbers["asked"]["data"] == {"name": "digits", "train": 96, "validation": 100}  # as the supernet had them
    refused = lissnas("search", "s", "--supernet", "shrunk")
    assert (refused.code, refused.err[-1]) == (2, "lissnas: 's' has no supernet 'shrunk': it has full, --supernet full")
    refused = lissnas("search", "s", "--space", "f")
    assert (refused.code, refused.err[-1]) == (2, "lissnas: 'f' is a run, not a space: give f/space.parquet")
    refused = lissnas("search", "s", "--method", "nsga2", "--cost", "latency_ms")
    assert "its costs are flops, params; lissnas latency gives it latency_ms" in refused.err[-1]
    refused = lissnas("retrain", "s")
    assert "'s' holds no search yet" in refused.err[-1]
    said = lissnas("retrain", "f", "-n", "2", *TINY[4:], "--out", "r")
    assert said.code == 0
    assert "The best of 2 trained alone: validation" in said.out
    report = (folder / "r" / "report.html").read_text()
    assert "The best of 2 trained alone" in report
    assert "All 2 that were trained alone, as they were given" in report
    assert "shrunk space" not in report
    report = (folder / "f" / "report.html").read_text()
    assert "with inherited weights" in report
    assert "predicted" not in report.partition("What this does not show")[0]
    assert lissnas("resume", "r").code == 0  # there is nothing left to do


def test_a_space_is_searched_by_a_supernet_that_knows_it(lissnas: Command, folder: Path):
    root = get_space("digits-shuffle")
    save_space(ExplicitSpace.of(root, root.sample(60, np.random.default_rng(0))), folder / "small.parquet")
    save_space(root, folder / "all.parquet")
    assert lissnas("supernet", "small.parquet", *TINY, "--out", "s").code == 0
    few = ["--method", "random", "--population", "4", "--generations", "1", "--json"]
    refused = lissnas("search", "s", "--space", "digits-shuffle", *few)
    assert refused.code == 2
    assert "was trained on a shrunk space that does not hold all of 'digits-shuffle'" in refused.err[-1]
    assert lissnas("search", "s", "--space", "digits-shuffle", "--supernet", "shrunk", *few, "--out", "a").code == 0
    assert "shrunk" in json.loads(lissnas("search", "s", "--space", "small.parquet", *few, "--out", "b").out)["search"]
    shutil.copy(folder / "s/supernets/shrunk.safetensors", folder / "s/supernets/full.safetensors")
    asked = json.loads(lissnas("search", "s", "--space", "all.parquet", *few, "--out", "c").out)["asked"]
    assert asked["weights"].endswith("full.safetensors")


def test_a_supernet_is_trained_as_a_job_says_but_for_what_else_is_given(lissnas: Command, folder: Path):
    (folder / "mine.yaml").write_text(
        "space: digits-shuffle\ndata: {name: digits, train: 96, validation: 100}\nshots: 2\nseed: 3\nsampler: balanced\n"
        "supernet: {epochs: 9, batch_size: 32, ghost: 16}\ncalibration: 64\n"
    )
    said = lissnas("supernet", "--recipe", "mine.yaml", "--set", "epochs=1", "--sampler", "uniform", "--out", "s", "--json")
    asked = json.loads(said.out)["asked"]
    assert (asked["shots"], asked["seed"], asked["sampler"], asked["calibration"]) == (2, 3, "uniform", 64)
    assert (asked["recipe"]["epochs"], asked["recipe"]["batch_size"]) == (1, 32)
    assert any("loss" in line and "images/s" in line for line in said.err)


def test_a_latency_that_is_looked_up_is_a_cost_of_the_space(lissnas: Command, folder: Path):
    rows = [
        f"block_{site},{allele},{0.1 * (index + 1)}"
        for site in range(9)
        for index, allele in enumerate(("k1_half", "k1", "k3_half", "k3"))
    ]
    (folder / "phone.csv").write_text("\n".join(["gene,allele,ms", ",,1", *rows, ""]))
    said = lissnas("latency", "digits-shuffle", "--table", "phone.csv", "--out", "phone.parquet", "--json")
    assert json.loads(said.out)["checked"] is None
    assert lissnas("sample", "phone.parquet", "-n", "20", "--limit", "latency_ms <= 3", "--out", "o.csv").code == 0
    header, *lines = (folder / "o.csv").read_text().splitlines()
    place = header.split(",").index("latency_ms")
    assert max(float(line.split(",")[place]) for line in lines) <= 3
    said = lissnas("sample", "phone.parquet", "-n", "20", "--limit", "latency_ms <= 1.5", "--out", "p.csv")
    assert said.err[-1].startswith(
        "lissnas: no architecture of 'digits-shuffle' meets latency_ms <= 1.5: latency_ms goes from 1.9 to 4.6"
    )
