"""What a benchmark is.

Each one is a file of this folder with a :class:`Benchmark`, its converter and a factory, a line in ``BENCHMARKS`` and a line in
``EVALUATORS``. Its data is converted once (``install``, by hand or after ``fetch``), kept by ``store``, and evaluated as a
``table``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from lissnas.errors import UserError
from lissnas.evaluators.base import Metric
from lissnas.registry import Registry
from lissnas.spaces import SPACES, SearchSpace

__all__ = [
    "BENCHMARKS",
    "Benchmark",
    "Columns",
    "Source",
    "benchmark_space",
    "benchmarks_of",
    "find_benchmark",
    "genes_key",
    "not_installed",
    "own_space",
    "shown_size",
]

# name -> the constant that describes it
BENCHMARKS = Registry(
    "benchmark",
    {
        "nasbench101": "lissnas.evaluators.nasbench101:NASBENCH101",
        "nasbench101-sample": "lissnas.evaluators.nasbench101_sample:NASBENCH101_SAMPLE",
        "ecnas": "lissnas.evaluators.ecnas:ECNAS",
        "nasbench201": "lissnas.evaluators.nasbench201:NASBENCH201",
        "nasbench301": "lissnas.evaluators.nasbench301:NASBENCH301",
        "transnasbench101-macro": "lissnas.evaluators.transnasbench101:TRANSNASBENCH101_MACRO",
        "transnasbench101-micro": "lissnas.evaluators.transnasbench101:TRANSNASBENCH101_MICRO",
        "gpt-s": "lissnas.evaluators.gpt_s:GPT_S",
    },
)

Columns = Mapping[str, NDArray[Any]]
"""What a converter reads: ``genotypes`` uint8[n, L], canonical, each once, and float[n] per metric or other number.

NaN where an architecture has none.
"""

Converted = Columns | Sequence[Path]


@dataclass(frozen=True)
class Source:
    """Where an official file is.

    Attributes:
        url: the address of the file, or the page that leads to it.
        sha256: of the file (hex), where it is published.
        size: in bytes, where it is known; of the file as it is downloaded.
        note: what it is, in a few words.
        fetchable: False for a page from which a browser gets the file.
    """

    url: str
    sha256: str | None = None
    size: int | None = None
    note: str = ""
    fetchable: bool = True


@dataclass(frozen=True)
class Benchmark:
    """A benchmark: what it scores, where its data is, and how that is read.

    Attributes:
        name: as in ``lissnas data add NAME``, and of its evaluator.
        space: the name of the space whose architectures it scores.
        about: one line.
        paper, license: where it was published, and the terms of its data.
        metrics: what it can be asked for, by the name that ``task`` takes; the first is the default.
        sources: known addresses, the one to fetch first.
        convert: ``"module:function"``: ``function(path, space, say)`` gives the :data:`Columns` of a file, or the files to keep
            as they are (a surrogate). Raises UserError naming what is wrong with the file.
        folders: names of files that tell of a folder that it is the data as a whole.
        files: names under which the official and other known files go, for a folder that is given in place of a file.
        beside: names of files that ``convert`` reads too where they stand in the same folder.
        version: raised when ``convert`` gives something else than before, so that older tables are not used.
    """

    name: str
    space: str
    about: str
    paper: str
    license: str
    metrics: Mapping[str, Metric]
    sources: tuple[Source, ...]
    convert: str
    files: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    version: int = 1

    def metric(self, task: str | None) -> tuple[str, Metric]:
        """The metric called ``task``, with its name; the default one for None.

        Raises:
            UserError: there is no such metric; the ones there are are named.
        """
        name = next(iter(self.metrics)) if task is None else task
        if name not in self.metrics:
            raise UserError(f"'{self.name}' has no metric '{name}': it has {', '.join(self.metrics)}")
        return name, self.metrics[name]


def find_benchmark(name: str) -> Benchmark:
    """The benchmark called ``name``.

    Raises:
        UserError: there is none; the nearest names are given.
    """
    benchmark: Benchmark = BENCHMARKS.get(name)
    return benchmark


def benchmarks_of(space: SearchSpace) -> list[str]:
    """The names of the benchmarks of ``space``, or else of the nearest space that it was shrunk from.

    A variant of a benchmark's space (other edits, isomorphs folded) has the same genes, and so the same benchmarks.
    """
    subject: SearchSpace | None = space
    while subject is not None:
        names = [name for name in BENCHMARKS.names() if find_benchmark(name).space == subject.name]
        if names:
            return names
        subject = getattr(subject, "parent", None)
    if space.root.definition()["kind"] != "published":  # a space of one's own: no other is built to be compared with it
        return []
    genes = genes_key(space.root)
    return [name for name in BENCHMARKS.names() if genes_key(own_space(find_benchmark(name).space).root) == genes]


def benchmark_space(benchmark: Benchmark, space: SearchSpace | None = None) -> SearchSpace:
    """The space to evaluate: ``space`` if its genes are the benchmark's, the benchmark's own for None.

    Raises:
        UserError: a space of other genes.
    """
    own = own_space(benchmark.space)
    if space is None:
        return own
    if genes_key(space.root) != genes_key(own):
        raise UserError(
            f"'{benchmark.name}' scores architectures of '{benchmark.space}', but got the space '{space.name}': "
            f"take get_space('{benchmark.space}') or a part of it"
        )
    return space


@cache
def own_space(name: str) -> SearchSpace:
    """The space called ``name``, built once."""
    space: SearchSpace = SPACES.get(name)()
    return space


def genes_key(space: SearchSpace) -> str:
    """16 hex digits for the genes of ``space`` and their alleles in order: what a code means."""
    genes = [[gene.name, [gene.label(allele) for allele in range(gene.radix)]] for gene in space.genes]
    return hashlib.sha256(json.dumps(genes).encode()).hexdigest()[:16]


def not_installed(benchmark: Benchmark) -> UserError:
    """The line for a benchmark whose data is not here."""
    source = next((source for source in benchmark.sources if source.fetchable), None)
    add = f"lissnas data add {benchmark.name} FILE"
    if source is None:
        where = f" (get the file from {benchmark.sources[0].url})" if benchmark.sources else ""
        return UserError(f"the data of '{benchmark.name}' is not here: {add}{where}")
    size = f" ({shown_size(source.size)})" if source.size else ""
    return UserError(f"the data of '{benchmark.name}' is not here: lissnas data fetch {benchmark.name}{size}, or {add}")


def shown_size(size: int) -> str:
    """``499 MB``."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= factor:
            return f"{size / factor:.3g} {unit}"
    return f"{size} bytes"
