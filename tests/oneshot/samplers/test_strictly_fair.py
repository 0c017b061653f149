"""Each allele of a gene is trained equally often."""

from __future__ import annotations

import numpy as np
import pytest

from lissnas.errors import UserError
from lissnas.oneshot.samplers.strictly_fair import StrictlyFairSampler
from lissnas.spaces import ConstrainedSpace, ExplicitSpace, Gene, ProductSpace, RestrictedSpace
from lissnas.spaces.fairnas import fairnas
from lissnas.spaces.mobilenet import mobilenet
from lissnas.spaces.nasbench101 import nasbench101
from lissnas.spaces.nasbench201 import nasbench201


@pytest.mark.parametrize("space", [fairnas(), nasbench201()], ids=lambda space: space.name)
def test_a_step_trains_every_allele_of_every_gene_once(space, rng):
    alleles = len(space.genes[0].alleles)
    paths = StrictlyFairSampler(space).draw(50, rng)
    assert paths.shape == (50, alleles, space.length)
    assert (np.sort(paths, axis=1) == np.arange(alleles)[:, None]).all()


def test_genes_are_permuted_independently(rng):
    paths = StrictlyFairSampler(fairnas()).draw(2000, rng)
    together = np.bincount(paths[..., 0].ravel() * 6 + paths[..., 1].ravel(), minlength=36)  # 12,000 / 36 = 333 each
    assert together.min() > 270
    assert together.max() < 400


def test_genes_of_fewer_alleles_go_on_from_step_to_step(rng):
    space = ProductSpace("mixed", [Gene(f"g{count}", tuple(range(count))) for count in (2, 3, 5)])
    sampler = StrictlyFairSampler(space)
    seen = np.zeros((3, 5), dtype=int)
    for epoch in range(12):  # 60 paths, which 2, 3 and 5 divide
        paths = sampler.draw(1, rng)
        assert paths.shape == (1, 5, 3)
        for gene, count in enumerate((2, 3, 5)):
            seen[gene] += np.bincount(paths[0, :, gene], minlength=5)
            assert np.ptp(seen[gene, :count]) <= 1, f"epoch {epoch}, gene {gene}"
    assert seen.tolist() == [[30, 30, 0, 0, 0], [20, 20, 20, 0, 0], [12, 12, 12, 12, 12]]


def test_a_shrunk_space_trains_the_alleles_that_it_has_left(small, rng):
    kept = {"block_0": [1, 3], "block_2": [0, 2, 3]}
    restricted = RestrictedSpace(small, kept)
    for space in (restricted, ExplicitSpace.of(small, np.concatenate(list(restricted.enumerate())))):
        paths = StrictlyFairSampler(space).draw(6, rng).reshape(-1, 3)
        counts = [np.bincount(column, minlength=4).tolist() for column in paths.T]
        assert counts == [[0, 12, 0, 12], [6, 6, 6, 6], [8, 0, 8, 8]]


def test_spaces_whose_genes_depend_on_one_another_are_refused(small):
    few = ExplicitSpace.of(small, np.array([[0, 0, 0], [0, 0, 1], [3, 3, 3]], dtype=np.uint8))
    limited = ConstrainedSpace(small, ["flops <= 12e3"])
    for space in (few, limited, mobilenet(), nasbench101()):
        with pytest.raises(UserError, match=f"in '{space.name}' genes depend on one another"):
            StrictlyFairSampler(space)
