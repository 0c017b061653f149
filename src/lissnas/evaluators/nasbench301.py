"""NAS-Bench-301: a surrogate, learned from 60,000 trained networks, that scores all of DARTS' space (Zela et al. 2022).

The surrogate sees a drawing of a network, and gives another drawing of the same network another score. Measured on 1,000
uniform networks, 20 random drawings each: the standard deviation over the drawings of one network is 0.07 points in the mean,
the highest and the lowest of them are 0.19 points apart in the mean and 0.94 at most, while networks differ by a standard
deviation of 0.57; scores of the canonical and of a random drawing have a rank correlation of .978. ``evaluate`` scores the
canonical drawing, ``score_drawings`` any.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Genotypes
from lissnas.errors import UserError
from lissnas.evaluators import store
from lissnas.evaluators.base import Evaluator, Metric
from lissnas.evaluators.benchmark import Benchmark, Source, benchmark_space
from lissnas.evaluators.install import require_installed
from lissnas.evaluators.nasbench301_models import OnnxSurrogate, Surrogate, open_surrogate
from lissnas.spaces import SearchSpace
from lissnas.spaces.darts import OPERATIONS, DartsSpace, darts

__all__ = ["NASBENCH301", "NASBench301", "drawings_of_digits", "keep_surrogate", "nasbench301"]

NASBENCH301 = Benchmark(
    name="nasbench301",
    space="darts",
    about="predicted accuracy and training time of every network of DARTS' space on CIFAR-10",
    paper="Zela et al., Surrogate NAS Benchmarks: Going Beyond the Limited Search Spaces of Tabular NAS Benchmarks (ICLR 2022)",
    license="Apache-2.0",
    metrics={
        "val_accuracy": Metric("val_accuracy", "%"),
        "train_seconds": Metric("train_seconds", "s", higher_is_better=False),
    },
    sources=(
        Source(
            "https://raw.githubusercontent.com/slds-lmu/yahpo_data/3a646b874bb2e3a9c10b58ae2f42158e3a54a811/nb301/new_model.onnx",
            note="YAHPO Gym's network, trained on all of NAS-Bench-301's data",
        ),
        Source(
            "https://doi.org/10.6084/m9.figshare.13061510",
            note="the boosters of NAS-Bench-301 1.0, as pickles: to be saved as .ubj by nasbench301 itself",
            fetchable=False,
        ),
    ),
    convert="lissnas.evaluators.nasbench301:keep_surrogate",
    files=("surrogate.onnx", "new_model.onnx"),
)


def keep_surrogate(path: Path, space: SearchSpace, say: Callable[[str], None]) -> list[Path]:  # noqa: ARG001 - as all converters
    """The file to keep, once it is sure to be the network.

    Raises:
        UserError: it is not; a booster, which does not say what it predicts.
    """
    if not isinstance(open_surrogate(path), OnnxSurrogate):
        raise UserError(
            f"'{path}' is a booster, which is read where it is (data='{path}', or --data): only the network is kept"
        )
    return [path]


def nasbench301(
    space: SearchSpace | None = None, task: str | None = None, data: str | Path | None = None, threads: int = 1
) -> NASBench301:
    """NAS-Bench-301 as an evaluator of ``darts``.

    Args:
        space: ``darts`` or a part of it; ``darts`` if not given.
        task: ``val_accuracy`` (%) or ``train_seconds``.
        data: the network as an ONNX file, a booster (.json or .ubj) or a folder of them, read where it is; the installed
            network if not given.
        threads: of the network or the boosters.

    Raises:
        UserError: no surrogate is installed, or ``data`` is none; another space; a task that there is not.
    """
    return NASBench301(space, task, data, threads)


class NASBench301(Evaluator):
    """The surrogate's prediction for the canonical drawing of each network. See :func:`nasbench301` for the arguments.

    Attributes:
        task: which of the two it predicts.
        surrogate: the network or the boosters.
    """

    is_free = True

    def __init__(
        self, space: SearchSpace | None = None, task: str | None = None, data: str | Path | None = None, threads: int = 1
    ) -> None:
        self.task, metric = NASBENCH301.metric(task)
        super().__init__(benchmark_space(NASBENCH301, space), metric)
        root = self.space.root
        if not isinstance(root, DartsSpace) or root.layout != darts().layout:
            raise UserError(
                "NAS-Bench-301 scores networks of 32 channels in 8 layers on CIFAR-10, but "
                f"'{self.space.name}' has others: take get_space('darts') or a part of it"
            )
        self._root = root
        if data is None:
            require_installed(NASBENCH301)
            path = store.kept_files(NASBENCH301.name)[0]
        else:
            path = Path(data).expanduser()
            path = next((path / name for name in NASBENCH301.files if (path / name).is_file()), path)
        self.surrogate: Surrogate = open_surrogate(path, threads)

    def _evaluate(self, genotypes: Genotypes) -> NDArray[np.float64]:
        return self.surrogate.predict(self._root, genotypes, self.task)

    def score_drawings(self, drawings: Genotypes) -> NDArray[np.float64]:
        """The score of each drawing, uint8[n, 22], as it is drawn, float64[n]; each counts as an evaluation.

        Raises:
            UserError: what is no drawing.
        """
        scores = self.surrogate.predict(self._root, self._root.check(drawings), self.task)
        self.evaluations += len(drawings)
        return scores

    def __str__(self) -> str:
        return "the benchmark 'nasbench301'"


def drawings_of_digits(texts: Sequence[str]) -> Genotypes:
    """The drawings uint8[n, 22] in NASLib's short form: 32 digits, 16 pairs of an input and an operation, normal cell first.

    Raises:
        UserError: a text that is no drawing, by its row.
    """
    space = darts()
    genotypes = []
    for row, text in enumerate(texts):
        if len(text) != 32 or not (text.isascii() and text.isdecimal()) or max(text[1::2]) > str(len(OPERATIONS) - 1):
            raise UserError(f"row {row}: '{text}' must be 32 digits, pairs of an input and an operation from 0 to 6")
        edges = [f"('{OPERATIONS[int(text[at + 1])]}', {text[at]})" for at in range(0, 32, 2)]
        halves = (", ".join(edges[:8]), ", ".join(edges[8:]))
        genotypes.append(
            "Genotype(normal=[{}], normal_concat=range(2, 6), reduce=[{}], reduce_concat=range(2, 6))".format(*halves)
        )
    return space.parse_drawings(genotypes)
