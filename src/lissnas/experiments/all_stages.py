"""All stages by name, of every kind."""

from __future__ import annotations

from collections.abc import Mapping

from lissnas.errors import UserError
from lissnas.experiments.original_runs import ORIGINAL_STAGES, OriginalStage
from lissnas.experiments.stages import LOCALITY_STAGES, SHRINK_STAGES, LocalityStage, ShrinkStage
from lissnas.experiments.supernet_stages import SUPERNET_STAGES, SupernetStage

__all__ = ["STAGES", "Stage", "find_stage"]

Stage = ShrinkStage | LocalityStage | SupernetStage | OriginalStage

_ALL: tuple[Stage, ...] = (*SHRINK_STAGES, *LOCALITY_STAGES, *SUPERNET_STAGES, *ORIGINAL_STAGES)
STAGES: Mapping[str, Stage] = {stage.name: stage for stage in _ALL}


def find_stage(name: str) -> Stage:
    """The stage called ``name``.

    Raises:
        UserError: there is none.
    """
    if name not in STAGES:
        raise UserError(f"there is no stage '{name}': there are {', '.join(STAGES)}")
    return STAGES[name]
