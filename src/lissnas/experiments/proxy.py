"""ShuffleNetV2 by the evaluations of a small supernet, as Appendix C.2 takes a supernet's accuracy for the truth: a proxy.

The supernet is one of the 4^9 networks of ``digits-shuffle``, the same choice blocks scaled to 8x8 digits, trained in a minute
or two. It orders networks as it does, and says nothing of any accuracy on ImageNet.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Genotypes
from lissnas.evaluators import Evaluator, Metric
from lissnas.formats import get_space
from lissnas.oneshot.data import digits
from lissnas.oneshot.recipe import Recipe
from lissnas.spaces import SearchSpace

__all__ = ["PROXIES", "PROXY_WEIGHTS", "SupernetProxy", "train_proxy"]

PROXIES = ("digits",)
PROXY_WEIGHTS = "supernets/proxy-digits.safetensors"
CALIBRATION = 256
BLOCK = 500  # evaluations between two words of progress
_RECIPE = Recipe(epochs=250, batch_size=32, ghost=16, label_smoothing=0.0, checkpoint_epochs=50)


def train_proxy(seed: int, checkpoints: Path) -> bytes:
    """The proxy's supernet as the bytes of a safetensors file, trained on uniform paths."""
    from lissnas.experiments.supernet_work import Training, TrainSupernet

    return TrainSupernet(digits(), _RECIPE, seed, seed)(Training(get_space("digits-shuffle"), "uniform", checkpoints))


class SupernetProxy(Evaluator):
    """Accuracy with weights inherited from the supernet of a run, on the validation images; each network is asked for once.

    Args:
        weights: what :func:`train_proxy` made.
        workers: processes.
        on_progress: called with how many of how many new evaluations are done.
    """

    def __init__(
        self,
        space: SearchSpace,
        weights: Path,
        workers: int = 1,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> None:
        super().__init__(space, Metric("accuracy with inherited weights (a proxy: digits)", "%"))
        from lissnas.experiments.supernet_work import load_supernet

        self._supernet, self._data, self._workers = load_supernet(space, weights), digits(), workers
        self._on_progress = on_progress
        self._known: dict[bytes, float] = {}

    def _evaluate(self, genotypes: Genotypes) -> NDArray[np.float64]:
        from lissnas.oneshot.evaluate import evaluate_subnets

        keys = [row.tobytes() for row in genotypes]
        new = sorted(set(keys) - self._known.keys())  # neighbors share their first blocks
        for low in range(0, len(new), BLOCK):
            block = new[low : low + BLOCK]
            rows = np.frombuffer(b"".join(block), dtype=np.uint8).reshape(len(block), -1)
            scores = evaluate_subnets(self._supernet, rows, self._data, calibration=CALIBRATION, workers=self._workers)
            self._known.update(zip(block, scores.tolist(), strict=True))
            if self._on_progress is not None:
                self._on_progress(low + len(block), len(new))
        return np.array([self._known[key] for key in keys])

    def asked(self) -> dict[str, Any]:
        """Every evaluation so far, in the order of the networks' text, as the columns of a table."""
        rows = np.array([np.frombuffer(key, dtype=np.uint8) for key in self._known]).reshape(-1, self.space.length)
        pairs = sorted(zip(self.space.format(rows), self._known.values(), strict=True))
        return {"architecture": [text for text, _ in pairs], "accuracy": [score for _, score in pairs]}
