"""Groups of settings of gradient-boosted trees, and what was measured of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["GROUPS", "TreeSettings"]

TRAVEL = 24.0  # trees x learning rate of ``light``, where the rate is not given


@dataclass(frozen=True)
class TreeSettings:
    """How trees are grown.

    Attributes:
        trees: how many at most.
        depth: of each at most.
        learning_rate: what each tree adds; None: ``TRAVEL / trees`` within .01 and .3.
        patience: trees without a better held-out error after which no more are grown; None: all are grown, of all networks.
        others: further parameters of XGBoost.
    """

    trees: int
    depth: int
    learning_rate: float | None
    patience: int | None
    others: Mapping[str, float | str]

    def rate(self, trees: int) -> float:
        """The learning rate for so many trees."""
        return self.learning_rate if self.learning_rate is not None else min(max(TRAVEL / trees, 0.01), 0.3)


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
LIGHT = TreeSettings(
    trees=800,
    depth=6,
    learning_rate=None,
    patience=None,
    others={"subsample": 0.5, "lambda": 5.0, "min_child_weight": 3.0},
)

# The groups below, beside it: held-out Kendall tau / seconds for a fit on one core, trees from the mean, labels auto, mean of 2
# seeds (1 with 10,000).                    light      nasbench301   its rate .05   lightgbm
#   NAS-Bench-301, 1,000                    .786 / 1   .826 / 12     .826 / 4       .836 / 12
#   NAS-Bench-201, 781                      .780 / 1   .709 / 5      .745 / 2       .740 / 5
#   HW-GPT, 1,000                           .957 / 1   .902 / 4      .892 / 1       .921 / 6
#   NAS-Bench-101, 1,000                    .771 / 1   .750 / 12     .749 / 3       .739 / 8
#   NAS-Bench-301, 10,000                   .877 / 7   .909 / 116    .901 / 9       .921 / 84
#   NAS-Bench-101, 10,000 (rate .05, at most 64 leaves)  .841 / 5     .840 / 60
# They are better on the data that they were tuned for, and nowhere else; ``light`` from a line (see ``xgboost``) is better
# there too: .864 and .924. With 10,000 networks their trees have about 100 leaves, so XGBoost itself predicts (1.4 ms each).

# automl/nasbench301, surrogate_models/configs/model_configs/gradient_boosting/xgb_configspace.json, its defaults.
NASBENCH301 = TreeSettings(
    trees=20_000,
    depth=13,
    learning_rate=0.008237525103357958,
    patience=100,
    others={
        "min_child_weight": 39,
        "colsample_bytree": 0.2545374925231651,
        "colsample_bylevel": 0.6909224923784677,
        "lambda": 31.393252465064943,
        "alpha": 0.24167936088332426,
    },
)

# The same folder's lgb_configspace.json: LightGBM's leaf-wise growth, as XGBoost has it. Its ``min_child_weight`` of .58 is a
# sum of second derivatives, for squared errors a number of networks; 20 networks is LightGBM's own least (min_data_in_leaf).
LIGHTGBM = TreeSettings(
    trees=30_000,
    depth=18,
    learning_rate=0.02182249761978233,
    patience=100,
    others={
        "grow_policy": "lossguide",
        "max_leaves": 40,
        "max_bin": 336,
        "colsample_bytree": 0.1531795056267644,
        "min_child_weight": 20,
        "alpha": 0.011489772418204284,
        "lambda": 134.50743557010372,
    },
)

GROUPS = {"light": LIGHT, "nasbench301": NASBENCH301, "lightgbm": LIGHTGBM}
