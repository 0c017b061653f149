"""Supernets trained on a space and on what each method makes of it, and how well they order networks of known score.

One seed of a stage is four steps of a run: supernets of the full space; the spaces, made with one predictor; their supernets;
and what is asked of all of them. Every supernet of a seed begins with the same weights and sees the same batches, so that
they differ by the paths alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Genotypes
from lissnas.engines import map_chunks
from lissnas.errors import UserError
from lissnas.experiments.data import available, digest, evaluator_of
from lissnas.experiments.images import load_images
from lissnas.experiments.outcomes import shrinker_of
from lissnas.experiments.stages import Scale
from lissnas.experiments.supernet_stages import BALANCED, FULL, SupernetSizes, SupernetStage
from lissnas.experiments.truths import Table, Trained, Truth
from lissnas.formats import load_space, save_space
from lissnas.predictors import XGBoostPredictor
from lissnas.quality import rank_correlation
from lissnas.runs import Progress, Run
from lissnas.spaces import SPACES, SearchSpace, sample_distinct

__all__ = ["Row", "Supernets", "files_of_supernets", "make_supernets", "read_supernets"]

KNOWN = 20  # the best networks that are known, of which a space may have lost some
RETRAINED = 10  # of a search, among which the best is kept (Appendix F)
SAMPLERS = {FULL: "uniform", BALANCED: "balanced"}
LABELS = {FULL: "full space", BALANCED: "full space, balanced paths"}

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Row:
    """One supernet.

    Attributes:
        label: whose space it was trained on.
        size: of that space.
        own, common: ``n``, ``pearson`` and ``kendall`` (each ``value``, ``low``, ``high``) of accuracy against true scores and,
            as ``finer``, Kendall's tau of the cross entropy; over networks of its own space and over those that all supernets
            are asked for; or ``reason``, why there is none.
        found: of the search in its space: ``top`` true score of the network that it ranks first, ``best`` that of the best of
            its first ten, ``rank`` of that among all known networks, ``architecture``, ``evaluations``.
        holds_best: whether its space has the best network that is known.
        kept: how many of the 20 best that are known it has; ``mean``: the mean true score of ``own``.
    """

    key: str
    label: str
    size: int
    own: Mapping[str, Any]
    common: Mapping[str, Any]
    found: Mapping[str, Any]
    holds_best: bool | None
    kept: int | None
    mean: float | None


@dataclass(frozen=True)
class Supernets:
    """One seed of a stage; ``about`` holds what was trained and how, and the predictor."""

    stage: str
    seed: int
    about: Mapping[str, Any]
    rows: Mapping[str, Row]
    refused: Mapping[str, str]


def files_of_supernets(stage: str, seed: int) -> tuple[str, str]:
    """The files of one seed: what came out, and every network that was asked for."""
    return f"stages/{stage}-{seed}.json", f"stages/{stage}-{seed}.parquet"


def read_supernets(directory: Path, stage: str, seed: int) -> Supernets:
    """What :func:`make_supernets` left in a run directory."""
    about = json.loads((directory / files_of_supernets(stage, seed)[0]).read_text())
    rows = {key: Row(key=key, **{**row, "size": int(row["size"])}) for key, row in about.pop("rows").items()}
    return Supernets(stage, seed, about, rows, about["refused"])


def make_supernets(
    run: Run, stage: SupernetStage, scale: Scale, index: int, folder: Path | None, progress: Progress, workers: int
) -> None:
    """Do what is not done yet of one seed.

    Raises:
        UserError: images or scores are not here.
    """
    _Maker(run, stage, scale, index, folder, progress, workers).make()


class _Maker:
    """The steps of one seed."""

    def __init__(
        self, run: Run, stage: SupernetStage, scale: Scale, index: int, folder: Path | None, progress: Progress, workers: int
    ) -> None:
        self.run, self.stage, self.scale, self.index = run, stage, scale, index
        self.progress, self.workers = progress, workers
        self.sizes: SupernetSizes = stage.sizes[scale.name]
        self.name = f"{stage.name}-{index}"
        self.space: SearchSpace = SPACES.get(self.sizes.space)(**self.sizes.options)
        self.data = load_images(self.sizes, folder)
        self.benchmark = available(stage.benchmarks) if stage.benchmarks else None

    def make(self) -> None:
        name, run = self.name, self.run
        made = f"spaces/{name}.json"
        full = dict.fromkeys(SAMPLERS, self.space)
        there = run.holds(f"{name}-spaces", [made])
        stale = there and json.loads(run.path(made).read_text())["data"] != digest(self.benchmark)
        run.step(f"{name}-full", lambda: self._train("full", full), [f"supernets/{name}/full/"])
        run.step(f"{name}-spaces", self._shrink, [made, f"spaces/{name}/"], again=stale)
        spaces = self._spaces()
        run.step(f"{name}-shrunk", lambda: self._train("shrunk", spaces), [f"supernets/{name}/shrunk/"])
        everything = {**dict.fromkeys(SAMPLERS, ("full", self.space)), **{key: ("shrunk", s) for key, s in spaces.items()}}
        run.step(name, lambda: self._judge(everything), files_of_supernets(self.stage.name, self.index))

    # -- training ---------------------------------------------------------------------------------------------------

    def _train(self, part: str, spaces: Mapping[str, SearchSpace]) -> None:
        """Train the supernets of ``spaces``, side by side where there are workers."""
        from lissnas.experiments.supernet_work import Training, TrainSupernet

        checkpoints = self.run.checkpoint(f"{self.name}-{part}")
        jobs = [Training(space, SAMPLERS.get(key, "uniform"), checkpoints / key) for key, space in spaces.items()]
        initial, order = (int(word) for word in self.run.seeds(f"{self.name}-train").generate_state(2))
        self.progress.say(
            f"{self.name}: training {len(jobs)} supernets ({', '.join(spaces)}), {self.sizes.recipe.epochs} epochs each"
        )
        trained = map_chunks(TrainSupernet(self.data, self.sizes.recipe, initial, order), jobs, workers=self.workers)
        for done, (key, packed) in enumerate(zip(spaces, trained, strict=True)):
            self.run.write_bytes(f"supernets/{self.name}/{part}/{key}.safetensors", packed)
            self.progress.advance(f"{self.name}: supernets trained", done + 1, len(spaces))

    def _weights(self, part: str, key: str) -> Path:
        return self.run.path(f"supernets/{self.name}/{part}/{key}.safetensors")

    # -- spaces -----------------------------------------------------------------------------------------------------

    def _truth(self, step: str) -> Truth:
        """What is asked for true scores in ``step``."""
        if self.benchmark is None:
            assert self.sizes.alone is not None
            return Trained(
                self.space,
                self.data,
                self.sizes.alone,
                seed=self.run.seed,
                workers=self.workers,
                directory=self.run.checkpoint(step),
                on_progress=self.progress.of(f"{self.name}: networks trained alone"),
            )
        return Table(self.space, evaluator_of(self.benchmark, self.stage.task))

    def _shrink(self) -> None:
        """One predictor, and what every method makes with it."""
        pair_rng, method_rng = np.random.default_rng(self.run.seeds(f"{self.name}-spaces")).spawn(2)
        truth = self._truth(f"{self.name}-spaces")
        pairs, labels = self._labels(truth, pair_rng)
        self.progress.say(f"{self.name}: fitting a predictor to {len(pairs):,} networks")
        # on one thread, so that the trees are the same for any number of workers
        predictor = XGBoostPredictor(trees=self.sizes.trees).fit(
            self.space, pairs, labels, higher_is_better=True, seed=self.index
        )
        refused, made = {}, {}
        scale = replace(self.scale, queries=self.sizes.queries)
        for (key, method), rng in zip(self.sizes.methods.items(), method_rng.spawn(len(self.sizes.methods)), strict=True):
            self.progress.say(f"{self.name}: {method.label}")
            try:
                result = shrinker_of(method, scale).shrink(self.space, predictor, rng)
            except UserError as reason:
                refused[key] = str(reason)
                continue
            made[key] = {"queries": result.ledger.queries, "stopped": result.stopped}
            with self.run.writing(f"spaces/{self.name}/{key}.parquet") as path:
                save_space(result.space, path)
        self.run.write_json(
            f"spaces/{self.name}.json",
            {
                "data": digest(self.benchmark),
                "benchmark": self.benchmark,
                "pairs": self.space.format(pairs),
                "labels": "true scores" if self.benchmark else "of the full space's supernet",
                "made": made,
                "refused": refused,
            },
        )

    def _labels(self, truth: Truth, rng: np.random.Generator) -> tuple[Genotypes, Floats]:
        """What the predictor learns from."""
        if isinstance(truth, Table):
            everything = truth.listed(self.space)
            most = len(everything) // (20 if truth.complete else 2)
            pairs = everything[np.sort(rng.permutation(len(everything))[: min(self.sizes.pairs, most)])]
            return pairs, truth.scores(pairs)
        from lissnas.experiments.supernet_work import load_supernet
        from lissnas.oneshot.evaluate import evaluate_subnets

        pairs = sample_distinct(self.space, self.sizes.pairs, rng)
        supernet = load_supernet(self.space, self._weights("full", FULL))
        self.progress.say(f"{self.name}: {len(pairs):,} subnets of the full space's supernet")
        calibration = self.sizes.calibration
        return pairs, evaluate_subnets(supernet, pairs, self.data, calibration=calibration, workers=self.workers)

    def _spaces(self) -> dict[str, SearchSpace]:
        about = json.loads(self.run.path(f"spaces/{self.name}.json").read_text())
        paths = {key: self.run.path(f"spaces/{self.name}/{key}.parquet") for key in self.sizes.methods}
        return {key: load_space(path, self.space) for key, path in paths.items() if key in about["made"]}

    # -- judging ----------------------------------------------------------------------------------------------------

    def _judge(self, everything: Mapping[str, tuple[str, SearchSpace]]) -> None:
        """What every supernet says of networks whose true score is known, and what a search finds with it."""
        from lissnas.experiments.supernet_work import AskSupernet, Question

        spaces_about = json.loads(self.run.path(f"spaces/{self.name}.json").read_text())
        truth = self._truth(self.name)
        pairs = self.space.parse(spaces_about["pairs"])
        common_rng, own_rng, search_rng = np.random.default_rng(self.run.seeds(self.name)).spawn(3)
        common = truth.draw(self.space, self.sizes.judged, common_rng, without=pairs)
        questions = []
        for (key, (part, space)), rng in zip(everything.items(), own_rng.spawn(len(everything)), strict=True):
            # the common set is one of the full space's own, which is enough where each network takes a training
            shared = truth.dear and space is self.space
            own = common if shared else truth.draw(space, self.sizes.judged, rng, without=pairs)
            questions.append(Question(self.space, self._weights(part, key), own, common, truth.searched(space)))
        ask = AskSupernet(self.data, self.sizes.calibration, self.sizes.population, self.sizes.generations)
        seed = int(search_rng.integers(1 << 62))
        told = list(map_chunks(ask, questions, workers=self.workers, seed=seed))
        rows: dict[str, Any] = {}
        columns: dict[str, list[Any]] = {name: [] for name in ("key", "of", "architecture", "supernet", "true")}
        reference = truth.reference()
        scored = truth.scores_of([*(q.own for q in questions), common, *(a.found[:RETRAINED] for a in told)])
        common_true = scored[len(questions)]
        for place, ((key, (_, space)), question, answer) in enumerate(zip(everything.items(), questions, told, strict=True)):
            own_true, found_true = scored[place], scored[len(questions) + 1 + place]
            parts = (
                ("own", question.own, answer.own[:, 0], own_true),
                ("common", common, answer.common[:, 0], common_true),
                ("found", answer.found[:RETRAINED], answer.found_scores[:RETRAINED], found_true),
            )
            for of, genotypes, supernet, true in parts:
                columns["key"] += [key] * len(genotypes)
                columns["of"] += [of] * len(genotypes)
                columns["architecture"] += self.space.format(genotypes)
                columns["supernet"] += supernet.tolist()
                columns["true"] += np.round(true, 6).tolist()
            seeds = self.run.seeds(f"{self.name}-{key}-bootstrap").spawn(2)
            best = int(np.argmax(found_true))
            rows[key] = {
                "label": LABELS.get(key) or self.sizes.methods[key].label,
                "size": str(space.cardinality),
                "own": _correlation(answer.own, own_true, seeds[0]),
                "common": _correlation(answer.common, common_true, seeds[1]),
                "found": {
                    "top": float(found_true[0]),
                    "best": float(found_true[best]),
                    "rank": None if reference is None else int((reference.scores > found_true[best]).sum()) + 1,
                    "architecture": self.space.format(answer.found[best : best + 1])[0],
                    "evaluations": answer.evaluations,
                },
                "holds_best": None if reference is None else bool(space.is_valid(reference.genotypes[:1])[0]),
                "kept": None if reference is None else int(space.is_valid(reference.genotypes[:KNOWN]).sum()),
                "mean": float(own_true.mean()) if len(own_true) else None,
            }
        about = {
            "stage": self.stage.name,
            "seed": self.index,
            "data": digest(self.benchmark),
            "space": self.space.name,
            "options": dict(self.sizes.options),
            "benchmark": self.benchmark,
            "truth": truth.says,
            "known": None if reference is None else len(reference.scores),
            "best_known": None if reference is None else float(reference.scores[0]),
            "images": {
                "name": self.data.name,
                "fingerprint": self.data.fingerprint,
                "train": len(self.data.train),
                "validation": len(self.data.validation),
                "shape": list(self.data.train.images.shape[1:]),
            },
            "recipe": asdict(self.sizes.recipe),
            "budget": {
                "pairs": len(pairs),
                "queries": self.sizes.queries,
                "trees": self.sizes.trees,
                "calibration": self.sizes.calibration,
                "search": self.sizes.population * self.sizes.generations,
            },
            "labels": spaces_about["labels"],
            "made": spaces_about["made"],
            "refused": spaces_about["refused"],
            "rows": rows,
        }
        file, table = files_of_supernets(self.stage.name, self.index)
        self.run.write_json(file, about)
        self.run.write_parquet(table, columns)


def _correlation(inherited: Floats, true: Floats, seed: np.random.SeedSequence) -> dict[str, Any]:
    """Of accuracy and, as ``finer``, of cross entropy, lower being better."""
    accuracy, cross_entropy = inherited.T
    if len(true) < 5 or np.ptp(accuracy) == 0 or np.ptp(true) == 0:
        reason = f"{len(true)} networks, or scores that are all equal"
        return {"n": len(true), "pearson": None, "kendall": None, "finer": None, "reason": reason}
    found = asdict(rank_correlation(accuracy, true, np.random.default_rng(seed)))
    return {**found, "finer": asdict(rank_correlation(-cross_entropy, true, np.random.default_rng(seed)))["kendall"]}
