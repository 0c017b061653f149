"""One seed of the rivals in both forms, on the space and the images of Table 3's small runs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from lissnas.errors import UserError
from lissnas.experiments.data import available, digest, evaluator_of
from lissnas.experiments.images import load_images
from lissnas.experiments.stages import Scale
from lissnas.experiments.supernet_stages import SupernetSizes, stage_of_space
from lissnas.experiments.truths import Table, Trained, Truth
from lissnas.oneshot.data import ImageData
from lissnas.predictors import XGBoostPredictor
from lissnas.runs import Progress, Run
from lissnas.shrinkers import ABS, NSE, PADNAS, GreedyNAS, Shrinkage
from lissnas.spaces import SPACES, SearchSpace, sample_distinct

__all__ = ["METHODS", "ORIGINAL_STAGES", "OriginalStage", "Originals", "file_of_originals", "make_originals", "read_originals"]

METHODS = ("abs", "nse", "padnas", "greedynas")
KNOWN = 20
POOL_SHARE = 20  # GreedyNAS remembers 1,000 paths; of a small space a twentieth


@dataclass(frozen=True)
class OriginalStage:
    """The rivals in both forms.

    Attributes:
        name: in lower case with hyphens; its files are called so.
        space: as Table 3 calls it.
        benchmarks: what knows true scores; none: networks are trained alone.
        epochs: of a supernet that begins anew.
        later: of one that goes on (ABS), and of GreedyNAS's, whose steps are several times as long.
        judged: networks of each space that are trained alone, where no table has their scores.
        sample: architectures that NSE evaluates in a round.
    """

    name: str
    space: str
    benchmarks: tuple[str, ...]
    epochs: int
    later: int
    judged: int = 24
    sample: int = 200


ORIGINAL_STAGES = (
    OriginalStage("originals-nasbench201", "nasbench201", ("nasbench201",), epochs=12, later=3),
    OriginalStage("originals-shufflenetv2", "shufflenetv2", (), epochs=100, later=20),
)


@dataclass(frozen=True)
class Originals:
    """One seed: ``made`` by ``method/form``: ``size``, ``mean`` true score, ``kept`` of the best 20, what was ``spent``."""

    stage: str
    seed: int
    about: Mapping[str, Any]
    made: Mapping[str, Mapping[str, Any]]
    refused: Mapping[str, str]


def file_of_originals(stage: str, seed: int) -> tuple[str, ...]:
    """The file of one seed."""
    return (f"stages/{stage}-{seed}.json",)


def read_originals(directory: Path, stage: str, seed: int) -> Originals:
    """What :func:`make_originals` left in a run directory."""
    about = json.loads((directory / file_of_originals(stage, seed)[0]).read_text())
    return Originals(stage, seed, about, about["made"], about["refused"])


def make_originals(
    run: Run, stage: OriginalStage, scale: Scale, index: int, folder: Path | None, progress: Progress, workers: int
) -> None:
    """Do one seed, unless it is done.

    Raises:
        UserError: images or scores are not here.
    """
    (file,) = file_of_originals(stage.name, index)
    sizes = stage_of_space(stage.space).sizes[scale.name]
    name = f"{stage.name}-{index}"
    data = digest(available(stage.benchmarks)) if stage.benchmarks else None
    stale = run.holds(name, [file]) and json.loads(run.path(file).read_text())["data"] != data

    def make() -> None:
        maker = _Maker(run, stage, sizes, load_images(sizes, folder), name, progress, workers)
        run.write_json(file, {"stage": stage.name, "seed": index, "data": data, **maker.make()})

    run.step(name, make, [file], again=stale)


class _Maker:
    """All methods of one seed, in both forms."""

    def __init__(
        self,
        run: Run,
        stage: OriginalStage,
        sizes: SupernetSizes,
        data: ImageData,
        step: str,
        progress: Progress,
        workers: int,
    ) -> None:
        from lissnas.oneshot.originals import StagedTraining

        self.stage, self.sizes, self.progress = stage, sizes, progress
        seeds = run.seeds(step)
        self.space: SearchSpace = SPACES.get(sizes.space)(**sizes.options)
        self.seed = int(seeds.generate_state(1)[0])
        self.pair_rng, self.judge_rng, self.method_rng = (np.random.default_rng(child) for child in seeds.spawn(3))
        recipe = replace(sizes.recipe, epochs=stage.epochs)
        later = replace(sizes.recipe, epochs=stage.later)
        self.training = StagedTraining(data, recipe, later, seed=self.seed, calibration=sizes.calibration)
        self.truth: Truth
        if stage.benchmarks:
            self.truth = Table(self.space, evaluator_of(str(available(stage.benchmarks)), stage_of_space(stage.space).task))
        else:
            assert sizes.alone is not None
            self.truth = Trained(
                self.space,
                data,
                sizes.alone,
                seed=self.seed,
                workers=workers,
                directory=run.checkpoint(step),
                on_progress=progress.of(f"{step}: networks trained alone"),
            )

    def make(self) -> dict[str, Any]:
        predictor = self._predictor()
        made: dict[str, Any] = {"given/-": self._judged(self.space, "nothing")}
        refused: dict[str, str] = {}
        for method, seed in zip(METHODS, self.method_rng.integers(1 << 62, size=len(METHODS)), strict=True):
            for form in ("original", "predictor"):
                self.progress.say(f"{self.stage.name}: {method}, {form}")
                rng = np.random.default_rng(seed)  # the same for both forms
                try:
                    made[f"{method}/{form}"] = self._make(method, form == "original", predictor, rng)
                except UserError as reason:
                    refused[f"{method}/{form}"] = str(reason)
        how = (
            f"supernets of {self.stage.epochs} epochs ({self.stage.later} where one goes on, and for GreedyNAS) on "
            f"{len(self.training.data.train):,} images; the predictor learned from {self._pairs:,} networks"
        )
        recipe = asdict(self.training.recipe)
        return {"truth": self.truth.says, "how": how, "recipe": recipe, "made": made, "refused": refused}

    def _predictor(self) -> XGBoostPredictor:
        """What the predictor's form is given, and the originals' reports."""
        from lissnas.oneshot.evaluate import evaluate_subnets

        if isinstance(self.truth, Table):
            everything = self.truth.listed(self.space)
            pairs = everything[np.sort(self.pair_rng.permutation(len(everything))[: self.sizes.pairs])]
            labels = self.truth.scores(pairs)
        else:
            pairs = sample_distinct(self.space, self.sizes.pairs, self.pair_rng)
            supernet = self.training.begin(self.space)
            self.training.train(supernet, self.space, 0)
            labels = evaluate_subnets(supernet, pairs, self.training.data, calibration=self.training.calibration)
        self._pairs = len(pairs)
        trees = XGBoostPredictor(trees=self.sizes.trees)
        return trees.fit(self.space, pairs, labels, higher_is_better=True, seed=self.seed % (1 << 31))

    def _make(self, method: str, original: bool, predictor: XGBoostPredictor, rng: np.random.Generator) -> dict[str, Any]:
        from lissnas.oneshot.originals import RoundsEvaluator, StagedAccuracy, StagedAngles, greedy_space
        from lissnas.oneshot.samplers.greedy import GreedySampler

        queries = self.sizes.queries
        match method:
            case "abs":
                size = self.sizes.methods["abs"].settings["size"]
                angles = StagedAngles(self.training) if original else None
                found = ABS(queries, size=size, unit_score=angles).shrink(self.space, predictor, rng)
                return self._judged(found.space, f"{angles.stages} trainings" if angles else _queries(found))
            case "padnas":
                accuracy = StagedAccuracy(self.training) if original else None
                found = PADNAS(queries, unit_score=accuracy).shrink(self.space, predictor, rng)
                return self._judged(found.space, f"{accuracy.stages} trainings" if accuracy else _queries(found))
            case "nse":
                if not original:
                    found = NSE(queries).shrink(self.space, predictor, rng)
                    return self._judged(found.space, _queries(found))
                rounds = RoundsEvaluator(self.space, self.training)
                found = NSE(min(queries, 3_000), sample=self.stage.sample).shrink(self.space, rounds, rng)
                return self._judged(found.space, f"{rounds.rounds} trainings, {rounds.evaluations:,} subnets")
        pool = min(1_000, self.space.cardinality // POOL_SHARE)
        if not original:
            found = GreedyNAS(queries, size=pool).shrink(self.space, predictor, rng)
            return self._judged(found.space, _queries(found))
        assert self.training.later is not None
        steps = self.training.later.epochs * (len(self.training.data.train) // self.training.later.batch_size)
        options: dict[str, Any] = {"pool": pool, "starts": steps // 15, "ends": steps, "alpha": None}  # as 10,000 of 150,000
        training = replace(self.training, recipe=self.training.later)
        return self._judged(greedy_space(training, GreedySampler(self.space, **options)), "1 training")

    def _judged(self, space: SearchSpace, spent: str) -> dict[str, Any]:
        """What a space is worth by true scores."""
        known = self.truth.reference()
        n = space.cardinality if known else self.stage.judged
        rows = self.truth.draw(space, min(n, 1 << 20), self.judge_rng, without=self.space.sample(0, self.judge_rng))
        scores = self.truth.scores(rows)
        kept = None if known is None else int(space.is_valid(known.genotypes[:KNOWN]).sum())
        return {"size": str(space.cardinality), "mean": float(scores.mean()), "kept": kept, "spent": spent}


def _queries(found: Shrinkage) -> str:
    return f"{found.ledger.queries:,} queries"
