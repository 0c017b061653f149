"""Supernets and networks in torch: train one on any space, score its subnets, search, retrain, export.

    from lissnas import oneshot
    from lissnas.oneshot.own_module import from_module
    from lissnas.oneshot.retrain import retrain                     # the file's name is taken by the file
    data = oneshot.digits()                                         # ImageData: train, validation, test; or cifar10(folder)
    supernet = oneshot.Supernet(space, seed=0)                      # any space with a layout, full or shrunk
    oneshot.train_supernet(supernet, space, data, oneshot.Recipe(epochs=300), seed=0)     # uniform paths of that space
    accuracy = oneshot.evaluate_subnets(supernet, genotypes, data)  # float64[n], %; each with statistics of its own
    found = oneshot.evolve(small, oneshot.SupernetEvaluator(supernet, data).evaluate, rng, limits=["flops <= 2e5"])
    trained = retrain(space, found.genotypes[:10], data, oneshot.Recipe(), seed=0, workers=2)
    oneshot.export_network(trained[0].weights, "out")               # out/best.safetensors and out/best.onnx, checked

``blocks`` says which torch module a block kind becomes, ``network`` builds one architecture and ``supernet`` all of them from
the same blocks; ``samplers/`` holds one path strategy per file; ``train`` is one loop for both; ``evaluate`` scores thousands
of subnets; ``search``, ``retrain`` and ``export`` do what they say. Nothing here is imported before it is used, and without
torch using it is answered in one line.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from lissnas.errors import require

if TYPE_CHECKING:
    from lissnas.oneshot.choices import ChoiceBlock, ElasticConv2d
    from lissnas.oneshot.data import DATA, ImageData, Split, cifar10, digits
    from lissnas.oneshot.evaluate import SubnetScores, evaluate_subnets, recalibrate, score_network, score_subnets
    from lissnas.oneshot.evaluator import SupernetEvaluator
    from lissnas.oneshot.export import export_network, load_network, read_header
    from lissnas.oneshot.kshot import KShotSupernet
    from lissnas.oneshot.network import build_network, count_network
    from lissnas.oneshot.norm import GhostBatchNorm2d
    from lissnas.oneshot.own_module import from_module
    from lissnas.oneshot.recipe import Recipe
    from lissnas.oneshot.retrain import TrainedNetwork
    from lissnas.oneshot.samplers import SAMPLERS, PathSampler, get_sampler
    from lissnas.oneshot.search import Generation, SearchResult, evolve, random_search
    from lissnas.oneshot.supernet import Supernet
    from lissnas.oneshot.train import Progress, train_network, train_supernet

_HOME = {
    "choices": ("ChoiceBlock", "ElasticConv2d"),
    "data": ("DATA", "ImageData", "Split", "cifar10", "digits"),
    "evaluate": ("SubnetScores", "evaluate_subnets", "recalibrate", "score_network", "score_subnets"),
    "evaluator": ("SupernetEvaluator",),
    "export": ("export_network", "load_network", "read_header"),
    "kshot": ("KShotSupernet",),
    "network": ("build_network", "count_network"),
    "norm": ("GhostBatchNorm2d",),
    "own_module": ("from_module",),
    "recipe": ("Recipe",),
    "retrain": ("TrainedNetwork",),
    "samplers": ("SAMPLERS", "PathSampler", "get_sampler"),
    "search": ("Generation", "SearchResult", "evolve", "random_search"),
    "supernet": ("Supernet",),
    "train": ("Progress", "train_network", "train_supernet"),
}
_MODULE = {name: module for module, names in _HOME.items() for name in names}
_WITHOUT_TORCH = ("data", "recipe", "samplers", "search")

__all__ = [
    "DATA",
    "SAMPLERS",
    "ChoiceBlock",
    "ElasticConv2d",
    "Generation",
    "GhostBatchNorm2d",
    "ImageData",
    "KShotSupernet",
    "PathSampler",
    "Progress",
    "Recipe",
    "SearchResult",
    "Split",
    "SubnetScores",
    "Supernet",
    "SupernetEvaluator",
    "TrainedNetwork",
    "build_network",
    "cifar10",
    "count_network",
    "digits",
    "evaluate_subnets",
    "evolve",
    "export_network",
    "from_module",
    "get_sampler",
    "load_network",
    "random_search",
    "read_header",
    "recalibrate",
    "score_network",
    "score_subnets",
    "train_network",
    "train_supernet",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULE:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    module = _MODULE[name]
    if module not in _WITHOUT_TORCH:
        require("torch", "oneshot")
    return getattr(importlib.import_module(f"{__name__}.{module}"), name)
