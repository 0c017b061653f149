"""LISSNAS and every method it is compared with: where each starts, what it proposes, what it keeps, when it stops.

``base`` is the contract and what comes back; ``ledger`` the two currencies and the pool of everything paid for.
"""

from lissnas.registry import Registry
from lissnas.shrinkers.base import Iteration, Shrinkage, Shrinker
from lissnas.shrinkers.ledger import Ledger, Pool
from lissnas.shrinkers.lissnas import LISSNAS
from lissnas.shrinkers.naive import NaiveTop, QueryAll

__all__ = [
    "LISSNAS",
    "SHRINKERS",
    "Iteration",
    "Ledger",
    "NaiveTop",
    "Pool",
    "QueryAll",
    "Shrinkage",
    "Shrinker",
    "list_shrinkers",
]

SHRINKERS = Registry(
    "shrinker",
    {
        "lissnas": "lissnas.shrinkers.lissnas:LISSNAS",
        "naive": "lissnas.shrinkers.naive:NaiveTop",
        "query-all": "lissnas.shrinkers.naive:QueryAll",
    },
)


def list_shrinkers() -> list[str]:
    """The names of all shrinkers."""
    return SHRINKERS.names()
