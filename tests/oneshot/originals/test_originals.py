"""The rivals in the form their authors run: angles by hand, and each shrinker on supernets of seconds."""

from __future__ import annotations

import copy
import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from lissnas import UserError  # noqa: E402  # only where torch is
from lissnas.oneshot import ImageData, Recipe, Supernet  # noqa: E402
from lissnas.oneshot.originals import (  # noqa: E402
    PathAngles,
    RoundsEvaluator,
    StagedAccuracy,
    StagedAngles,
    StagedTraining,
    greedy_space,
)
from lissnas.oneshot.samplers.greedy import GreedySampler  # noqa: E402
from lissnas.predictors import XGBoostPredictor  # noqa: E402
from lissnas.shrinkers import ABS, NSE, PADNAS  # noqa: E402
from lissnas.spaces import ProductSpace, RestrictedSpace  # noqa: E402
from lissnas.spaces.nasbench101 import nasbench101  # noqa: E402
from lissnas.spaces.nasbench201 import OPERATIONS, nasbench201  # noqa: E402
from lissnas.spaces.shufflenetv2 import shuffle_chain  # noqa: E402

TINY = Recipe(epochs=1, batch_size=32, ghost=None)


@pytest.fixture(scope="module")
def training(data: ImageData) -> StagedTraining:
    return StagedTraining(data, TINY, later=TINY, seed=3, calibration=32)


@pytest.fixture(scope="module")
def chain() -> ProductSpace:
    """4^5 networks."""
    return shuffle_chain("chain", resolution=8, in_channels=1, stem=(4, 1), stages=((4, 8, 2), (1, 8, 1)), head=8, classes=10)


@pytest.fixture(scope="module")
def predictor(chain: ProductSpace) -> XGBoostPredictor:
    rng = np.random.default_rng(0)
    x = chain.sample(100, rng)
    return XGBoostPredictor(trees=5).fit(chain, x, x.sum(axis=1).astype(float), higher_is_better=True)


def scaled(supernet: Supernet, factor: float) -> Supernet:
    """The same with all weights times ``factor``."""
    other = copy.deepcopy(supernet)
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.mul_(factor)
    return other


def test_weights_that_grow_do_not_turn_and_opposite_ones_turn_by_half(chain: ProductSpace, rng: np.random.Generator) -> None:
    supernet, paths = Supernet(chain, seed=0), chain.sample(3, rng)
    np.testing.assert_allclose(PathAngles(supernet, scaled(supernet, 3.0))(paths), 0, atol=1e-6)
    np.testing.assert_allclose(PathAngles(supernet, scaled(supernet, -1.0))(paths), math.pi, atol=1e-6)


def test_the_angle_of_a_chain_is_that_of_all_its_weights(chain: ProductSpace, rng: np.random.Generator) -> None:
    before, after = Supernet(chain, seed=0), Supernet(chain, seed=1)
    (path,) = chain.sample(1, rng)

    def vector(supernet: Supernet) -> np.ndarray:
        layers = (m for m in supernet.subnet(path).modules() if isinstance(m, torch.nn.Conv2d | torch.nn.Linear))
        return np.concatenate([layer.weight.detach().double().flatten().numpy() for layer in layers])

    a, b = vector(before), vector(after)
    expected = math.acos(a @ b / math.sqrt((a @ a) * (b @ b)))
    assert PathAngles(before, after)(path[None])[0] == pytest.approx(expected, abs=1e-9)


def test_an_operation_that_two_ways_pass_counts_twice_and_a_pooling_never_turns() -> None:
    space = nasbench201(resolution=8, channels=4, cells=1)
    none, skip, one, pool = (OPERATIONS.index(name) for name in ("none", "skip_connect", "nor_conv_1x1", "avg_pool_3x3"))
    before = Supernet(space, seed=0)
    after = copy.deepcopy(before)
    cell = after.get_submodule("parts.cell_0_0.edges.0_1")
    layer = next(m for m in cell.modules() if isinstance(m, torch.nn.Conv2d) and m.kernel_size == (1, 1))
    with torch.no_grad():
        layer.weight.neg_()  # the only weights that turned
    #                0-1  0-2   1-2   0-3   1-3   2-3: first one way behind the edge 0-1, then two
    rows = np.array([[one, none, none, none, skip, none], [one, none, skip, none, skip, skip]], dtype=np.uint8)
    single, double = PathAngles(before, after)(rows)
    assert 0 < single < double
    pooled = np.array([[one, none, none, pool, skip, none]], dtype=np.uint8)
    assert PathAngles(before, after)(pooled)[0] < single


def test_angles_are_refused_where_paths_share_parts_of_a_weight() -> None:
    supernet = Supernet(nasbench101(resolution=8, stem_channels=8, cells=1), seed=0)
    with pytest.raises(UserError, match="angles are defined where a path has weights of its own"):
        PathAngles(supernet, supernet)


def test_abs_trains_on_for_each_stage(chain: ProductSpace, predictor: XGBoostPredictor, training: StagedTraining) -> None:
    angles = StagedAngles(training, restart=3)
    found = ABS(queries=2_000, size=100, drop=2, unit_score=angles).shrink(chain, predictor, np.random.default_rng(0))
    assert found.space.cardinality <= 100
    assert angles.stages > 1
    assert angles.restart is None  # more than three units are gone: measured from there
    again = ABS(queries=2_000, size=100, drop=2, unit_score=StagedAngles(training, restart=3))
    assert again.shrink(chain, predictor, np.random.default_rng(0)).space.fingerprint == found.space.fingerprint


def test_padnas_trains_a_supernet_for_each_stage(
    chain: ProductSpace, predictor: XGBoostPredictor, training: StagedTraining
) -> None:
    accuracy = StagedAccuracy(training, children=5)
    found = PADNAS(queries=2_000, unit_score=accuracy).shrink(chain, predictor, np.random.default_rng(0))
    assert found.space.cardinality == 2**5
    assert accuracy.stages >= 1


def test_nse_trains_a_supernet_on_what_each_round_tries(training: StagedTraining) -> None:
    # two of four operations in each of six places are 64 networks, half of which lie in this window
    space = shuffle_chain("six", resolution=8, in_channels=1, stem=(2, 2), stages=((6, 4, 1),), head=4, classes=10)
    evaluator = RoundsEvaluator(space, training, least=5)
    found = NSE(queries=1_200, sample=40, low=5_900, high=7_400).shrink(space, evaluator, np.random.default_rng(0))
    assert evaluator.rounds >= 4  # of the given space, and of at least three rounds that try two of four operations
    assert found.ledger.evaluations <= 1_200
    assert found.space.cardinality < space.cardinality


def test_the_pool_of_a_greedy_training_is_a_space(chain: ProductSpace, training: StagedTraining) -> None:
    sampler = GreedySampler(chain, paths=4, keeps=2, pool=6, starts=0, ends=2, alpha=None, window=1)
    pool = greedy_space(training, sampler)
    assert 0 < pool.cardinality <= 6
    assert pool.root.fingerprint == chain.fingerprint


def test_a_question_of_the_same_operations_begins_no_round(chain: ProductSpace, training: StagedTraining) -> None:
    part = RestrictedSpace(chain, {gene.name: [0, 1] for gene in chain.genes})
    evaluator = RoundsEvaluator(chain, training, least=10)
    everything = np.concatenate(list(part.enumerate()))
    first = evaluator.evaluate(everything)
    np.testing.assert_array_equal(evaluator.evaluate(everything), first)
    assert evaluator.rounds == 1
    evaluator.evaluate(everything[:5])  # too few to begin one
    assert evaluator.rounds == 1
    evaluator.evaluate(chain.sample(200, np.random.default_rng(0)))
    assert evaluator.rounds == 2
