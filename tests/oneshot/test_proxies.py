from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from lissnas import UserError, XGBoostPredictor, get_evaluator, get_space
from lissnas.oneshot.evaluate import one_thread
from lissnas.shrinkers import ZeroCost
from lissnas.shrinkers.zero_cost import PROXIES
from lissnas.testing.toys import toy_space


# The file's were computed on CIFAR-10 by another implementation; naswot takes a batch of 64 there.
@pytest.mark.parametrize(
    ("name", "column", "least"), [("synflow", "synflow", 0.9), ("snip", "snip", 0.85), ("naswot", "nwot", 0.75)]
)
def test_proxies_rank_networks_as_those_of_the_published_file(test_data, name, column, least):
    space = get_space("nasbench201")
    benchmark = get_evaluator("nasbench201", data=test_data / "nasbench201" / "accuracy.csv")
    everything = next(iter(space.enumerate()))
    theirs = benchmark.measured(everything)[f"zc_{column}"]
    listed = np.flatnonzero(np.isfinite(theirs))
    some = np.random.default_rng(0).choice(listed, size=20, replace=False)
    with one_thread():
        ours = PROXIES.get(name)(space)(everything[some])
    assert spearmanr(ours, theirs[some]).statistic > least


@pytest.mark.parametrize("name", PROXIES.names())
def test_a_value_depends_on_the_architecture_alone(name):
    space = get_space("digits-shuffle")
    genotypes = space.sample(3, np.random.default_rng(0))
    with one_thread():
        together = PROXIES.get(name)(space)(genotypes)
        alone = [PROXIES.get(name)(space)(genotypes[i : i + 1])[0] for i in (2, 0, 1)]
    assert np.isfinite(together).all()
    assert len(set(together)) == 3
    np.testing.assert_array_equal(together[[2, 0, 1]], alone)


def test_nothing_flows_through_a_cell_of_none():
    space = get_space("nasbench201")
    dead = space.parse(["|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"])
    alive = space.parse(
        [
            "|skip_connect~0|+|none~0|skip_connect~1|+|none~0|none~1|skip_connect~2|",
            "|none~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|",
        ]
    )
    synflow = PROXIES.get("synflow")(space)
    with one_thread():
        assert synflow(dead)[0] < synflow(alive).min()


def test_a_prefilter_by_name():
    space = get_space("digits-shuffle")
    genotypes = space.sample(60, np.random.default_rng(0))
    predictor = XGBoostPredictor(trees=20, threads=1).fit(space, genotypes, space.cost(genotypes).flops, higher_is_better=True)
    with one_thread():
        result = ZeroCost(queries=30, size=5, proxy="synflow", draws=2).shrink(space, predictor, np.random.default_rng(0))
    assert result.space.cardinality == 5


def test_bad_input():
    with pytest.raises(UserError, match="says nothing of layers"):
        ZeroCost(proxy="synflow").check(toy_space())
    with pytest.raises(UserError, match="batch must be 2 images or more"):
        PROXIES.get("snip")(get_space("digits-shuffle"), batch=1)
