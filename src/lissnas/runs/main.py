"""The job ``main``: supernet, shrinking, a supernet on the shrunk space, search in both, retraining the best alone, export.

The supernet of the full space is always trained beside that of the shrunk one, with the same recipe, budget and first weights,
and what comes of it is reported whoever wins. All search and selection happens on the validation split; the test split is
touched once, for the final numbers.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Genotypes
from lissnas.formats import load_space
from lissnas.oneshot.evaluate import score_subnets
from lissnas.oneshot.export import export_network
from lissnas.oneshot.retrain import TrainedNetwork
from lissnas.quality import discordance
from lissnas.runs.checkpoint import evaluate_in_chunks
from lissnas.runs.directory import Run
from lissnas.runs.header import CONFIG
from lissnas.runs.main_config import MainConfig
from lissnas.runs.main_numbers import BOTH, compare_supernets, supernet_difference
from lissnas.runs.measured import Evaluations, write_evaluations
from lissnas.runs.one_shot import ACCURACY, OneShotSteps
from lissnas.runs.predicting import fit_step
from lissnas.runs.progress import Progress
from lissnas.runs.retraining import STAND_ALONE, answers_on_test, final_row, train_networks, write_stand_alone
from lissnas.runs.searching import search_file, search_step
from lissnas.runs.settings import read_settings
from lissnas.runs.shrink import EVALUATIONS, METRICS, SPACE, head, report_step
from lissnas.runs.shrinking import load_shrunk, make_shrinker, measure_shrinkage, require_limits, shrink_step
from lissnas.spaces import SearchSpace, sample_distinct, sample_within

__all__ = ["run_job"]

CHUNK = 64  # subnets that are scored, and saved, together


def run_job(run: Run, progress: Progress, workers: int) -> None:
    """Everything, in steps."""
    config = read_settings(MainConfig, run.config, str(run.path(CONFIG)))
    _Job(run, config, progress, workers).do()


class _Job(OneShotSteps):
    def __init__(self, run: Run, config: MainConfig, progress: Progress, workers: int) -> None:
        super().__init__(run, config, progress, workers)
        self.config = config

    def do(self) -> None:
        run, config = self.run, self.config
        self.write_space(config.space)
        trained = (config.supernet, config.sampler, config.sampler_settings)
        self.train_supernet("full", self.space, *trained)
        run.step("evaluations", self.evaluate, [EVALUATIONS])
        fit_step(run, self.space, EVALUATIONS, ACCURACY, config, self.progress, self.workers)
        shrinker = make_shrinker(config.method, config.queries, config.size, config.as_in_paper, config.settings)
        shrink_step(run, self.space, shrinker, (), ACCURACY, self.progress, self.workers)
        self.shrunk: SearchSpace = load_shrunk(run, self.space)
        require_limits(self.shrunk, config.limits)  # before hours are spent on a space that cannot be searched
        self.train_supernet("shrunk", self.shrunk, *trained)
        run.step("stand-alone", self.train_alone, ["stand-alone.json"])
        for name, space in zip(BOTH, (self.space, self.shrunk), strict=True):
            search_step(self, name, space, config.limits, config.search, keep=config.retrained)
        run.step("retrain", self.retrain, ["retrained.json", STAND_ALONE, "networks/"])
        run.step("metrics", self.measure, [METRICS])
        report_step(run, self.progress)

    # -- steps ------------------------------------------------------------------------------------------------------

    def evaluate(self) -> None:
        """Score random subnets of the full space with inherited weights."""
        genotypes = sample_distinct(self.space, self.config.evaluations, self.run.rng("evaluations"))
        self.progress.say(f"evaluating {len(genotypes):,} subnets with inherited weights")
        chunks = [genotypes[low : low + CHUNK] for low in range(0, len(genotypes), CHUNK)]
        told = self.progress.of(f"subnets, by {CHUNK}")
        supernet = self.evaluator("full").supernet

        def score(chunk: Genotypes) -> NDArray[np.float64]:
            return np.stack(score_subnets(supernet, chunk, self.data, calibration=self.calibration, workers=self.processes))

        results = evaluate_in_chunks(self.run, "evaluations", chunks, score, workers=1, progress=told)
        accuracy, cross_entropy = np.concatenate(results, axis=1)
        columns = {"cross_entropy": cross_entropy}
        write_evaluations(self.run, EVALUATIONS, self.space, Evaluations(genotypes, accuracy, columns))

    def train_alone(self) -> None:
        """Train a common sample alone: half of it drawn from the full space, half from the shrunk one."""
        half = self.config.stand_alone // 2
        full = sample_distinct(self.space, self.config.stand_alone - half, self.run.rng("stand-alone-full"))
        shrunk = sample_distinct(self.shrunk, half, self.run.rng("stand-alone-shrunk"))
        genotypes = np.concatenate([full, shrunk])
        self.progress.say(f"training {len(genotypes)} networks alone, the common sample that both supernets are judged by")
        trained = train_networks(self, "stand-alone", genotypes, self.config.network, "networks trained alone")
        scores = {name: self.evaluator(name).evaluate(genotypes) for name in BOTH}
        rows = [
            {
                "architecture": text,
                "from": "full" if index < len(full) else "shrunk",
                "measured": network.accuracy,
                **{name: float(scores[name][index]) for name in BOTH},
            }
            for index, (text, network) in enumerate(zip(self.space.format(genotypes), trained, strict=True))
        ]
        self.run.write_json("stand-alone.json", rows)

    def retrain(self) -> None:
        """Retrain the best of both searches alone, and as many random networks; keep the best of each by validation."""
        n = self.config.retrained
        found = {name: self.space.parse(self.read(search_file(name))["architectures"]) for name in BOTH}
        found["random"] = sample_within(self.space, n, self.config.limits, self.run.rng("random-networks"))
        self.progress.say(f"retraining the best {n} of each search alone, and {n} random networks")
        genotypes = np.concatenate(list(found.values()))
        trained = train_networks(self, "retrain", genotypes, self.config.network, "networks retrained")
        best: dict[str, TrainedNetwork] = {}
        lists: dict[str, Any] = {}
        low = 0
        for name, part in found.items():
            networks = trained[low : low + len(part)]
            low += len(part)
            best[name] = max(networks, key=lambda network: network.accuracy)
            lists[name] = [
                {"architecture": text, "validation": network.accuracy}
                for text, network in zip(self.space.format(part), networks, strict=True)
            ]
        difference = export_network(best["shrunk"].weights, self.run.path("networks"), "best")
        finalists = {
            "ours": best["shrunk"],
            "full_search": best["full"],
            "random": trained[len(found["full"]) + len(found["shrunk"])],
            f"best_of_{n}_random_networks": best["random"],
        }
        right = {name: answers_on_test(self, network) for name, network in finalists.items()}
        rows = {
            "retrained": n,
            "equal_cost": f"Both searches evaluated {self.read(search_file('full'))['evaluations']} networks at most, "
            "and their supernets were trained alike.",
            **{name: final_row(self, network, right[name]) for name, network in finalists.items()},
            "paired": {name: asdict(discordance(right["ours"], theirs)) for name, theirs in right.items() if name != "ours"},
            "lists": lists,
            "export": {"largest_difference": difference, "files": ["networks/best.safetensors", "networks/best.onnx"]},
        }
        self.run.write_json("retrained.json", rows)
        alone = self.read("stand-alone.json")
        write_stand_alone(
            self,
            np.concatenate([self.space.parse([row["architecture"] for row in alone]), genotypes]),
            [*(row["measured"] for row in alone), *(network.accuracy for network in trained)],
        )

    def measure(self) -> None:
        """Put all numbers into ``metrics.json``."""
        self.progress.say("measuring what came out")
        numbers = measure_shrinkage(self.run, self.space, EVALUATIONS, (), ACCURACY, self.config.queries, self.workers)
        retrained = self.read("retrained.json")
        best = retrained["ours"]
        one = self.space.parse([best["architecture"]])
        numbers["best"] = {
            "architecture": best["architecture"],
            "genes": self.space.to_dicts(one)[0],
            "predicted": None,
            "measured": best["validation"],
            "test": best["test"],
            "costs": best["costs"],
        }
        numbers["stand_alone"] = self.read("stand-alone.json")
        numbers["supernets"] = compare_supernets(numbers["stand_alone"], self.run)
        numbers["supernet_difference"] = supernet_difference(numbers["stand_alone"], self.run)
        numbers["search"] = {name: self.read(search_file(name)) for name in BOTH}
        numbers["final"] = retrained
        space = load_space(self.run.path(SPACE))
        self.run.write_json(METRICS, {**head(self.run, space, ACCURACY, self.config.command), **numbers})
