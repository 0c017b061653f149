"""LISSNAS and every method it is compared with: where each starts, what it proposes, what it keeps, when it stops.

``base`` is the contract and what comes back; ``ledger`` the two currencies and the pool of everything paid for; ``units`` what
methods that drop alleles share; ``box_search`` what boxes are found with, by exact means; ``naive`` what those share that keep
the best of a list. Each method is a file of its own, and a line in ``SHRINKERS``.
"""

from lissnas.registry import Registry
from lissnas.shrinkers.abs import ABS
from lissnas.shrinkers.base import Iteration, Shrinkage, Shrinker
from lissnas.shrinkers.best_first import BestFirst
from lissnas.shrinkers.bounding_box import BoundingBox
from lissnas.shrinkers.dds import DDS
from lissnas.shrinkers.frontier import Frontier
from lissnas.shrinkers.greedynas import GreedyNAS
from lissnas.shrinkers.hard_box import HardBox
from lissnas.shrinkers.ledger import Ledger, Pool
from lissnas.shrinkers.lissnas import LISSNAS
from lissnas.shrinkers.map_elites import MapElites
from lissnas.shrinkers.naive import NaiveTop, NoShrinkage, QueryAll
from lissnas.shrinkers.nse import NSE
from lissnas.shrinkers.padnas import PADNAS
from lissnas.shrinkers.scan import Scan
from lissnas.shrinkers.soft_box import SoftBox
from lissnas.shrinkers.units import UnitScore
from lissnas.shrinkers.weaknas import WeakNAS
from lissnas.shrinkers.zero_cost import ZeroCost

__all__ = [
    "ABS",
    "DDS",
    "LISSNAS",
    "NSE",
    "PADNAS",
    "SHRINKERS",
    "BestFirst",
    "BoundingBox",
    "Frontier",
    "GreedyNAS",
    "HardBox",
    "Iteration",
    "Ledger",
    "MapElites",
    "NaiveTop",
    "NoShrinkage",
    "Pool",
    "QueryAll",
    "Scan",
    "Shrinkage",
    "Shrinker",
    "SoftBox",
    "UnitScore",
    "WeakNAS",
    "ZeroCost",
    "list_shrinkers",
]

SHRINKERS = Registry(
    "shrinker",
    {
        "lissnas": "lissnas.shrinkers.lissnas:LISSNAS",
        "frontier": "lissnas.shrinkers.frontier:Frontier",
        "naive": "lissnas.shrinkers.naive:NaiveTop",
        "query-all": "lissnas.shrinkers.naive:QueryAll",
        "scan": "lissnas.shrinkers.scan:Scan",
        "none": "lissnas.shrinkers.naive:NoShrinkage",
        "abs": "lissnas.shrinkers.abs:ABS",
        "nse": "lissnas.shrinkers.nse:NSE",
        "padnas": "lissnas.shrinkers.padnas:PADNAS",
        "greedynas": "lissnas.shrinkers.greedynas:GreedyNAS",
        "dds": "lissnas.shrinkers.dds:DDS",
        "best-first": "lissnas.shrinkers.best_first:BestFirst",
        "map-elites": "lissnas.shrinkers.map_elites:MapElites",
        "weaknas": "lissnas.shrinkers.weaknas:WeakNAS",
        "zero-cost": "lissnas.shrinkers.zero_cost:ZeroCost",
        "bounding-box": "lissnas.shrinkers.bounding_box:BoundingBox",
        "soft-box": "lissnas.shrinkers.soft_box:SoftBox",
        "hard-box": "lissnas.shrinkers.hard_box:HardBox",
    },
)


def list_shrinkers() -> list[str]:
    """The names of all shrinkers."""
    return SHRINKERS.names()
