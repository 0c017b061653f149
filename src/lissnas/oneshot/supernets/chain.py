"""A supernet of a chain of blocks: every site holds all its choices, and a path runs one of each (SPOS)."""

from __future__ import annotations

from collections.abc import Iterator

from torch import nn

from lissnas.oneshot.blocks import NormFactory, build_block
from lissnas.oneshot.network import Path, build_stem, build_tail, chain_of
from lissnas.oneshot.supernet import Block, Inherited, Supernet
from lissnas.spaces.base import SearchSpace

__all__ = ["ChainSupernet"]


class ChainSupernet(Supernet):
    """Choices do not share weights with one another."""

    def _build(self, space: SearchSpace, norm: NormFactory) -> None:
        layout = chain_of(space)
        self.stem = build_stem(layout, norm)
        # Plain lists beside the modules: indexing a ModuleList costs more than running a small layer.
        self._choices = [[build_block(kind, site, norm, layout.activation) for kind in site.kinds] for site in layout.sites]
        self.sites = nn.ModuleList(nn.ModuleList(choices) for choices in self._choices)
        self.tail = build_tail(layout, norm)
        self._genes = layout.choices

    def blocks(self, path: Path) -> list[Block]:
        """The block at each site."""
        return list(self._run(path))

    def _inherited(self, path: list[int]) -> Iterator[Inherited]:
        for index, block in enumerate(self._run(path)):
            yield Inherited(f"site_{index}", block)

    def _run(self, path: Path) -> list[nn.Module]:
        blocks = [choices[0] for choices in self._choices]
        for site, allele in zip(self._genes, path, strict=True):
            blocks[site] = self._choices[site][allele]
        return blocks
