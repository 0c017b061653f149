"""What can be built: genotypes, canonical forms, edits, features, costs. NumPy only, no files, no torch.

``base`` is the contract. Most spaces are a ``product`` of genes and alleles; ``explicit``, ``restricted`` and ``constrained``
are the kinds of smaller space that can be made of any. Each published space is a file of its own, and a line in ``SPACES``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lissnas.errors import UserError
from lissnas.registry import Registry
from lissnas.spaces.base import Ball, Costs, FeatureTable, Neighbors, SearchSpace
from lissnas.spaces.chain import ChainLayout, Site
from lissnas.spaces.constrained import ConstrainedSpace, sample_within
from lissnas.spaces.cost import Cost, FormulaCost, LearnedCost, TableCost
from lissnas.spaces.diagram import Diagram
from lissnas.spaces.distinct import sample_distinct
from lissnas.spaces.explicit import ExplicitSpace
from lissnas.spaces.expression import Expression
from lissnas.spaces.gene import Gene
from lissnas.spaces.limits import check_limits, meets_limits
from lissnas.spaces.product import Movable, ProductSpace
from lissnas.spaces.restricted import RestrictedSpace
from lissnas.spaces.values import GeneValues

__all__ = [
    "SPACES",
    "Ball",
    "ChainLayout",
    "ConstrainedSpace",
    "Cost",
    "Costs",
    "Diagram",
    "ExplicitSpace",
    "Expression",
    "FeatureTable",
    "FormulaCost",
    "Gene",
    "GeneValues",
    "LearnedCost",
    "Movable",
    "Neighbors",
    "ProductSpace",
    "RestrictedSpace",
    "SearchSpace",
    "Site",
    "TableCost",
    "check_limits",
    "from_definition",
    "list_spaces",
    "meets_limits",
    "sample_distinct",
    "sample_within",
]

SPACES = Registry(
    "space",
    {
        "shufflenetv2": "lissnas.spaces.shufflenetv2:shufflenetv2",
        "digits-shuffle": "lissnas.spaces.shufflenetv2:digits_shuffle",
    },
)


def list_spaces() -> list[str]:
    """The names of all known spaces."""
    return SPACES.names()


def from_definition(definition: Mapping[str, Any]) -> SearchSpace:
    """Build a space again from its definition. An explicit space needs its codes too: it is read from its file."""
    match definition.get("kind"):
        case "product":
            return ProductSpace.from_definition(definition)
        case "published":
            return SPACES.get(definition["name"])(**definition["options"])  # type: ignore[no-any-return]
        case "constrained":
            return ConstrainedSpace(from_definition(definition["parent"]), definition["limits"], definition["name"])
        case "restricted":
            parent = from_definition(definition["parent"])
            if not isinstance(parent, (ProductSpace, RestrictedSpace)):
                raise UserError("only a product space, or a restriction of one, can be restricted")
            return RestrictedSpace(parent, definition["kept"], definition["name"])
        case "explicit":
            raise UserError("an explicit space is more than its definition: load it from the file that holds its architectures")
        case kind:
            raise UserError(f"unknown kind of space '{kind}': this file was written by a newer version")
