"""A lookup table of latency: read by value, and every mistake with its line."""

from __future__ import annotations

import pytest

from lissnas.errors import UserError
from lissnas.formats.latency import read_latency
from lissnas.spaces import Gene, ProductSpace

GOOD = """\
gene,allele,ms
,,1.5
kernel,3,0.25
kernel,5,0.75
skip,true,0
skip,false,2
"""


def space():
    return ProductSpace("toy", [Gene("kernel", (3, 5)), Gene("skip", (False, True))])


def test_it_adds_up(tmp_path):
    (tmp_path / "t.csv").write_text(GOOD)
    cost = read_latency(tmp_path / "t.csv", space(), "phone_ms")
    x = space().parse(["kernel=3 skip=true", "kernel=5 skip=false"])
    assert cost.name == "phone_ms"
    assert cost.evaluate(x, {}).tolist() == [1.75, 4.25]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("gene,allele,ms", "gene,op,ms", "has no column 'allele': a table of latency has gene, allele, ms"),
        ("kernel,5", "kernl,5", r"t.csv:4: 'toy' has no gene 'kernl': did you mean kernel\?"),
        ("kernel,5", "kernel,7", "t.csv:4: "),
        ("kernel,5", "kernel,3", "t.csv:4: the allele 3 of 'kernel' stands here twice"),
        ("kernel,5,0.75\n", "", "has no row for the allele 5 of the gene 'kernel'"),
        ("0.75", "fast", "t.csv:4: 'ms' must be a finite number"),
    ],
)
def test_mistakes(tmp_path, old, new, words):
    (tmp_path / "t.csv").write_text(GOOD.replace(old, new))
    with pytest.raises(UserError, match=words):
        read_latency(tmp_path / "t.csv", space())
