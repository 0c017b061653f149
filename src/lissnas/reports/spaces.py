"""A space explained: what is known of it as data, as a page, and one of its networks as a picture."""

from __future__ import annotations

import inspect
import re
from functools import partial
from typing import Any

import numpy as np

from lissnas.arrays import Genotypes
from lissnas.evaluators import BENCHMARKS, benchmarks_of
from lissnas.reports.graph import draw_diagram
from lissnas.spaces import SPACES, ProductSpace, SearchSpace

__all__ = ["describe_space", "draw_example", "space_page"]


def describe_space(space: SearchSpace) -> dict[str, Any]:
    """What is known of ``space``, as plain data; its example is the first network drawn with seed 0."""
    example = _example(space)
    genes = {
        gene.name: [gene.label(a) for a in range(len(gene.alleles))] for gene in space.genes
    }  # in the order of the genotype
    return {
        "name": space.name,
        "paper": space.paper,
        "cardinality": str(space.cardinality),
        "cardinality_is_exact": space.cardinality_is_exact,
        "encodings": str(space.encodings),
        "isomorphisms": space.isomorphisms,
        "genes": genes,
        "max_edits": space.max_edits,
        "distance_is_exact": space.distance_is_exact,
        "unreachable": space.unreachable,
        "costs": list(space.cost_names),
        "features": list(space.feature_kinds),
        "builds_networks": space.layout is not None,
        "benchmarks": {name: list(BENCHMARKS.get(name).metrics) for name in benchmarks_of(space)},
        "example": space.format(example)[0],
        # None: a cost that is learned from measurements, before there are any
        "example_costs": {n: float(v[0]) if np.isfinite(v[0]) else None for n, v in space.cost(example).items()},
        "example_neighbors": _count_neighbors(space, example),
        "fingerprint": space.fingerprint,
    }


def draw_example(space: SearchSpace) -> str:
    """The example of :func:`describe_space` as a picture, SVG."""
    example = _example(space)
    return draw_diagram(space.diagram(example[0]), says=f"A network of {space.name}: {space.format(example)[0]}")


def space_page(name: str, picture: str) -> str:
    """The page of the registered space ``name``, Markdown; ``picture`` is the file beside it that holds its example."""
    space: SearchSpace = SPACES.get(name)()
    known = describe_space(space)
    about = "" if known["cardinality_is_exact"] else "about "
    far = "the fewest edits, exactly" if known["distance_is_exact"] else "a bound: see above"
    if known["unreachable"] is not None:
        far += f"; {known['unreachable']} where no edits lead from one to the other"
    rows = {
        "networks": f"{about}{int(known['cardinality']):,}",
        "encodings": f"{int(known['encodings']):,}",
        "isomorphs": known["isomorphisms"],
        "most edits that a network offers": known["max_edits"],
        "distance": far,
        "costs": ", ".join(known["costs"]),
        "named features": ", ".join(known["features"]),
        "torch networks": "yes, `space.to_torch(genotype)`" if known["builds_networks"] else "no: it says nothing of layers",
        "paper": known["paper"],
    }
    lines = [f"# {name}", "", *_docstring(SPACES.get(name)), "| | |", "|---|---|"]
    lines += [f"| {what} | {value} |" for what, value in rows.items() if value != ""]
    lines += ["", "## What one edit is, and what is drawn", "", *_docstring(type(space))]
    lines += ["## An example", "", f"![a network of {name}]({picture})", ""]
    costs = "; ".join(f"{cost} {value:,.0f}" for cost, value in known["example_costs"].items() if value is not None)
    lines += [f"`{known['example']}`", ""]
    lines += [f"{costs + '; ' if costs else ''}{known['example_neighbors']:,} networks are one edit away.", ""]
    lines += ["## Genes", "", "| genes | alleles |", "|---|---|", *_gene_rows(known["genes"]), ""]
    if known["benchmarks"]:
        lines += ["## Benchmarks", "", "| evaluator | its scores, the first by default |", "|---|---|"]
        lines += [
            f"| `{benchmark}` | {', '.join(f'`{m}`' for m in metrics)} |" for benchmark, metrics in known["benchmarks"].items()
        ]
        first = next(iter(known["benchmarks"]))
        lines += ["", "```sh", f"lissnas shrink {name} --evaluator {first} --data FILE", "```", ""]
        lines += [f"`lissnas data list` says where the file of `{first}` is had.", ""]
    return "\n".join(lines)


def _docstring(thing: Any) -> list[str]:
    """The docstring as lines of Markdown: its paragraphs, its arguments as a list, the rest left out."""
    thing = thing.func if isinstance(thing, partial) else thing
    text = re.sub(r":\w+:`~?(?:[\w.]*\.)?(\w+)`", r"`\1`", inspect.getdoc(thing) or "").replace("``", "`")
    before, *sections = re.split(r"\n\n(?=[A-Z]\w+:\n {4})", text)
    lines = [before, ""]
    for section in sections:
        title, _, body = section.partition(":\n")
        if title == "Args":
            arguments = re.findall(r"^ {4}(\w+): (.*(?:\n {5,}.*)*)", body, re.MULTILINE)
            lines += [f"* `{name}`: {' '.join(meaning.split())}" for name, meaning in arguments]
            lines.append("")
    return lines


def _example(space: SearchSpace) -> Genotypes:
    return space.sample(1, np.random.default_rng(0))


def _count_neighbors(space: SearchSpace, example: Genotypes) -> int:
    """How many networks are one edit away, without a list of them where the space can tell."""
    if isinstance(space, ProductSpace):
        return int(space.count_neighbors(example)[0])
    return len(space.all_neighbors(example).parents)


def _gene_rows(genes: dict[str, list[str]]) -> list[str]:
    """Genes with the same alleles in one row; long lists of alleles cut in the middle."""
    rows: dict[tuple[str, ...], list[str]] = {}
    for name, alleles in genes.items():
        rows.setdefault(tuple(alleles), []).append(name)
    shown = []
    for values, names in rows.items():
        listed = ", ".join(values if len(values) <= 16 else [*values[:4], "...", *values[-2:]])
        which = ", ".join(f"`{n}`" for n in (names if len(names) <= 8 else [*names[:3], names[-1]]))
        if len(names) > 8:
            which = f"{len(names)} genes: {which.replace(f', `{names[-1]}`', f' ... `{names[-1]}`')}"
        shown.append(f"| {which} | {listed} |")
    return shown
