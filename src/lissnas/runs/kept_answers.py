"""An evaluator whose answers are kept in a run as they come, so that a method which is killed pays for none twice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Genotypes
from lissnas.disk import write_bytes
from lissnas.errors import UserError
from lissnas.evaluators import Evaluator
from lissnas.evaluators.wrappers_base import Wrapper
from lissnas.runs.encode import npy_bytes

__all__ = ["KeptAnswers"]

CHUNK = 32  # evaluations that are saved together


class KeptAnswers(Wrapper):
    """The scores of ``evaluator``, each ``CHUNK`` of them written into ``folder`` at once.

    A method that runs again from the start asks the same, in the same order, and is told what is there.

    Args:
        folder: the checkpoint of the running step.
        on_answer: called with the number of evaluations so far.

    Raises:
        UserError: what is there answers another question.
    """

    def __init__(self, evaluator: Evaluator, folder: Path, on_answer: Callable[[int], None]) -> None:
        super().__init__(evaluator)
        self._folder = folder
        self._on_answer = on_answer
        self._asked: list[Genotypes] = []
        self._answers: list[NDArray[np.float64]] = []

    @property
    def asked(self) -> tuple[Genotypes, NDArray[np.float64]]:
        """All that was evaluated, in order: uint8[n, L] and float64[n]."""
        return np.concatenate(self._asked), np.concatenate(self._answers)

    def _evaluate(self, genotypes: Genotypes) -> NDArray[np.float64]:
        first = len(self._asked)
        for low in range(0, len(genotypes), CHUNK):
            chunk = genotypes[low : low + CHUNK]
            self._answers.append(self._answer(chunk))
            self._asked.append(chunk)
            self._on_answer(sum(map(len, self._asked)))
        return np.concatenate(self._answers[first:])

    def _answer(self, genotypes: Genotypes) -> NDArray[np.float64]:
        file = self._folder / f"answers-{len(self._asked):05d}.npy"
        codes = self.space.encode(genotypes).view(np.float64)  # bits, beside the scores in one array
        if not file.exists():
            scores = self.evaluator.evaluate(genotypes)
            write_bytes(file, npy_bytes(np.column_stack([scores, codes])))
            return scores
        kept = np.load(file, allow_pickle=False)
        if kept.shape != (len(genotypes), 1 + codes.shape[1]) or kept[:, 1:].tobytes() != codes.tobytes():
            raise UserError(f"'{file}' holds the scores of other networks: delete the folder '{self._folder}' and resume")
        return np.ascontiguousarray(kept[:, 0])
