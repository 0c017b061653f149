"""Installing a benchmark: its file is read and converted once, and from then on a table that is mapped into memory."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from lissnas.arrays import unique_index
from lissnas.errors import UserError
from lissnas.evaluators import store
from lissnas.evaluators.benchmark import Benchmark, Columns, Converted, genes_key, not_installed, own_space
from lissnas.evaluators.store import Say
from lissnas.spaces import SearchSpace

__all__ = ["install", "install_locked", "installed_and_usable", "require_installed"]


def install(benchmark: Benchmark, source: str | Path, say: Say = store.silent) -> store.Installed:
    """Read ``source``, a file or a folder that holds one, and keep it for :func:`require_installed`.

    Converted once: where the same file is installed already, nothing is done. Two processes that install at once take turns.

    Raises:
        UserError: nothing that the benchmark can read; a mistake in the file; the disk refuses.
    """
    path = _find_file(benchmark, Path(source))
    present = _made_from(benchmark, _origin(benchmark, path))
    if present is not None:  # so that a folder that only others may write to serves as well
        return present
    with store.locked(benchmark.name, say):
        return install_locked(benchmark, path, say)


def install_locked(benchmark: Benchmark, path: Path, say: Say) -> store.Installed:
    """As :func:`install`, of a file and for who holds the lock already."""
    space, origin = own_space(benchmark.space), _origin(benchmark, path)
    present = _made_from(benchmark, origin)
    if present is not None:
        return present
    _require_no_page(path)
    converted = _converter(benchmark)(path, space, say)
    if isinstance(converted, Mapping):
        return _write(benchmark, space, origin, converted, path)
    return store.keep_files(benchmark.name, origin, converted)


def _origin(benchmark: Benchmark, path: Path) -> store.Origin:
    paths = [path, *(near for name in benchmark.beside if (near := path.with_name(name)).is_file())]
    return store.Origin(tuple(map(store.file_record, paths)), benchmark.version, genes_key(own_space(benchmark.space)))


def _made_from(benchmark: Benchmark, origin: store.Origin) -> store.Installed | None:
    """What is installed, if it was made from the same bytes."""
    present = installed_and_usable(benchmark)
    same = present is not None and [f.sha256 for f in present.origin.sources] == [f.sha256 for f in origin.sources]
    return present if same else None


def installed_and_usable(benchmark: Benchmark) -> store.Installed | None:
    """What is installed, if it can be used. What is damaged or older is as good as nothing where new data is at hand."""
    try:
        store.kept_files(benchmark.name)
        return require_installed(benchmark)
    except UserError:
        return None


def _require_no_page(path: Path) -> None:
    """A common mishap: the page about a file, or about an error, saved in its place."""
    if path.is_file():
        with path.open("rb") as file:
            head = file.read(256).lstrip().lower()
        if head.startswith((b"<!doctype html", b"<html")):
            raise UserError(f"'{path}' is a web page, not the file that it leads to: download the file itself")


def _find_file(benchmark: Benchmark, path: Path) -> Path:
    if not path.is_dir():
        return path
    if any((path / name).is_file() for name in benchmark.folders):
        return path
    for name in benchmark.files:
        if (path / name).is_file():
            return path / name
    raise UserError(
        f"the folder '{path}' holds no file of '{benchmark.name}': it looks for {', '.join(benchmark.files)}; name the file"
    )


def _converter(benchmark: Benchmark) -> Callable[[Path, SearchSpace, Say], Converted]:
    module, _, function = benchmark.convert.partition(":")
    found: Callable[[Path, SearchSpace, Say], Converted] = getattr(importlib.import_module(module), function)
    return found


def _write(benchmark: Benchmark, space: SearchSpace, origin: store.Origin, columns: Columns, path: Path) -> store.Installed:
    genotypes = columns["genotypes"]
    space.require_valid(genotypes)
    codes, first = unique_index(space.encode(genotypes))
    if not len(codes):
        raise UserError(f"'{path}' holds no architecture of '{space.name}': is it the file of '{benchmark.name}'?")
    if len(codes) < len(genotypes):
        repeated = np.ones(len(genotypes), dtype=bool)
        repeated[first] = False
        row = int(np.flatnonzero(repeated)[0])
        raise UserError(f"'{path}' holds the architecture {space.format(genotypes[row : row + 1])[0]} twice: keep one")
    numbers = {name: values[first] for name, values in columns.items() if name != "genotypes"}
    return store.write_table(benchmark.name, origin, codes, numbers)


def require_installed(benchmark: Benchmark, data: str | Path | None = None, say: Say = store.silent) -> store.Installed:
    """What is installed for ``benchmark``; the file ``data`` is installed first, if it is not what is there already.

    Raises:
        UserError: nothing is installed, or by rules of another version.
    """
    if data is not None:
        return install(benchmark, data, say)
    present = store.installed(benchmark.name)
    if present is None:
        raise not_installed(benchmark)
    if (present.origin.version, present.origin.genes) != (benchmark.version, genes_key(own_space(benchmark.space))):
        raise UserError(
            f"the data of '{benchmark.name}' was converted by another version of lissnas, which codes architectures "
            f"differently: lissnas data add {benchmark.name} FILE again (it was {present.origin.source.name})"
        )
    return present
