"""The weight-sharing network of a space: every site holds all its choices, and a path runs one of each."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn

from lissnas.oneshot.blocks import build_block
from lissnas.oneshot.network import Path, build_network, build_stem, build_tail, chain_of, initialise, require_path
from lissnas.oneshot.norm import GhostBatchNorm2d
from lissnas.spaces.base import SearchSpace

__all__ = ["Supernet"]


class Supernet(nn.Module):
    """All architectures of a space in one set of weights.

    Weights belong to the space that others were shrunk from (``space.root``), so a supernet runs any architecture of that, and
    which of them it is trained on is the sampler's affair. Batch norms have no weights (SPOS), nor running statistics worth
    having before :func:`~lissnas.oneshot.evaluate.recalibrate`.

    Args:
        space: a space with a layout, full or shrunk.
        seed: for the initial weights; None leaves chance to torch's own generator.

    Raises:
        UserError: a space without a layout.
    """

    def __init__(self, space: SearchSpace, *, seed: int | None = None) -> None:
        super().__init__()
        self.space = space
        layout = chain_of(space)
        norm = partial(GhostBatchNorm2d, affine=False, track=False)
        self.stem = build_stem(layout, norm)
        # Plain lists beside the modules: indexing a ModuleList costs more than running a small layer.
        self._choices = [[build_block(kind, site, norm, layout.activation) for kind in site.kinds] for site in layout.sites]
        self.sites = nn.ModuleList(nn.ModuleList(choices) for choices in self._choices)
        self.tail = build_tail(layout, norm)
        self._genes = layout.choices
        initialise(self, seed)

    def forward(self, images: Tensor, genotype: Path) -> Tensor:
        """Logits float32[n, classes] of the subnet ``genotype`` (uint8[L], or its alleles as a list, which is not checked)."""
        x = self.stem(images)
        for block in self.blocks(genotype):
            x = block(x)
        logits: Tensor = self.tail(x)
        return logits

    def blocks(self, genotype: Path) -> list[nn.Module]:
        """The block that the subnet ``genotype`` runs at each site."""
        blocks = [choices[0] for choices in self._choices]
        for site, allele in zip(self._genes, genotype, strict=True):
            blocks[site] = self._choices[site][allele]
        return blocks

    def subnet(self, genotype: Path) -> nn.Module:
        """The subnet ``genotype`` as a network of its own, with a copy of the inherited weights.

        Raises:
            UserError: no architecture of the space that others were shrunk from.
        """
        path = require_path(self.space.root, genotype)
        network = build_network(self.space.root, path, affine=False)
        parts = [self.stem, *self.blocks(path), self.tail]
        with torch.no_grad():
            for mine, theirs in zip(network.children(), parts, strict=True):
                mine.load_state_dict(theirs.state_dict())
        return network.train(self.training)
