"""A space of one's own, written in YAML.

::

    name: gpt-s
    genes:
      embed:  [192, 384, 768]
      layers: [10, 11, 12]
      heads:  {alleles: [4, 8, 12], repeat: 12, active: "index < layers"}
      op:     4 x [k3, k5, k7]
    costs:
      width_cost: "embed * layers"
      latency_ms: {learn: latency_ms}
    constraints: ["width_cost <= 9000"]

Where the alleles name blocks, ``network`` says how they are chained: FLOPs and parameters are then counted, and networks built.
"""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

from lissnas.errors import UserError
from lissnas.formats.yaml_conditions import resolve_conditions
from lissnas.formats.yaml_costs import read_costs, read_limits, try_costs
from lissnas.formats.yaml_genes import read_genes
from lissnas.formats.yaml_network import read_network
from lissnas.formats.yaml_nodes import MAX_BYTES, compose
from lissnas.spaces import ConstrainedSpace, Cost, ProductSpace, SearchSpace
from lissnas.spaces.notation import check_notation

__all__ = ["read_space", "space_from_text", "space_schema"]

KEYS = ("name", "paper", "notation", "genes", "network", "costs", "constraints")

_SPACE_NAME = re.compile(r"\w[\w .+-]{0,79}")


def read_space(path: str | Path) -> SearchSpace:
    """The space that the YAML file ``path`` describes.

    Raises:
        UserError: no such file, or a mistake in it: ``my-space.yaml:7: ...``.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UserError(
            f"cannot read the space file '{path}' ({(error.strerror or str(error)).lower()}): check the path"
        ) from None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if len(data) > MAX_BYTES:
            text = data.decode("utf-8", "replace")  # too large in any case, and perhaps only cut within a character
        else:
            line = data.count(b"\n", 0, error.start) + 1
            raise UserError(f"{path}:{line}: a space file must be UTF-8 text, but this line is not: save it as UTF-8") from None
    return space_from_text(text, str(path))


def space_from_text(text: str, source: str = "space.yaml") -> SearchSpace:
    """The space that a YAML ``text`` describes; ``source`` is what messages call the file.

    Returns:
        A ``ProductSpace``; with constraints a ``ConstrainedSpace`` of it.

    Raises:
        UserError: a mistake, with its line, the rule and the remedy.
    """
    root = compose(text, source)
    root.require_keys("a space file", KEYS)
    keys = root.mapping("")
    for key, example in (("name", "name: my-space"), ("genes", "genes: {depth: [2, 3, 4]}")):
        if key not in keys:
            raise root.error(f"a space file needs '{key}': {example}")
    name = keys["name"].value if isinstance(keys["name"].value, str) else keys["name"].shown()
    if not isinstance(keys["name"].value, (str, int)) or not _SPACE_NAME.fullmatch(name):
        raise keys["name"].error(f"the name of a space must be letters, digits, - and _, but got {keys['name'].shown()}")

    declared = read_genes(keys["genes"])
    genes = resolve_conditions(declared)
    layout = read_network(keys["network"], genes, declared) if "network" in keys else None
    costs: list[Cost] = [] if layout is None else [*layout.costs()]
    if "costs" in keys:
        costs += read_costs(keys["costs"], genes, declared, [cost.name for cost in costs])
    paper = keys["paper"].text("'paper' must say where the space was published").strip() if "paper" in keys else ""
    notation = keys["notation"].text("'notation' must say how an architecture is written") if "notation" in keys else "named"
    if "notation" in keys:
        with keys["notation"].located():
            check_notation(notation, genes, name)
    with keys["genes"].located(at_key=True):
        space = ProductSpace(name, genes, movable=declared.movable, costs=costs, layout=layout, notation=notation, paper=paper)
    if "costs" in keys:
        try_costs(space, keys["costs"])
    if "constraints" not in keys:
        return space
    limits = read_limits(keys["constraints"], space, declared)
    with keys["constraints"].located(at_key=True):
        return ConstrainedSpace(space, limits)


def space_schema() -> dict[str, Any]:
    """The JSON Schema of the file, for editors and other tools. It says what a file may look like, not all it must mean."""
    schema: dict[str, Any] = json.loads(files("lissnas.formats").joinpath("space.schema.json").read_text("utf-8"))
    return schema
