"""NAS-Bench-201 from the plain file, whose digits are in an order of their own, and from an official one."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from lissnas import UserError, get_evaluator, get_space
from lissnas.testing import EvaluatorContract


@pytest.fixture
def plain(real_data):
    return get_evaluator("nasbench201")


@pytest.mark.usefixtures("plain")
class TestContract(EvaluatorContract):
    def evaluator(self):
        return get_evaluator("nasbench201")


def test_holds_all_cells(plain):
    assert plain.known is None
    assert len(plain.genotypes) == plain.space.cardinality == 15_625
    assert plain.task == "cifar10-valid"
    assert np.isnan(plain.columns["zc_synflow"]).sum() == 15_625 - 9_445


# The six digits stand for the edges in the order of their starts; the official string has them in the order of their ends.
CELLS = {
    "|skip_connect~0|+|skip_connect~0|skip_connect~1|+|skip_connect~0|skip_connect~1|skip_connect~2|": (39.98, 54.2967),
    "|skip_connect~0|+|skip_connect~0|skip_connect~1|+|skip_connect~0|skip_connect~1|none~2|": (82.47, 84.185),
}


def test_scores_by_official_strings(plain):
    x = plain.space.parse(list(CELLS)[:1])
    assert plain.evaluate(x).tolist() == [39.98]
    assert get_evaluator("nasbench201", task="cifar10-test").evaluate(x).tolist() == [54.2967]


def test_order_of_digits(plain, test_data):
    """A cell without any symmetry: 0->1 is 3x3, 0->2 1x1, 0->3 a skip, 1->2 a pool, 1->3 none, 2->3 3x3."""
    rows = dict(line.split(",")[:2] for line in (test_data / "nasbench201" / "accuracy.csv").read_text().splitlines())
    cell = "|nor_conv_3x3~0|+|nor_conv_1x1~0|avg_pool_3x3~1|+|skip_connect~0|none~1|nor_conv_3x3~2|"
    assert plain.evaluate(plain.space.parse([cell])).tolist() == [float(rows["230412"])]


def test_proxies_agree_with_the_space(plain):
    """Counted by the file's authors, and by the space: parameters in millions, for every cell that has them."""
    listed = plain.columns["zc_params"]
    has = np.isfinite(listed)
    counted = plain.space.cost(plain.genotypes[has]).params / 1e6
    assert np.abs(counted - listed[has]).max() < 1e-5


def test_a_cell_that_passes_nothing_scores_as_chance(plain):
    nothing = plain.space.parse(["|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"])
    assert plain.evaluate(nothing)[0] == pytest.approx(10, abs=0.5)


def test_the_unique_networks_are_scored_too(plain, rng):
    space = get_space("nasbench201-unique")
    x = space.sample(20, rng)
    assert np.array_equal(get_evaluator("nasbench201", space).evaluate(x), plain.evaluate(x))


def test_official_strings_in_a_csv(data_folder, tmp_path):
    (tmp_path / "mine.csv").write_text("arch,c10_val\n" + "".join(f"{cell},{v}\n" for cell, (v, _) in CELLS.items()))
    evaluator = get_evaluator("nasbench201", data=tmp_path / "mine.csv")
    assert evaluator.known.cardinality == 2
    assert evaluator.evaluate(evaluator.space.parse(list(CELLS))).tolist() == [39.98, 82.47]


def test_an_official_file(data_folder, tmp_path):
    cells = list(CELLS)

    def state(accuracy: float) -> dict:
        trial = {
            "eval_acc1es": {"x-valid@199": accuracy, "ori-test@199": accuracy + 1},
            "epochs": 200,
            "flop": 1.0,
            "params": 2.0,
            "latency": [0.01],
            "train_times": {0: 3.0, 1: 4.0},
        }
        return {
            "dataset_seed": {"cifar10-valid": [777], "cifar10": [777]},
            "all_results": {("cifar10-valid", 777): trial, ("cifar10", 777): trial},
        }

    content = {"meta_archs": cells, "arch2infos": {i: {"full": state(50.0 + i)} for i in range(2)}}
    (tmp_path / "NAS-Bench-201-v1_1-096897.pth").write_bytes(pickle.dumps(content))
    evaluator = get_evaluator("nasbench201", data=tmp_path)
    assert evaluator.evaluate(evaluator.space.parse(cells)).tolist() == [50, 51]
    assert get_evaluator("nasbench201", task="cifar10-test").evaluate(evaluator.space.parse(cells)).tolist() == [51, 52]
    assert evaluator.columns["latency_ms"].tolist() == [10, 10]
    with pytest.raises(UserError, match=r"has no 'cifar100-test': it has cifar10-valid, cifar10-test"):
        get_evaluator("nasbench201", task="cifar100-test")


@pytest.mark.parametrize("arch", ["00000", "0000000", "000005"])
def test_a_wrong_architecture_is_named(data_folder, tmp_path, arch):
    (tmp_path / "a.csv").write_text(f"arch,c10_val\n000000,1\n{arch},2\n")
    with pytest.raises(UserError, match=r"a.csv:3: an architecture is six digits from 0 to 4, or an official string, not"):
        get_evaluator("nasbench201", data=tmp_path / "a.csv")
