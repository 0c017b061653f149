"""A supernet of a chain with templates: every site holds all its kinds of block, and may be left out.

Kinds do not share weights with one another, as in a chain without templates: Once-for-All itself slices small kernels and
expansions out of the largest.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from torch import nn

from lissnas.errors import UserError
from lissnas.oneshot.blocks import NormFactory
from lissnas.oneshot.network import Path
from lissnas.oneshot.networks.templated_chain import build_stem, build_tail, build_templated_site
from lissnas.oneshot.supernet import Block, Inherited, Supernet
from lissnas.spaces.base import SearchSpace
from lissnas.spaces.templated_chain import TemplatedChainLayout

__all__ = ["TemplatedChainSupernet"]


class TemplatedChainSupernet(Supernet):
    """Several genes together say what a site runs."""

    def _build(self, space: SearchSpace, norm: NormFactory) -> None:
        layout = space.layout
        if not isinstance(layout, TemplatedChainLayout):
            raise UserError(f"'{space.name}' has no chain of blocks with templates, so it has no such supernet")
        self.stem = build_stem(layout, norm)
        self.sites = nn.ModuleList()
        # for each site its genes, and the block (or none) for each combination of their alleles
        self._choices: list[tuple[tuple[int, ...], dict[tuple[int, ...], nn.Module | None]]] = []
        for site in layout.sites:
            kinds = list(site.kinds())
            modules = {
                kind: build_templated_site(kind, site, layout, norm) for kind in dict.fromkeys(kinds) if kind is not None
            }
            self.sites.append(nn.ModuleList(modules.values()))
            alleles = itertools.product(*(range(size) for size in site.shape))
            self._choices.append((site.genes, {a: modules.get(kind or "") for a, kind in zip(alleles, kinds, strict=True)}))
        self.tail = build_tail(layout, norm)

    def blocks(self, path: Path) -> list[Block]:
        """The block at each site that is not left out."""
        return [block for _, block in self._run(path)]

    def _inherited(self, path: list[int]) -> Iterator[Inherited]:
        for index, block in self._run(path):
            yield Inherited(f"site_{index}", block)

    def _run(self, path: Path) -> Iterator[tuple[int, nn.Module]]:
        for index, (genes, choices) in enumerate(self._choices):
            block = choices[tuple(int(path[gene]) for gene in genes)]
            if block is not None:
                yield index, block
