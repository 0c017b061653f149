"""A run's best network, written for use elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lissnas.cli.console import stderr
from lissnas.errors import UserError, require

__all__ = ["export_best"]


def export_best(source: str, formats: Sequence[str], out: Path, licence: str | None) -> None:
    """Write the network that ``source`` means (a run, ``run/best``, a file) into the folder ``out``, in each format.

    Raises:
        UserError: no such network or format, or ``out`` is there already.
    """
    require("torch", "oneshot")
    from lissnas.disk import write_bytes
    from lissnas.oneshot.export import SUFFIXES, convert, find_network
    from lissnas.oneshot.hub import hub_files, run_metrics

    if out.exists():
        raise UserError(f"'{out}' exists already: choose another --out, or remove it first")
    kinds = [kind for kind in dict.fromkeys(formats) if kind != "huggingface"]
    path = find_network(source)
    weights = path.read_bytes()
    files, difference = convert(weights, kinds, source=str(path))
    named = {f"{path.stem}{SUFFIXES[kind]}": data for kind, data in files.items()}
    if "huggingface" in formats:
        named.update(hub_files(weights, run_metrics(path), licence))
    for name, data in named.items():
        write_bytes(out / name, data)
    told = f"; logits differ by {difference:.1g} at most" if len(kinds) > 1 or "onnx" in kinds else ""
    stderr.print(f"{path} is in {out}: {', '.join(named)}{told}", markup=False)
