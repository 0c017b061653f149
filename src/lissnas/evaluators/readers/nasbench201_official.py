"""NAS-Bench-201's official files, as columns: ``NAS-Bench-201-v1_*.pth`` and NATS-Bench's topology files.

Three forms, all of plain containers (``state_dict()`` of ``ArchResults`` and ``ResultsCount``; ``D-X-Y/NAS-Bench-201``,
``nas_201_api/api_utils.py`` and ``D-X-Y/NATS-Bench``, ``nats_bench/api_utils.py``), and the archives of single
architectures besides:

* ``.pth``: ``{"meta_archs": [...], "arch2infos": {index: {"full": state, "less": state}}}``, 200 and 12 epochs;
* ``NATS-tss-*.pickle.pbz2``: the same with ``{"200": state, "12": state}``;
* ``NATS-tss-*-simple``, a folder or a ``.tar`` of it: ``meta.pickle.pbz2``, and ``000000.pickle.pbz2`` ... with one
  ``{"200": state, "12": state}`` each.
"""

from __future__ import annotations

import re
import tarfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lissnas.errors import UserError
from lissnas.evaluators.readers.pickles import load_pickle, load_pickle_stream

__all__ = ["read_nasbench201_official"]

# Column -> the training set it was trained on and the set it was tested on, in the official words.
ACCURACIES = {
    "cifar10-valid": ("cifar10-valid", "x-valid"),
    "cifar100-valid": ("cifar100", "x-valid"),
    "imagenet16-valid": ("ImageNet16-120", "x-valid"),
    "cifar10-test": ("cifar10", "ori-test"),
    "cifar100-test": ("cifar100", "x-test"),
    "imagenet16-test": ("ImageNet16-120", "x-test"),
}
TRAININGS = {"cifar10": "cifar10-valid", "cifar100": "cifar100", "imagenet16": "ImageNet16-120"}
EPOCHS = {"200": ("200", "full"), "12": ("12", "less")}  # what NATS-Bench and NAS-Bench-201 call a training
MEMBER = re.compile(r"(\d{1,6})\.pickle\.pbz2")
META = "meta.pickle.pbz2"


def read_nasbench201_official(
    path: str | Path, say: Callable[[str], None] = lambda _: None
) -> tuple[list[str], dict[str, NDArray[np.float64]]]:
    """The architectures of an official file, as official strings, and a column of numbers for each of them.

    Columns, NaN where the file has nothing: the means over all trainings (seeds) of the accuracy in % after the last epoch,
    ``cifar10-valid`` ... ``imagenet16-test`` (200 epochs) and with ``-12`` behind it (12 epochs); ``mflops`` and ``mparams`` on
    CIFAR-10; ``latency_ms``; and ``cifar10-train-seconds`` ... , the time of a whole training of 200 epochs.

    Raises:
        UserError: a file of another kind, or one that lacks what it must have; a pickle of anything but plain data.
    """
    path = Path(path)
    strings, infos = _open(path, say)
    columns: dict[str, NDArray[np.float64]] = {}
    for index, info in infos:
        if not isinstance(index, int) or not 0 <= index < len(strings) or not isinstance(info, Mapping):
            raise _odd(path, f"an architecture number '{str(index)[:20]}'")
        try:
            numbers = dict(_numbers(info))
        except (KeyError, TypeError, IndexError, AttributeError, ValueError) as error:
            raise _odd(path, f"architecture {index} without {str(error)[:60]}") from None
        for name, value in numbers.items():
            if name not in columns:
                columns[name] = np.full(len(strings), np.nan)
            columns[name][index] = value
    if not columns:
        raise _odd(path, "no measurements")
    return strings, columns


def _odd(path: Path, what: str) -> UserError:
    return UserError(f"'{path}' is no official file of NAS-Bench-201 or NATS-Bench (topology): it holds {what}: check the file")


def _open(path: Path, say: Callable[[str], None]) -> tuple[list[str], Iterator[tuple[Any, Any]]]:
    """The architecture strings, and the infos by number."""
    if path.is_dir():
        if not (path / META).is_file():
            raise UserError(f"the folder '{path}' holds no '{META}': name a file, or the folder NATS-tss-v1_0-3ffb9-simple")
        names = sorted(name for name in path.iterdir() if MEMBER.fullmatch(name.name))
        say(f"reading {len(names):,} architectures")
        infos = ((int(name.name.split(".")[0]), load_pickle(name)) for name in names)
        return _strings(path, load_pickle(path / META)), infos
    if path.is_file() and tarfile.is_tarfile(path):
        return _open_tar(path)
    say(f"reading '{path.name}' (some minutes, and as much memory as the official loader takes)")
    content = load_pickle(path)
    strings = _strings(path, content)
    if not isinstance(content.get("arch2infos"), Mapping):
        raise _odd(path, "no 'arch2infos'")
    return strings, iter(content["arch2infos"].items())


def _open_tar(path: Path) -> tuple[list[str], Iterator[tuple[Any, Any]]]:
    def members() -> Iterator[tuple[str, Any]]:
        with tarfile.open(path) as archive:
            for member in archive:
                name = Path(member.name).name
                if member.isfile() and (name == META or MEMBER.fullmatch(name)):
                    stream = archive.extractfile(member)
                    if stream is not None:
                        yield name, (lambda stream=stream, name=name: load_pickle_stream(stream, f"{path}:{name}"))

    meta = next((load() for name, load in members() if name == META), None)
    infos = ((int(name.split(".")[0]), load()) for name, load in members() if name != META)
    return _strings(path, meta), infos


def _strings(path: Path, content: Any) -> list[str]:
    strings = content.get("meta_archs") if isinstance(content, Mapping) else None
    if not isinstance(strings, (list, tuple)) or not all(isinstance(string, str) for string in strings) or not strings:
        raise _odd(path, "no list 'meta_archs' of architectures")
    return list(strings)


def _numbers(info: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    for epochs, names in EPOCHS.items():
        state = next((info[name] for name in names if name in info), None)
        if state is None:
            continue
        suffix = "" if epochs == "200" else f"-{epochs}"
        for column, (trained, tested) in ACCURACIES.items():
            values = [_accuracy(trial, tested) for trial in _trials(state, trained)]
            if values:
                yield column + suffix, float(np.mean(values))
        if epochs == "200":
            yield from _costs(state)


def _trials(state: Mapping[str, Any], dataset: str) -> list[Mapping[str, Any]]:
    return [state["all_results"][dataset, seed] for seed in state["dataset_seed"].get(dataset, ())]


def _accuracy(trial: Mapping[str, Any], tested: str) -> float:
    return float(trial["eval_acc1es"][f"{tested}@{trial['epochs'] - 1}"])


def _costs(state: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    trials = _trials(state, "cifar10-valid") or _trials(state, "cifar10")
    if trials:
        yield "mflops", float(np.mean([trial["flop"] for trial in trials]))
        yield "mparams", float(np.mean([trial["params"] for trial in trials]))
        measured = [latency for trial in trials for latency in trial["latency"] or () if latency > 0]
        if measured:
            yield "latency_ms", 1000 * float(np.mean(measured))
    for column, dataset in TRAININGS.items():
        times = [sum(trial["train_times"].values()) for trial in _trials(state, dataset) if trial["train_times"]]
        if times:
            yield f"{column}-train-seconds", float(np.mean(times))
