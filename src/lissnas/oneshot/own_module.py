"""A module of one's own becomes a space and a supernet, without a line of YAML; and back: a subnet is a plain module again.

space, supernet = oneshot.from_module(net, in_channels=3, resolution=32, name="mine")
oneshot.train_supernet(supernet, space, data, recipe, seed=0)       # and everything else that takes a space or a supernet
plain = supernet.subnet(path)                                       # no choice layers are left in it
"""

from __future__ import annotations

import copy

import numpy as np
import torch
from torch import nn

from lissnas.errors import UserError
from lissnas.oneshot.choices import choose
from lissnas.oneshot.module_costs import module_costs
from lissnas.oneshot.module_layout import ModuleLayout, genes_of, import_module_class
from lissnas.oneshot.networks.module import prepare
from lissnas.oneshot.supernet import Supernet
from lissnas.spaces.product import ProductSpace

__all__ = ["from_module"]


def from_module(
    module: nn.Module | str,
    *,
    in_channels: int = 3,
    resolution: int = 32,
    name: str = "module",
    costs: bool = True,
) -> tuple[ProductSpace, Supernet]:
    """The space of a module's choices, and its supernet, which starts with the module's weights.

    Its genes are the module's :class:`~lissnas.oneshot.choices.ChoiceBlock` and
    :class:`~lissnas.oneshot.choices.ElasticConv2d` layers; ``flops`` and ``params`` are counted by running it. Its batch norms
    become ones that are recalibrated for each subnet, and its convolutions and linear layers take as many channels as come.

    Args:
        module: images float32[n, C, side, side] -> logits float32[n, classes]; it is copied, to the CPU. Or the import path of
            its class, ``package.module:Class``, made without arguments: only such a space can be read from a file alone.
        in_channels: of the images.
        resolution: their side.
        costs: whether to count them; not where choices act on one another in ways that no sum over layers says.

    Raises:
        UserError: nothing is left open, an architecture does not run, or costs that cannot be counted.
    """
    source = module if isinstance(module, str) else ""
    prototype = import_module_class(module)().cpu() if isinstance(module, str) else copy.deepcopy(module).cpu()
    genes = genes_of(prototype)
    classes = _classes(ModuleLayout(prototype, genes, in_channels, resolution, 0, source))
    layout = ModuleLayout(prototype, genes, in_channels, resolution, classes, source)
    counted = module_costs(layout, np.random.default_rng(0)) if costs else ()
    space = ProductSpace(name, genes, costs=counted, layout=layout)
    return space, Supernet(space)


def _classes(layout: ModuleLayout) -> int:
    """The outputs of the module, for each allele of each gene, which shows that these run."""
    module = prepare(layout.prototype, track=True).eval()
    outputs = set()
    for allele in range(max(len(gene.alleles) for gene in layout.genes)):
        path = [min(allele, len(gene.alleles) - 1) for gene in layout.genes]
        choose(module, layout.genes, path)
        try:
            with torch.no_grad():
                logits = module(layout.images(2))
        except Exception as error:
            chosen = ", ".join(f"{gene.name}={gene.label(a)}" for gene, a in zip(layout.genes, path, strict=True))
            reason = " ".join(str(error).split())[:200]
            raise UserError(
                f"the architecture {chosen} does not run on images of {layout.images(2).shape[1:]}: {reason}"
            ) from None
        if logits.ndim != 2 or len(logits) != 2:
            raise UserError(f"the module must give logits [n, classes], but gives {list(logits.shape)} for two images")
        outputs.add(logits.shape[1])
    if len(outputs) != 1:
        raise UserError(f"the module must give the same number of classes for all choices, but gives {sorted(outputs)}")
    return int(outputs.pop())
