"""The layout of a space that was made of a torch module, and what of it a file can hold.

A definition is plain data and cannot hold code. It holds the import path of the module, where there is one, and a digest of the
module's structure. Reading it imports that class and makes an instance; a space made of a module in memory can be saved, but
only be read beside that space again.
"""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from lissnas.errors import UserError
from lissnas.oneshot.choices import ChoiceLayer
from lissnas.spaces.gene import Gene

__all__ = ["ModuleLayout", "import_module_class", "structure_of"]


@dataclass(frozen=True, eq=False)
class ModuleLayout:
    """A torch module whose choice layers are the genes.

    Attributes:
        prototype: the module, on the CPU; it is copied, never changed.
        genes: its choices, in the order of the genotype.
        in_channels: channels of the input image.
        resolution: side of the square input.
        classes: outputs of the module.
        source: ``package.module:Class``, from which the module comes; empty where it was only ever in memory.
    """

    kind: ClassVar[str] = "module"
    counts_norms: ClassVar[bool] = True

    prototype: nn.Module
    genes: Sequence[Gene]
    in_channels: int
    resolution: int
    classes: int
    source: str = ""

    def images(self, n: int) -> Tensor:
        """Zeros in the shape of ``n`` images."""
        return torch.zeros(n, self.in_channels, self.resolution, self.resolution)

    def definition(self) -> dict[str, Any]:
        """Plain JSON data."""
        return {
            "in_channels": self.in_channels,
            "resolution": self.resolution,
            "classes": self.classes,
            "source": self.source,
            "structure": structure_of(self.prototype),
        }

    @classmethod
    def from_definition(cls, data: Mapping[str, Any]) -> ModuleLayout:
        """Build a layout again from what :meth:`definition` wrote.

        Raises:
            UserError: the module was only ever in memory, is not where it was, or is another one by now.
        """
        if not data["source"]:
            raise UserError(
                "this space was made of a torch module in memory, which no file can hold: call from_module again and give its "
                "space as the parent, or make it by an import path, from_module('package.module:Class')"
            )
        module = import_module_class(data["source"])().cpu()
        if structure_of(module) != data["structure"]:
            raise UserError(f"'{data['source']}' is another module than the one that this space was made of")
        return cls(module, genes_of(module), data["in_channels"], data["resolution"], data["classes"], data["source"])


def structure_of(module: nn.Module) -> str:
    """16 hex digits that identify a module's parts, choices and shapes of tensors, but not its weights, nor its code."""
    digest = hashlib.sha256()
    for name, part in module.named_modules():
        choices = [str(gene) for gene in part.genes()] if isinstance(part, ChoiceLayer) else []
        digest.update(repr((name, type(part).__name__, part.extra_repr(), choices)).encode())
    for name, tensor in module.state_dict().items():
        digest.update(repr((name, tuple(tensor.shape))).encode())
    return digest.hexdigest()[:16]


def import_module_class(path: str) -> type[nn.Module]:
    """The class at ``package.module:Class``; nothing else than a torch module is taken, or called.

    Raises:
        UserError: there is none.
    """
    name, _, attribute = path.partition(":")
    try:
        found = getattr(importlib.import_module(name), attribute, None) if name and attribute else None
    except ImportError as error:
        raise UserError(f"'{path}' cannot be imported: {error}") from None
    if not (isinstance(found, type) and issubclass(found, nn.Module)):
        raise UserError(f"'{path}' must name a class of torch modules that takes no arguments, as package.module:Class")
    return found


def genes_of(module: nn.Module) -> list[Gene]:
    """The choices of ``module``, each gene once, in the order in which its layers come.

    A gene whose layers all stand inside alternatives matters where one of these is chosen, and is inactive elsewhere.

    Raises:
        UserError: none, or layers of one name with other alleles.
    """
    from lissnas.oneshot.choices import choice_layers

    genes: dict[str, Gene] = {}
    conditions: dict[str, list[str]] = {}
    for layer, reached in choice_layers(module):
        for gene in layer.genes():
            known = genes.setdefault(gene.name, gene)
            if known.alleles != gene.alleles:
                raise UserError(
                    f"layers called '{gene.name}' are chosen alike, but have the alleles {known.alleles} and {gene.alleles}"
                )
            conditions.setdefault(gene.name, []).append(" and ".join(f"{outer} == '{label}'" for outer, label in reached))
    if not genes:
        raise UserError("the module leaves nothing open: give it a ChoiceBlock or an ElasticConv2d")
    return [
        gene
        if "" in conditions[name]
        else Gene(name, gene.alleles, active=" or ".join(f"({c})" for c in dict.fromkeys(conditions[name])))
        for name, gene in genes.items()
    ]
