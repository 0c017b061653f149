"""The statistics of spaces side by side, in the order and the words that a reader meets them in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

__all__ = ["Group", "Row", "groups", "reasons"]

_SPREAD = {
    "edit_distance": "mean edit distance",
    "cosine_mean": "mean pairwise cosine distance",
    "cosine_max": "largest pairwise cosine distance",
    "cosine_d1000": "D1000",
    "entropy": "entropy per gene, bits",
    "pockets": "pockets",
    "largest_pocket": "share in the largest pocket",
    "median_pocket": "median size of a pocket",
    "alone": "share that is a pocket alone",
}
_AGAINST = {
    "ks": "KS distance from the reference",
    "ks_p": "p of it, up to 1,000 scores each",
    "ks_better": "KS distance, better side only",
    "ks_better_p": "p of it, up to 1,000 scores each",
    "mean_difference": "difference of the means",
    "cliffs_delta": "Cliff's delta",
}
# written as a percentage, a p-value, or whole
_KINDS = {
    "p_good": "share",
    "p_draws": "share",
    "largest_pocket": "share",
    "alone": "share",
    "edf_area": "coefficient",
    "shrink_index": "coefficient",
    "cliffs_delta": "coefficient",
    "ks": "coefficient",
    "ks_better": "coefficient",
    "ks_p": "probability",
    "ks_better_p": "probability",
    "pockets": "whole",
    "median_pocket": "size",
    "reduction": "factor",
}


class Row(NamedTuple):
    """One statistic: its key, what it is called, how it is written, and of each space a ``Statistic`` as plain data."""

    key: str
    label: str
    kind: str
    cells: list[dict[str, Any]]


class Group(NamedTuple):
    """Statistics that belong together; ``note`` says what was fixed for them."""

    title: str
    note: str
    rows: list[Row]


def groups(numbers: Mapping[str, Any]) -> list[Group]:
    """All that ``SideBySide.to_dict()`` holds, for a table."""
    spaces = numbers["spaces"]
    cost_names = [key.removeprefix("coverage_") for key in spaces[0]["spread"] if key.startswith("coverage_")]
    structure = {"reduction": "times smaller than the reference", **_SPREAD}
    structure |= {f"coverage_{cost}": f"{cost}: share of 20 bins reached" for cost in cost_names}
    rows = [_row(key, label, [{**space["size"], **space["spread"]} for space in spaces]) for key, label in structure.items()]
    found = [Group("Size, diversity and cost", "", rows)]
    for source, scale in numbers["scales"].items():
        labels = _score_labels(scale, spaces[0]["scores"][source])
        rows = [_row(key, label, [space["scores"][source] for space in spaces]) for key, label in labels.items()]
        title = f"True scores: {scale['metric']}" if source == "true" else "Predicted scores"
        found.append(Group(f"{title}{' ' + scale['unit'] if scale['unit'] else ''}", " ".join(_fixed(scale)), rows))
    return found


def reasons(found: list[Group]) -> dict[str, int]:
    """Why statistics have no value, numbered from 1 in the order of the table."""
    numbered: dict[str, int] = {}
    for cell in _cells(found):
        if cell["value"] is None:
            numbered.setdefault(cell["reason"], len(numbered) + 1)
    return numbered


def _cells(found: list[Group]) -> Iterator[dict[str, Any]]:
    for group in found:
        for row in group.rows:
            yield from row.cells


def _row(key: str, label: str, held: list[Mapping[str, Any]]) -> Row:
    kind = _KINDS.get(key, "share" if key.startswith(("kept_", "coverage_", "hypervolume_")) else "number")
    return Row(key, label, kind, [statistics[key] for statistics in held])


def _score_labels(scale: Mapping[str, Any], first: Mapping[str, Any]) -> dict[str, str]:
    labels = {"mean": "mean", "best": "best"}
    labels |= {key: f"quantile {key[1:]}" for key in first if key.startswith("q")}
    labels |= {"top_tier": "mean of the best 50", "expected_top": "expected and top-tier (S3), half each"}
    labels |= {
        "p_good": "P(good)",
        "p_draws": f"P(at least {scale['good']} good of {scale['draws']})",
        "shrink_index": "shrink index",
        "edf_area": "area under the error EDF",
        **_AGAINST,
    }
    labels |= {key: f"kept of the reference's best {key.removeprefix('kept_top')}" for key in first if key.startswith("kept_")}
    labels |= {
        key: f"hypervolume, score and {key.removeprefix('hypervolume_')}" for key in first if key.startswith("hypervolume_")
    }
    return labels


def _fixed(scale: Mapping[str, Any]) -> Iterator[str]:
    """What was fixed for all spaces, in sentences."""
    side = "at least" if scale["higher_is_better"] else "at most"
    if scale["threshold"] is None:
        yield f"Nothing is good or bad: {scale['reason']}."
        return
    how = "as given" if scale["quantile"] is None else f"the reference's best {100 * (1 - scale['quantile']):.3g}%"
    yield f"Good: {side} {scale['threshold']:.5g} ({how})."
    if scale["interval"] is not None:
        yield f"EDF area: scores from {scale['interval'][0]:.5g} to {scale['interval'][1]:.5g}."
    for cost, point in scale["points"].items():
        yield (
            f"Hypervolume with {cost}: of the box from score {point['score']:.5g}, {cost} {point['cost']:.4g} "
            f"to {point['best_score']:.5g}, {point['lowest_cost']:.4g}."
        )
