"""Codes of one, two and three words against Python's integers, tuples and sets."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lissnas.arrays import CodeLayout, difference, is_sorted_set, locate, sort_keys, union, unique, unique_index

LAYOUTS = {
    "one word": [4] * 20,
    "exactly 2^64": [2] * 64,
    "two words": [9] * 22,
    "13^21": [13] * 21,
    "three words": [255] * 20,
    "mixed": [3, 1, 7, 254, 2, 2, 1],
}
WORDS = {"one word": 1, "exactly 2^64": 1, "two words": 2, "13^21": 2, "three words": 3, "mixed": 1}


@pytest.mark.parametrize("name", LAYOUTS)
class TestLayout:
    def genotypes(self, name: str, rng: np.random.Generator, n: int = 300) -> np.ndarray:
        radices = np.array(LAYOUTS[name])
        x = (rng.random((n, len(radices))) * radices).astype(np.uint8)
        x[0], x[1] = 0, radices - 1
        return x

    def test_number_of_words(self, name: str) -> None:
        assert len(CodeLayout(LAYOUTS[name]).words) == WORDS[name]

    def test_round_trip(self, name: str, rng: np.random.Generator) -> None:
        layout = CodeLayout(LAYOUTS[name])
        x = self.genotypes(name, rng)
        codes = layout.encode(x)
        assert codes.dtype == np.uint64
        assert codes.shape == (len(x), WORDS[name])
        np.testing.assert_array_equal(layout.decode(codes), x)

    def test_a_word_is_a_mixed_radix_number(self, name: str, rng: np.random.Generator) -> None:
        layout = CodeLayout(LAYOUTS[name])
        for row, code in zip((x := self.genotypes(name, rng, 20)).tolist(), layout.encode(x).tolist(), strict=True):
            for genes, word in zip(layout.words, code, strict=True):
                value = 0
                for gene in genes:
                    value = value * LAYOUTS[name][gene] + row[gene]
                assert value == word

    def test_order_is_lexicographic(self, name: str, rng: np.random.Generator) -> None:
        layout = CodeLayout(LAYOUTS[name])
        x = self.genotypes(name, rng)
        members = unique(layout.encode(x))
        assert [tuple(row) for row in layout.decode(members).tolist()] == sorted({tuple(row) for row in x.tolist()})

    def test_fits(self, name: str) -> None:
        layout = CodeLayout(LAYOUTS[name])
        last = layout.encode(np.array([LAYOUTS[name]], dtype=np.uint8) - 1)
        assert layout.fits(last).all()
        for word, genes in enumerate(layout.words):
            if math.prod(LAYOUTS[name][g] for g in genes) < 1 << 64:
                beyond = last.copy()
                beyond[0, word] += np.uint64(1)
                assert not layout.fits(beyond).any()

    def test_many_blocks_equal_one_row_at_a_time(self, name: str, rng: np.random.Generator) -> None:
        layout = CodeLayout(LAYOUTS[name])
        x = np.tile(self.genotypes(name, rng, 50), (700, 1))  # longer than two blocks
        codes = layout.encode(x)
        np.testing.assert_array_equal(codes[:50], codes[-50:])
        np.testing.assert_array_equal(layout.decode(codes)[-50:], x[:50])

    def test_no_rows(self, name: str) -> None:
        layout = CodeLayout(LAYOUTS[name])
        none = layout.encode(np.zeros((0, len(LAYOUTS[name])), dtype=np.uint8))
        assert none.shape == (0, WORDS[name])
        assert layout.decode(none).shape == (0, len(LAYOUTS[name]))
        assert layout.fits(none).shape == (0,)


# words with zero bytes at every place: NumPy's byte strings drop trailing ones
WORD = st.sampled_from([0, 1, 255, 256, 1 << 8 * 7, 1 << 63, (1 << 64) - 1, (1 << 64) - 256, 0x00FF00FF00FF00FF])


def _sets(words: int) -> st.SearchStrategy[list[tuple[int, ...]]]:
    return st.lists(st.tuples(*[WORD] * words), max_size=12)


def _array(rows: list[tuple[int, ...]], words: int) -> np.ndarray:
    return np.array(rows, dtype=np.uint64).reshape(len(rows), words)


def _tuples(codes: np.ndarray) -> list[tuple[int, ...]]:
    return [tuple(row) for row in codes.tolist()]


@pytest.mark.parametrize("words", [1, 2, 3])
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_set_algebra_equals_python_sets(words: int, data: st.DataObject) -> None:
    a, b = data.draw(_sets(words)), data.draw(_sets(words))
    set_a, set_b = unique(_array(a, words)), unique(_array(b, words))
    assert _tuples(set_a) == sorted(set(a))
    assert _tuples(union(set_a, set_b)) == sorted(set(a) | set(b))
    assert _tuples(difference(set_a, set_b)) == sorted(set(a) - set(b))
    assert is_sorted_set(set_a)
    assert is_sorted_set(_array(a, words)) == (a == sorted(set(a)))


@pytest.mark.parametrize("words", [1, 2, 3])
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_locate_and_first_occurrence(words: int, data: st.DataObject) -> None:
    a, asked = data.draw(_sets(words)), data.draw(_sets(words))
    members, first = unique_index(_array(a, words))
    ordered = sorted(set(a))
    assert _tuples(members) == ordered
    assert first.tolist() == [a.index(code) for code in ordered]
    found = locate(members, _array(asked, words))
    assert found.tolist() == [ordered.index(code) if code in set(a) else -1 for code in asked]


@pytest.mark.parametrize("words", [1, 2, 3])
def test_empty_sets(words: int) -> None:
    none = np.zeros((0, words), dtype=np.uint64)
    some = _array([(3,) * words], words)
    assert len(unique(none)) == 0
    assert len(unique_index(none)[0]) == 0
    assert len(union(none, none)) == 0
    assert len(difference(none, some)) == 0
    assert _tuples(difference(some, none)) == _tuples(union(none, some)) == [(3,) * words]
    assert locate(none, some).tolist() == [-1]
    assert locate(some, none).tolist() == []
    assert is_sorted_set(none)


def test_sort_keys_sort_as_codes_do(rng: np.random.Generator) -> None:
    codes = rng.integers(0, 1 << 63, size=(200, 2), dtype=np.uint64)
    codes[::3, 0] = 5
    codes[::7, 1] = 0
    assert np.argsort(sort_keys(codes), kind="stable").tolist() == sorted(range(200), key=lambda i: tuple(codes[i].tolist()))


@pytest.mark.parametrize("words", [1, 2, 3])
@pytest.mark.parametrize("bits", [3, 40, 64])
def test_the_first_of_equals_whatever_bits_differ(words: int, bits: int, rng: np.random.Generator) -> None:
    """Codes that agree in all bits but the last, in all but the first, in all."""
    codes = rng.integers(0, 2 ** min(bits, 63), size=(3000, words), dtype=np.uint64) << np.uint64(bits == 64)
    codes[1000:2000] = codes[:1000] ^ rng.integers(0, 2, size=(1000, words), dtype=np.uint64)
    codes[2000:] = codes[:1000]
    members, first = unique_index(codes)
    seen: dict[tuple[int, ...], int] = {}
    for row, code in enumerate(codes.tolist()):
        seen.setdefault(tuple(code), row)
    assert [tuple(code) for code in members.tolist()] == sorted(seen)
    assert first.tolist() == [seen[code] for code in sorted(seen)]
    np.testing.assert_array_equal(unique(codes), members)
