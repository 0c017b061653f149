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
