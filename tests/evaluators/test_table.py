"""The evaluator of a table: what it holds is a gather away, and what it does not hold is said."""

from __future__ import annotations

import numpy as np
import pytest

from lissnas import UserError, get_evaluator, get_space
from lissnas.evaluators import store
from lissnas.evaluators.table import TableEvaluator
from lissnas.spaces import ExplicitSpace, RestrictedSpace
from lissnas.testing import EvaluatorContract

NAME = "transnasbench101-micro"


@pytest.fixture
def micro(data_folder, micro_csv) -> TableEvaluator:
    return get_evaluator(NAME, data=micro_csv)


def in_file(micro_csv) -> dict[str, list[float]]:
    lines = [line.split(",") for line in micro_csv.read_text().splitlines()[1:]]
    return {arch: [float(cell) if cell else np.nan for cell in cells] for arch, *cells in lines}


@pytest.mark.usefixtures("micro")
class TestWhole(EvaluatorContract):
    def evaluator(self):
        return get_evaluator(NAME)


@pytest.mark.usefixtures("micro")
class TestPartial(EvaluatorContract):
    def evaluator(self):
        return get_evaluator(NAME, task="class_scene_best")


@pytest.mark.usefixtures("micro")
class TestPartOfTheSpace(EvaluatorContract):
    def evaluator(self):
        space = RestrictedSpace(get_space(NAME), {"edge_0_1": [2, 3], "edge_2_3": [0, 1]})
        return get_evaluator(NAME, space, task="class_scene_best")


def test_gives_what_the_file_says(micro, micro_csv, rng):
    x = micro.space.sample(500, rng)
    expected = in_file(micro_csv)
    digits = ["".join(map(str, row)) for row in x.tolist()]
    assert micro.evaluate(x).tolist() == [expected[d][0] for d in digits]
    assert get_evaluator(NAME, task="jigsaw").evaluate(x).tolist() == [expected[d][1] for d in digits]


def test_a_whole_table_knows_all(micro):
    assert micro.known is None
    assert micro.is_free
    assert len(micro.genotypes) == 4096


def test_a_partial_metric_knows_some(micro):
    best = get_evaluator(NAME, task="class_scene_best")
    assert best.known.cardinality == 1024
    assert (best.known.genotypes[:, 0] == 3).all()
    with pytest.raises(UserError, match=r"holds no class_scene_best of the architecture .*-0_00_000.*it has that of 1,024"):
        best.evaluate(best.space.parse(["300000", "000000"]))
    assert best.evaluations == 0


def test_a_part_of_the_space(micro, rng):
    root = get_space(NAME)
    part = RestrictedSpace(root, {"edge_0_1": [3]})
    best = get_evaluator(NAME, part, task="class_scene_best")
    assert best.known is None
    assert np.isfinite(best.evaluate(part.sample(50, rng))).all()
    with pytest.raises(UserError, match="no canonical architecture"):
        best.evaluate(root.parse(["000000"]))
    few = ExplicitSpace.of(root, root.parse(["000000", "111111"]))
    with pytest.raises(UserError, match="no class_scene_best of any architecture"):
        _ = get_evaluator(NAME, few, task="class_scene_best").known


def test_all_numbers_of_some(micro):
    numbers = micro.measured(micro.space.parse(["000000", "333333"]))
    assert list(numbers) == ["class_scene", "jigsaw", "class_scene_best"]
    assert np.isnan(numbers["class_scene_best"]).tolist() == [True, False]
    assert all(values.dtype == np.float64 for values in numbers.values())
    assert micro.evaluations == 0


def test_a_metric_that_it_lacks(micro):
    with pytest.raises(UserError, match=rf"'{NAME}' has no metric 'latency': it has class_scene, class_object"):
        get_evaluator(NAME, task="latency")
    with pytest.raises(
        UserError, match=r"installed file .*\(micro.csv\) has no 'normal': it has class_scene, jigsaw, class_scene_b"
    ):
        get_evaluator(NAME, task="normal")


def test_another_space(micro):
    with pytest.raises(UserError, match="scores architectures of"):
        get_evaluator(NAME, get_space("nasbench201"))


@pytest.mark.usefixtures("data_folder")
def test_not_installed():
    with pytest.raises(UserError, match=rf"the data of '{NAME}' is not here: lissnas data add {NAME} FILE"):
        get_evaluator(NAME)


def test_a_broken_table(micro):
    (path,) = store.kept_files(NAME)
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(UserError, match=rf"damaged.*lissnas data remove {NAME}"):
        get_evaluator(NAME)


def test_a_large_space_is_searched_by_bisection(data_folder, tmp_path, rng):
    space = get_space("gpt-s")
    x = space.sample(50, rng)
    genes = [gene.name for gene in space.genes]
    rows = [{gene: row.get(gene, "") for gene in genes} for row in space.to_dicts(x)]
    lines = [",".join([*map(str, row.values()), str(30 + i)]) for i, row in enumerate(rows)]
    (tmp_path / "gpt_s.csv").write_text("\n".join([",".join([*genes, "perplexity"]), *lines]) + "\n")
    evaluator = get_evaluator("gpt-s", data=tmp_path)
    assert evaluator.evaluate(x[::-1]).tolist() == list(range(79, 29, -1))
    assert not evaluator.higher_is_better
    absent = space.sample(3, rng)
    with pytest.raises(UserError, match=r"holds no perplexity of the architecture .* and 2 more"):
        evaluator.evaluate(absent)
