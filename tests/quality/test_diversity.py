import numpy as np
import pytest

from lissnas.quality import cost_coverage, mean_distance, pockets
from lissnas.spaces import ExplicitSpace, Gene, ProductSpace

SPACE = ProductSpace("toy", [Gene(f"g{i}", ("a", "b", "c", "d")) for i in range(6)])


def test_mean_distance_of_a_free_space(rng):
    """Two uniform architectures differ in each of 6 genes with probability 3/4."""
    assert mean_distance(SPACE, rng, pairs=20_000) == pytest.approx(4.5, abs=0.05)


def test_pockets_are_components_of_the_one_edit_graph():
    members = np.array(
        [
            [0, 0, 0, 0, 0, 0],
            [0, 0, 0, 0, 0, 1],
            [0, 0, 0, 0, 2, 1],
            [3, 3, 3, 3, 3, 3],
            [3, 3, 3, 3, 3, 1],
            [1, 1, 1, 1, 1, 1],
        ],
        dtype=np.uint8,
    )
    space = ExplicitSpace.of(SPACE, members)
    label = pockets(space)
    assert sorted(np.bincount(label).tolist(), reverse=True) == [3, 2, 1]
    assert np.bincount(label).tolist() == [3, 2, 1]  # the largest first
    by_member = {tuple(g): int(p) for g, p in zip(space.genotypes, label, strict=True)}
    assert by_member[0, 0, 0, 0, 2, 1] == by_member[0, 0, 0, 0, 0, 0] == 0
    assert by_member[3, 3, 3, 3, 3, 1] == 1


def test_coverage_counts_quantile_bins():
    reference = np.arange(1000.0)
    assert cost_coverage(reference, reference) == 1.0
    assert cost_coverage(np.arange(500.0), reference) == 0.5


@pytest.mark.parametrize("n", [1, 5, 400])
def test_sorting_and_listing_find_the_same_pockets(n, rng):
    from lissnas.quality.pockets import _equal_but_for_one, _listed

    space = ExplicitSpace.of(SPACE, SPACE.sample(n, rng))
    both = []
    for links in (_equal_but_for_one(space), _listed(space)):
        pairs = [pair for source, target in links for pair in zip(source.tolist(), target.tolist(), strict=True)]
        home = list(range(len(space.codes)))
        for a, b in pairs * len(home):
            home[a] = home[b] = min(home[a], home[b])
        both.append(home)
    assert both[0] == both[1]


def test_pockets_where_codes_take_two_words(rng):
    wide = ProductSpace("wide", [Gene(f"g{i}", tuple(range(16))) for i in range(20)])
    one = wide.sample(1, rng)
    chain = np.repeat(one, 30, axis=0)
    for step in range(1, 30):
        chain[step:, step % 20] = (chain[step, step % 20] + 1) % 16
    assert np.bincount(pockets(ExplicitSpace.of(wide, np.concatenate([chain, wide.sample(5, rng)])))).tolist() == [
        30,
        1,
        1,
        1,
        1,
        1,
    ]


@pytest.mark.parametrize("n", [3, 60, 300])
def test_sorting_finds_the_pockets_of_movable_operations_too(n, rng):
    from lissnas.quality.pockets import _listed, _sorts
    from lissnas.spaces import Movable

    genes = [Gene(f"g{i}", ("skip", "a", "b")) for i in range(7)]
    space = ProductSpace("moving", genes, movable=[Movable("skip", ("g0", "g1", "g2")), Movable("skip", ("g4", "g5", "g6"))])
    assert _sorts(space)
    members = ExplicitSpace.of(space, space.sample(n, rng))
    label = pockets(members)
    apart = list(range(len(members.codes)))
    pairs = [pair for source, target in _listed(members) for pair in zip(source.tolist(), target.tolist(), strict=True)]
    for a, b in pairs * len(apart):
        apart[a] = apart[b] = min(apart[a], apart[b])
    assert len(set(zip(apart, label.tolist(), strict=True))) == len(set(apart)) == len(set(label.tolist()))
