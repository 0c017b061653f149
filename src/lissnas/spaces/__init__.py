"""What can be built: genotypes, canonical forms, edits, features, costs. NumPy only, no files, no torch.

``base`` is the contract. Most spaces are a ``product`` of genes and alleles; ``explicit``, ``restricted``, ``kept`` and
``constrained`` are the kinds of smaller space that can be made of any, ``tied`` one in which a gene decides for several,
``mixture`` one that draws some more often, ``soft_box`` one whose genes have weights, ``box_union`` several restrictions. Each
published space is a file of its own, and a line in ``SPACES``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from lissnas.errors import UserError
from lissnas.registry import Registry
from lissnas.spaces.base import Ball, Costs, Neighbors, SearchSpace
from lissnas.spaces.box_union import BoxUnionSpace
from lissnas.spaces.chain import ChainLayout, Site
from lissnas.spaces.constrained import ConstrainedSpace, sample_within
from lissnas.spaces.cost import Cost, FormulaCost, JointCost, JointTerm, LearnedCost, TableCost, cost_from_definition
from lissnas.spaces.diagram import Diagram
from lissnas.spaces.distinct import sample_distinct
from lissnas.spaces.explicit import ExplicitSpace
from lissnas.spaces.expression import Expression
from lissnas.spaces.features import FeatureTable
from lissnas.spaces.gene import Gene
from lissnas.spaces.kept import KeptSpace, keep_alleles
from lissnas.spaces.limits import check_limits, meets_limits
from lissnas.spaces.mixture import MixtureSpace
from lissnas.spaces.parts import FreeGenes
from lissnas.spaces.priced import PricedSpace
from lissnas.spaces.product import Movable, ProductSpace
from lissnas.spaces.restricted import RestrictedSpace
from lissnas.spaces.soft_box import SoftBoxSpace
from lissnas.spaces.tied import TiedSpace
from lissnas.spaces.values import GeneValues

__all__ = [
    "SPACES",
    "Ball",
    "BoxUnionSpace",
    "ChainLayout",
    "ConstrainedSpace",
    "Cost",
    "Costs",
    "Diagram",
    "ExplicitSpace",
    "Expression",
    "FeatureTable",
    "FormulaCost",
    "FreeGenes",
    "Gene",
    "GeneValues",
    "JointCost",
    "JointTerm",
    "KeptSpace",
    "LearnedCost",
    "MixtureSpace",
    "Movable",
    "Neighbors",
    "PricedSpace",
    "ProductSpace",
    "RestrictedSpace",
    "SearchSpace",
    "Site",
    "SoftBoxSpace",
    "TableCost",
    "TiedSpace",
    "check_limits",
    "from_definition",
    "keep_alleles",
    "list_spaces",
    "meets_limits",
    "sample_distinct",
    "sample_within",
]

SPACES = Registry(
    "space",
    {
        "shufflenetv2": "lissnas.spaces.shufflenetv2:shufflenetv2",
        "shufflenetv2-cifar": "lissnas.spaces.shufflenetv2:shufflenetv2_cifar",
        "nasbench101": "lissnas.spaces.nasbench101:nasbench101",
        "nasbench101-stranding": "lissnas.spaces.nasbench101:nasbench101_stranding",
        "digits-shuffle": "lissnas.spaces.shufflenetv2:digits_shuffle",
        "darts": "lissnas.spaces.darts:darts",
        "fairnas": "lissnas.spaces.fairnas:fairnas",
        "fairnas-se": "lissnas.spaces.fairnas:fairnas_se",
        "mobilenet": "lissnas.spaces.mobilenet:mobilenet",
        "mobilenet-se": "lissnas.spaces.mobilenet:mobilenet_se",
        "proxyless": "lissnas.formats.packaged:proxyless",
        "fbnet": "lissnas.formats.packaged:fbnet",
        "ecnas": "lissnas.spaces.ecnas:ecnas",
        "nasbench201": "lissnas.spaces.nasbench201:nasbench201",
        "nasbench201-unique": "lissnas.spaces.nasbench201:nasbench201_unique",
        "transnasbench101-macro": "lissnas.spaces.transnas_macro:transnasbench101_macro",
        "transnasbench101-micro": "lissnas.spaces.transnas_micro:transnasbench101_micro",
        "transnasbench101-micro-unique": "lissnas.spaces.transnas_micro:transnasbench101_micro_unique",
        "gpt-s": "lissnas.formats.packaged:gpt_s",
        "anynetx": "lissnas.spaces.anynet:anynetx",
        "anynetx-a": "lissnas.spaces.anynet:anynetx_a",
        "anynetx-b": "lissnas.spaces.anynet:anynetx_b",
        "anynetx-c": "lissnas.spaces.anynet:anynetx_c",
        "anynetx-d": "lissnas.spaces.anynet:anynetx_d",
        "anynetx-e": "lissnas.spaces.anynet:anynetx_e",
        "regnet": "lissnas.spaces.regnet:regnet",
        "ofa-mobilenetv3": "lissnas.formats.packaged:ofa_mobilenetv3",
        "nats-size": "lissnas.formats.packaged:nats_size",
    },
)


def list_spaces() -> list[str]:
    """The names of all known spaces."""
    return SPACES.names()


def from_definition(definition: Mapping[str, Any], known: SearchSpace | None = None) -> SearchSpace:
    """Build a space again from its definition. An explicit space needs its codes too: it is read from its file.

    Args:
        known: taken as it is wherever the definition is its own; it may know more than that says (learned costs).
    """
    if known is not None and definition == known.definition():
        return known
    match definition.get("kind"):
        case "product":
            return ProductSpace.from_definition(definition)
        case "published":
            return SPACES.get(definition["name"])(**definition["options"])  # type: ignore[no-any-return]
        case "constrained":
            return ConstrainedSpace(from_definition(definition["parent"], known), definition["limits"], definition["name"])
        case "restricted":
            parent = from_definition(definition["parent"], known)
            if not isinstance(parent, (ProductSpace, RestrictedSpace)):
                raise UserError("only a product space, or a restriction of one, can be restricted")
            return RestrictedSpace(parent, definition["kept"], definition["name"])
        case "kept":
            return KeptSpace(from_definition(definition["parent"], known), definition["kept"], definition["name"])
        case "tied":
            return TiedSpace(
                from_definition(definition["parent"], known), from_definition(definition["inner"]), definition["name"]
            )
        case "mixture":
            parent = from_definition(definition["parent"], known)
            codes = np.array(definition["codes"], dtype=np.uint64)
            return MixtureSpace(parent, codes, definition["weight"], definition["name"])
        case "priced":
            costs = [cost_from_definition(cost) for cost in definition["costs"]]
            return PricedSpace(from_definition(definition["parent"], known), costs, definition["name"])
        case "soft-box":
            return SoftBoxSpace(from_definition(definition["parent"], known), definition["weights"], definition["name"])
        case "box-union":
            return BoxUnionSpace(from_definition(definition["parent"], known), definition["boxes"], definition["name"])
        case "explicit":
            raise UserError("an explicit space is more than its definition: load it from the file that holds its architectures")
        case kind:
            raise UserError(f"unknown kind of space '{kind}': this file was written by a newer version")
