"""NAS-Bench-101: all 423,624 cells of up to 7 vertices and 9 edges, one genotype each (reconstruction B.1).

===============  =======================================================================================
``drawings``     drawings of cells as bits: prune, sort, count
``tables``       from any drawing to its cell by two gathers
``edits``        which cells are one edit apart, under each rule; ``search``: distances, balls, draws
``reading``      raw drawings, as files and people have them; ``kernels``: the compiled loops over them
``hashes``       the official hash; ``texts``: cells as text
``costs``        FLOPs and parameters of the official network
``space``        all of it as a search space
===============  =======================================================================================

The tables are made when they are first needed, in about two seconds, and kept in the folder for caches.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lissnas.spaces.nasbench101.space import NASBench101

__all__ = ["nasbench101", "nasbench101_stranding"]


def nasbench101(
    edits: str = "graph", resolution: int = 32, classes: int = 10, stem_channels: int = 128, cells: int = 3
) -> NASBench101:
    """The 423,624 cells in the published network: 3 stacks of 3 cells behind a stem of 128 channels.

    Args:
        edits: what one edit is: ``graph``, ``stranding``, ``operation`` or ``edge``, see
            :class:`~lissnas.spaces.nasbench101.space.NASBench101`.
        cells: in each stack.
    """
    from lissnas.spaces.nasbench101.costs import CellLayout
    from lissnas.spaces.nasbench101.space import NASBench101

    return NASBench101(edits, CellLayout(resolution=resolution, classes=classes, stem_channels=stem_channels, cells=cells))


def nasbench101_stranding() -> NASBench101:
    """The same cells, where an edit may also strand a vertex, or undo that: cells of all sizes are connected."""
    return nasbench101(edits="stranding")
