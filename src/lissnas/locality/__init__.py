"""Do networks that are alike score alike, and up to how many edits (paper Sec. 4.2, Appendices B, E and G).

==================================  ======================================================================================
``assess_locality`` -> ``Locality``  all of it for one space and what scores it: rows of numbers, each with its interval
``Estimate``                        a number with its 95% interval, or the reason why there is none (``estimate``)
``compare_all``                     all pairs of a small space at every distance (``exact``)
``known_pairs``, ``walk``           pairs of a table that holds some networks, and random walks (``draw``)
``ScoreSource``, ``Noise``          scores, and how much of them is noise (``source``)
``expected_edits``                  what each single edit changes on average, exactly, where the predictor is a sum over genes
``edit_threshold``                  up to how many edits neighbors are made: the paper's rule beside measured ones
``sample_size``                     how many networks stand for a whole space
``judge`` -> ``Verdict``            will shrinking by locality work here, by a stated rule
==================================  ======================================================================================
"""

from lissnas.locality.draw import edit_kinds, known_pairs, walk, with_edits
from lissnas.locality.estimate import Estimate, Pairs, correlation, mean_difference, share_passing
from lissnas.locality.exact import Profile, compare_all
from lissnas.locality.measure import assess_locality, planned_evaluations
from lissnas.locality.result import Locality, Population, Row
from lissnas.locality.sample_size import SampleSize, sample_size
from lissnas.locality.single_edits import SingleEdits, expected_edits
from lissnas.locality.source import Noise, ScoreSource
from lissnas.locality.threshold import EditThreshold, edit_threshold, paper_threshold
from lissnas.locality.verdict import Verdict, judge

__all__ = [
    "EditThreshold",
    "Estimate",
    "Locality",
    "Noise",
    "Pairs",
    "Population",
    "Profile",
    "Row",
    "SampleSize",
    "ScoreSource",
    "SingleEdits",
    "Verdict",
    "assess_locality",
    "compare_all",
    "correlation",
    "edit_kinds",
    "edit_threshold",
    "expected_edits",
    "judge",
    "known_pairs",
    "mean_difference",
    "paper_threshold",
    "planned_evaluations",
    "sample_size",
    "share_passing",
    "walk",
    "with_edits",
]
