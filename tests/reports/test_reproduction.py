"""The page and the Markdown of reproduced experiments, from results made by hand."""

from __future__ import annotations

from typing import Any

import pytest

from lissnas.experiments.experiment import Curve, Flow, Shown
from lissnas.experiments.verdict import Claim, Measured, holds, judge, within
from lissnas.reports.reproduction import count_verdicts, draw_reproduction, published_value, shown_value, write_reproduction


@pytest.fixture
def result() -> dict[str, Any]:
    claims = [
        judge(Claim("mean", "its <b>mean</b>", 92.1, within(0.5), "%"), Measured(93.0, 92.8, 93.2, seeds=5, note="as | said")),
        judge(Claim("best", "its best", 94.6, within(0.2), "%"), Measured(94.8, needs="every cell")),
        judge(Claim("above", "it is above", None, holds()), Measured(-0.5, -0.6, -0.4, seeds=5)),
    ]
    return {
        "name": "table9",
        "title": "Naive",
        "paper": "Table 9",
        "how": "By hand.",
        "scale": {"name": "paper", "seeds": 5, "queries": 100_000, "pairs": 10_000, "trees": 300},
        "seed": 0,
        "missing": ["the data of 'x' is not here"],
        "claims": [claim.to_dict() for claim in claims],
        "tables": [Shown("Beside", ("space", "mean", "seen"), [["a", 1.5, None], ["b", 3, True]]).to_dict()],
        "curves": [Curve("A curve", "x", "y", {"line": [(0.0, 1.0), (1.0, 2.0)]}).to_dict()],
        "flows": [Flow("Steps", [("first", ["10 networks"]), ("second", ["5 networks"])]).to_dict()],
        "notes": ["A note."],
    }


def test_numbers_are_shown_with_their_interval(result: dict[str, Any]) -> None:
    mean, best, above = result["claims"]
    assert (published_value(mean), shown_value(mean)) == ("92.10", "93.00 [92.80, 93.20]")
    assert shown_value(best) == "94.80"
    assert published_value(above) == "statement"
    assert count_verdicts([result]) == {
        "reproduced": 0,
        "differs": 1,
        "contradicts": 1,
        "needs DATA": 1,
        "lost in the paper": 0,
    }


def test_markdown_holds_every_claim(result: dict[str, Any]) -> None:
    text = write_reproduction([result], "lissnas reproduce table9")
    assert "| its <b>mean</b> (%) | 92.10 | 93.00 [92.80, 93.20] | differs | within 0.5 |" in text
    assert "as \\| said" in text
    assert "(1) Needs: every cell." in text
    assert "first (10 networks) → second (5 networks)" in text
    assert "| b | 3 | yes |" in text


def test_the_page_is_whole_and_escaped(result: dict[str, Any]) -> None:
    pytest.importorskip("altair")
    html = draw_reproduction([result], "lissnas reproduce table9")
    assert "its &lt;b&gt;mean&lt;/b&gt;" in html
    assert "<b>mean</b>" not in html
    assert "Table 9: Naive" in html
    assert html == draw_reproduction([result], "lissnas reproduce table9")
