"""How architectures are written: three notations, there and back, and what cannot be read."""

from __future__ import annotations

import numpy as np
import pytest

from lissnas.errors import UserError
from lissnas.spaces import Gene, ProductSpace
from lissnas.testing import SpaceContract

GENES = [Gene("depth", (1, 2)), Gene("op", ("k3", "k5")), Gene("late", ("a", "b"), active="depth > 1")]


class TestSeparatedContract(SpaceContract):
    def space(self) -> ProductSpace:
        return ProductSpace("separated", GENES, notation=":")


@pytest.mark.parametrize(
    ("notation", "texts"),
    [
        ("named", ["depth=1 op=k5", "depth=2 op=k3 late=b"]),
        ("indices", ["(0, 1, 2)", "(1, 0, 1)"]),
        (":", ["1:k5:", "2:k3:b"]),
        ("|", ["1|k5|", "2|k3|b"]),
    ],
)
def test_there_and_back(notation: str, texts: list[str]) -> None:
    space = ProductSpace("small", GENES, notation=notation)
    x = space.parse(texts)
    assert x.tolist() == [[0, 1, 2], [1, 0, 1]]
    assert space.format(x) == texts
    assert np.array_equal(ProductSpace.from_definition(space.definition()).parse(texts), x)


@pytest.mark.parametrize(
    ("notation", "text", "message"),
    [
        (":", "1:k5", "row 0: '1:k5' must hold 3 alleles like '1:k3:a', but holds 2"),
        (":", "1:k7:", "gene 'op' has no allele 'k7'"),
        (":", "2:k5:", "leaves out a gene that is active in it"),
        ("indices", "(0, 1)", "must hold 3 allele numbers"),
        ("indices", "(0, 5, 0)", "gene 'op' has alleles 0 to 1"),
        ("named", "depth=1", "names no allele for the gene 'op'"),
        ("named", "depth=1 op=k3 op=k5", "names a gene twice"),
        ("named", "depth=1 op=k3 width=3", "has no gene 'width'"),
    ],
)
def test_what_cannot_be_read(notation: str, text: str, message: str) -> None:
    with pytest.raises(UserError, match=message.replace("(", r"\(")):
        ProductSpace("small", GENES, notation=notation).parse([text])


@pytest.mark.parametrize(
    ("notation", "alleles", "message"),
    [
        ("::", ("a", "b"), "must be named, indices, or one of the separators"),
        ("json", ("a", "b"), "but got 'json'"),
        (":", ("a:b", "c"), "stands within the allele 'a:b'"),
        ("-", (-1, 1), "stands within the allele '-1'"),
    ],
)
def test_notations_that_cannot_be(notation: str, alleles: tuple[str | int, ...], message: str) -> None:
    with pytest.raises(UserError, match=message):
        ProductSpace("small", [Gene("op", alleles)], notation=notation)
