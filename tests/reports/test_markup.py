from __future__ import annotations

import json
from html.parser import HTMLParser

import pytest

from lissnas.reports.drawing import Block, Cell, allele_colors, chain
from lissnas.reports.markup import Column, json_block, table

HOSTILE = "</script><!--<script>&\"'\u2028"


def test_a_json_block_cannot_be_left() -> None:
    block = json_block({"name": HOSTILE})
    assert "<" not in block
    assert ">" not in block
    assert json.loads(block) == {"name": HOSTILE}


def test_a_json_block_holds_no_value_that_is_not_json() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        json_block({"score": float("nan")})


def test_a_cell_shows_a_rounded_number_and_holds_the_whole_one() -> None:
    html = table(
        [Column("name", "Name", "text"), Column("score", "Score")], [{"name": HOSTILE, "score": 0.1234567890123}], source="x"
    )
    assert '<td class="n" data-value="0.1234567890123">0.1235</td>' in html
    assert "<script" not in html
    assert '<table data-source="x">' in html
    assert html.count('scope="col"') == 2
    assert html.count('scope="row"') == 1


def test_a_large_count_is_in_words_with_every_digit_beside_it() -> None:
    html = table([Column("name", "Name", "text"), Column("n", "Networks", "count")], [{"name": "a", "n": 4**20}], source="x")
    assert f'data-value="{4**20}" title="1,099,511,627,776">1.1 trillion</td>' in html


def test_a_missing_number_is_a_dash_without_a_value() -> None:
    html = table(
        [Column("name", "Name", "text"), Column("n", "Networks", "count")],
        [{"name": "a", "n": None}, {"name": "b"}],
        source="x",
    )
    assert html.count('<td class="n">–</td>') == 2


def test_numbers_are_shades_and_names_are_hues() -> None:
    assert list(allele_colors([12, 4, 8])) == ["4", "8", "12"]
    assert all(color.startswith("hsl(210") for color in allele_colors([12, 4, 8]).values())
    assert len(set(allele_colors(["k3", "k5", "k7", "xception"]).values())) == 4
    assert set(allele_colors([1, 2], 0).values()).isdisjoint(allele_colors([1, 2], 1).values())


@pytest.mark.parametrize("blocks", [1, 4, 5, 21])
def test_a_chain_names_every_block_and_joins_them(blocks: int) -> None:
    cells = (Cell("heads 12", "12", "#a6cbe8"), Cell("", "", None))
    svg = chain([Block(str(i), cells) for i in range(blocks)], says=HOSTILE)
    parser = HTMLParser()
    opened: list[str] = []
    parser.handle_starttag = lambda tag, attrs: opened.append(tag)  # type: ignore[method-assign]
    parser.feed(svg)
    assert opened.count("g") == blocks
    assert svg.count('marker-end="url(#tip)"') == blocks - 1
    assert "script" not in opened


def test_a_label_too_long_for_its_block_is_cut_and_whole_in_its_title() -> None:
    svg = chain([Block("0", (Cell("a_very_long_name of_an_allele", "of_an_allele_still_long", "#fff"),))], says="one")
    assert "<title>block 0: a_very_long_name of_an_allele</title>" in svg
    assert "…</text>" in svg
