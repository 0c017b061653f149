"""How a training tells what it is doing, and a listener that writes it down: plain lines, and TensorBoard's event files."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from lissnas.disk import disk_errors
from lissnas.errors import require

__all__ = ["Clock", "Progress", "TrainingLog"]


@dataclass(frozen=True)
class Progress:
    """What ``on_progress`` is told after each epoch.

    Attributes:
        epoch, epochs: done, and in all.
        loss: the mean training loss of the epoch.
        learning_rate: of its last step.
        images_per_second: of all devices together, since this training (or its resumption) began.
        seconds: since then.
        seconds_left: until it is done, at this pace.
    """

    epoch: int
    epochs: int
    loss: float
    learning_rate: float = 0.0
    images_per_second: float = 0.0
    seconds: float = 0.0
    seconds_left: float = 0.0

    def __str__(self) -> str:
        return f"epoch {self.epoch} of {self.epochs}: {self.detail}"

    @property
    def detail(self) -> str:
        """How it goes, without how far it is."""
        left = f"{self.seconds_left / 60:.0f} min" if self.seconds_left >= 120 else f"{self.seconds_left:.0f} s"
        rate, pace = f"learning rate {self.learning_rate:.3g}", f"{self.images_per_second:,.0f} images/s"
        return f"loss {self.loss:.4f}, {rate}, {pace}, {left} left"


class Clock:
    """Tells how fast a training is. It starts when it is made.

    Args:
        first: epochs that were done before.
        epochs: in all.
        images: in an epoch, those of all devices together.
    """

    def __init__(self, first: int, epochs: int, images: int) -> None:
        self.first, self.epochs, self.images = first, epochs, images
        self._started = time.perf_counter()

    def progress(self, done: int, loss: float, learning_rate: float) -> Progress:
        """Where the training is after ``done`` epochs."""
        seconds = time.perf_counter() - self._started
        pace = seconds / (done - self.first)
        return Progress(done, self.epochs, loss, learning_rate, self.images / pace, seconds, (self.epochs - done) * pace)


class TrainingLog:
    """Writes ``training.jsonl``, a line per epoch, and TensorBoard's event files if asked for: give it as ``on_progress``.

    Lines hold clock times, so no two trainings write the same. After a resume the file goes on; of two lines of one epoch the
    later one counts.

    Args:
        folder: where to; made if it is missing.
        tensorboard: whether event files are written too (loss, learning rate, images per second against the epoch); None: where
            the extra ``tensorboard`` is installed.

    Raises:
        UserError: event files without the extra ``tensorboard``, or a disk that refuses.
    """

    def __init__(self, folder: str | Path, *, tensorboard: bool | None = False) -> None:
        self.folder = Path(folder)
        if tensorboard is None:
            tensorboard = find_spec("tensorboardX") is not None
        self._board = require("tensorboardX", "tensorboard") if tensorboard else None
        self._writer: Any = None
        with disk_errors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)

    def __call__(self, progress: Progress) -> None:
        """Write one line."""
        values = asdict(progress)
        with disk_errors(self.folder), (self.folder / "training.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(values) + "\n")
        if self._board is not None:
            if self._writer is None:  # what a training wrote that was cut off later than it is taken up again is hidden
                self._writer = self._board.SummaryWriter(str(self.folder), purge_step=progress.epoch, flush_secs=5)
            for name in ("loss", "learning_rate", "images_per_second"):
                self._writer.add_scalar(f"training/{name}", values[name], progress.epoch)

    def close(self) -> None:
        """Write what is not on disk yet; it happens by itself within seconds, and when the program ends."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None
