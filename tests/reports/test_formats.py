from __future__ import annotations

import pytest

from lissnas.reports.formats import anything, coefficient, count, in_words, number, probability, share, times, written


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, "0"),
        (0.93125, "0.9313"),
        (3.14159, "3.142"),
        (93.125, "93.12"),
        (148.0, "148.0"),
        (2048.6, "2,049"),
        (322_920_000.0, "322.9 million"),
        (330_000_000.0, "330.0 million"),
        (-0.5, "−0.5000"),
        (1.2e-31, "1.2 × 10⁻³¹"),
        (float("nan"), "–"),
        (None, "–"),
    ],
)
def test_number(value: float | None, expected: str) -> None:
    assert number(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (999, "999"),
        (262_144, "262,144"),
        (999_999, "999,999"),
        (1_000_000, "1 million"),
        (4**20, "1.1 trillion"),
        (999_960_000_000, "1 trillion"),
        (13**21, "2.5 × 10²³"),
        (10**400, "10⁴⁰⁰"),
    ],
)
def test_count(value: int, expected: str) -> None:
    assert expected in count(value)


def test_nine_to_the_22_is_said_in_quintillions() -> None:
    assert in_words(9**22) == "984.8 quintillion"


@pytest.mark.parametrize(("value", "expected"), [(26.2144, "26"), (3.14, "3.1"), (1.0, "1"), (1.0995e8, "110 million")])
def test_times(value: float, expected: str) -> None:
    assert times(value) == expected


def test_shares_coefficients_and_probabilities() -> None:
    assert share(0.2153) == "21.5 %"
    assert share(0.0) == "0.0 %"
    assert share(0.00002) == "0.002 %"
    assert coefficient(-0.02) == "−0.020"
    assert coefficient(None) == "–"
    assert probability(0.0) == "< 10⁻³⁰⁰"
    assert probability(3.2e-211) == "3.2 × 10⁻²¹¹"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, "yes"),
        (100_000, "100,000"),
        (0.05, "0.05"),
        (1e-9, "1e-09"),
        ([], "none"),
        (["a", 2], "a, 2"),
        (None, "–"),
        ("x", "x"),
    ],
)
def test_anything(value: object, expected: str) -> None:
    assert anything(value) == expected


def test_what_is_missing_is_a_dash_in_every_format() -> None:
    assert written(None, "count") == written(None, "share") == written(None, "text") == "–"
