"""The uniform sample of NAS-Bench-101: what it knows, and what it says of sets of cells."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lissnas import get_space
from lissnas.errors import UserError
from lissnas.evaluators import get_evaluator
from lissnas.evaluators.nasbench101_sample import NASBench101Sample
from lissnas.spaces import ExplicitSpace
from lissnas.testing import EvaluatorContract

SPACE = get_space("nasbench101")


@pytest.fixture(scope="module")
def sample(test_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LISSNAS_DATA_DIR", str(tmp_path_factory.mktemp("sample")))
        yield get_evaluator("nasbench101-sample", data=test_data / "nasbench101" / "sample20k.csv")


def test_all_cells_of_the_file_are_known(sample: NASBench101Sample, test_data: Path) -> None:
    assert sample.known is not None
    assert sample.known.cardinality == 20_001
    with (test_data / "nasbench101" / "sample20k.csv").open() as file:
        rows = list(csv.DictReader(file))[::500]
    cells = SPACE.from_matrix(
        [np.array(list(row["adj"]), dtype=int).reshape(2 * [round(len(row["adj"]) ** 0.5)]) for row in rows],
        [row["ops"].split(",") if row["ops"] else [] for row in rows],
    )
    assert SPACE.official_hash(cells) == [row["hash"] for row in rows]
    measured = sample.measured(cells)
    for epochs in (4, 12, 36, 108):
        expected = [100 * float(row[f"val_{epochs}"]) for row in rows]
        np.testing.assert_allclose(measured[f"val_{epochs}"], expected, rtol=1e-14)
    np.testing.assert_array_equal(measured["seconds_108"], [float(row["seconds_108"]) for row in rows])
    np.testing.assert_array_equal(sample.evaluate(cells), measured["val_108"])


def test_the_first_cell(sample: NASBench101Sample) -> None:
    """The cell of which both repeats are published: validation .92642 and .92418, and here a third, .930489."""
    cell = SPACE.from_matrix(
        np.array(list("0110010000100000000100000101000001000000010000000"), dtype=int).reshape(7, 7),
        ["conv3x3-bn-relu", "conv3x3-bn-relu", "maxpool3x3", "conv3x3-bn-relu", "conv1x1-bn-relu"],
    )
    assert SPACE.official_hash(cell) == ["00005c142e6f48ac74fdcf73e3439874"]
    assert sample.evaluate(cell) == pytest.approx([93.0489])


def test_another_source_has_the_same_trainings(sample: NASBench101Sample, test_data: Path) -> None:
    """One of the trainings that NASLib lists of a cell is the one that is here."""
    with (test_data / "nasbench101" / "labelled_cells.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["source"] == "naslib_zc_early"]
    listed: dict[str, set[str]] = {}
    for row in rows:
        listed.setdefault(row["hash"], set()).add(f"{float(row['val']):.6f}")
    drawn = {row["hash"]: row for row in rows}
    sizes = [round(len(row["adj"]) ** 0.5) for row in drawn.values()]
    matrices = [np.array(list(row["adj"]), dtype=int).reshape(n, n) for row, n in zip(drawn.values(), sizes, strict=True)]
    cells = SPACE.from_matrix(matrices, [row["ops"].split(",") for row in drawn.values()])
    known = np.flatnonzero(sample.knows(cells))
    scores = sample.evaluate(cells[known]) / 100
    same = [f"{score:.6f}" in list(listed.values())[row] for row, score in zip(known, scores, strict=True)]
    assert len(same) >= 15
    assert np.mean(same) > 0.5  # the list has not all of a cell's trainings


def test_it_says_what_it_knows(sample: NASBench101Sample, rng: np.random.Generator) -> None:
    cells = SPACE.sample(20_000, rng)
    known = sample.knows(cells)
    assert known.mean() == pytest.approx(20_001 / 423_624, abs=0.005)
    with pytest.raises(UserError, match="holds no val_108 of the architecture") as refused:
        sample.evaluate(cells[~known][:3])
    assert SPACE.format(cells[~known][:1])[0] in str(refused.value)


def test_a_space_is_estimated_from_its_labelled_members(sample: NASBench101Sample, rng: np.random.Generator) -> None:
    cells = SPACE.sample(8000, rng)
    part = ExplicitSpace.of(SPACE, cells)
    of_space, of_cells = sample.estimate(part), sample.estimate(np.concatenate([cells, cells[:100]]))
    assert of_space == of_cells
    assert of_space.size == part.cardinality
    assert of_space.labelled == np.count_nonzero(sample.knows(part.genotypes))
    assert of_space.mean == pytest.approx(sample.evaluate(part.genotypes[sample.knows(part.genotypes)]).mean())
    whole = sample.estimate(SPACE)
    assert (whole.labelled, whole.size) == (20_001, 423_624)
    assert whole.mean == pytest.approx(91.04, abs=0.01)
    assert sample.known is not None
    everything = sample.estimate(sample.known)
    assert everything.low == everything.mean == everything.high


def test_intervals_hold_the_mean_as_often_as_they_say(rng: np.random.Generator) -> None:
    """The labels of some sets, and of these a uniform share: 95 of 100 intervals hold the mean of the set."""

    class Made(NASBench101Sample):
        def __init__(self, scores: np.ndarray, size: int) -> None:
            self.scores, self.size = scores, size

        def _scores_within(self, cells: object) -> tuple[np.ndarray, int]:
            return self.scores, self.size

    hits = 0
    for _ in range(1000):
        true = 94 - rng.gamma(2.0, 1.0, size=400)
        found = Made(rng.choice(true, 100, replace=False), 400).estimate(SPACE)
        assert found.low is not None
        assert found.high is not None
        hits += found.low <= true.mean() <= found.high
    assert 925 <= hits <= 975


def test_few_labels_are_no_result(sample: NASBench101Sample, rng: np.random.Generator) -> None:
    found = sample.estimate(SPACE.sample(300, rng))
    assert (found.mean, found.low, found.high) == (None, None, None)
    assert found.labelled < 50
    assert str(found).startswith("no result: ")
    with pytest.raises(UserError, match="at least one"):
        sample.estimate(SPACE.sample(1, rng)[:0])
    with pytest.raises(UserError, match="between 0 and 1"):
        sample.estimate(SPACE, confidence=95)
    with pytest.raises(UserError, match="cells of 'nasbench101'"):
        sample.estimate(get_space("nasbench201"))


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("xyz,0100,,0.5", "a.csv:2: the hash of this cell is"),
        ("xyz,01000,,0.5", "a.csv:2: 'adj' must be a square matrix"),
        ("xyz,0102,,0.5", "a.csv:2: 'adj' must be a square matrix"),
        ('xyz,010001000,"conv5x5",0.5', "a.csv:2: 'adj' must be a square matrix"),
        ("xyz,0000,,0.5", "cells of 2 vertices: row 0: no way"),
    ],
)
def test_mistakes_in_the_file_are_named(tmp_path: Path, data_folder: Path, row: str, words: str) -> None:
    (tmp_path / "a.csv").write_text(f"hash,adj,ops,val_108\n{row}\n")
    with pytest.raises(UserError) as refused:
        get_evaluator("nasbench101-sample", data=tmp_path / "a.csv")
    assert words in str(refused.value)


def test_another_file(tmp_path: Path, data_folder: Path) -> None:
    (tmp_path / "a.csv").write_text("arch,val\nx,1\n")
    with pytest.raises(UserError, match="has no column 'hash'"):
        get_evaluator("nasbench101-sample", data=tmp_path / "a.csv")
    with pytest.raises(UserError, match="lissnas data add nasbench101-sample FILE"):
        get_evaluator("nasbench101-sample")


class TestContract(EvaluatorContract):
    """With the real sample."""

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def _data(cls, sample: NASBench101Sample) -> None:
        cls.evaluator = sample
