"""EC-NAS: the real file, energy included."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lissnas import get_space
from lissnas.errors import UserError
from lissnas.evaluators import get_evaluator
from lissnas.evaluators.ecnas import ECNAS, read_ecnas
from lissnas.evaluators.nasbench101_cells import CellTable
from lissnas.evaluators.readers.nasbench101_payload import read_payload, write_payload
from lissnas.evaluators.readers.tfrecord import Records, write_records
from lissnas.testing import EvaluatorContract


@pytest.fixture(scope="module")
def evaluator(test_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LISSNAS_DATA_DIR", str(tmp_path_factory.mktemp("ecnas")))
        yield get_evaluator("ecnas", data=test_data / "ecnas" / "energy_5V9E.tfrecord")


@pytest.fixture
def real(test_data: Path) -> list[bytes]:
    """The first ten real records."""
    records = iter(Records(test_data / "ecnas" / "energy_5V9E.tfrecord"))
    return [next(records) for _ in range(10)]


def test_it_is_complete(evaluator: CellTable) -> None:
    assert evaluator.space.name == "ecnas"
    assert evaluator.space.cardinality == 2532
    assert evaluator.known is None
    assert all(np.isfinite(values).all() for values in evaluator.columns.values())
    assert set(ECNAS.metrics) < set(evaluator.columns)


def test_the_first_record_is_as_the_general_reader_has_it(evaluator: CellTable, real: list[bytes]) -> None:
    payload = read_payload(real[0])
    cell = evaluator.space.root.from_matrix([payload.adjacency], [payload.operations])  # type: ignore[attr-defined]
    measured = {name: float(values[0]) for name, values in evaluator.measured(cell).items()}
    last = payload.metrics.evaluations[-1]
    assert measured["val_4"] == pytest.approx(100 * last["validation_accuracy"], rel=1e-15)
    assert measured["energy_kwh"] == last["energy"]
    assert measured["co2_g"] == last["co2eq"]
    assert measured["total_energy_kwh"] == payload.metrics.totals["total_energy"] > last["energy"]
    assert measured["official_params"] == payload.metrics.trainable_parameters
    assert evaluator.evaluate(cell) == [measured["val_4"]]


def test_energy_and_time_are_plausible(evaluator: CellTable) -> None:
    columns = evaluator.columns
    kilowatts = columns["energy_kwh"] / (columns["seconds_4"] / 3600)
    assert 0.1 < np.median(kilowatts) < 2
    assert np.corrcoef(columns["energy_kwh"], columns["seconds_4"])[0, 1] > 0.9


def test_parameters_are_those_of_the_space(evaluator: CellTable) -> None:
    counted = evaluator.space.cost(evaluator.genotypes).params
    assert np.mean(counted == evaluator.columns["official_params"]) > 0.98  # spare channels go by the drawing


def test_all_cells_of_nasbench101_as_the_space(test_data: Path, data_folder: Path, rng: np.random.Generator) -> None:
    space = get_space("nasbench101")
    evaluator = get_evaluator("ecnas", space, task="energy_kwh", data=test_data / "ecnas" / "energy_5V9E.tfrecord")
    assert not evaluator.higher_is_better
    assert evaluator.known is not None
    assert evaluator.known.cardinality == 2532
    with pytest.raises(UserError, match="holds no energy_kwh of the architecture"):
        evaluator.evaluate(space.sample(5, rng))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda p: setattr(p, "epochs", 36), "record 3 .* trained for 36 epochs"),
        (lambda p: p.metrics.totals.pop("total_energy"), "record 3 .* holds no total_energy_kwh"),
        (lambda p: p.metrics.evaluations[2].pop("energy"), "record 3 .* holds no energy_kwh"),
    ],
)
def test_other_records_are_refused(real: list[bytes], tmp_path: Path, change: Any, words: str) -> None:
    payload = read_payload(real[3])
    change(payload)
    write_records(tmp_path / "odd.tfrecord", [*real[:3], write_payload(payload), *real[4:]])
    with pytest.raises(UserError, match=words):
        read_ecnas(tmp_path / "odd.tfrecord", get_space("ecnas"), lambda _: None)


def test_a_cell_twice_and_cells_missing(real: list[bytes], tmp_path: Path) -> None:
    write_records(tmp_path / "twice.tfrecord", [*real, real[2]])
    with pytest.raises(UserError, match="a cell twice"):
        read_ecnas(tmp_path / "twice.tfrecord", get_space("ecnas"), lambda _: None)
    said: list[str] = []
    write_records(tmp_path / "part.tfrecord", real)
    assert len(read_ecnas(tmp_path / "part.tfrecord", get_space("ecnas"), said.append)["genotypes"]) == 10
    assert said[0] == "2,522 of 2,532 cells are not in the file"


class TestContract(EvaluatorContract):
    """With the real file."""

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def _data(cls, evaluator: CellTable) -> None:
        cls.evaluator = evaluator
