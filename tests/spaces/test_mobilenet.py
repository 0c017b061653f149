"""The MobileNet spaces of ABS and GreedyNAS: counts, identities that move, Proxyless-GPU's published size."""

from __future__ import annotations

import numpy as np
import pytest

from lissnas.spaces import ProductSpace, from_definition
from lissnas.spaces.mobilenet import mobilenet, mobilenet_se
from lissnas.testing import SpaceContract

FIXED = [0, 4, 8, 12, 16, 20]  # layers that no identity may take


class TestMobileNetContract(SpaceContract):
    space = staticmethod(mobilenet)


class TestMobileNetSEContract(SpaceContract):
    space = staticmethod(mobilenet_se)


@pytest.mark.parametrize(("space", "blocks"), [(mobilenet(), 6), (mobilenet_se(), 12)], ids=["mobilenet", "mobilenet-se"])
def test_counts(space: ProductSpace, blocks: int) -> None:
    assert [len(gene.alleles) for gene in space.genes] == [blocks + (layer not in FIXED) for layer in range(21)]
    assert space.encodings == (blocks + 1) ** 15 * blocks**6
    assert space.cardinality == blocks**6 * (1 + blocks + blocks**2 + blocks**3) ** 5
    assert space.max_edits == 21


def test_published_counts() -> None:
    assert mobilenet().cardinality == 6**6 * 259**5 == 54_375_883_032_510_144
    assert mobilenet().encodings == 221_502_229_807_900_608
    assert mobilenet_se().cardinality > 2**64
    assert len(mobilenet_se().code_layout.words) == 2


def test_proxyless_gpu_has_its_published_size() -> None:
    """7,119,848 parameters and 465M multiply-adds (mit-han-lab/proxylessnas; open-mmlab/mmrazor)."""
    space = mobilenet()
    blocks = "k5e3 . . . k7e3 . . k3e3 k7e6 . . k5e3 k5e6 . k3e3 k5e3 k7e6 k7e6 k7e6 k5e6 k7e6".replace(".", "identity")
    row = [gene.index(block) for gene, block in zip(space.genes, blocks.split(), strict=True)]
    cost = space.cost(space.canonicalize(np.array([row], dtype=np.uint8)))
    assert cost.params[0] == 7_119_848
    assert round(cost.flops[0] / 1e6) == 465


@pytest.mark.parametrize("space", [mobilenet(), mobilenet_se()], ids=["mobilenet", "mobilenet-se"])
def test_costs_do_not_depend_on_where_an_identity_stands(space: ProductSpace, rng: np.random.Generator) -> None:
    x = np.stack([rng.integers(0, len(gene.alleles), size=2000, dtype=np.uint8) for gene in space.genes], axis=1)
    canonical = space.canonicalize(x)
    assert (canonical != x).any(axis=1).mean() > 0.3
    drawn, kept = space.cost(x), space.cost(canonical)
    assert (drawn.flops == kept.flops).all()
    assert (drawn.params == kept.params).all()


def test_one_edit_inserts_a_block_wherever_it_belongs() -> None:
    """Levenshtein: two blocks and an inserted third are one edit apart, though three columns differ."""
    space = mobilenet()
    a, b = np.zeros((2, 1, 21), dtype=np.uint8)
    a[0, 1:4], b[0, 1:4] = (1, 2, 6), (0, 1, 2)
    assert space.distance(a, b).tolist() == [1]
    assert any((row == b[0]).all() for row in space.all_neighbors(a).genotypes)


def test_costs_are_whole_numbers(rng: np.random.Generator) -> None:
    cost = mobilenet_se().cost(mobilenet_se().sample(1000, rng))
    for values in cost.values():
        assert (values == np.round(values)).all()
        assert values.max() < 2**53


def test_options_and_definition() -> None:
    small = mobilenet(32, classes=10, stem_stride=1)
    again = from_definition(small.definition())
    assert again.layout == small.layout
    assert again.cardinality == small.cardinality
    assert small.fingerprint != mobilenet().fingerprint


def test_the_diagram_shows_the_blocks_that_are_there() -> None:
    space = mobilenet()
    row = space.canonicalize(np.array([[0, 6, 6, 6] + [0] * 17], dtype=np.uint8))[0]
    nodes, _, groups = space.diagram(row)
    assert nodes[:4] == ("conv 3x3 /2", "mb_k3e1", "k3e3 /2", "k3e3 /2")
    assert groups[2:4] == ("stage 2: 32 channels", "stage 3: 56 channels")
