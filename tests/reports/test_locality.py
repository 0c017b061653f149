"""The numbers behind the drawing of a space's locality, and the drawing."""

from __future__ import annotations

import pytest

from lissnas.errors import UserError
from lissnas.reports.locality import curves, draw_locality


def numbers(value=0.5, space="a</script>"):
    common = {"kind": "any", "source": "true", "low": 0.4, "high": 0.6, "pairs": 1000, "reason": None}
    rows = [
        {"statistic": s, "by": "distance", "population": p, "edits": d, "value": value, **common}
        for s, p in (("correlation", "uniform"), ("difference", "seeds"), ("yield", "seeds"))
        for d in (1, 2)
    ]
    verdict = {"answer": "yes", "sentence": "It should.", "correlation": {"value": 0.5}, "gain": {"value": 3.0}, "edits": 1}
    return {"space": space, "metric": "acc", "rows": rows, "verdict": verdict}


def test_each_figure_has_its_points():
    found = curves(numbers())
    assert [figure["present"] for figure in found] == [["exact distance"], ["seeds"], ["seeds"]]
    assert found[0]["points"][0] == {
        "curve": "exact distance",
        "edits": 1,
        "value": 0.5,
        "low": 0.4,
        "high": 0.6,
        "pairs": 1000,
    }


def test_the_same_bytes_and_nothing_that_runs():
    for suffix in (".svg", ".html"):
        assert draw_locality(numbers(), suffix) == draw_locality(numbers(), suffix)
    assert "a</script>" not in draw_locality(numbers(), ".html")


def test_nothing_to_draw_is_one_line():
    with pytest.raises(UserError, match="nothing to draw"):
        draw_locality(numbers(value=None), ".svg")
    with pytest.raises(UserError, match=r"\.svg or \.html"):
        draw_locality(numbers(), ".png")
