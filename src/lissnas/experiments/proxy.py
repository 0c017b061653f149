"""ShuffleNetV2 by the evaluations of a small supernet, as Appendix C.2 takes a supernet's accuracy for the truth: a proxy.

The supernet is one of the 4^9 networks of ``digits-shuffle``, the same choice blocks scaled to 8x8 digits, trained in a minute
or two. It orders networks as it does, and says nothing of any accuracy on ImageNet.
"""

from __future__ import annotations

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
    """

    def __init__(self, space: SearchSpace, weights: Path, workers: int = 1) -> None:
        super().__init__(space, Metric("accuracy with inherited weights (a proxy: digits)", "%"))
        from lissnas.experiments.supernet_work import load_supernet

        self._supernet, self._data, self._workers = load_supernet(space, weights), digits(), workers
        self._known: dict[bytes, float] = {}

    def _evaluate(self, genotypes: Genotypes) -> NDArray[np.float64]:
        from lissnas.oneshot.evaluate import evaluate_subnets

        keys = [row.tobytes() for row in genotypes]
        first = {key: index for index, key in reversed(list(enumerate(keys))) if key not in self._known}
        if first:
            new = genotypes[sorted(first.values())]
            scores = evaluate_subnets(self._supernet, new, self._data, calibration=CALIBRATION, workers=self._workers)
            self._known.update((row.tobytes(), float(score)) for row, score in zip(new, scores, strict=True))
        return np.array([self._known[key] for key in keys])

    def asked(self) -> dict[str, Any]:
        """Every evaluation so far, in the order of the networks' text, as the columns of a table."""
        rows = np.array([np.frombuffer(key, dtype=np.uint8) for key in self._known]).reshape(-1, self.space.length)
        pairs = sorted(zip(self.space.format(rows), self._known.values(), strict=True))
        return {"architecture": [text for text, _ in pairs], "accuracy": [score for _, score in pairs]}
