"""What every job with supernets shares: its images, its supernets, and networks trained alone.

The jobs ``main``, ``supernet``, ``search`` and ``retrain`` are made of the same steps: those here, and those of ``searching``
and ``retraining``.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field

from lissnas.errors import UserError
from lissnas.evaluators import Metric
from lissnas.formats import get_space, load_space, save_space
from lissnas.oneshot.data import Images
from lissnas.oneshot.evaluator import SupernetEvaluator
from lissnas.oneshot.kshot import KShotSupernet
from lissnas.oneshot.log import TrainingLog
from lissnas.oneshot.recipe import Recipe
from lissnas.oneshot.samplers import get_sampler
from lissnas.oneshot.supernet import Supernet
from lissnas.oneshot.train import Progress as TrainProgress
from lissnas.oneshot.train import train_supernet
from lissnas.oneshot.weights import copy_into, pack_weights, read_weights
from lissnas.runs.directory import Run
from lissnas.runs.images import DataConfig
from lissnas.runs.progress import Progress
from lissnas.runs.shrink import SPACE
from lissnas.spaces import SearchSpace

__all__ = ["ACCURACY", "OneShotConfig", "OneShotSteps", "load_supernet", "supernet_file"]

ACCURACY = Metric("accuracy", "%", True)
IMAGES = "images.json"
LOGS = "logs"  # a folder per training; they hold clock times, as the journal does, and nothing is read from them


class OneShotConfig(BaseModel):
    """What all these jobs are told.

    Attributes:
        calibration: training images for each subnet's batch-norm statistics.
        device, devices: where networks are trained and scored, and how many of these train one together.
    """

    model_config = ConfigDict(extra="forbid")

    space: str
    data: DataConfig = DataConfig()
    calibration: int = Field(256, ge=2)
    device: Literal["cpu", "cuda"] = "cpu"
    devices: int = Field(1, ge=1)
    seed: int = Field(0, ge=0)
    command: str = ""


class OneShotSteps:
    """The steps and what they share: all of it is read from the configuration or from files of earlier steps.

    Attributes:
        data: the images.
        space: what networks are of, once :meth:`write_space` was called.
    """

    space: SearchSpace

    def __init__(self, run: Run, config: Any, progress: Progress, workers: int) -> None:
        # the same bytes for any number of workers: each computes with one thread
        torch.set_num_threads(1)
        self.run, self.progress, self.workers = run, progress, workers
        self.calibration: int = config.calibration
        self.data: Images = config.data.load(run.seed)
        self.device = torch.device(getattr(config, "device", "cpu"))
        self.devices: int = getattr(config, "devices", 1)
        self.shots: int = getattr(config, "shots", 1)

    def write_space(self, spec: str) -> None:
        """Keep the space and which images these are, and say what there is.

        Raises:
            UserError: the images are others than when the run began; networks could be judged by what they were trained on.
        """

        def write() -> None:
            with self.run.writing(SPACE) as path:
                save_space(get_space(spec), path)

        self.run.step("space", write, [SPACE])
        images = {"name": self.data.name, "fingerprint": self.data.fingerprint}
        self.run.step("images", lambda: self.run.write_json(IMAGES, images), [IMAGES])
        before = self.read(IMAGES)["fingerprint"]
        if before != images["fingerprint"]:
            raise UserError(
                f"the images of '{self.data.name}' are others (fingerprint {images['fingerprint']}) than when this run began "
                f"({before}): bring those back, or start a new run"
            )
        self.space = load_space(self.run.path(SPACE))
        self.progress.say(
            f"'{self.space.name}': {self.space.cardinality:,} networks; {self.data.name}: {len(self.data.train):,} training, "
            f"{len(self.data.validation):,} validation, {len(self.data.test):,} test images"
        )

    def train_supernet(self, name: str, paths: SearchSpace, recipe: Recipe, sampler: str, settings: Mapping[str, Any]) -> None:
        """Train the supernet ``name`` on paths of ``paths``. All supernets of a run begin from the same weights.

        What each epoch was like is written to ``logs/supernet-<name>`` as it comes.
        """
        files = [supernet_file(name), f"supernets/{name}.json"]
        step = f"supernet-{name}"

        def train() -> None:
            self.progress.say(f"training a supernet on the {name} space ({paths.cardinality:,} networks)")
            supernet = new_supernet(self.space, self.shots, self.seed("supernet")).to(self.device)

            task = f"supernet, {name} space: epochs"
            with contextlib.closing(TrainingLog(self.run.path(f"{LOGS}/{step}"), tensorboard=None)) as log:

                def on_progress(at: TrainProgress) -> None:
                    log(at)
                    self.progress.detail(task, at.detail)
                    self.progress.advance(task, at.epoch, at.epochs)

                losses = train_supernet(
                    supernet,
                    get_sampler(sampler, paths, **settings),
                    self.data,
                    recipe,
                    seed=self.seed("supernet-training"),
                    checkpoint_dir=self.run.checkpoint(step),
                    on_progress=on_progress,
                    devices=self.devices,
                )
            header: dict[str, Any] = {
                "space": self.space.root.fingerprint,
                "data": self.data.fingerprint,
                "paths": paths.fingerprint,
            }
            if self.shots > 1:
                header["shots"] = self.shots
            self.run.write_bytes(files[0], pack_weights(supernet.state_dict(), header))
            self.run.write_json(files[1], {"networks": str(paths.cardinality), "losses": losses.tolist()})

        self.run.step(step, train, files)

    def evaluator(self, name: str) -> SupernetEvaluator:
        """The accuracy of subnets of the supernet ``name``."""
        supernet, _ = load_supernet(self.run.path(supernet_file(name)), self.space)
        return SupernetEvaluator(supernet.to(self.device), self.data, calibration=self.calibration, workers=self.processes)

    @property
    def processes(self) -> int:
        """How many work side by side; on a GPU one does."""
        return self.workers if self.device.type == "cpu" else 1

    def seed(self, name: str) -> int:
        """The seed of what is called ``name``."""
        return int(self.run.seeds(name).generate_state(1)[0])

    def read(self, name: str) -> Any:
        """A JSON file of an earlier step."""
        return json.loads(self.run.path(name).read_text())


def supernet_file(name: str) -> str:
    """The file with the weights of the supernet ``name``."""
    return f"supernets/{name}.safetensors"


def new_supernet(space: SearchSpace, shots: int, seed: int) -> Supernet:
    """A supernet of ``space`` with so many weight sets: one is the plain one."""
    return Supernet(space, seed=seed) if shots == 1 else KShotSupernet(space, shots=shots, seed=seed)


def load_supernet(path: str | Path, space: SearchSpace) -> tuple[Supernet, dict[str, Any]]:
    """The trained supernet in a file that a run wrote, for ``space`` or any space that was shrunk from the same.

    Returns:
        The supernet, and what the file says of its training: fingerprints of ``space``, ``data`` and ``paths``.

    Raises:
        UserError: no such file, no supernet of lissnas, or one of another space.
    """
    tensors, header = read_weights(path)
    if "space" not in header or not isinstance(header["space"], str):
        raise UserError(f"'{path}' holds no supernet: give the supernets/*.safetensors of a run, or its directory")
    if header["space"] != space.root.fingerprint:
        raise UserError(
            f"'{path}' holds the supernet of another space (fingerprint {header['space']}) than '{space.root.name}' "
            f"({space.root.fingerprint}): give the space that it was trained for, --space SPACE"
        )
    supernet = new_supernet(space.root, header.get("shots", 1), seed=0)
    copy_into(supernet, tensors, str(path))
    return supernet.eval(), header
