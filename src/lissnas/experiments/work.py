"""How each kind of stage is done: which files it leaves, how they are made, and how they are read again."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lissnas.errors import UserError, require
from lissnas.experiments.all_stages import Stage
from lissnas.experiments.data import available, digest, what_is_missing
from lissnas.experiments.localities import file_of_locality, make_locality, read_locality
from lissnas.experiments.original_runs import OriginalStage, file_of_originals, make_originals, read_originals
from lissnas.experiments.outcomes import files_of_outcome, make_outcome, read_outcome
from lissnas.experiments.proxy import PROXIES, PROXY_WEIGHTS, SupernetProxy, train_proxy
from lissnas.experiments.stages import LocalityStage, Scale, ShrinkStage, scale_of_proxy
from lissnas.experiments.supernet_stages import SupernetStage, stage_of_space
from lissnas.experiments.supernets import files_of_supernets, make_supernets, read_supernets
from lissnas.formats import get_space
from lissnas.runs import Progress, Run
from lissnas.runs.steps import file_digest

__all__ = ["Wanted", "data_of", "do_stage", "missing_of", "records_of"]


@dataclass(frozen=True)
class Wanted:
    """What an experiment does only where it is asked for, since it takes long.

    Attributes:
        spaces: whose supernets are trained (Table 3, and the rivals' originals).
        proxies: supernets whose evaluations are taken for the truth of ShuffleNetV2.
        images: a folder with CIFAR-10.

    Raises:
        UserError: a space or a proxy that there is not.
    """

    spaces: tuple[str, ...] = ()
    proxies: tuple[str, ...] = ()
    images: Path | None = None

    def __post_init__(self) -> None:
        for space in self.spaces:
            stage_of_space(space)
        for proxy in self.proxies:
            if proxy not in PROXIES:
                raise UserError(f"a proxy is {' or '.join(PROXIES)}, but got '{proxy}'")

    def wants(self, stage: Stage) -> bool:
        """Whether ``stage`` is made."""
        if isinstance(stage, SupernetStage | OriginalStage):
            return stage.space in self.spaces
        return stage.proxy is None or stage.proxy in self.proxies


@dataclass(frozen=True)
class _Seed:
    """One seed of a stage that is to be done in ``run``."""

    run: Run
    stage: Any
    scale: Scale
    index: int
    images: Path | None
    progress: Progress
    workers: int

    @property
    def name(self) -> str:
        return f"{self.stage.name}-{self.index}"

    def make_outcome(self) -> None:
        def make(proxy: SupernetProxy | None) -> None:
            about_file, table_file = files_of_outcome(self.stage.name, self.index)
            seeds = self.run.seeds(self.name)
            scale = self.scale if proxy is None else scale_of_proxy(self.scale)
            about, columns = make_outcome(self.stage, scale, self.index, seeds, self.progress.say, self.workers, proxy)
            self.run.write_json(about_file, about)
            self.run.write_parquet(table_file, columns)

        self._step(files_of_outcome(self.stage.name, self.index), make)

    def make_locality(self) -> None:
        def make(proxy: SupernetProxy | None) -> None:
            scale = self.scale if proxy is None else scale_of_proxy(self.scale)
            found = make_locality(self.stage, scale, self.index, self.run.seed, self.progress.say, proxy)
            self.run.write_json(file_of_locality(self.stage.name, self.index)[0], found)

        self._step(file_of_locality(self.stage.name, self.index), make)

    def make_supernets(self) -> None:
        make_supernets(self.run, self.stage, self.scale, self.index, self.images, self.progress, self.workers)

    def make_originals(self) -> None:
        make_originals(self.run, self.stage, self.scale, self.index, self.images, self.progress, self.workers)

    def _step(self, files: tuple[str, ...], make: Callable[[SupernetProxy | None], None]) -> None:
        """A step with one file or two, the first of which says which data it was made with; and what a proxy was asked."""
        asked = f"stages/{self.name}-evaluations.parquet"
        outputs = files if self.stage.proxy is None else (*files, asked)
        data = digest(available(self.stage.benchmarks)) if self.stage.benchmarks else None
        stale = self.run.holds(self.name, outputs) and json.loads(self.run.path(files[0]).read_text())["data"] != data

        def function() -> None:
            if self.stage.proxy is None:
                make(None)
                return
            weights = self.run.path(PROXY_WEIGHTS)
            on_progress = self.progress.of(f"{self.name}: evaluations with inherited weights")
            proxy = SupernetProxy(get_space(self.stage.space), weights, self.workers, on_progress)
            make(proxy)
            self.run.write_parquet(asked, proxy.asked())

        if self.stage.proxy is not None:
            _train_proxy(self.run, self.progress)
        self.run.step(self.name, function, outputs, again=stale)


@dataclass(frozen=True)
class _Kind:
    """One kind of stage: its files of a seed, how they are made, and how they are read."""

    files: Callable[[str, int], tuple[str, ...]]
    make: Callable[[_Seed], None]
    read: Callable[[Path, str, int], Any]
    once: bool = False  # whatever the number of seeds


_KINDS: dict[type[Any], _Kind] = {
    ShrinkStage: _Kind(files_of_outcome, _Seed.make_outcome, read_outcome),
    LocalityStage: _Kind(file_of_locality, _Seed.make_locality, read_locality, once=True),
    SupernetStage: _Kind(files_of_supernets, _Seed.make_supernets, read_supernets),
    OriginalStage: _Kind(file_of_originals, _Seed.make_originals, read_originals),
}


def do_stage(run: Run, stage: Stage, scale: Scale, progress: Progress, workers: int = 1, wanted: Wanted | None = None) -> None:
    """Do what is not done yet of ``stage``, for all seeds: nothing, where its data is not here or it was not asked for.

    Raises:
        UserError: images, or the extra ``oneshot``, are missing.
    """
    wanted = wanted or Wanted()
    if not wanted.wants(stage):
        return
    if stage.benchmarks and available(stage.benchmarks) is None:
        progress.say(what_is_missing(stage.benchmarks))
        return
    if _on_demand(stage):
        require("torch", "oneshot")
    for index in range(_seeds(stage, scale)):
        _KINDS[type(stage)].make(_Seed(run, stage, scale, index, wanted.images, progress, workers))


def _train_proxy(run: Run, progress: Progress) -> None:
    def train() -> None:
        progress.say("training a supernet on digits, the proxy for ShuffleNetV2")
        seed = int(run.seeds("proxy-digits").generate_state(1)[0])
        run.write_bytes(PROXY_WEIGHTS, train_proxy(seed, run.checkpoint("proxy-digits")))

    run.step("proxy-digits", train, [PROXY_WEIGHTS])


def _seeds(stage: Stage, scale: Scale) -> int:
    return 1 if _KINDS[type(stage)].once else scale.seeds


def _on_demand(stage: Stage) -> bool:
    return not Wanted().wants(stage)


def _there(directory: Path, stage: Stage, scale: Scale) -> list[int]:
    """The seeds whose files are in a run directory."""
    files = _KINDS[type(stage)].files
    return [i for i in range(_seeds(stage, scale)) if all((directory / file).is_file() for file in files(stage.name, i))]


def records_of(directory: Path, stage: Stage, scale: Scale) -> Sequence[Any]:
    """What a stage left, one record per seed; empty where it was not done."""
    if missing_of(directory, stage, scale):
        return []
    return [_KINDS[type(stage)].read(directory, stage.name, index) for index in _there(directory, stage, scale)]


def missing_of(directory: Path, stage: Stage, scale: Scale) -> str:
    """What a stage lacks, and how to get it; empty where it lacks nothing."""
    if _on_demand(stage):
        if _there(directory, stage, scale):
            return ""
        if isinstance(stage, SupernetStage | OriginalStage):
            what = "table3" if isinstance(stage, SupernetStage) else "originals"
            return f"supernets of {stage.space}: lissnas reproduce {what} --space {stage.space} --data FOLDER"
        return f"a supernet's evaluations in place of ImageNet's: --proxy {stage.proxy}"
    return what_is_missing(stage.benchmarks) if stage.benchmarks and available(stage.benchmarks) is None else ""


def data_of(directory: Path, stage: Stage, scale: Scale) -> Any:
    """What tells whether a result is still that of the data that is here."""
    if _on_demand(stage):
        files = _KINDS[type(stage)].files
        found = {i: file_digest(directory / files(stage.name, i)[0]) for i in _there(directory, stage, scale)}
        return {str(index): value for index, value in found.items()} or None
    return digest(available(stage.benchmarks)) if stage.benchmarks else None
