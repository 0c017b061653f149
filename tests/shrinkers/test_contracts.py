"""Every rival keeps the contract of a shrinker."""

from lissnas.predictors import XGBoostPredictor
from lissnas.shrinkers import (
    ABS,
    DDS,
    NSE,
    PADNAS,
    BestFirst,
    BoundingBox,
    GreedyNAS,
    MapElites,
    WeakNAS,
    ZeroCost,
)
from lissnas.testing import ShrinkerContract


class TestABS(ShrinkerContract):
    def shrinker(self):
        return ABS(queries=3000, size=800)


class TestNSE(ShrinkerContract):
    def shrinker(self):
        return NSE(queries=3000)


class TestPADNAS(ShrinkerContract):
    def shrinker(self):
        return PADNAS(queries=3000)


class TestDDS(ShrinkerContract):
    def shrinker(self):
        return DDS(queries=9000, sample=2000, alpha=0.4)


class TestBoundingBox(ShrinkerContract):
    def shrinker(self):
        return BoundingBox(queries=3000)


class TestGreedyNAS(ShrinkerContract):
    def shrinker(self):
        return GreedyNAS(queries=3000)


class TestBestFirst(ShrinkerContract):
    def shrinker(self):
        return BestFirst(queries=3000)


class TestMapElites(ShrinkerContract):
    def shrinker(self):
        return MapElites(queries=3000)


class TestZeroCost(ShrinkerContract):
    def shrinker(self):
        return ZeroCost(queries=3000)


class TestWeakNAS(ShrinkerContract):
    def shrinker(self):
        return WeakNAS(queries=9000, evaluations=300, predictor=lambda: XGBoostPredictor(trees=50, threads=1))
