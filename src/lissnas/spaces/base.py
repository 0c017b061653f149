"""The contract of a search space."""

from __future__ import annotations

import hashlib
import itertools
import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import CodeLayout, Codes, Genotypes, unique_index
from lissnas.errors import UserError
from lissnas.registry import Registry
from lissnas.spaces.answers import Ball, Costs, Neighbors
from lissnas.spaces.diagram import Diagram
from lissnas.spaces.features import FeatureTable, one_hot, op_coded, ordinal
from lissnas.spaces.gene import Gene

__all__ = ["Ball", "Costs", "Neighbors", "SearchSpace"]

MAX_IN_BALL = 1 << 25  # architectures that a call lists

# Files and torch belong to higher rooms, which a space reaches by name only.
WRITERS = Registry("file format", {"parquet": "lissnas.formats.saved:save_space"})
BUILDERS = Registry("network builder", {"torch": "lissnas.oneshot.network:build_network"})


class SearchSpace(ABC):
    """What can be built: all architectures of a space, as rows ``uint8[n, L]`` of alleles (genotypes).

    Everything works on batches, arrays in and arrays out, with an explicit ``numpy.random.Generator`` wherever chance is
    involved. A genotype is always canonical: architectures that are the same network have the same row and the same code.
    Public methods check what they are given and answer a wrong shape, dtype or allele in one line; the methods with a
    leading underscore, which a new space writes, can rely on that.

    Attributes:
        name: what the space is called.
        genes: one per column of a genotype.
        encodings: how many genotypes can be written down, the number that papers quote.
        cardinality: how many architectures there are once isomorphs count once. Exact, unless ``cardinality_is_exact``
            says otherwise.
        is_uniform: whether :meth:`sample` draws all architectures equally often; else the kind of space says how it draws.
        max_edits: the paper's "total available edit distance" (reconstruction of Sec. 4.3): the most edits that an
            architecture offers, one per non-zero entry of its representation.
        isomorphisms: which equal networks are folded into one, in a sentence.
        paper: where the space was published.
        distance_is_exact: whether :meth:`distance` is the fewest edits, or a bound that the space's docstring explains.
        distance_by_search: whether :meth:`distance` searches for each pair, so that a ball costs less than many distances.
        unreachable: what :meth:`distance` says of two architectures that no edits connect; None where that cannot happen.
        cost_names: the costs that :meth:`cost` computes.
        layout: what torch builds networks from (see ``spaces.layouts``), where the space has one.
        feature_kinds: the named encodings that :meth:`features` offers.
    """

    name: str
    genes: tuple[Gene, ...]
    encodings: int
    cardinality: int
    cardinality_is_exact: bool = True
    is_uniform: bool = True
    max_edits: int
    isomorphisms: str
    paper: str = ""
    distance_is_exact: bool = True
    distance_by_search: bool = False
    unreachable: int | None = None
    cost_names: tuple[str, ...]
    layout: Any = None
    feature_kinds: tuple[str, ...] = ("one-hot", "ordinal", "op-coded")

    # -- identity ---------------------------------------------------------------------------------------------------

    @abstractmethod
    def definition(self) -> dict[str, Any]:
        """All that is needed to build this space again, as plain JSON data."""

    @cached_property
    def fingerprint(self) -> str:
        """16 hex digits that identify the definition."""
        text = json.dumps(self.definition(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def root(self) -> SearchSpace:
        """The space in which edits are made: itself, or what a shrunk space was shrunk from in the first place."""
        return self

    @cached_property
    def code_layout(self) -> CodeLayout:
        """How genotypes are packed into codes."""
        return CodeLayout([gene.radix for gene in self.genes])

    @property
    def length(self) -> int:
        """The number of genes, the ``L`` of ``uint8[n, L]``."""
        return len(self.genes)

    # -- genotypes --------------------------------------------------------------------------------------------------

    def check(self, genotypes: Genotypes) -> Genotypes:
        """Return ``genotypes``, or say in one line what is wrong with its shape, dtype or alleles.

        Raises:
            UserError: not uint8[n, L], or an allele that its gene does not have.
        """
        shape, dtype = getattr(genotypes, "shape", None), getattr(genotypes, "dtype", None)
        if dtype != np.uint8 or shape is None or len(shape) != 2 or shape[1] != self.length:
            got = f"{dtype}{list(shape)}" if shape is not None else type(genotypes).__name__
            raise UserError(
                f"genotypes of '{self.name}' must be uint8[n, {self.length}], but got {got}: "
                "take them from .sample(), .parse() or .decode()"
            )
        if len(genotypes):
            radices = np.array([gene.radix for gene in self.genes])
            excess = genotypes.max(axis=0) >= radices
            if excess.any():
                column = int(np.flatnonzero(excess)[0])
                row = int(np.flatnonzero(genotypes[:, column] >= radices[column])[0])
                raise UserError(
                    f"row {row}: gene '{self.genes[column].name}' of '{self.name}' has alleles 0 to {radices[column] - 1}, "
                    f"but got {genotypes[row, column]}"
                )
        return genotypes

    def check_codes(self, codes: Codes) -> Codes:
        """Return ``codes``, or say in one line what is wrong with them.

        Raises:
            UserError: not uint64[n, W], or a number that is no genotype's code.
        """
        width = len(self.code_layout.words)
        if not isinstance(codes, np.ndarray) or codes.dtype != np.uint64 or codes.ndim != 2 or codes.shape[1] != width:
            got = f"{codes.dtype}{list(codes.shape)}" if isinstance(codes, np.ndarray) else type(codes).__name__
            raise UserError(f"codes of '{self.name}' must be uint64[n, {width}], but got {got}: take them from .encode()")
        fits = self.code_layout.fits(codes)
        if not fits.all():
            row = int(np.flatnonzero(~fits)[0])
            raise UserError(f"row {row}: {codes[row].tolist()} is no code of '{self.name}': take codes from .encode()")
        return codes

    def sample(self, n: int, rng: np.random.Generator) -> Genotypes:
        """``n`` architectures, uint8[n, L], independent and uniform over the space's unique architectures."""
        if not isinstance(n, (int, np.integer)) or n < 0:
            raise UserError(f"a number of architectures must be a whole number >= 0, but got {n!r}")
        return self._sample(int(n), _check_rng(rng))

    def canonicalize(self, genotypes: Genotypes) -> Genotypes:
        """The one genotype that stands for each of ``genotypes``, uint8[n, L]."""
        return self._canonicalize(self.check(genotypes))

    def recognize(self, genotypes: Genotypes) -> Neighbors:
        """The canonical form of those rows that stand for an architecture of this space, and which rows those are.

        For what was put together from genes, as children of two architectures are: rows that mean nothing are left out.
        """
        return self._recognize(self.check(genotypes))

    def _recognize(self, genotypes: Genotypes) -> Neighbors:
        canonical = self._canonicalize(genotypes)
        rows = np.flatnonzero(self._is_valid(canonical))
        return Neighbors(canonical[rows], rows)

    def is_valid(self, genotypes: Genotypes) -> NDArray[np.bool_]:
        """bool[n]: whether each row is a canonical genotype of an architecture of this space."""
        return self._is_valid(self.check(genotypes))

    def require_valid(self, genotypes: Genotypes) -> Genotypes:
        """Return ``genotypes``, or name the first row that is no architecture of this space."""
        valid = self.is_valid(genotypes)
        if not valid.all():
            row = int(np.flatnonzero(~valid)[0])
            shown = " ".join(str(v) for v in genotypes[row])
            raise UserError(f"row {row} ({shown}) is no canonical architecture of '{self.name}': see .canonicalize()")
        return genotypes

    def encode(self, genotypes: Genotypes) -> Codes:
        """The codes uint64[n, W] of ``genotypes``: an architecture's identity."""
        return self.code_layout.encode(self.check(genotypes))

    def decode(self, codes: Codes) -> Genotypes:
        """The genotypes uint8[n, L] of ``codes``."""
        return self.code_layout.decode(self.check_codes(codes))

    @abstractmethod
    def format(self, genotypes: Genotypes) -> list[str]:
        """The architecture string of each row, the benchmark's official one where there is one."""

    @abstractmethod
    def parse(self, texts: Sequence[str]) -> Genotypes:
        """The genotypes uint8[n, L] of architecture strings, the inverse of :meth:`format`."""

    def to_dicts(self, genotypes: Genotypes) -> list[dict[str, Any]]:
        """Each architecture as ``{gene: allele}``, without the genes that are inactive in it."""
        self.check(genotypes)
        labels = [[*gene.alleles, None] for gene in self.genes]
        names = [gene.name for gene in self.genes]
        rows = ([labels[g][allele] for g, allele in enumerate(row)] for row in genotypes.tolist())
        return [{name: value for name, value in zip(names, row, strict=True) if value is not None} for row in rows]

    def simplifications(self) -> Iterator[SearchSpace]:
        """Parts of this space that its designers would try in its place, one rule more each, in order; mostly none."""
        yield from ()

    def enumerate(self, block: int = 1 << 16) -> Iterator[Genotypes]:  # noqa: ARG002 - for spaces that can be listed
        """All architectures, ``block`` rows at a time.

        Raises:
            UserError: the space is too large to be listed.
        """
        raise UserError(f"'{self.name}' has {self.cardinality:,} architectures: too many to list")

    # -- edits ------------------------------------------------------------------------------------------------------

    def neighbors(self, genotypes: Genotypes, edits: int, rng: np.random.Generator) -> Neighbors:
        """One random neighbor per row, at exactly that edit distance; rows that have none there are left out.

        Never the row itself, never invalid. Uniform over the distinct architectures at that distance, except where the
        space's own docstring says otherwise.
        """
        self.require_valid(genotypes)
        if not isinstance(edits, (int, np.integer)) or edits < 1:
            raise UserError(f"an edit distance must be a whole number >= 1, but got {edits!r}")
        return self._neighbors(genotypes, int(edits), _check_rng(rng))

    def all_neighbors(self, genotypes: Genotypes) -> Neighbors:
        """Every architecture one edit away from each row, each once per row."""
        return self._all_neighbors(self.require_valid(genotypes))

    def distance(self, a: Genotypes, b: Genotypes) -> NDArray[np.int64]:
        """int64[n]: the fewest edits between each row of ``a`` and the same row of ``b``.

        Exact where ``distance_is_exact``; ``unreachable`` where no edits lead from one to the other.
        """
        self.check(a)
        self.check(b)
        if len(a) != len(b):
            raise UserError(f"distance compares row by row, but got {len(a)} and {len(b)} rows")
        return self._distance(a, b)

    def ball(self, genotypes: Genotypes, edits: int) -> Ball:
        """Every architecture within ``edits`` edits of each row, the row itself included, nearest first.

        Edits are steps from one architecture of the space to the next; a shrunk space's are its root's, so that what lies
        between two of its architectures need not be one of them.

        Raises:
            UserError: more architectures than a list can hold.
        """
        self.require_valid(genotypes)
        if not isinstance(edits, (int, np.integer)) or edits < 0:
            raise UserError(f"a radius must be a whole number >= 0, but got {edits!r}")
        return self._ball(genotypes, int(edits))

    def _ball(self, genotypes: Genotypes, edits: int) -> Ball:
        found = at = Ball(genotypes, np.arange(len(genotypes)), np.zeros(len(genotypes), dtype=np.int64))
        for travelled in range(1, edits + 1):
            near = self.root.all_neighbors(at.genotypes)
            step = Ball(near.genotypes, at.parents[near.parents], np.full(len(near.parents), travelled, dtype=np.int64))
            merged = found.join(step)
            if len(merged.parents) > MAX_IN_BALL:
                raise UserError(
                    f"the balls of {len(genotypes):,} architectures of '{self.name}' hold over {MAX_IN_BALL:,} within {edits} "
                    "edits: too many to list, give fewer rows or a smaller radius"
                )
            keys = np.column_stack([merged.parents.astype(np.uint64), self.code_layout.encode(merged.genotypes)])
            _, first = unique_index(keys)  # the first of equals is the nearest
            found = merged.take(np.sort(first))
            at = found.take(np.flatnonzero(found.edits == travelled))
        order = np.argsort(found.parents, kind="stable")
        return found.take(order[self._is_valid(found.genotypes[order])])

    # -- what predictors and users see ------------------------------------------------------------------------------

    @cached_property
    def feature_table(self) -> FeatureTable | None:
        """The features as a table, where each looks at one gene alone; None where some do not."""
        return FeatureTable.of(self.genes)

    def features(self, genotypes: Genotypes, kind: str | None = None) -> NDArray[np.float32]:
        """What a predictor sees of each architecture, float32[n, F].

        Args:
            kind: one of ``feature_kinds``; None is what the space was made for: ordered genes by rank, others one-hot.
                ``one-hot``: a column per gene and allele, all 0 where inactive. ``ordinal``: a column per gene, the allele's
                rank, -1 where inactive. ``op-coded``: see :meth:`embed`.

        Raises:
            UserError: a kind that the space does not have.
        """
        self.check(genotypes)
        if kind is not None:
            if kind not in self.feature_kinds:
                raise UserError(f"'{self.name}' has no features '{kind}': it has {', '.join(self.feature_kinds)}")
            return self._features(genotypes, kind)
        table = self.feature_table
        if table is None:
            raise NotImplementedError(f"{type(self).__name__} has no feature table and must write features()")
        return table.read(genotypes)

    def _features(self, genotypes: Genotypes, kind: str) -> NDArray[np.float32]:
        """Features of one of ``feature_kinds``; a space that has others of its own adds them here."""
        match kind:
            case "op-coded":
                return self.embed(genotypes)
            case "ordinal":
                return ordinal(self.genes, genotypes)
            case "one-hot":
                return one_hot(self.genes, genotypes)
        raise NotImplementedError(f"{type(self).__name__} names the features '{kind}', but does not make them")

    def embed(self, genotypes: Genotypes) -> NDArray[np.float32]:
        """The op-coded vector of the paper's Appendix D, float32[n, E]: each gene's allele counted from 1, 0 where inactive."""
        return op_coded(self.genes, self.check(genotypes))

    def cost(self, genotypes: Genotypes) -> Costs:
        """What each architecture costs, by name, computed without building a network.

        ``flops`` are multiply-adds as the field counts them, a plain number (322.92e6); ``params`` are parameters.
        """
        return self._cost(self.check(genotypes))

    def to_torch(self, genotype: Genotypes, **options: Any) -> Any:
        """One architecture, uint8[L], as a plain torch network: see :func:`lissnas.oneshot.build_network` for ``options``.

        Raises:
            UserError: no architecture of the space, a space that says nothing of layers, or no torch here.
        """
        return BUILDERS.get("torch")(self, genotype, **options)

    def diagram(self, genotype: Genotypes) -> Diagram:
        """One architecture, uint8[L], as nodes and edges to draw. Here: its active genes in a row."""
        (row,) = self.to_dicts(self.require_valid(np.asarray(genotype, dtype=np.uint8)[None]))
        nodes = tuple(f"{name}: {allele}" for name, allele in row.items())
        return Diagram(nodes, tuple((a, b, "") for a, b in itertools.pairwise(range(len(nodes)))))

    def save(self, path: str | Path) -> None:
        """Save the space as Parquet, with its whole definition: ``lissnas.get_space(path)`` gives it back."""
        WRITERS.get("parquet")(self, path)

    # -- what a space writes ----------------------------------------------------------------------------------------

    @abstractmethod
    def _sample(self, n: int, rng: np.random.Generator) -> Genotypes: ...

    @abstractmethod
    def _canonicalize(self, genotypes: Genotypes) -> Genotypes: ...

    @abstractmethod
    def _is_valid(self, genotypes: Genotypes) -> NDArray[np.bool_]: ...

    @abstractmethod
    def _neighbors(self, genotypes: Genotypes, edits: int, rng: np.random.Generator) -> Neighbors: ...

    @abstractmethod
    def _all_neighbors(self, genotypes: Genotypes) -> Neighbors: ...

    @abstractmethod
    def _distance(self, a: Genotypes, b: Genotypes) -> NDArray[np.int64]: ...

    @abstractmethod
    def _cost(self, genotypes: Genotypes) -> Costs: ...

    def __repr__(self) -> str:
        return f"<{type(self).__name__} '{self.name}': {self.cardinality:,} architectures, {self.length} genes>"


def _check_rng(rng: np.random.Generator) -> np.random.Generator:
    if not isinstance(rng, np.random.Generator):
        raise UserError(f"rng must be a numpy.random.Generator, but got {type(rng).__name__}: numpy.random.default_rng(0)")
    return rng
