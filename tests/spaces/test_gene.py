"""Genes: which alleles are one and the same, and what no gene can be."""

from __future__ import annotations

import numpy as np
import pytest

from lissnas.errors import UserError
from lissnas.spaces import Gene


@pytest.mark.parametrize(
    ("alleles", "text", "index"),
    [
        ((False, True), "false", 0),
        ((False, True), "0", 0),
        ((False, True), "False", 0),
        ((False, True), "0.0", 0),
        ((False, True), "TRUE", 1),
        ((False, True), "1", 1),
        ((3, 5, 7), "3.0", 0),
        ((3, 5, 7), " 5 ", 1),
        ((3.0, 5.5), "3", 0),
        ((3.0, 5.5), "5.50", 1),
        ((1e6, 2e6), "1000000", 0),
        ((0, 1), "-0.0", 0),
        (("k3", "k5"), "k5", 1),
        (("3_3", "33"), "33", 1),
        (("3_3", "33"), "3_3", 0),
        (("nan", "inf"), "inf", 1),
    ],
)
def test_alleles_match_by_value(alleles: tuple, text: str, index: int) -> None:
    assert Gene("g", alleles).index(text) == index


def test_unknown_allele_names_the_known() -> None:
    with pytest.raises(UserError, match="gene 'bias' has no allele 'maybe': it has false, true"):
        Gene("bias", (False, True)).index("maybe")


def test_inactive() -> None:
    gene = Gene("op", ("a", "b"), active="depth > 1")
    assert gene.radix == 3
    assert gene.index("") == 2
    assert gene.label(2) == ""
    assert Gene("op", ("a", "b")).radix == 2
    with pytest.raises(UserError, match="no allele ''"):
        Gene("op", ("a", "b")).index("")


@pytest.mark.parametrize(
    ("alleles", "message"),
    [
        ((), "at least one allele"),
        ((1, 1.0), "twice"),
        ((False, 0), "twice"),
        ((True, "true"), "twice"),
        (("a", " a"), "twice"),
        ((float("nan"),), "finite"),
        ((float("inf"),), "finite"),
        ((None,), "text, a number or a boolean"),
        (("",), "text, a number or a boolean"),
        (([1],), "text, a number or a boolean"),
        ((np.int64(3),), "text, a number or a boolean"),
        (tuple(range(255)), "at most 254"),
    ],
)
def test_refused_alleles(alleles: tuple, message: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        Gene("g", alleles)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["", "a b", "a=b", "a\nb", '"a"', 3, None])
def test_refused_names(name: object) -> None:
    with pytest.raises(UserError, match="a gene's name"):
        Gene(name, (1, 2))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("gene", "ordinal"),
    [
        (Gene("g", (1, 2, 3)), True),
        (Gene("g", (3, 1, 2)), False),
        (Gene("g", (1, 2)), False),
        (Gene("g", (1, 2), ordered=True), True),
        (Gene("g", (False, True)), False),
        (Gene("g", ("a", "b", "c")), False),
        (Gene("g", ("small", "large"), ordered=True), True),
    ],
)
def test_ordinal(gene: Gene, ordinal: bool) -> None:
    assert gene.is_ordinal == ordinal


def test_254_alleles_fit_with_inactive() -> None:
    assert Gene("g", tuple(range(254)), active="other > 1").radix == 255
