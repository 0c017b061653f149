"""Gradient-boosted trees, the paper's predictor (App. F, following NAS-Bench-301)."""

from __future__ import annotations

import os
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from lissnas._version import __version__
from lissnas.arrays import Genotypes
from lissnas.engines import split
from lissnas.errors import UserError
from lissnas.predictors.base import Predictor
from lissnas.predictors.labels import LABELS, LabelKind, LabelMap, make_labels
from lissnas.predictors.model_file import Form, file_format, from_bytes, to_bytes, write_atomically
from lissnas.predictors.tree_masks import UnfitTrees, read_forest
from lissnas.predictors.tree_scorer import TreeScorer
from lissnas.spaces import Neighbors, SearchSpace

__all__ = ["XGBoostPredictor"]

SCORERS = ("auto", "xgboost")
TOLERANCE = 1e-4  # how far the fast scorer may be from XGBoost, in spreads of the labels
CHECKED_ROWS = 256
_BLOCK = 1 << 16  # rows whose features exist at once

# Held-out Kendall tau at 800 trees of depth 6, raw labels, mean over HW-GPT perplexity, NAS-Bench-201, TransNAS macro and
# micro (the last two up to 1,000), NAS-Bench-301, NAS-Bench-101 and two noisy synthetic block spaces, 1 to 3 seeds each,
# 2,000 networks held out; learned from                    60     300    1,000   9,000 networks
#   rate .03, subsample .5, lambda 5,  child weight 3     .561    .717    .782    .869   <- taken
#   rate .02, the rest as taken                           .560    .719    .784    .867
#   rate .05, the rest as taken                           .559    .712    .775
#   rate .03, subsample .5, lambda 1,  child weight 1     .537    .711    .780    .868
#   rate .03, subsample .5, lambda 10, child weight 5     .552    .722    .784    .870   (but NAS-Bench-301 at 60: .37 -> .25)
#   rate .03, subsample .8, lambda 5,  child weight 3     .535    .702    .773    .866
#   as taken, but .5 of the columns for each split        .556    .713    .779
#   rate .03, subsample .8, lambda 1,  child weight 1, .5 of the columns for each tree: .512 .674 .752
# Each space alone, as taken (60 / 300 / 1,000): HW-GPT .896 .937 .956, NAS-Bench-201 .496 .592 .721 (rank-normal labels: see
# ``labels``), NAS-Bench-301 .366 .709 .784, NAS-Bench-101 .487 .662 .707. All columns are used, because a column such as a
# width that decides most must be there for every tree (HW-GPT at 1,000: .956 against .839 with half of them).
SUBSAMPLE = 0.5
L2 = 5.0
MIN_CHILD_WEIGHT = 3.0
TRAVEL = 24.0  # trees x learning rate, where the rate is not given


class XGBoostPredictor(Predictor):
    """An ensemble of regression trees over the space's features.

    Defaults are light and well regularized, and hold from 50 to 10,000 networks (measurements stand above the class).
    Training is deterministic for a seed and a number of threads. Predictions come from the package's own tree scorer, which is
    compared with XGBoost on every fit; where it does not fit or does not agree, XGBoost predicts, and ``scorer_reason`` says
    why.

    Args:
        trees: how many.
        depth: of each; past 6 a tree may have more than 64 leaves, which the fast scorer does not take.
        learning_rate: what each tree adds; ``24 / trees`` (.03 for 800) within .01 and .3 if not given.
        labels: what is learned: ``raw`` scores, ``rank-normal`` (their ranks as normal quantiles, mapped back), or ``auto``:
            ranks where the scores are far from normal (skewness past 1 or excess kurtosis past 3).
        threads: of training and prediction. Predictions do not depend on it.
        scorer: ``auto``, or ``xgboost`` for XGBoost's own prediction.

    Attributes:
        labels_used: ``raw`` or ``rank-normal`` (after ``fit``).
        scorer_used: ``fast`` or ``xgboost`` (after ``fit``).
        scorer_reason: why, in a sentence (after ``fit``).
        booster: the ``xgboost.Booster``, which predicts labels (after ``fit``).

    Raises:
        UserError: a setting outside its range.
    """

    labels_used: str
    scorer_used: Literal["fast", "xgboost"]
    scorer_reason: str
    booster: Any

    def __init__(
        self,
        trees: int = 800,
        depth: int = 6,
        learning_rate: float | None = None,
        labels: LabelKind = "auto",
        threads: int = 1,
        scorer: Literal["auto", "xgboost"] = "auto",
    ) -> None:
        for name, value, most in (("trees", trees, 100_000), ("depth", depth, 16), ("threads", threads, 1024)):
            if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or not 1 <= value <= most:
                raise UserError(f"{name} must be a whole number from 1 to {most:,}, but got {value!r}")
        if learning_rate is not None and not (isinstance(learning_rate, (int, float)) and 0 < learning_rate <= 1):
            raise UserError(f"learning_rate must be above 0 and at most 1, or None, but got {learning_rate!r}")
        if labels not in LABELS:
            raise UserError(f"labels must be one of {', '.join(LABELS)}, but got {labels!r}")
        if scorer not in SCORERS:
            raise UserError(f"scorer must be one of {', '.join(SCORERS)}, but got {scorer!r}")
        self.trees = int(trees)
        self.depth = int(depth)
        self.learning_rate = learning_rate
        self.labels = labels
        self.threads = int(threads)
        self.scorer = scorer

    def _settings(self) -> dict[str, object]:
        names = ("trees", "depth", "learning_rate", "labels", "threads", "scorer")
        return {name: getattr(self, name) for name in names}

    def _clone_for_fold(self) -> Self:
        other = self.clone()
        other.scorer = "xgboost"  # a fold is too small to pay for the tables
        return other

    # -- learning ---------------------------------------------------------------------------------------------------

    def _fit(self, space: SearchSpace, genotypes: Genotypes, scores: NDArray[np.float64], seed: int) -> None:
        xgboost = _import_xgboost()
        labels, self._label_map = make_labels(scores, self.labels)
        self.labels_used = self._label_map.kind
        data = xgboost.DMatrix(space.features(genotypes), labels, nthread=self.threads)
        self.booster = xgboost.train(self._parameters(seed), data, self.trees)
        self._choose_scorer(space, genotypes[:CHECKED_ROWS])

    def _parameters(self, seed: int) -> dict[str, Any]:
        rate = self.learning_rate
        if rate is None:
            rate = min(max(TRAVEL / self.trees, 0.01), 0.3)
        return {
            "objective": "reg:squarederror",
            "base_score": 0.0,
            "tree_method": "hist",
            "eta": rate,
            "max_depth": self.depth,
            "subsample": SUBSAMPLE,
            "lambda": L2,
            "min_child_weight": MIN_CHILD_WEIGHT,
            "seed": seed % (1 << 31),
            "nthread": self.threads,
            "verbosity": 0,
        }

    def _choose_scorer(self, space: SearchSpace, known: Genotypes) -> None:
        """Take the fast scorer where it fits and agrees with XGBoost on ``known`` rows and a sample."""
        self._fast: TreeScorer | None = None
        self.scorer_used = "xgboost"
        if self.scorer == "xgboost":
            self.scorer_reason = "XGBoost was asked for"
            return
        try:
            fast = TreeScorer(space, read_forest(self.booster))
        except UnfitTrees as reason:
            self.scorer_reason = f"XGBoost predicts, because {reason}"
            return
        rows = np.concatenate([known, space.sample(CHECKED_ROWS, np.random.default_rng(0))])
        off = float(np.abs(fast.predict(rows) - self._boost(space, rows)).max())
        if not off <= TOLERANCE:
            self.scorer_reason = f"XGBoost predicts, because the fast scorer differs from it by {off:.2g} spreads of the labels"
            return
        self._fast = fast
        self.scorer_used = "fast"
        self.scorer_reason = f"the fast scorer equals XGBoost to {off:.1e} spreads of the labels on {len(rows)} networks"

    # -- predicting -------------------------------------------------------------------------------------------------

    def _predict(self, genotypes: Genotypes) -> NDArray[np.float64]:
        sums = self._boost(self.space, genotypes) if self._fast is None else self._fast.predict(genotypes, self.threads)
        return self._label_map.to_scores(sums)

    def _predict_neighbors(self, genotypes: Genotypes, neighbors: Neighbors) -> NDArray[np.float64]:
        if self._fast is None:
            return self._predict(neighbors.genotypes)
        return self._label_map.to_scores(self._fast.predict_neighbors(genotypes, neighbors, self.threads))

    def _boost(self, space: SearchSpace, genotypes: Genotypes) -> NDArray[np.float64]:
        """Labels as XGBoost predicts them."""
        labels = np.empty(len(genotypes))
        for rows in split(len(genotypes), _BLOCK):
            labels[rows] = self.booster.inplace_predict(space.features(genotypes[rows]))
        return labels

    # -- on disk ----------------------------------------------------------------------------------------------------

    def to_bytes(self, form: Form = "ubj") -> bytes:
        """What :meth:`save` writes. The same fit gives the same bytes."""
        self._require_fitted()
        settings = {name: value for name, value in self._settings().items() if name not in ("threads", "scorer")}
        table = self.space.feature_table
        about = {
            "lissnas": __version__,
            "kind": "xgboost",
            "space": {"name": self.space.root.name, "fingerprint": self.space.root.fingerprint},
            "settings": settings,
            "higher_is_better": self.higher_is_better,
            "label_map": self._label_map.to_json(),
            "features": list(table.names) if table is not None else None,
        }
        return to_bytes(self.booster, about, form)

    def save(self, path: str | Path) -> None:
        """Write the predictor in XGBoost's own format: ``.ubj``, or ``.json`` to be read by people.

        Raises:
            UserError: not fitted yet, another ending, or a file that cannot be written.
        """
        path = Path(path)
        write_atomically(path, self.to_bytes(file_format(path)))

    @classmethod
    def load(cls, path: str | Path, space: SearchSpace, *, threads: int = 1) -> Self:
        """Read a predictor that :meth:`save` wrote, for ``space`` or what ``space`` was shrunk from.

        It predicts the same, and can be fitted anew; the networks it learned from are not in the file, so it has no
        ``assess``.

        Raises:
            UserError: no such file, one that is truncated, changed or of a newer version, or a predictor for another space.
        """
        path = Path(path)
        try:
            data = path.read_bytes()
        except OSError as error:
            raise UserError(f"the predictor '{path}' cannot be read: {error.strerror}") from None
        _import_xgboost()
        booster, about = from_bytes(data, str(path))
        if about["kind"] != "xgboost" or about["space"]["fingerprint"] != space.root.fingerprint:
            raise UserError(
                f"'{path}' predicts for the space '{about['space']['name']}' ({about['space']['fingerprint']}), "
                f"but got '{space.root.name}' ({space.root.fingerprint}): load it with the space it was fitted to"
            )
        predictor = cls(**about["settings"], threads=threads)
        booster.set_param({"nthread": threads, "verbosity": 0})
        predictor.space, predictor.higher_is_better = space, about["higher_is_better"]
        predictor.booster = booster
        predictor._label_map = LabelMap.from_json(about["label_map"])
        predictor.labels_used = predictor._label_map.kind
        predictor._choose_scorer(space, np.empty((0, space.length), dtype=np.uint8))
        predictor._fitted = True
        return predictor


def _import_xgboost() -> ModuleType:
    # OpenMP reads this once, when XGBoost is first loaded; threads that spin on shared cores make it up to fifty times slower.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    import xgboost

    return xgboost
