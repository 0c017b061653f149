"""Codes of architectures: pack, unique, membership, set algebra on sorted arrays."""

from lissnas.arrays.codes import (
    CodeLayout,
    Codes,
    Genotypes,
    difference,
    is_sorted_set,
    locate,
    sort_keys,
    stable_order,
    union,
    unique,
    unique_index,
)

__all__ = [
    "CodeLayout",
    "Codes",
    "Genotypes",
    "difference",
    "is_sorted_set",
    "locate",
    "sort_keys",
    "stable_order",
    "union",
    "unique",
    "unique_index",
]
