"""A space from a file keeps the contract of every space."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from lissnas.formats import load_space, save_space, space_from_text
from lissnas.spaces import ExplicitSpace, SearchSpace
from lissnas.testing import SpaceContract

TEXT = """\
name: mine
genes:
  width: [8, 16]
  depth: [1, 2]
  op: {alleles: [k3, k5], repeat: 2, active: index < depth}
  tail: {alleles: [a, b, id], repeat: 2, skip: id, movable: [[0, 1]]}
costs:
  size: width * depth
"""


class TestYamlSpace(SpaceContract):
    def space(self) -> SearchSpace:
        return space_from_text(TEXT)


class TestSavedSpace(SpaceContract):
    def space(self) -> SearchSpace:
        parent = space_from_text(TEXT)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "small.parquet"
            save_space(ExplicitSpace.of(parent, parent.sample(40, np.random.default_rng(0))), path)
            return load_space(path)
