"""The rivals as their authors run them, on supernets: what plugs into the shrinkers in place of a predictor.

    ABS(queries, unit_score=StagedAngles(training)).shrink(space, predictor, rng)           # angles of weights; drops the least
    PADNAS(queries, unit_score=StagedAccuracy(training)).shrink(space, predictor, rng)      # a supernet for each stage
    NSE(queries).shrink(space, RoundsEvaluator(training), rng)                              # a supernet for each round
    greedy_space(training, GreedySampler(space, ...))                                       # the pool that training leaves

``StagedTraining`` says how supernets are trained. Of the predictor that ABS and PADNAS are given, nothing but their reports
depends. Reconstruction C.1 to C.4; what differs from the originals is said where it does.
"""

from lissnas.oneshot.originals.angles import PathAngles, StagedAngles
from lissnas.oneshot.originals.greedy import greedy_space
from lissnas.oneshot.originals.rounds import RoundsEvaluator
from lissnas.oneshot.originals.stages import StagedAccuracy, StagedTraining

__all__ = ["PathAngles", "RoundsEvaluator", "StagedAccuracy", "StagedAngles", "StagedTraining", "greedy_space"]
