"""How good a space is: one space, one row of evidence.

Shrink index, EDF and KS, diversity, pockets, coverage of costs, rank correlation.
"""

from lissnas.quality.correlation import Correlation, RankCorrelation, rank_correlation
from lissnas.quality.distribution import KolmogorovSmirnov, edf, edf_area, ks
from lissnas.quality.diversity import cost_coverage, mean_distance, pockets
from lissnas.quality.evidence import Evidence, Scores, assess_space, score_space
from lissnas.quality.shrink_index import (
    ShrinkIndex,
    good_threshold,
    is_good,
    probability_of_good,
    shrink_index,
    shrink_index_interval,
)

__all__ = [
    "Correlation",
    "Evidence",
    "KolmogorovSmirnov",
    "RankCorrelation",
    "Scores",
    "ShrinkIndex",
    "assess_space",
    "cost_coverage",
    "edf",
    "edf_area",
    "good_threshold",
    "is_good",
    "ks",
    "mean_distance",
    "pockets",
    "probability_of_good",
    "rank_correlation",
    "score_space",
    "shrink_index",
    "shrink_index_interval",
]
