"""The packaged jobs: each resolves, and its space, data, recipes and sampler fit together; none is trained here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from lissnas.errors import UserError  # noqa: E402  # only where torch is
from lissnas.formats import get_space  # noqa: E402
from lissnas.oneshot.data import RECORD  # noqa: E402
from lissnas.runs import main_config  # noqa: E402
from lissnas.runs.recipes import find_job, list_jobs  # noqa: E402


@pytest.fixture(scope="module")
def imagenet(tmp_path_factory) -> Path:
    """1,000 classes of 3 training images and a test image, all of them empty files: only their names are read."""
    root = tmp_path_factory.mktemp("imagenet")
    for part, n in (("train", 3), ("val", 1)):
        for label in range(1000):
            folder = root / part / f"n{label:08}"
            folder.mkdir(parents=True)
            for index in range(n):
                (folder / f"{index}.JPEG").touch()
    return root


@pytest.fixture(scope="module")
def cifar(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("cifar")
    for name in ("data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch"):
        records = np.zeros((100, RECORD), dtype=np.uint8)
        records[:, 0] = np.arange(100) % 10
        records.tofile(root / f"{name}.bin")
    return root


@pytest.fixture(scope="module")
def imagenette(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("imagenette")
    for label in range(10):
        folder = root / "train" / f"n{label}"
        folder.mkdir(parents=True)
        for index in range(180):
            (folder / f"{index}.webp").touch()
    return root


JOBS = ["cifar10-nasbench101", "imagenet-fairnas-se-330m", "imagenet-shufflenetv2", "imagenette-shufflenetv2-small"]


def test_these_are_there():
    assert list(list_jobs()) == JOBS
    assert all("never run by us" in about or "STAND-IN" in about for about in list_jobs().values())


@pytest.mark.parametrize("name", JOBS)
def test_a_packaged_job_fits_together(name, imagenet, cifar, imagenette, monkeypatch):
    folder = {"imagenet": imagenet, "cifar10": cifar, "imagenette": imagenette}[name.partition("-")[0]]
    changes = {"data.folder": str(folder)}
    if folder != imagenette:  # whose splits are those of the file
        changes["data.validation"] = {imagenet: 1000, cifar: 100}[folder]
    monkeypatch.setattr("torch.cuda.device_count", lambda: 8)
    monkeypatch.setattr("torch.cuda.is_bf16_supported", lambda **_: True)
    config = main_config.read_config(find_job(Path(name)), None, "lissnas run", changes)
    main_config.check_config(config)


def test_they_hold_what_appendix_f_says():
    def read(name):
        return main_config.read_config(find_job(Path(name)), None, "lissnas run")

    shuffle, fair, cells = read("imagenet-shufflenetv2"), read("imagenet-fairnas-se-330m"), read("cifar10-nasbench101")
    for config in (shuffle, fair):
        assert (config.supernet.batch_size, config.supernet.ghost, config.supernet.epochs, config.devices) == (
            1024,
            128,
            120,
            8,
        )
        assert config.limits == ["flops <= 330e6"]
    assert (cells.supernet.batch_size, cells.supernet.ghost, cells.supernet.epochs, cells.devices) == (64, 32, 200, 1)
    assert fair.shots == 8
    assert all(config.retrained == 10 and config.evaluations == 10_000 for config in (shuffle, fair, cells))
    assert get_space(fair.space).name == "fairnas-se"


def test_gpus_that_are_not_there_are_asked_for_in_vain(imagenet, monkeypatch):
    monkeypatch.setattr("torch.cuda.device_count", lambda: 1)
    config = main_config.read_config(find_job(Path("imagenet-shufflenetv2")), None, "", {"data.folder": str(imagenet)})
    with pytest.raises(UserError, match="8 GPUs, but torch finds 1"):
        main_config.check_config(config)


def test_an_unknown_job_is_answered_with_the_nearest():
    with pytest.raises(UserError, match="did you mean cifar10-nasbench101"):
        find_job(Path("cifar10-nasbench102"))
