"""How good a space is: one space, one row of evidence; or any list of spaces side by side.

==========================  ==========================================================================================
``compare_spaces``          any list of spaces beside a reference (``side_by_side``); every number is a ``Statistic``
``assess_space``            one space, one row of evidence: what a shrinking job needs (``evidence``)
the parts                   shrink index, EDF and KS, diversity, pockets, coverage of costs, top kept, rank correlation
==========================  ==========================================================================================
"""

from lissnas.quality.correlation import Correlation, RankCorrelation, rank_correlation
from lissnas.quality.cosine import CosineDiversity, cosine_diversity, gene_entropy
from lissnas.quality.distribution import KolmogorovSmirnov, edf, edf_area, ks
from lissnas.quality.diversity import cost_coverage, mean_distance
from lissnas.quality.evidence import Evidence, Scores, assess_space, score_space
from lissnas.quality.mcnemar import Discordance, discordance
from lissnas.quality.pockets import pockets
from lissnas.quality.s3 import ExpectedTopError, expected_top_error
from lissnas.quality.shrink_index import (
    ShrinkIndex,
    good_threshold,
    is_good,
    probability_of_good,
    shrink_index,
    shrink_index_interval,
)
from lissnas.quality.side_by_side import SideBySide, SpaceQuality, common_reference, compare_spaces
from lissnas.quality.statistic import Statistic
from lissnas.quality.top import hypervolume, share_kept

__all__ = [
    "Correlation",
    "CosineDiversity",
    "Discordance",
    "Evidence",
    "ExpectedTopError",
    "KolmogorovSmirnov",
    "RankCorrelation",
    "Scores",
    "ShrinkIndex",
    "SideBySide",
    "SpaceQuality",
    "Statistic",
    "assess_space",
    "common_reference",
    "compare_spaces",
    "cosine_diversity",
    "cost_coverage",
    "discordance",
    "edf",
    "edf_area",
    "expected_top_error",
    "gene_entropy",
    "good_threshold",
    "hypervolume",
    "is_good",
    "ks",
    "mean_distance",
    "pockets",
    "probability_of_good",
    "rank_correlation",
    "score_space",
    "share_kept",
    "shrink_index",
    "shrink_index_interval",
]
