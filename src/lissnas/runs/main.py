"""The job ``main``: supernet, shrinking, a supernet on the shrunk space, search in both, retraining the best alone, export.

All search and selection happens on the validation split; the test split is touched once, for the final numbers.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from lissnas.arrays import Genotypes
from lissnas.evaluators import Metric
from lissnas.formats import get_space, load_space, save_space
from lissnas.oneshot.data import ImageData
from lissnas.oneshot.evaluate import score_network, score_subnets
from lissnas.oneshot.export import export_network
from lissnas.oneshot.retrain import TrainedNetwork, retrain
from lissnas.oneshot.samplers import get_sampler
from lissnas.oneshot.search import Generation, evolve
from lissnas.oneshot.supernet import Supernet
from lissnas.oneshot.train import Progress as TrainProgress
from lissnas.oneshot.train import Recipe, train_supernet
from lissnas.oneshot.weights import copy_into, pack_weights, read_weights
from lissnas.quality import rank_correlation
from lissnas.runs.checkpoint import evaluate_in_chunks
from lissnas.runs.directory import Run
from lissnas.runs.header import CONFIG
from lissnas.runs.main_config import MainConfig
from lissnas.runs.measured import Evaluations, write_evaluations
from lissnas.runs.predicting import fit_step
from lissnas.runs.progress import Progress
from lissnas.runs.settings import read_settings
from lissnas.runs.shrink import EVALUATIONS, METRICS, SPACE, head, report_step
from lissnas.runs.shrinking import load_shrunk, make_shrinker, measure_shrinkage, shrink_step
from lissnas.spaces import SearchSpace, sample_distinct, sample_within

__all__ = ["run_job", "summarize_training"]

CHUNK = 64  # subnets that are scored, and saved, together
BOTH = ("full", "shrunk")
ACCURACY = Metric("accuracy", "%", True)


def run_job(run: Run, progress: Progress, workers: int) -> None:
    """Everything, in steps."""
    config = read_settings(MainConfig, run.config, str(run.path(CONFIG)))
    # the same bytes for any number of workers: each computes with one thread
    torch.set_num_threads(1)
    _Job(run, config, progress, workers).do()


class _Job:
    """What the steps share: all of it is read from the configuration or from files of earlier steps."""

    def __init__(self, run: Run, config: MainConfig, progress: Progress, workers: int) -> None:
        self.run, self.config, self.progress, self.workers = run, config, progress, workers
        self.data: ImageData = config.data.load(run.seed)

    def do(self) -> None:
        run, config = self.run, self.config
        run.step("space", self.write_space, [SPACE])
        self.space: SearchSpace = load_space(run.path(SPACE))
        self.progress.say(
            f"'{self.space.name}': {self.space.cardinality:,} networks; {self.data.name}: {len(self.data.train):,} training, "
            f"{len(self.data.validation):,} validation, {len(self.data.test):,} test images"
        )
        self.train_step("full", self.space)
        run.step("evaluations", self.evaluate, [EVALUATIONS])
        fit_step(run, self.space, EVALUATIONS, ACCURACY, config, self.progress, self.workers)
        shrinker = make_shrinker(config.method, config.queries, config.size, config.as_in_paper, config.settings)
        shrink_step(run, self.space, shrinker, (), ACCURACY, self.progress, self.workers)
        self.shrunk: SearchSpace = load_shrunk(run, self.space)
        self.train_step("shrunk", self.shrunk)
        run.step("stand-alone", self.train_alone, ["stand-alone.json"])
        for name, space in zip(BOTH, (self.space, self.shrunk), strict=True):
            run.step(f"search-{name}", partial(self.search, name, space), [f"search-{name}.json"])
        run.step("retrain", self.retrain, ["retrained.json", "networks/"])
        run.step("metrics", self.measure, [METRICS])
        report_step(run, self.progress)

    # -- steps ------------------------------------------------------------------------------------------------------

    def write_space(self) -> None:
        with self.run.writing(SPACE) as path:
            save_space(get_space(self.config.space), path)

    def train_step(self, name: str, paths: SearchSpace) -> None:
        """Train a supernet on uniform single paths of ``paths``, both with the same recipe and seed."""
        file = f"supernets/{name}.safetensors"

        def train() -> None:
            self.progress.say(f"training a supernet on the {name} space ({paths.cardinality:,} networks)")
            supernet = Supernet(self.space, seed=self._seed("supernet"))
            task = f"supernet, {name} space: epochs"

            def on_progress(at: TrainProgress) -> None:
                self.progress.advance(task, at.epoch, at.epochs)

            losses = train_supernet(
                supernet,
                get_sampler(self.config.sampler, paths),
                self.data,
                Recipe(**self.config.supernet.model_dump()),
                seed=self._seed("supernet-training"),
                checkpoint_dir=self.run.checkpoint(f"supernet-{name}"),
                on_progress=on_progress,
            )
            self.run.write_bytes(file, pack_weights(supernet.state_dict(), {"space": self.space.fingerprint}))
            self.run.write_json(f"supernets/{name}.json", {"losses": losses.tolist()})

        self.run.step(f"supernet-{name}", train, [file, f"supernets/{name}.json"])

    def evaluate(self) -> None:
        """Score random subnets of the full space with inherited weights."""
        genotypes = sample_distinct(self.space, self.config.evaluations, self.run.rng("evaluations"))
        self.progress.say(f"evaluating {len(genotypes):,} subnets with inherited weights")
        score = self.scorer("full")
        chunks = [genotypes[low : low + CHUNK] for low in range(0, len(genotypes), CHUNK)]
        told = self.progress.of(f"subnets, by {CHUNK}")
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
        trained = self.train_networks("stand-alone", genotypes, "networks trained alone")
        scores = {name: self.scorer(name)(genotypes)[0] for name in BOTH}
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

    def search(self, name: str, space: SearchSpace) -> None:
        """Evolve ``space`` under the limits, scoring by its own supernet."""
        limits = self.config.limits
        self.progress.say(f"searching the {name} space{f' under {chr(44).join(limits)}' if limits else ''}")
        score = self.scorer(name)
        settings = self.config.search

        def on_generation(generation: Generation) -> None:
            self.progress.advance(f"search, {name} space: generations", generation.index + 1, settings.generations)

        result = evolve(
            space,
            lambda genotypes: score(genotypes)[0],
            self.run.rng(f"search-{name}"),
            population=settings.population,
            generations=settings.generations,
            parents=settings.parents,
            mutations=settings.population // 2,
            crossovers=settings.population - settings.population // 2,
            limits=limits,
            on_generation=on_generation,
        )
        self.run.write_json(
            f"search-{name}.json",
            {
                "architecture": self.space.format(result.genotypes[:1])[0],
                "best": float(result.scores[0]),
                "generations": [asdict(generation) for generation in result.generations],
                "architectures": self.space.format(result.genotypes[: self.config.retrained]),
                "scores": result.scores[: self.config.retrained].tolist(),
                "evaluations": len(result.scores),
            },
        )

    def retrain(self) -> None:
        """Retrain the best of both searches alone, and as many random networks; keep the best of each by validation."""
        n = self.config.retrained
        found = {name: self.space.parse(self._read(f"search-{name}.json")["architectures"]) for name in BOTH}
        found["random"] = sample_within(self.space, n, self.config.limits, self.run.rng("random-networks"))
        self.progress.say(f"retraining the best {n} of each search alone, and {n} random networks")
        genotypes = np.concatenate(list(found.values()))
        trained = self.train_networks("retrain", genotypes, "networks retrained")
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
        rows = {
            "retrained": n,
            "equal_cost": f"Both searches evaluated {self._read('search-full.json')['evaluations']} networks at most, "
            "and their supernets were trained alike.",
            "ours": self._final(best["shrunk"]),
            "full_search": self._final(best["full"]),
            "random": self._final(trained[2 * n]),
            f"best_of_{n}_random_networks": self._final(best["random"]),
            "lists": lists,
            "export": {"largest_difference": difference, "files": ["networks/best.safetensors", "networks/best.onnx"]},
        }
        self.run.write_json("retrained.json", rows)

    def measure(self) -> None:
        """Put all numbers into ``metrics.json``."""
        self.progress.say("measuring what came out")
        numbers = measure_shrinkage(self.run, self.space, EVALUATIONS, (), ACCURACY, self.config.queries, self.workers)
        retrained = self._read("retrained.json")
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
        numbers["supernets"] = self._correlations()
        numbers["stand_alone"] = self._read("stand-alone.json")
        numbers["search"] = {name: self._read(f"search-{name}.json") for name in BOTH}
        numbers["final"] = retrained
        self.run.write_json(METRICS, {**head(self.run, self.space, ACCURACY, self.config.command), **numbers})

    # -- shared -----------------------------------------------------------------------------------------------------

    def scorer(self, name: str) -> Callable[[Genotypes], NDArray[np.float64]]:
        """Accuracy and cross entropy float64[2, n] of subnets of the supernet ``name``."""
        supernet = Supernet(self.space, seed=0)
        tensors, _ = read_weights(self.run.path(f"supernets/{name}.safetensors"))
        copy_into(supernet, tensors, name)

        def score(genotypes: Genotypes) -> NDArray[np.float64]:
            found = score_subnets(supernet, genotypes, self.data, calibration=self.config.calibration, workers=self.workers)
            return np.stack([found.accuracy, found.cross_entropy])

        return score

    def train_networks(self, step: str, genotypes: Genotypes, task: str) -> list[TrainedNetwork]:
        """Train ``genotypes`` alone, in the step's checkpoint."""
        done = 0

        def on_result(_: TrainedNetwork) -> None:
            nonlocal done
            done += 1
            self.progress.advance(task, done, len(genotypes))

        return retrain(
            self.space,
            genotypes,
            self.data,
            Recipe(**self.config.network.model_dump()),
            seed=self._seed("networks"),
            workers=self.workers,
            directory=self.run.checkpoint(step),
            on_result=on_result,
        )

    def _final(self, network: TrainedNetwork) -> dict[str, Any]:
        one = network.genotype[None]
        test, _ = score_network(network.network(), self.data, "test")
        low, high = _interval(test, len(self.data.test))
        return {
            "architecture": self.space.format(one)[0],
            "validation": network.accuracy,
            "test": test,
            "test_low": low,
            "test_high": high,
            "costs": {name: float(values[0]) for name, values in self.space.cost(one).items()},
        }

    def _correlations(self) -> dict[str, Any]:
        """How each supernet orders the common sample, and each half of it."""
        rows = self._read("stand-alone.json")
        result: dict[str, Any] = {}
        for name in BOTH:
            result[name] = {**self._correlation(name, rows), "parts": {}}
            for origin in BOTH:
                result[name]["parts"][f"drawn from the {origin} space"] = self._correlation(
                    name, [r for r in rows if r["from"] == origin]
                )
        return result

    def _correlation(self, name: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
        truth, inherited = (np.array([row[key] for row in rows]) for key in ("measured", name))
        if np.ptp(truth) == 0 or np.ptp(inherited) == 0:
            nothing = {"value": None, "low": None, "high": None}
            return {"n": len(rows), "pearson": nothing, "kendall": nothing, "reason": "all scores are equal"}
        return asdict(rank_correlation(inherited, truth, self.run.rng(f"correlation-{name}-{len(rows)}")))

    def _seed(self, name: str) -> int:
        return int(self.run.seeds(name).generate_state(1)[0])

    def _read(self, name: str) -> Any:
        return json.loads(self.run.path(name).read_text())


def _interval(percent: float, n: int) -> tuple[float, float]:
    """Wilson's 95% interval of a share of ``n`` images, in percent."""
    p, z = percent / 100, 1.959964
    middle, half = p + z * z / (2 * n), z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return 100 * (middle - half) / (1 + z * z / n), 100 * (middle + half) / (1 + z * z / n)


def summarize_training(metrics: dict[str, Any]) -> list[str]:
    """What training showed, for a newcomer."""
    final, lines = metrics["final"], []
    for name in BOTH:
        found = metrics["supernets"][name]
        tau = found["kendall"]
        if tau["value"] is not None:
            lines.append(
                f"Supernet on the {name} space: Kendall tau {tau['value']:.2f} ({tau['low']:.2f} to {tau['high']:.2f}) "
                f"against {found['n']} networks trained alone."
            )
    labels = {"ours": "found in the shrunk space", "full_search": "found in the full space", "random": "a random network"}
    for name, label in labels.items():
        row = final[name]
        lines.append(
            f"Retrained, {label}: validation {row['validation']:.2f}%, test {row['test']:.2f}% "
            f"({row['test_low']:.1f} to {row['test_high']:.1f})."
        )
    if final["ours"]["test"] <= max(final["full_search"]["test"], final["random"]["test"]):
        lines.append(
            "On the test images the network from the shrunk space is NOT better than both others: no improvement shown here."
        )
    lines.append("The best network is exported: networks/best.safetensors and networks/best.onnx in the run directory.")
    return lines
