"""The job ``retrain``: the networks of a search or of a file, each trained alone from scratch; the best is kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pydantic import Field

from lissnas.arrays import Genotypes
from lissnas.errors import UserError
from lissnas.formats import get_space, read_architectures
from lissnas.oneshot.export import export_network
from lissnas.oneshot.recipe import Recipe
from lissnas.runs.directory import Run
from lissnas.runs.header import CONFIG
from lissnas.runs.images import require_devices, require_images
from lissnas.runs.one_shot import ACCURACY, OneShotConfig, OneShotSteps
from lissnas.runs.progress import Progress
from lissnas.runs.retraining import STAND_ALONE, answers_on_test, final_row, train_networks, write_stand_alone
from lissnas.runs.settings import read_settings
from lissnas.runs.shrink import METRICS, head, report_step
from lissnas.spaces import SearchSpace

__all__ = ["RetrainConfig", "check_config", "run_job"]

CHOSEN = "chosen.json"


class RetrainConfig(OneShotConfig):
    """What is trained.

    Attributes:
        architectures: a CSV or Parquet file of networks, the best first, as a search writes it.
        n: how many of them, from the top.
    """

    architectures: str
    n: int = Field(10, ge=1)
    network: Recipe = Recipe()


def check_config(config: RetrainConfig) -> None:
    """Read everything that the job will read, so that a mistake is answered before a run begins.

    Raises:
        UserError: the mistake.
    """
    space = get_space(config.space)
    require_devices(config.device, config.devices, [config.network])
    _read(config, space)
    require_images(space, config.data.load(config.seed), {"network": config.network})


def _read(config: RetrainConfig, space: SearchSpace) -> Genotypes:
    found = read_architectures(Path(config.architectures), space.root)
    if not len(found):
        raise UserError(f"'{config.architectures}' holds no network: give the found-*.csv of a search, or a run directory")
    return found[: config.n]


def run_job(run: Run, progress: Progress, workers: int) -> None:
    """Train them."""
    config = read_settings(RetrainConfig, run.config, str(run.path(CONFIG)))
    steps = OneShotSteps(run, config, progress, workers)
    steps.write_space(config.space)

    def choose() -> None:
        run.write_json(CHOSEN, {"architectures": steps.space.root.format(_read(config, steps.space))})

    def train() -> None:
        genotypes = steps.space.root.parse(steps.read(CHOSEN)["architectures"])
        progress.say(f"training {len(genotypes)} network{'s' if len(genotypes) > 1 else ''} alone")
        trained = train_networks(steps, "retrain", genotypes, config.network, "networks trained")
        accuracy = np.array([network.accuracy for network in trained])
        best = trained[int(np.argmax(accuracy))]
        difference = export_network(best.weights, run.path("networks"), "best")
        write_stand_alone(steps, genotypes, accuracy)
        rows = [
            {"architecture": text, "validation": network.accuracy}
            for text, network in zip(steps.space.root.format(genotypes), trained, strict=True)
        ]
        files = ["networks/best.safetensors", "networks/best.onnx"]
        export = {"largest_difference": difference, "files": files}
        label = f"The best of {len(trained)} trained alone" if len(trained) > 1 else "The one trained alone"
        ours = {**final_row(steps, best, answers_on_test(steps, best)), "label": label}
        run.write_json("retrained.json", {"ours": ours, "lists": {"ours": rows}, "export": export})

    def measure() -> None:
        final = steps.read("retrained.json")
        one = steps.space.root.parse([final["ours"]["architecture"]])
        best = {
            "architecture": final["ours"]["architecture"],
            "genes": steps.space.root.to_dicts(one)[0],
            "predicted": None,
            "measured": final["ours"]["validation"],
            "test": final["ours"]["test"],
            "costs": final["ours"]["costs"],
        }
        numbers = {"final": final, "best": best}
        run.write_json(METRICS, {**head(run, steps.space, ACCURACY, config.command), **numbers})

    run.step("chosen", choose, [CHOSEN])
    run.step("retrain", train, ["retrained.json", STAND_ALONE, "networks/"])
    run.step("metrics", measure, [METRICS])
    report_step(run, progress)
