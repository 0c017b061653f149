"""The contract of a predictor."""

from __future__ import annotations

import copy
import inspect
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lissnas._version import __version__
from lissnas.arrays import Genotypes, unique
from lissnas.errors import UserError
from lissnas.predictors.assessment import Assessment, assign_folds, compare
from lissnas.predictors.model_file import arrays_to_bytes, check_ending, read_model, write_atomically
from lissnas.spaces import Neighbors, SearchSpace

__all__ = ["Assessment", "Predictor", "check_training"]

MINIMUM = 20  # different networks: below this no fold holds enough to say anything
LARGEST = 1e100  # squares of scores must stay finite

Scores = NDArray[np.float64]


class Predictor(ABC):
    """Learns to score the architectures of a space from some whose score is known.

    ``fit`` checks what it is given and returns the predictor itself; it can be fitted again, to another space too.
    ``clone`` gives an unfitted one with the same settings. Predictions are on the scale of the scores, whatever is learned
    inside, and an architecture's prediction does not depend on which others are asked for beside it.

    A new kind writes ``_fit``, which leaves all it learns in attributes of ``self``, and ``_predict``; and, so that it can be
    saved, ``kind`` and ``_pack`` and ``_unpack``. One that learns one number per network writes a ``LabelledPredictor``.

    Attributes:
        kind: its name in ``PREDICTORS``, which its files carry.
        endings: of its files; a run uses the first.
        space: the space it was fitted to (after ``fit``).
        higher_is_better: what counts as better among its scores (after ``fit``).
    """

    kind: ClassVar[str] = ""
    endings: ClassVar[tuple[str, ...]] = (".npz",)
    space: SearchSpace
    higher_is_better: bool = True
    _training: tuple[Genotypes, Scores, int] | None = None
    _fitted = False

    def fit(
        self, space: SearchSpace, genotypes: Genotypes, scores: ArrayLike, *, higher_is_better: bool = True, seed: int = 0
    ) -> Self:
        """Learn from measured networks.

        Args:
            space: the space they belong to. A shrunk space may learn from any networks of the space it was shrunk from.
            genotypes: uint8[n, L]. A network may come more than once.
            scores: n finite numbers.
            higher_is_better: which end of the scores is the good one.
            seed: of everything that is left to chance. The same pairs and seed give the same predictor.

        Raises:
            UserError: rows that are no architectures of ``space``, scores that are not finite (the row is named) or not as
                many, fewer than 20 different networks, or all scores equal.
        """
        values = check_training(space, genotypes, scores)
        self._fitted = False
        self.space = space
        self.higher_is_better = bool(higher_is_better)
        self._fit(space, genotypes, values, seed)
        self._training = (genotypes.copy(), values, seed)
        self._fitted = True
        return self

    def check(self, space: SearchSpace) -> None:  # noqa: B027 - most kinds take any space
        """Refuse a space that this predictor cannot learn from, before anything is measured.

        Raises:
            UserError: why, in one line.
        """

    def predict(self, genotypes: Genotypes) -> Scores:
        """The predicted score of each row, float64[n], on the scale of the scores.

        Raises:
            UserError: not fitted yet, or genotypes of another shape, dtype or with an allele that does not exist.
        """
        self._require_fitted()
        return self._predict(self.space.check(genotypes))

    def predict_neighbors(self, genotypes: Genotypes) -> tuple[Neighbors, Scores]:
        """Every architecture one edit away from each row, and its predicted score, float64[m].

        Neighbors are those of ``space`` (a shrunk space: those that were kept), scores the same that ``predict`` gives.
        """
        self._require_fitted()
        neighbors = self.space.all_neighbors(genotypes)
        return neighbors, self._predict_neighbors(genotypes, neighbors)

    def assess(self, folds: int = 5) -> Assessment:
        """Fit anew with each of ``folds`` parts held out, and compare what is predicted for it with what was measured.

        Parts are drawn with the seed of the fit, by code: equal architectures are always in the same part.

        Raises:
            UserError: not fitted to measured networks here (a loaded predictor has none), or a number of folds below 2 or
                above half the number of networks.
        """
        self._require_fitted()
        if self._training is None:
            raise UserError("a predictor that was loaded does not hold the networks it learned from: fit one to assess it")
        genotypes, scores, seed = self._training
        part = assign_folds(self.space.encode(genotypes), folds, np.random.default_rng(seed))
        predicted, uncertainty = np.empty(len(scores)), np.full(len(scores), np.nan)
        for fold in range(folds):
            held_out = part == fold
            known = genotypes[~held_out], scores[~held_out]
            learner = self.fold(self.space, *known, higher_is_better=self.higher_is_better, seed=seed)
            if learner is None:
                predicted[held_out], uncertainty[held_out] = known[1][0], 0.0
                continue
            predicted[held_out], spread = learner._predict_with_uncertainty(genotypes[held_out])
            uncertainty[held_out] = np.nan if spread is None else spread
        known_of_all = None if np.isnan(uncertainty).any() else uncertainty
        return compare(predicted, scores, folds, self.higher_is_better, known_of_all)

    def fold(
        self, space: SearchSpace, genotypes: Genotypes, scores: Scores, *, higher_is_better: bool = True, seed: int = 0
    ) -> Self | None:
        """A clone that learned from a part of networks that were checked before; None where its scores are all equal.

        It predicts as a fitted one does; what only pays over many predictions is left out.
        """
        if (scores == scores[0]).all():
            return None
        learner = self._clone_for_fold()
        learner.space, learner.higher_is_better = space, higher_is_better
        learner._fit(space, genotypes, scores, seed)
        learner._fitted = True
        return learner

    def clone(self) -> Self:
        """An unfitted predictor with the same settings."""
        other = copy.copy(self)
        for name in set(vars(other)) - set(self._settings()):
            delattr(other, name)
        return other

    # -- on disk ----------------------------------------------------------------------------------------------------

    def to_bytes(self, ending: str | None = None) -> bytes:  # noqa: ARG002 - for kinds with several formats
        """What :meth:`save` writes. The same fit gives the same bytes.

        Raises:
            UserError: not fitted yet, or a kind that does not say how it is saved.
        """
        self._require_fitted()
        return arrays_to_bytes(self._pack(), self._about())

    def save(self, path: str | Path) -> None:
        """Write the predictor, whole or not at all: no pickle, the same bytes for the same fit.

        Raises:
            UserError: not fitted yet, another ending than ``endings``, or a file that cannot be written.
        """
        path = Path(path)
        write_atomically(path, self.to_bytes(check_ending(path, self.endings)))

    @classmethod
    def load(cls, path: str | Path, space: SearchSpace, *, threads: int = 1) -> Self:
        """Read a predictor that :meth:`save` wrote, for ``space`` or what ``space`` was shrunk from.

        It predicts the same, and can be fitted anew; the networks it learned from are not in the file, so it has no
        ``assess``.

        Raises:
            UserError: no such file, one that is truncated, changed or of a newer version, or a predictor for another space or
                of another kind.
        """
        return cls.from_model(*read_model(path), space, str(path), threads=threads)

    @classmethod
    def from_model(cls, model: Any, about: dict[str, Any], space: SearchSpace, name: str, *, threads: int = 1) -> Self:
        """The predictor in a file that was read (``read_model``); ``name`` is what messages call the file.

        Raises:
            UserError: a predictor for another space or of another kind.
        """
        if about["space"]["fingerprint"] != space.root.fingerprint:
            raise UserError(
                f"'{name}' predicts for the space '{about['space']['name']}' ({about['space']['fingerprint']}), "
                f"but got '{space.root.name}' ({space.root.fingerprint}): load it with the space it was fitted to"
            )
        if about["kind"] != cls.kind:
            raise UserError(
                f"'{name}' holds a predictor of the kind '{about['kind']}', not '{cls.kind}': lissnas.predictors.load reads any"
            )
        settings = {**about["settings"], "threads": threads} if cls.takes_threads() else about["settings"]
        predictor = cls(**settings)
        predictor.space, predictor.higher_is_better = space, about["higher_is_better"]
        predictor._unpack(model, about)
        predictor._fitted = True
        return predictor

    @classmethod
    def takes_threads(cls) -> bool:
        """Whether it has the setting ``threads``, on which its predictions do not depend."""
        return "threads" in inspect.signature(cls.__init__).parameters

    def _about(self) -> dict[str, Any]:
        """The header of its file, plain JSON data."""
        return {
            "lissnas": __version__,
            "kind": self.kind,
            "space": {"name": self.space.root.name, "fingerprint": self.space.root.fingerprint},
            "settings": {name: value for name, value in self._settings().items() if name != "threads"},
            "higher_is_better": self.higher_is_better,
        }

    # -- what a predictor writes ------------------------------------------------------------------------------------

    @abstractmethod
    def _settings(self) -> dict[str, object]:
        """The settings of ``__init__`` by name, which are attributes of the same name."""

    @abstractmethod
    def _fit(self, space: SearchSpace, genotypes: Genotypes, scores: Scores, seed: int) -> None:
        """Learn. What it is given has been checked."""

    @abstractmethod
    def _predict(self, genotypes: Genotypes) -> Scores:
        """Predict. What it is given has been checked."""

    def _pack(self) -> dict[str, NDArray[Any]]:
        """What was learned, as arrays of numbers by name."""
        raise UserError(f"a {type(self).__name__} cannot be saved: it does not write _pack and _unpack")

    def _unpack(self, model: Any, about: dict[str, Any]) -> None:  # noqa: ARG002 - for kinds that can be saved
        """Take what :meth:`_pack` gave, and the header of the file, of a predictor with the same settings."""
        raise UserError(f"a {type(self).__name__} cannot be loaded: it does not write _pack and _unpack")

    def _predict_neighbors(self, genotypes: Genotypes, neighbors: Neighbors) -> Scores:  # noqa: ARG002 - see there
        """Predict ``neighbors`` of ``genotypes``; for a predictor that gains something from knowing whose they are."""
        return self._predict(neighbors.genotypes)

    def _predict_with_uncertainty(self, genotypes: Genotypes) -> tuple[Scores, Scores | None]:
        """Predict, and how uncertain each prediction is, for a predictor that knows."""
        return self._predict(genotypes), None

    def _clone_for_fold(self) -> Self:
        """As ``clone``, without what only pays over many predictions."""
        return self.clone()

    def _require_fitted(self) -> None:
        if not self._fitted:
            raise UserError(f"this {type(self).__name__} has learned nothing yet: call .fit(space, genotypes, scores) first")


def check_training(space: SearchSpace, genotypes: Genotypes, scores: ArrayLike) -> Scores:
    """The scores, float64[n], once a predictor can learn from them; ``fit`` begins with it.

    Raises:
        UserError: as :meth:`Predictor.fit` says.
    """
    space.root.require_valid(genotypes)
    values = _check_scores(genotypes, scores)
    different = len(unique(space.encode(genotypes)))
    if different < MINIMUM:
        raise UserError(
            f"a predictor needs at least {MINIMUM} different measured networks, but got {different}: "
            "measure more (`lissnas sample SPACE -n 300 --out to_measure.csv`)"
        )
    if (values == values[0]).all():
        raise UserError(f"all {len(values)} scores are equal ({values[0]:g}), so there is nothing to learn: check them")
    return values


def _check_scores(genotypes: Genotypes, scores: ArrayLike) -> Scores:
    try:
        values = np.array(scores, dtype=np.float64)
    except (TypeError, ValueError):
        raise UserError(f"scores must be numbers, one per network, but got {type(scores).__name__} that holds others") from None
    if values.shape != (len(genotypes),):
        raise UserError(f"scores must be float64[{len(genotypes)}], one per network, but got a shape of {list(values.shape)}")
    wrong = np.flatnonzero(~(np.abs(values) < LARGEST))
    if len(wrong):
        row = int(wrong[0])
        raise UserError(
            f"row {row}: a score must be a finite number of at most {LARGEST:g}, but got {values[row]}: leave that network out"
        )
    return values
