"""NAS-Bench-301: the network on its reference values, boosters in ConfigSpace's layout, and files that are something else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lissnas.errors import UserError
from lissnas.evaluators import Evaluator, get_evaluator
from lissnas.evaluators.benchmark import find_benchmark
from lissnas.evaluators.install import install
from lissnas.evaluators.nasbench301 import NASBench301, drawings_of_digits, nasbench301
from lissnas.evaluators.nasbench301_models import VECTOR, BoosterEnsemble
from lissnas.spaces import ExplicitSpace
from lissnas.spaces.darts import darts
from lissnas.testing import EvaluatorContract

pytest.importorskip("onnxruntime")

PREFIX = "NetworkSelectorDatasetInfo:darts:"
TEXT = (
    "Genotype(normal=[('max_pool_3x3', 0), ('avg_pool_3x3', 1), ('skip_connect', 0), ('sep_conv_3x3', 2), ('sep_conv_5x5', 1), "
    "('dil_conv_3x3', 3), ('dil_conv_5x5', 2), ('max_pool_3x3', 4)], normal_concat=range(2, 6), reduce=[('skip_connect', 0), "
    "('skip_connect', 1), ('skip_connect', 0), ('skip_connect', 1), ('skip_connect', 0), ('skip_connect', 1), "
    "('skip_connect', 0), ('skip_connect', 1)], reduce_concat=range(2, 6))"
)


def write_network(path: Path, batch: int | str = "n", columns: int = 34) -> Path:
    """A network in the surrogate's form: both outputs are sums of the numbers it is given, each with a weight of its own."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    weights = np.random.default_rng(0).random((columns + 1, 2)).astype(np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("Cast", ["x_cat"], ["numbers"], to=TensorProto.FLOAT),
            helper.make_node("Concat", ["numbers", "x_cont"], ["all"], axis=1),
            helper.make_node("MatMul", ["all", "weights"], ["out"]),
        ],
        "surrogate",
        [
            helper.make_tensor_value_info("x_cat", TensorProto.INT32, [batch, columns]),
            helper.make_tensor_value_info("x_cont", TensorProto.FLOAT, [batch, 1]),
        ],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, [batch, 2])],
        [numpy_helper.from_array(weights, "weights")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, path)
    return path


def write_booster(path: Path, features: int = len(VECTOR), seed: int = 0, names: list[str] | None = None) -> Path:
    """A small booster that was trained on vectors of that many numbers."""
    import xgboost

    rng = np.random.default_rng(seed)
    x = rng.integers(-1, 7, size=(300, features)).astype(np.float32)
    data = xgboost.DMatrix(x, label=x @ rng.random(features), feature_names=names)
    xgboost.train({"max_depth": 4, "nthread": 1}, data, num_boost_round=20).save_model(path)
    return path


@pytest.fixture
def network(tmp_path: Path) -> Path:
    return write_network(tmp_path / "surrogate.onnx")


class TestContract(EvaluatorContract):
    def evaluator(self) -> Evaluator:
        import tempfile

        with tempfile.TemporaryDirectory() as folder:
            return nasbench301(data=write_network(Path(folder) / "surrogate.onnx"))


class TestBoosterContract(EvaluatorContract):
    def evaluator(self) -> Evaluator:
        import tempfile

        with tempfile.TemporaryDirectory() as folder:
            return nasbench301(data=write_booster(Path(folder) / "booster.ubj"), task="train_seconds")


def test_reference_values(test_data: Path) -> None:
    """The drawings of ``checks.csv`` as they are: a rank correlation of .905, and 1.30 points too high."""
    from scipy.stats import spearmanr

    folder = test_data / "nasbench301"
    lines = (folder / "checks.csv").read_text().splitlines()[1:]
    drawings = drawings_of_digits([line.split(",")[0] for line in lines])
    truth = np.array([float(line.split(",")[1]) for line in lines])
    evaluator = nasbench301(data=folder)
    scores = evaluator.score_drawings(drawings)
    assert len(scores) == evaluator.evaluations == 725
    assert spearmanr(scores, truth).statistic == pytest.approx(0.905, abs=5e-4)
    assert (scores - truth).mean() == pytest.approx(1.30, abs=5e-3)
    canonical = evaluator.evaluate(evaluator.space.canonicalize(drawings))
    assert spearmanr(canonical, truth).statistic == pytest.approx(0.906, abs=5e-4)
    seconds = nasbench301(task="train_seconds", data=folder)
    assert not seconds.metric.higher_is_better
    assert 0.5 < np.median(seconds.score_drawings(drawings)) / 3600 < 5


def test_drawings_of_a_network_score_alike(test_data: Path, rng: np.random.Generator) -> None:
    """Not the same, as the docstring says: 0.07 points of standard deviation within networks, 0.57 between them."""
    evaluator = nasbench301(data=test_data / "nasbench301" / "surrogate.onnx")
    space = darts()
    x = space.sample(200, rng)
    scores = np.stack([evaluator.score_drawings(space.drawings(x, rng)) for _ in range(10)], axis=1)
    assert scores.std(axis=1, ddof=1).mean() == pytest.approx(0.068, abs=0.015)
    assert evaluator.evaluate(x).std() == pytest.approx(0.57, abs=0.1)


def test_columns_of_the_network(network: Path) -> None:
    evaluator = nasbench301(data=network)
    (row,) = evaluator.surrogate.columns(darts(), darts().parse_drawings([TEXT]))  # type: ignore[attr-defined]
    # alphabetical from 1: avg_pool, dil 3x3, dil 5x5, max_pool, sep 3x3, sep 5x5, skip
    assert row[:14].tolist() == [4, 1, 7, 0, 5, 0, 6, 0, 2, 0, 0, 3, 0, 4]
    assert row[14:28].tolist() == [7, 7, 7, 7, 0, 7, 7, 0, 0, 7, 7, 0, 0, 0]
    assert row[28:].tolist() == [2, 5, 9, 1, 1, 1]  # 0_2 of 0_1 0_2 1_2; 1_3 of six; 2_4 of ten
    names = evaluator.space.to_config(darts().parse_drawings([TEXT]))[0]
    assert names[f"{PREFIX}inputs_node_normal_5"] == "2_4"


def test_a_network_that_takes_one_row_at_a_time(network: Path, tmp_path: Path, rng: np.random.Generator) -> None:
    x = darts().sample(11, rng)
    scores = nasbench301(data=network).evaluate(x)
    for batch in (1, 4):
        fixed = nasbench301(data=write_network(tmp_path / f"fixed_{batch}.onnx", batch))
        np.testing.assert_allclose(fixed.evaluate(x), scores, rtol=1e-6)


def test_vector_of_the_boosters(tmp_path: Path) -> None:
    """ConfigSpace's order: names without conditions, then those with; both in alphabetical order, 10 before 2."""
    assert len(VECTOR) == 56
    assert list(VECTOR[:32]) == sorted(VECTOR[:32])
    assert VECTOR[0] == "CreateImageDataLoader:batch_size"
    assert VECTOR[10] == f"{PREFIX}edge_normal_0"
    assert VECTOR[15:21] == tuple(f"{PREFIX}inputs_node_{kind}_{node}" for kind in ("normal", "reduce") for node in (3, 4, 5))
    assert VECTOR[32:35] == tuple(f"{PREFIX}edge_normal_{edge}" for edge in (10, 11, 12))
    assert VECTOR[-1] == f"{PREFIX}edge_reduce_9"
    ensemble = BoosterEnsemble([write_booster(tmp_path / "0.json")])
    (row,) = ensemble.columns(darts(), darts().parse_drawings([TEXT]))
    numbers = dict(zip(VECTOR, row.tolist(), strict=True))
    assert numbers[f"{PREFIX}edge_normal_0"] == 0  # max_pool_3x3 is the first choice
    assert numbers[f"{PREFIX}edge_normal_2"] == 2
    assert numbers[f"{PREFIX}edge_normal_3"] == -1  # inactive
    assert numbers[f"{PREFIX}edge_normal_11"] == 6
    assert numbers[f"{PREFIX}inputs_node_normal_5"] == 8
    assert numbers["OptimizerSelector:sgd:momentum"] == pytest.approx(0.8 / 0.89)
    assert numbers["ImageAugmentation:cutout_holes"] == pytest.approx(0.49999 / 2.99998)
    assert np.isfinite(row).all()


def test_boosters_alone_and_together(tmp_path: Path, rng: np.random.Generator) -> None:
    import xgboost

    x = darts().sample(40, rng)
    one = write_booster(tmp_path / "ensemble_member_0" / "0.json") if (tmp_path / "ensemble_member_0").mkdir() is None else None
    (tmp_path / "ensemble_member_1").mkdir()
    two = write_booster(tmp_path / "ensemble_member_1" / "1.ubj", seed=1, names=[f"f{i}" for i in range(56)])
    (tmp_path / "ensemble_member_0" / "model_config.json").write_text("{}")
    assert one is not None
    alone = [get_evaluator("nasbench301", data=str(path)).evaluate(x) for path in (one, two)]
    np.testing.assert_allclose(get_evaluator("nasbench301", data=tmp_path).evaluate(x), np.mean(alone, axis=0), rtol=1e-6)
    vector = BoosterEnsemble([one]).columns(darts(), x)
    expected = xgboost.Booster(model_file=one).predict(xgboost.DMatrix(vector))
    np.testing.assert_allclose(alone[0], expected, rtol=1e-6)


def test_another_booster_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"has 56 features .* has 34: it was trained on something else"):
        nasbench301(data=write_booster(tmp_path / "other.json", 34))
    broken = tmp_path / "broken.ubj"
    broken.write_bytes(b"no booster")
    with pytest.raises(UserError, match=r"broken.ubj' is no booster of XGBoost"):
        nasbench301(data=broken)


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is another network: the surrogate of NAS-Bench-301 takes"):
        nasbench301(data=write_network(tmp_path / "other.onnx", columns=20))
    (tmp_path / "text.onnx").write_text("no network")
    with pytest.raises(UserError, match=r"text.onnx' is no ONNX file"):
        nasbench301(data=tmp_path / "text.onnx")
    (tmp_path / "surrogate_model.model").write_bytes(b"\x80\x04")
    with pytest.raises(UserError, match="are pickles, which are not read here"):
        nasbench301(data=tmp_path / "surrogate_model.model")
    with pytest.raises(UserError, match="there is no file"):
        nasbench301(data=tmp_path / "absent.onnx")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="holds no booster"):
        nasbench301(data=tmp_path / "empty")


def test_installed(network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator) -> None:
    monkeypatch.setenv("LISSNAS_DATA_DIR", str(tmp_path / "kept"))
    with pytest.raises(UserError, match="the data of 'nasbench301' is not here: lissnas data fetch nasbench301") as caught:
        nasbench301()
    assert "\n" not in str(caught.value)
    with pytest.raises(UserError, match="is a booster, which is read where it is"):
        install(find_benchmark("nasbench301"), write_booster(tmp_path / "0.ubj"))
    x = darts().sample(3, rng)
    scores = nasbench301(data=network).evaluate(x)
    install(find_benchmark("nasbench301"), network)
    network.unlink()
    assert np.array_equal(nasbench301().evaluate(x), scores)


def test_spaces_and_tasks(network: Path, rng: np.random.Generator) -> None:
    part = ExplicitSpace.of(darts(), darts().sample(5, rng))
    assert nasbench301(part, data=network).evaluate(part.genotypes).shape == (5,)
    with pytest.raises(UserError, match="has no metric 'loss': it has val_accuracy, train_seconds"):
        nasbench301(task="loss", data=network)
    with pytest.raises(UserError, match="networks of 32 channels in 8 layers"):
        nasbench301(darts(layers=20), data=network)
    with pytest.raises(UserError, match="scores architectures of 'darts'"):
        nasbench301(darts(nodes=3), data=network)
    with pytest.raises(UserError, match="alleles"):
        NASBench301(data=network).score_drawings(np.full((1, 22), 200, dtype=np.uint8))


@pytest.mark.parametrize("text", ["", "0" * 31, "07" * 16, "x0" * 16, "00" * 16])
def test_wrong_digits_are_named(text: str) -> None:
    with pytest.raises(UserError, match="row 0: "):
        drawings_of_digits([text])
