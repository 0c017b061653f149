"""Gradient-boosted trees, the paper's predictor (App. F, following NAS-Bench-301)."""

from __future__ import annotations

from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Genotypes, unique
from lissnas.engines import split
from lissnas.errors import UserError
from lissnas.predictors.arguments import check_choice, check_number, check_whole
from lissnas.predictors.assessment import assign_folds
from lissnas.predictors.labelled import LabelledPredictor, Labels
from lissnas.predictors.labels import LABELS, LabelKind
from lissnas.predictors.model_file import booster_to_bytes, import_xgboost
from lissnas.predictors.ridge import add_alleles, fit_ridge
from lissnas.predictors.tree_masks import UnfitTrees, read_forest
from lissnas.predictors.tree_scorer import TreeScorer
from lissnas.predictors.tree_settings import GROUPS, TreeSettings
from lissnas.spaces import Neighbors, SearchSpace

__all__ = ["XGBoostPredictor"]

SCORERS = ("auto", "xgboost")
TOLERANCE = 1e-4  # how far the fast scorer may be from XGBoost, in spreads of the labels
CHECKED_ROWS = 256
STARTS = ("auto", "mean", "linear")
# A line below the trees. Held-out Kendall tau, labels auto, mean of 2 seeds (1 with 10,000): trees from the mean -> from the
# line; in brackets the variance of the labels that the line alone explains, each network left out in turn.
#                            60              163                300                1,000              10,000 networks
# HW-GPT perplexity          .893 -> .837                       .934 -> .955       .957 -> .975 (.99)
# NAS-Bench-301 (surrogate)  .442 -> .461                       .670 -> .786       .786 -> .864 (.92) .877 -> .924
# TransNAS macro scenes                      .714 -> .736       .728 -> .747       .780 -> .789 (.82)
# TransNAS macro jigsaw                      .624 -> .630       .640 -> .641       .662 -> .661 (.74)
# NAS-Bench-201 CIFAR-10     .547 -> .554                       .715 -> .710       .780 -> .781 (.67)
# NAS-Bench-101              .504 -> .486                       .698 -> .682       .771 -> .759 (.66) .841 -> .840
# TransNAS micro scenes                      .675 -> .656       .714 -> .699       .784 -> .772 (.61)
# So a line is taken where it explains .75. With fewer networks than 1.5 for each feature it follows them too closely for the
# trees to see what is left (HW-GPT with 60).
LINEAR_R2 = 0.75
LINEAR_ROWS = 1.5
HELD_OUT = 10  # one part in so many is held out to say when to stop
_BLOCK = 1 << 16  # rows whose features exist at once


class XGBoostPredictor(LabelledPredictor):
    """An ensemble of regression trees over the space's features.

    Training is deterministic for a seed and a number of threads. Predictions come from the package's own tree scorer, which is
    compared with XGBoost on every fit; where it does not fit or does not agree, XGBoost predicts, and ``scorer_reason`` says
    why. ``tree_settings`` holds the groups of settings and what was measured of them.

    Args:
        trees: how many at most; None: what the group of settings says.
        depth: of each; past 6 a tree may have more than 64 leaves, which the fast scorer does not take.
            None: as the group says.
        learning_rate: what each tree adds. None: as the group says, in ``light`` ``24 / trees`` within .01 and .3.
        labels: what is learned: ``raw`` scores, ``rank-normal`` (their ranks as normal quantiles, mapped back), ``log``,
            ``logit`` (for accuracies), or ``auto``: ranks where the scores are far from normal (skewness past 1 or excess
            kurtosis past 3).
        threads: of training and prediction. Predictions do not depend on it.
        scorer: ``auto``, or ``xgboost`` for XGBoost's own prediction.
        start: what the trees correct: ``mean``; ``linear``, a ridge regression on one-hot features (see ``ridge``); or
            ``auto``: linear where that alone, each network left out in turn, explains .75 of the variance of the labels, and
            there are at least 1.5 networks for each feature.
        settings: a group of settings. ``light`` is well regularized and holds from 50 to 10,000 networks. ``nasbench301`` are
            the published ones of that benchmark's surrogate, ``lightgbm`` its leaf-wise ones: thousands of small trees, ended
            early on a tenth that is held out; better on that surrogate, on no other data, and 10 times slower.

    Attributes:
        start_used: ``mean`` or ``linear`` (after ``fit``).
        trees_used: how many trees were kept (after ``fit``).
        labels_used: ``raw``, ``rank-normal``, ``log`` or ``logit`` (after ``fit``).
        scorer_used: ``fast`` or ``xgboost`` (after ``fit``).
        scorer_reason: why, in a sentence (after ``fit``).
        booster: the ``xgboost.Booster``, which predicts labels; with the start ``linear``, what they are above the line
            (after ``fit``).

    Raises:
        UserError: a setting outside its range.
    """

    kind = "xgboost"
    endings = (".ubj", ".json")
    start_used: Literal["mean", "linear"]
    trees_used: int
    scorer_used: Literal["fast", "xgboost"]
    scorer_reason: str
    booster: Any

    def __init__(
        self,
        trees: int | None = None,
        depth: int | None = None,
        learning_rate: float | None = None,
        labels: LabelKind = "auto",
        threads: int = 1,
        scorer: Literal["auto", "xgboost"] = "auto",
        settings: Literal["light", "nasbench301", "lightgbm"] = "light",
        start: Literal["auto", "mean", "linear"] = "auto",
    ) -> None:
        self.trees = None if trees is None else check_whole("trees", trees, 1, 100_000)
        self.depth = None if depth is None else check_whole("depth", depth, 1, 18)
        if learning_rate is not None:
            check_number("learning_rate", learning_rate, 0, 1, other=", or None")
        self.learning_rate = learning_rate
        self.labels = check_choice("labels", labels, LABELS)  # type: ignore[assignment]
        self.threads = check_whole("threads", threads, 1, 1024)
        self.scorer = check_choice("scorer", scorer, SCORERS)
        self.settings = check_choice("settings", settings, tuple(GROUPS))
        self.start = check_choice("start", start, STARTS)

    def _settings(self) -> dict[str, object]:
        names = ("trees", "depth", "learning_rate", "labels", "threads", "scorer", "settings", "start")
        return {name: getattr(self, name) for name in names}

    def _clone_for_fold(self) -> Self:
        other = self.clone()
        other.scorer = "xgboost"  # a fold is too small to pay for the tables
        return other

    # -- learning ---------------------------------------------------------------------------------------------------

    def _learn(self, space: SearchSpace, genotypes: Genotypes, labels: Labels, seed: int) -> None:
        xgboost = import_xgboost()
        group = GROUPS[self.settings]
        trees = self.trees or group.trees
        parameters = self._parameters(group, trees, seed)
        features = space.features(genotypes)
        held_out = np.zeros(len(genotypes), dtype=np.bool_)
        if group.patience is not None:
            codes = space.encode(genotypes)
            parts = min(HELD_OUT, len(unique(codes)) // 2)
            held_out = assign_folds(codes, parts, np.random.default_rng(seed)) == 0
        self._choose_start(space, genotypes[~held_out], labels[~held_out])
        left = labels - self._begin(genotypes)

        def data(rows: NDArray[np.bool_]) -> Any:
            return xgboost.DMatrix(features[rows], left[rows], nthread=self.threads)

        if group.patience is None:
            self.booster = xgboost.train(parameters, data(~held_out), trees)
        else:
            grown = xgboost.train(
                parameters,
                data(~held_out),
                trees,
                evals=[(data(held_out), "held_out")],
                early_stopping_rounds=group.patience,
                verbose_eval=False,
            )
            self.booster = grown[: grown.best_iteration + 1]
            self.booster.set_attr(best_iteration=None, best_score=None)
        self.trees_used = self.booster.num_boosted_rounds()
        self._choose_scorer(space, genotypes[:CHECKED_ROWS])

    def _choose_start(self, space: SearchSpace, genotypes: Genotypes, labels: Labels) -> None:
        """Fit the line that the trees start from, where there is to be one."""
        self._line: tuple[NDArray[np.float64], float] | None = None
        if self.start != "mean":
            features = space.features(genotypes, "one-hot").astype(np.float64)
            enough = len(features) >= LINEAR_ROWS * features.shape[1]
            line = fit_ridge(features, labels)
            if self.start == "linear" or (enough and line.left_out_r2 >= LINEAR_R2):
                self._line = line.weights, line.offset
        self.start_used = "mean" if self._line is None else "linear"

    def _begin(self, genotypes: Genotypes) -> Labels:
        """What the trees start from, float64[n]."""
        if self._line is None:
            return np.zeros(len(genotypes))
        return add_alleles(self.space, *self._line, genotypes)

    def _parameters(self, group: TreeSettings, trees: int, seed: int) -> dict[str, Any]:
        return {
            "objective": "reg:squarederror",
            "base_score": 0.0,
            "tree_method": "hist",
            "eta": self.learning_rate or group.rate(trees),
            "max_depth": self.depth or group.depth,
            **group.others,
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

    def _label(self, genotypes: Genotypes) -> Labels:
        trees = self._boost(self.space, genotypes) if self._fast is None else self._fast.predict(genotypes, self.threads)
        return trees if self._line is None else trees + self._begin(genotypes)

    def _label_neighbors(self, genotypes: Genotypes, neighbors: Neighbors) -> Labels:
        if self._fast is None:
            return self._label(neighbors.genotypes)
        trees = self._fast.predict_neighbors(genotypes, neighbors, self.threads)
        return trees if self._line is None else trees + self._begin(neighbors.genotypes)

    def _boost(self, space: SearchSpace, genotypes: Genotypes) -> NDArray[np.float64]:
        """What the trees add, as XGBoost predicts it."""
        labels = np.empty(len(genotypes))
        for rows in split(len(genotypes), _BLOCK):
            labels[rows] = self.booster.inplace_predict(space.features(genotypes[rows]))
        return labels

    # -- on disk ----------------------------------------------------------------------------------------------------

    def to_bytes(self, ending: str | None = None) -> bytes:
        """What :meth:`save` writes: XGBoost's own format, ``.ubj``, or ``.json`` to be read by people."""
        self._require_fitted()
        return booster_to_bytes(self.booster, self._about(), "json" if ending == ".json" else "ubj")

    def _about(self) -> dict[str, Any]:
        about = super()._about()
        table = self.space.feature_table
        line = None if self._line is None else {"weights": self._line[0].tolist(), "offset": self._line[1]}
        return {**about, "features": list(table.names) if table is not None else None, "line": line}

    def _unpack(self, model: Any, about: dict[str, Any]) -> None:
        super()._unpack(model, about)
        if not hasattr(model, "num_boosted_rounds"):
            raise UserError("a predictor of the kind 'xgboost' is not kept as arrays: fit the predictor again")
        model.set_param({"nthread": self.threads, "verbosity": 0})
        self.booster = model
        self.trees_used = model.num_boosted_rounds()
        line = about.get("line")  # format 1 had none
        self._line = None if line is None else (np.array(line["weights"], dtype=np.float64), float(line["offset"]))
        self.start_used = "mean" if line is None else "linear"
        self._choose_scorer(self.space, np.empty((0, self.space.length), dtype=np.uint8))
