"""The cells of DARTS, NAS-Bench-301's space. ``space`` puts the parts together.

===========  ===========================================================================================================
``cells``    drawings and cells: which drawings are one cell, uniform draws
``edits``    what one edit is, all neighbors, exact distances
``notation`` genotypes as text, and the names of NAS-Bench-301's ConfigSpace
``paths``    the path encoding
``layout``   the networks behind the cells, and what they cost
===========  ===========================================================================================================
"""

from lissnas.spaces.darts.layout import OPERATIONS, DartsLayout
from lissnas.spaces.darts.space import DartsSpace, darts

__all__ = ["OPERATIONS", "DartsLayout", "DartsSpace", "darts"]
