"""Commands about spaces: what there is, networks to measure, does my own space hold what it promises."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from lissnas.arrays import Genotypes
from lissnas.cli.console import stderr
from lissnas.disk import write_bytes
from lissnas.errors import UserError
from lissnas.formats import export_space, get_space, write_architectures_csv
from lissnas.spaces import SearchSpace, list_spaces, sample_distinct

__all__ = ["check", "export", "sample", "spaces"]

SpaceArgument = Annotated[
    str, typer.Argument(metavar="SPACE", help="A name (see: lissnas spaces), a YAML file, or a saved space.")
]
OutOption = Annotated[Path, typer.Option("--out", help="The file to write: .csv or .parquet.")]

MOST_EXPORTED = 10_000_000
SeedOption = Annotated[int, typer.Option(help="The seed of the draw.", min=0)]


def spaces(
    name: Annotated[
        str | None, typer.Argument(metavar="[SPACE]", help="Explain one: a name, a YAML file, or a saved space.")
    ] = None,
    draw: Annotated[Path | None, typer.Option(help="Write a drawing of an example network to this .svg file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as one JSON object on stdout.")] = False,
) -> None:
    """List the known spaces, or explain one: size, genes, edits, costs, benchmarks, an example and a drawing of it.

    Examples:

      lissnas spaces

      lissnas spaces nasbench101 --draw cell.svg
    """
    from lissnas.reports.spaces import describe_space, draw_example

    if draw is not None:
        if not name:
            raise UserError("--draw draws a network of one space, but none was named: lissnas spaces NAME --draw FILE.svg")
        if draw.suffix != ".svg":
            raise UserError(f"a drawing is written as .svg, but got '{draw}': name the file like network.svg")
        _require_new(draw, "--draw")
    subjects = [get_space(n) for n in ([name] if name else list_spaces())]
    if not name and not as_json:
        for space in subjects:
            about = "" if space.cardinality_is_exact else "about "
            print(
                f"{space.name:24} {about}{space.cardinality:>{32 - len(about)},} networks, {space.length} genes, "
                f"costs: {', '.join(space.cost_names) or 'none'}"
            )
        return
    rows = [describe_space(space) for space in subjects]
    if draw is not None:
        write_bytes(draw, draw_example(subjects[0]).encode())
        stderr.print(f"a network of '{subjects[0].name}' is drawn in {draw}", markup=False)
    if as_json:
        print(json.dumps(rows[0] if name else rows))
        return
    for key, value in rows[0].items():
        if key == "genes":
            print(f"{'genes':22} {len(value)}: {', '.join(value)}")
            value, key = list(dict.fromkeys(a for alleles in value.values() for a in alleles)), "alleles"
        shown = "; ".join(f"{k}: {_shown(v)}" for k, v in value.items()) if isinstance(value, dict) else _shown(value)
        if value is not None and shown:
            print(f"{key.replace('_', ' '):22} {shown}")


def _shown(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def sample(
    space: SpaceArgument,
    out: OutOption,
    n: Annotated[int, typer.Option("-n", "--number", help="How many distinct architectures.", min=1)] = 300,
    limit: Annotated[
        list[str] | None, typer.Option("--limit", help='What each must meet: "flops <= 330e6". May be repeated.')
    ] = None,
    seed: SeedOption = 0,
) -> None:
    """Write networks to measure, for those who have no scores yet: add a column with your score, then `lissnas shrink`."""
    subject = get_space(space)
    _require_new(out)
    genotypes = _draw(subject, n, seed, limit or ())
    write_architectures_csv(subject, genotypes, out, dict(subject.cost(genotypes)))
    stderr.print(
        f"{len(genotypes):,} architectures of '{subject.name}' are in {out}: measure them, add a column with the score, then",
        markup=False,
    )
    stderr.print(f"  lissnas shrink {space} --scores {out} --score YOUR_COLUMN", markup=False)


def _draw(space: SearchSpace, n: int, seed: int, limits: Sequence[str] = ()) -> Genotypes:
    """``n`` different architectures in random order, so that the first rows of the file are a fair sample too."""
    if space.cardinality_is_exact and n > space.cardinality:
        raise UserError(
            f"'{space.name}' has only {space.cardinality:,} architectures, fewer than the {n:,} asked for: lower -n"
        )
    rng = np.random.default_rng(seed)
    drawn = sample_distinct(space, n, rng, limits)
    if len(drawn) < n:
        raise UserError(
            f"only {len(drawn):,} different architectures of '{space.name}' were found that meet all limits, fewer than the "
            f"{n:,} asked for: lower -n"
        )
    return rng.permutation(drawn)


def export(
    space: Annotated[str, typer.Argument(metavar="SPACE|RUN", help="A space; or with --format a run, or a network's file.")],
    out: Annotated[Path, typer.Option("--out", help="The file to write, .csv or .parquet; a folder for a network.")],
    format_: Annotated[
        list[str] | None,
        typer.Option("--format", help="Export a network: safetensors, onnx, torch-export, huggingface. May be repeated."),
    ] = None,
    licence: Annotated[str | None, typer.Option("--license", help="Of the weights, for the model card: apache-2.0.")] = None,
    n: Annotated[
        int | None, typer.Option("-n", "--number", help="At most so many, uniformly drawn; all if not given.", min=1)
    ] = None,
    seed: SeedOption = 0,
) -> None:
    """Write the architectures of a space as CSV or Parquet, or the best network of a run for use elsewhere.

    Examples:

      lissnas export my-run/shrunk.parquet --out networks.csv

      lissnas export my-run --format onnx --format torch-export --out exported

      lissnas export my-run --format huggingface --license apache-2.0 --out my-network
    """
    if format_:
        from lissnas.cli.networks import export_best

        export_best(space, format_, out, licence)
        return
    subject = get_space(space)
    _require_new(out)
    if n is not None and n < subject.cardinality:
        genotypes = _draw(subject, n, seed)
        write_architectures_csv(subject, genotypes, out, dict(subject.cost(genotypes)))
        written = len(genotypes)
    else:
        if subject.cardinality > MOST_EXPORTED:
            raise UserError(
                f"'{subject.name}' has {subject.cardinality:,} architectures, more than the {MOST_EXPORTED:,} that are written "
                "to a file: give a number, -n 10000"
            )
        export_space(subject, out)
        written = subject.cardinality
    stderr.print(f"{written:,} architectures of '{subject.name}' are in {out}", markup=False)


def _require_new(out: Path, option: str = "--out") -> None:
    """A file of networks may have scores in it that took days: it is not written over."""
    if out.exists():
        raise UserError(f"'{out}' exists already: choose another {option}, or remove it first")


def check(
    space: SpaceArgument,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as one JSON object on stdout.")] = False,
) -> None:
    """Run the contract tests of a search space on your own, and say what holds."""
    from lissnas.testing import run_checks

    subject = get_space(space)
    results = run_checks(subject)
    if as_json:
        print(json.dumps([r.__dict__ for r in results]))
    else:
        for result in results:
            mark = {True: "holds", False: "FAILS", None: "not checked"}[result.passed]
            print(f"{mark:12} {result.promise}{f' ({result.detail})' if result.detail else ''}")
    failed = [r.name for r in results if r.passed is False]
    if failed:
        raise UserError(f"'{subject.name}' breaks its contract in {', '.join(failed)}")
