"""A space saved as Parquet, and loaded again.

The file's header (Parquet's key-value metadata, all JSON texts) holds the whole definition and its fingerprint; an explicit
space's rows hold the codes (``code_0``, the most significant word, ...) and beside them the genes as readable columns.
Restricted, constrained and product spaces are all header and have no rows. The same space gives the same bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO, TypeGuard

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lissnas._version import __version__
from lissnas.arrays import Codes
from lissnas.disk import writing
from lissnas.errors import UserError
from lissnas.formats.architectures import allele_column
from lissnas.spaces import Cost, ExplicitSpace, PricedSpace, SearchSpace, from_definition

__all__ = ["FORMAT", "load_space", "read_header", "save_space"]

FORMAT = 1
_KEY = b"lissnas"  # the header's name in the file's metadata


def save_space(space: SearchSpace, path: str | Path, made_by: Mapping[str, Any] | None = None) -> None:
    """Save ``space`` to ``path``, which appears whole or not at all.

    A space shrunk several times is saved as a part of the space that all began with; :func:`load_space` gives it its place
    in the chain again when it is told the parent.

    Args:
        path: ends in ``.parquet``.
        made_by: how it was made, plain JSON data.

    Raises:
        UserError: another ending, or a path that cannot be written.
    """
    path = Path(path)
    if path.suffix.lower() != ".parquet":
        raise UserError(f"a space is saved as .parquet, but got '{path}': change its ending")
    whole = _rooted(space)
    codes = whole.codes if _is_list(whole) else np.zeros((0, len(whole.code_layout.words)), dtype=np.uint64)
    base = whole.parent if _is_list(whole) else whole
    columns: dict[str, Any] = {}
    code_columns = _code_columns(whole)
    for word, name in enumerate(code_columns):
        columns[name] = pa.array(codes[:, word], pa.uint64())
    genotypes = whole.code_layout.decode(codes)
    for index, gene in enumerate(whole.genes):
        columns[gene.name] = allele_column(gene, genotypes[:, index])
    header = {
        "format": FORMAT,
        "version": __version__,
        "kind": "explicit" if _is_list(whole) else "definition",
        "name": whole.name,
        "fingerprint": whole.fingerprint,
        "base": base.definition(),
        "base_fingerprint": base.fingerprint,
        "ancestors": _ancestors(space),
        "codes": code_columns,
        "codes_sha256": _digest(codes),
        "made_by": dict(made_by or {}),
    }
    try:
        text = json.dumps(header, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise UserError(
            f"what a saved space says about how it was made must be plain JSON data ({error}): use texts and numbers"
        ) from None
    table = pa.table(columns).replace_schema_metadata({_KEY: text.encode()})
    with writing(path) as temporary:
        pq.write_table(table, temporary, compression="zstd", write_page_checksum=True)


def load_space(path: str | Path, parent: SearchSpace | None = None) -> SearchSpace:
    """The space that was saved to ``path``.

    Args:
        parent: the space it was shrunk from, to be used in place of the saved definition (it may know learned costs).

    Raises:
        UserError: no such file, truncated, tampered with, written by a newer version, or shrunk from another parent.
    """
    path = Path(path)
    header = read_header(path)
    if parent is None:
        base = from_definition(header["base"])
    elif header["kind"] == "explicit":
        known = {a["fingerprint"] for a in header["ancestors"]} | {header["base_fingerprint"]}
        if parent.fingerprint not in known:
            raise _wrong_parent(path, header, parent)
        base = parent
    elif parent.fingerprint in {header["fingerprint"], *(a["fingerprint"] for a in header["ancestors"])}:
        base = from_definition(header["base"], parent)
    else:
        raise _wrong_parent(path, header, parent)
    if header["kind"] != "explicit":
        return base
    codes = _read_codes(path, header)
    if codes.shape[1] != len(base.code_layout.words):
        raise _tampered(path, "its codes have the wrong number of words")
    space = ExplicitSpace(base, codes, header["name"])
    if base.fingerprint == header["base_fingerprint"] and space.fingerprint != header["fingerprint"]:
        raise _tampered(path, "its header does not match its fingerprint")
    return space


def read_header(path: str | Path) -> dict[str, Any]:
    """What the header of a saved space says, ``made_by`` among it.

    Raises:
        UserError: no such file, no saved space, or one written by a newer version.
    """
    path = Path(path)
    schema = _parquet(path, pq.read_schema)
    text = (schema.metadata or {}).get(_KEY)
    if text is None:
        raise UserError(f"{path} is a Parquet file, but no saved space: a file of scores goes to --scores")
    try:
        header = json.loads(text)
        newest = int(header["format"])
    except (ValueError, KeyError, TypeError):
        raise _tampered(path, "its header cannot be read") from None
    if newest > FORMAT:
        raise UserError(
            f"{path} was written by lissnas {header.get('version')}, newer than this one ({__version__}): upgrade lissnas"
        )
    missing = {"kind", "name", "fingerprint", "base", "base_fingerprint", "ancestors", "codes", "codes_sha256"} - set(header)
    if missing:
        raise _tampered(path, f"its header lacks {min(missing)}")
    if fingerprint_of(header["base"]) != header["base_fingerprint"]:
        raise _tampered(path, "its definition does not match its fingerprint")
    return dict(header)


def _read_codes(path: Path, header: Mapping[str, Any]) -> Codes:
    names = header["codes"]
    table = _parquet(path, lambda file: pq.read_table(file, columns=names, page_checksum_verification=True))
    if table.column_names != names or any(field.type != pa.uint64() for field in table.schema):
        raise _tampered(path, "it lacks its columns of codes")
    codes = np.stack([table.column(name).to_numpy() for name in names], axis=1)
    if codes.dtype != np.uint64 or _digest(codes) != header["codes_sha256"]:
        raise _tampered(path, "its architectures do not match their checksum")
    return codes


def _parquet(path: Path, read: Callable[[BinaryIO], Any]) -> Any:
    try:
        with path.open("rb") as file:
            return read(file)
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise UserError(f"cannot read '{path}' ({(error.strerror or str(error)).lower()}): check the path") from None
        reason = " ".join(str(error).split())[:100]
        raise UserError(
            f"{path} is truncated or damaged, or no Parquet file at all ({reason}): copy or save it again"
        ) from None


def _tampered(path: Path, what: str) -> UserError:
    return UserError(f"{path} was changed or damaged since it was saved ({what}): copy or save it again")


def _wrong_parent(path: Path, header: Mapping[str, Any], parent: SearchSpace) -> UserError:
    ancestors = header["ancestors"]
    came = f"'{ancestors[0]['name']}' (fingerprint {ancestors[0]['fingerprint']})" if ancestors else "no other space"
    return UserError(
        f"{path} was saved for {came}, but the space given is '{parent.name}' (fingerprint {parent.fingerprint}): "
        "give the space it was shrunk from"
    )


def fingerprint_of(definition: Mapping[str, Any]) -> str:
    """What ``SearchSpace.fingerprint`` gives for a definition, before anything is built from it."""
    text = json.dumps(definition, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _digest(codes: Codes) -> str:
    return hashlib.sha256(np.ascontiguousarray(codes.astype("<u8")).tobytes()).hexdigest()


def _code_columns(space: SearchSpace) -> list[str]:
    """``code_0``, ``code_1``, ...; with an underscore before it where a gene is called so."""
    prefix = "code"
    while any(gene.name.startswith(f"{prefix}_") for gene in space.genes):
        prefix = f"_{prefix}"
    return [f"{prefix}_{word}" for word in range(len(space.code_layout.words))]


def _ancestors(space: SearchSpace) -> list[dict[str, str]]:
    """The spaces that it was shrunk from, the nearest first."""
    found = []
    parent = getattr(space, "parent", None)
    while isinstance(parent, SearchSpace):
        found.append({"name": parent.name, "fingerprint": parent.fingerprint})
        parent = getattr(parent, "parent", None)
    return found


def _is_list(space: SearchSpace) -> TypeGuard[ExplicitSpace]:
    """Whether ``space`` is a list of architectures; a published space is brought back by its name."""
    return isinstance(space, ExplicitSpace) and space.definition()["kind"] == "explicit"


def _is_listed(space: SearchSpace | None) -> bool:
    """Whether a list of architectures stands anywhere in the chain: a definition alone could not bring it back."""
    while space is not None:
        if _is_list(space):
            return True
        space = getattr(space, "parent", None)
    return False


def _rooted(space: SearchSpace) -> SearchSpace:
    """The same architectures at the same costs, as a space whose definition needs at most one list: its own."""
    parent: SearchSpace | None = getattr(space, "parent", None)
    if parent is None or not _is_listed(parent):
        return space
    base, costs = space, list[Cost]()
    while _is_listed(base):
        costs = [*(base.costs if isinstance(base, PricedSpace) else ()), *costs]
        base = getattr(base, "parent")  # noqa: B009 - only spaces with a parent are listed
    base = PricedSpace(base, costs) if costs else base
    if isinstance(space, ExplicitSpace):
        return ExplicitSpace(base, space.codes, space.name)
    return ExplicitSpace.of(base, np.concatenate(list(space.enumerate())), space.name)
