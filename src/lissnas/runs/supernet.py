"""The job ``supernet``: one supernet, on a space or on a shrunk one."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from lissnas.formats import get_space
from lissnas.oneshot.recipe import Recipe
from lissnas.oneshot.samplers import get_sampler
from lissnas.runs.directory import Run
from lissnas.runs.header import CONFIG
from lissnas.runs.images import require_devices, require_images
from lissnas.runs.one_shot import ACCURACY, OneShotConfig, OneShotSteps, supernet_file
from lissnas.runs.progress import Progress
from lissnas.runs.settings import read_settings
from lissnas.runs.shrink import METRICS, head, report_step
from lissnas.spaces import SearchSpace

__all__ = ["SupernetConfig", "check_config", "name_of", "run_job"]


class SupernetConfig(OneShotConfig):
    """What is trained.

    Attributes:
        space: where paths are drawn from; the weights are of the space that it was shrunk from.
        shots: weight sets of the supernet: more than 1 is K-shot.
    """

    recipe: Recipe = Recipe()
    sampler: str = "uniform"
    sampler_settings: dict[str, Any] = Field(default_factory=dict)
    shots: int = Field(1, ge=1)


def name_of(space: SearchSpace) -> str:
    """What a supernet trained on paths of ``space`` is called."""
    return "full" if space.cardinality == space.root.cardinality else "shrunk"


def check_config(config: SupernetConfig) -> None:
    """Build what the job will build, so that a mistake is answered before a run begins.

    Raises:
        UserError: the mistake.
    """
    space = get_space(config.space)
    require_devices(config.device, config.devices, supernet=config.recipe)
    require_images(space, config.data.load(config.seed), {"recipe": config.recipe})
    get_sampler(config.sampler, space, **config.sampler_settings)


def run_job(run: Run, progress: Progress, workers: int) -> None:
    """Train it."""
    config = read_settings(SupernetConfig, run.config, str(run.path(CONFIG)))
    steps = OneShotSteps(run, config, progress, workers)
    steps.write_space(config.space)
    name = name_of(steps.space)
    steps.train_supernet(name, steps.space, config.recipe, config.sampler, config.sampler_settings)

    def measure() -> None:
        training = {name: {**steps.read(f"supernets/{name}.json"), "file": supernet_file(name)}}
        run.write_json(METRICS, {**head(run, steps.space, ACCURACY, config.command), "training": training})

    run.step("metrics", measure, [METRICS])
    report_step(run, progress)
