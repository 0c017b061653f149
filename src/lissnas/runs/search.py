"""The job ``search``: a trained supernet goes in, the networks that it ranks highest and their front against costs come out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field

from lissnas.errors import UserError
from lissnas.formats import get_space
from lissnas.runs.directory import Run
from lissnas.runs.header import CONFIG
from lissnas.runs.images import require_devices, require_images
from lissnas.runs.one_shot import ACCURACY, OneShotConfig, OneShotSteps, load_supernet, supernet_file
from lissnas.runs.progress import Progress
from lissnas.runs.searching import SearchConfig, check_search, search_file, search_step
from lissnas.runs.settings import read_settings
from lissnas.runs.shrink import METRICS, head, report_step
from lissnas.runs.shrinking import require_limits
from lissnas.runs.supernet import name_of

__all__ = ["SearchJobConfig", "check_config", "run_job"]


class SearchJobConfig(OneShotConfig):
    """Where to search, and by which supernet.

    Attributes:
        weights: a supernet's safetensors file.
        space: where to search: what the supernet was trained for, or any space that was shrunk from it.
        keep: the best networks that are listed.
    """

    weights: str
    limits: list[str] = Field(default_factory=list)
    search: SearchConfig = SearchConfig()
    keep: int = Field(20, ge=1)


def check_config(config: SearchJobConfig) -> None:
    """Read everything that the job will read, so that a mistake is answered before a run begins.

    Raises:
        UserError: the mistake.
    """
    space = get_space(config.space)
    require_devices(config.device, config.devices)
    data = config.data.load(config.seed)
    trained_on = load_supernet(config.weights, space)[1].get("data")
    check_search(config.search, space, config.limits)
    require_limits(space, config.limits)
    require_images(space, data, {})
    if trained_on not in (None, data.fingerprint):
        raise UserError(
            f"'{config.weights}' was trained on other images (fingerprint {trained_on}) than {data.name} with these settings "
            f"({data.fingerprint}): give --data, --data-set and --seed as its training had them, or images that it has seen "
            "may be those that it is judged by"
        )


def run_job(run: Run, progress: Progress, workers: int) -> None:
    """Search. The supernet is copied first, so that the run goes on without the one it came from."""
    config = read_settings(SearchJobConfig, run.config, str(run.path(CONFIG)))
    steps = OneShotSteps(run, config, progress, workers)
    steps.write_space(config.space)
    name = name_of(steps.space)
    file = supernet_file(name)
    run.step("supernet", lambda: run.write_bytes(file, Path(config.weights).read_bytes()), [file])
    search_step(steps, name, steps.space, config.limits, config.search, keep=config.keep)

    def measure() -> None:
        found: dict[str, Any] = steps.read(search_file(name))
        one = steps.space.root.parse([found["architecture"]])
        best = {
            "architecture": found["architecture"],
            "genes": steps.space.root.to_dicts(one)[0],
            "inherited": found["best"],
            "costs": {cost: float(values[0]) for cost, values in steps.space.cost(one).items()},
        }
        numbers = {"search": {name: found}, "best": best}
        run.write_json(METRICS, {**head(run, steps.space, ACCURACY, config.command), **numbers})

    run.step("metrics", measure, [METRICS])
    report_step(run, progress)
