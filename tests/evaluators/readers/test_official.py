"""Official files of NAS-Bench-201, NATS-Bench and TransNAS-Bench-101, written here in their forms and read back."""

from __future__ import annotations

import bz2
import collections
import csv
import pickle
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lissnas.errors import UserError
from lissnas.evaluators.readers.nasbench201_official import read_nasbench201_official
from lissnas.evaluators.readers.transnas_official import read_transnas_official

CELLS = [
    "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|",
    "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|",
    "|nor_conv_3x3~0|+|nor_conv_3x3~0|none~1|+|none~0|none~1|avg_pool_3x3~2|",
]
TESTED = {
    "cifar10-valid": ("x-valid", "ori-test"),
    "cifar10": ("ori-test",),
    "cifar100": ("x-valid", "x-test", "ori-test"),
    "ImageNet16-120": ("x-valid", "x-test", "ori-test"),
}


def trial(dataset: str, seed: int, epochs: int, base: float) -> dict[str, Any]:
    """A ``ResultsCount.state_dict()``: accuracies rise by one each epoch, and depend on the set and the seed."""
    accuracies = {
        f"{tested}@{epoch}": base + position + (seed == 888) + epoch
        for position, tested in enumerate(TESTED[dataset])
        for epoch in range(epochs)
    }
    return {
        "name": "infer.tiny",
        "net_state_dict": None,
        "train_acc1es": collections.OrderedDict((epoch, 1.0) for epoch in range(epochs)),
        "train_times": collections.OrderedDict((epoch, 2.0) for epoch in range(epochs)),
        "arch_config": {"channel": 16, "num_cells": 5},
        "params": 0.5,
        "flop": np.float64(80.0),
        "seed": seed,
        "epochs": epochs,
        "latency": [0.02, 0.04],
        "eval_names": list(TESTED[dataset]),
        "eval_acc1es": accuracies,
        "eval_times": {},
        "eval_losses": {},
    }


def state(index: int, epochs: int, base: float, seeds: tuple[int, ...]) -> dict[str, Any]:
    """An ``ArchResults.state_dict()``."""
    datasets = TESTED if index else ("cifar10-valid",)  # the first one was trained on one set only
    return {
        "arch_index": index,
        "arch_str": CELLS[index],
        "all_results": {(d, seed): trial(d, seed, epochs, base) for d in datasets for seed in seeds},
        "dataset_seed": {d: list(seeds) for d in datasets},
        "clear_net_done": False,
    }


def infos(short: str, long: str) -> dict[int, dict[str, Any]]:
    return {i: {short: state(i, 12, 10.0 * i, (777,)), long: state(i, 200, 20.0 * i, (777, 888))} for i in range(len(CELLS))}


def write(path: Path, form: str) -> Path:
    meta = {"meta_archs": CELLS, "evaluated_indexes": set(range(len(CELLS)))}
    if form in ("pth", "old pth"):
        torch = pytest.importorskip("torch")
        content = meta | {"arch2infos": infos("less", "full")}
        torch.save(content, path / "file.pth", _use_new_zipfile_serialization=form == "pth")
        return path / "file.pth"
    if form == "pbz2":
        (path / "file.pickle.pbz2").write_bytes(bz2.compress(pickle.dumps(meta | {"arch2infos": infos("12", "200")})))
        return path / "file.pickle.pbz2"
    folder = path / "NATS-tss-v1_0-3ffb9-simple"
    folder.mkdir()
    (folder / "meta.pickle.pbz2").write_bytes(bz2.compress(pickle.dumps(meta)))
    for index, info in infos("12", "200").items():
        (folder / f"{index:06d}.pickle.pbz2").write_bytes(bz2.compress(pickle.dumps(info)))
    if form == "folder":
        return folder
    with tarfile.open(path / "simple.tar", "w") as archive:
        archive.add(folder, folder.name)
    return path / "simple.tar"


@pytest.mark.parametrize("form", ["pth", "old pth", "pbz2", "folder", "tar"])
def test_nasbench201_in_all_its_forms(tmp_path: Path, form: str) -> None:
    strings, columns = read_nasbench201_official(write(tmp_path, form))
    assert strings == CELLS
    # epoch 199 or 11, the position of the set, the mean of the seeds
    np.testing.assert_array_equal(columns["cifar10-valid"], [199.5, 219.5, 239.5])
    np.testing.assert_array_equal(columns["cifar100-test"], [np.nan, 220.5, 240.5])
    np.testing.assert_array_equal(columns["cifar10-test"], [np.nan, 219.5, 239.5])
    np.testing.assert_array_equal(columns["imagenet16-valid-12"], [np.nan, 21.0, 31.0])
    np.testing.assert_array_equal(columns["cifar100-train-seconds"], [np.nan, 400.0, 400.0])
    assert columns["latency_ms"] == pytest.approx([30.0] * 3)
    assert (columns["mflops"].tolist(), columns["mparams"].tolist()) == ([80.0] * 3, [0.5] * 3)


@pytest.mark.parametrize(
    "content",
    [
        [],
        {"meta_archs": CELLS},
        {"meta_archs": [1, 2], "arch2infos": {}},
        {"meta_archs": CELLS, "arch2infos": {}},
        {"meta_archs": CELLS, "arch2infos": {7: {}}},
        {"meta_archs": CELLS, "arch2infos": {0: {"full": {"all_results": {}}}}},
        {"meta_archs": CELLS, "arch2infos": {0: {"full": {"all_results": {}, "dataset_seed": {"cifar10": [1]}}}}},
        {"meta_archs": CELLS, "arch2infos": {0: []}},
    ],
)
def test_another_pickle_is_no_nasbench201(tmp_path: Path, content: object) -> None:
    (tmp_path / "file.pth").write_bytes(pickle.dumps(content))
    with pytest.raises(UserError, match="is no official file of NAS-Bench-201"):
        read_nasbench201_official(tmp_path / "file.pth")


def test_a_folder_without_meta(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"holds no 'meta\.pickle\.pbz2'"):
        read_nasbench201_official(tmp_path)


def test_transnas_from_the_records_that_are_there(test_data: Path, tmp_path: Path) -> None:
    """The official form, with the real values of the plain files: the last epoch is the final one."""
    torch = pytest.importorskip("torch")
    metric = {"class_scene": "valid_top1", "room_layout": "valid_neg_loss", "normal": "valid_ssim"}
    written: dict[str, dict[str, Any]] = {}
    for space, form in (("macro", "64-{}-basic"), ("micro", "64-41414-{0[0]}_{0[1]}{0[2]}_{0[3]}{0[4]}{0[5]}")):
        with (test_data / "transnasbench101" / f"{space}.csv").open() as file:
            rows = list(csv.DictReader(file))[:40]
        written[space] = {
            form.format(row["arch"]): {
                task: {
                    "total_epochs": 3,
                    "model_info": {"encoder_params": 1.5},
                    "metrics": {name: [-9.0, 99.0, float(row[f"{task}_final"])], "time_elapsed": [1.0, 2.0, 3.0]},
                }
                for task, name in metric.items()
            }
            for row in rows
        }
        finals = [float(row["class_scene_final"]) for row in rows]
        content = {"data": written, "metrics_dict": {}, "info_names": ["encoder_params"], "task_list": list(metric)}
        torch.save(content, tmp_path / "official.pth")
        archs, columns = read_transnas_official(tmp_path / "official.pth", space)
        assert archs == list(written[space])
        assert columns["class_scene_valid_top1_final"].tolist() == finals
        assert columns["class_scene_valid_top1_best"].tolist() == [99.0] * 40
        assert columns["room_layout_encoder_params"].tolist() == [1.5] * 40
        assert columns["normal_time_elapsed_final"].tolist() == [3.0] * 40


@pytest.mark.parametrize(
    "content", [{}, {"data": []}, {"data": {"macro": {}}}, {"data": {"macro": {"64-1234-basic": {"class_scene": {}}}}}]
)
def test_another_pickle_is_no_transnas(tmp_path: Path, content: object) -> None:
    (tmp_path / "file.pth").write_bytes(pickle.dumps(content))
    with pytest.raises(UserError, match="is no official file of TransNAS-Bench-101"):
        read_transnas_official(tmp_path / "file.pth", "macro")
    with pytest.raises(UserError, match="macro and micro"):
        read_transnas_official(tmp_path / "file.pth", "nano")
