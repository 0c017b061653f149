"""Several predictors of one kind: their mean, and how far they disagree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Genotypes, locate, unique
from lissnas.errors import UserError
from lissnas.predictors.arguments import check_whole
from lissnas.predictors.base import Predictor, Scores
from lissnas.predictors.kinds import PREDICTORS, get_predictor
from lissnas.predictors.model_file import model_from_bytes
from lissnas.spaces import Neighbors, SearchSpace

__all__ = ["EnsemblePredictor"]


class EnsemblePredictor(Predictor):
    """The mean of several predictors of one kind, each with a seed of its own and networks drawn with replacement (bagging).

    How far its members disagree is its uncertainty. It is a relative one: larger where fewer networks are near. It does not
    hold the noise of the scores, nor what all members get wrong together; :meth:`assess` says what it is worth.

    Args:
        member: the kind of its members, a name in ``PREDICTORS``.
        members: how many.
        bootstrap: each learns from as many networks as there are, drawn with replacement; else all learn from all, and only
            their seeds differ.
        settings: of each member, by name.
        threads: of each member, where it has that setting; predictions do not depend on it.

    Raises:
        UserError: a setting outside its range, an unknown kind, or an ensemble of ensembles.
    """

    kind = "ensemble"

    def __init__(
        self,
        member: str = "xgboost",
        members: int = 5,
        bootstrap: bool = True,
        settings: Mapping[str, Any] | None = None,
        threads: int = 1,
    ) -> None:
        if member == self.kind:
            raise UserError("an ensemble has members of another kind, but got member 'ensemble': name one, member=xgboost")
        if not isinstance(bootstrap, bool):
            raise UserError(f"bootstrap must be true or false, but got {bootstrap!r}")
        if settings is not None and not isinstance(settings, Mapping):
            raise UserError(f"settings must be a group of settings, {{name: value}}, but got {settings!r}")
        self.member = member
        self.members = check_whole("members", members, 2, 100)
        self.bootstrap = bootstrap
        self.settings = dict(settings or {})
        self.threads = check_whole("threads", threads, 1, 1024)
        self._make()

    def check(self, space: SearchSpace) -> None:
        """Refuse a space that its members cannot learn from."""
        self._make().check(space)

    def _settings(self) -> dict[str, object]:
        return {name: getattr(self, name) for name in ("member", "members", "bootstrap", "settings", "threads")}

    def predict_with_uncertainty(self, genotypes: Genotypes) -> tuple[Scores, Scores]:
        """The mean of the members' predictions and their standard deviation, float64[n] each, on the scale of the scores.

        Raises:
            UserError: as :meth:`predict` says.
        """
        self._require_fitted()
        return self._predict_with_uncertainty(self.space.check(genotypes))

    # -- what a predictor writes ------------------------------------------------------------------------------------

    def _fit(self, space: SearchSpace, genotypes: Genotypes, scores: Scores, seed: int) -> None:
        self._learned = []
        for child in np.random.SeedSequence(seed).spawn(self.members):
            rng = np.random.default_rng(child)
            rows = self._draw(space, genotypes, scores, rng) if self.bootstrap else slice(None)
            one = self._make()
            one.space, one.higher_is_better = space, self.higher_is_better
            one._fit(space, genotypes[rows], scores[rows], int(rng.integers(1 << 31)))
            one._fitted = True
            self._learned.append(one)

    def _draw(self, space: SearchSpace, genotypes: Genotypes, scores: Scores, rng: np.random.Generator) -> NDArray[np.intp]:
        """Rows of architectures drawn with replacement; all of them where those drawn have equal scores."""
        codes = space.encode(genotypes)
        members = unique(codes)
        drawn = np.bincount(rng.integers(len(members), size=len(members)), minlength=len(members))
        rows = np.repeat(np.arange(len(codes)), drawn[locate(members, codes)])
        if (scores[rows] == scores[rows[0]]).all():
            return np.arange(len(codes))
        return rows

    def _predict_with_uncertainty(self, genotypes: Genotypes) -> tuple[Scores, Scores]:
        predictions = np.stack([one._predict(genotypes) for one in self._fitted_members()])
        return predictions.mean(axis=0), predictions.std(axis=0, ddof=1)

    def _predict(self, genotypes: Genotypes) -> Scores:
        found: Scores = np.stack([one._predict(genotypes) for one in self._fitted_members()]).mean(axis=0)
        return found

    def _predict_neighbors(self, genotypes: Genotypes, neighbors: Neighbors) -> Scores:
        each = [one._predict_neighbors(genotypes, neighbors) for one in self._fitted_members()]
        found: Scores = np.stack(each).mean(axis=0)
        return found

    def _clone_for_fold(self) -> Self:
        other = self.clone()
        if "scorer" in self._make()._settings():
            other.settings = {"scorer": "xgboost", **self.settings}  # as XGBoostPredictor does
        return other

    def _fitted_members(self) -> list[Predictor]:
        for one in self._learned:
            if hasattr(one, "threads"):
                one.threads = self.threads
        return self._learned

    def _make(self) -> Predictor:
        return get_predictor(self.member, self.settings, threads=self.threads)

    def _pack(self) -> dict[str, NDArray[Any]]:
        return {f"member_{i:02d}": np.frombuffer(one.to_bytes(), dtype=np.uint8) for i, one in enumerate(self._learned)}

    def _unpack(self, model: Any, about: dict[str, Any]) -> None:  # noqa: ARG002 - its members have headers of their own
        self._learned = []
        for name in sorted(model):
            inner, header = model_from_bytes(model[name].tobytes(), name)
            made = PREDICTORS.get(header["kind"])
            self._learned.append(made.from_model(inner, header, self.space, name, threads=self.threads))
