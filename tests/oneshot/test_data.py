"""Splits, batches, and the official CIFAR-10 files."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lissnas.errors import UserError
from lissnas.oneshot import cifar10, digits
from lissnas.oneshot.batches import Batches, open_batches, tensors
from lissnas.oneshot.data import RECORD, ImageData, Split, stratified_split


def test_digits_are_split_once_without_overlap_and_by_class():
    data = digits(500, 650)
    assert (len(data.train), len(data.validation), len(data.test)) == (500, 650, 647)
    everything = np.concatenate([split.images for split in (data.train, data.validation, data.test)])
    assert len(np.unique(everything.reshape(len(everything), -1), axis=0)) == 1797  # no image twice in digits, so none in two
    for split in (data.train, data.validation, data.test):
        share = np.bincount(split.labels, minlength=10) / len(split)
        assert share.min() > 0.085
        assert share.max() < 0.115
    assert digits(500, 650).fingerprint == data.fingerprint != digits(500, 650, seed=1).fingerprint


def test_sizes_that_leave_no_test_are_refused():
    with pytest.raises(
        UserError, match="1797 images to split, and some must be left for the test, but got train 1000, validation 797: make"
    ):
        digits(1000, 797)
    with pytest.raises(UserError, match="train must be 1 image or more, but got 0"):
        digits(0)


def test_a_stratified_split_holds_small_classes_everywhere():
    labels = np.repeat([0, 1], [900, 100])
    for part in stratified_split(labels, {"a": 300, "b": None, "c": 300}, seed=0):
        assert abs((labels[part] == 1).mean() - 0.1) < 0.01


def test_an_epoch_holds_each_image_once_and_depends_on_its_generator_alone(data):
    batches = Batches(data, 32)
    epochs = [list(batches.epoch(np.random.default_rng(seed))) for seed in (0, 0, 1)]
    assert len(epochs[0]) == batches.per_epoch == 3
    assert all(torch.equal(a, b) for (a, _), (b, _) in zip(epochs[0], epochs[1], strict=True))
    assert not all(torch.equal(a, b) for (a, _), (b, _) in zip(epochs[0], epochs[2], strict=True))
    labels = torch.cat([labels for _, labels in epochs[0]]).numpy()
    assert (np.bincount(labels) == np.bincount(data.train.labels)).all()


def test_normalised_images_have_mean_0_and_deviation_1(data):
    images, labels = tensors(data.train, data)
    assert images.shape == (96, 1, 8, 8)
    assert images.dtype == torch.float32
    assert abs(float(images.mean())) < 1e-4
    assert abs(float(images.std()) - 1) < 1e-2
    assert labels.dtype == torch.int64


def test_augmentation_shifts_and_mirrors_and_nothing_else():
    rng = np.random.default_rng(0)
    split = Split(rng.integers(1, 255, size=(6, 3, 5, 7), dtype=np.uint8), np.arange(6))
    data = ImageData("noise", split, split, split, classes=6, shift=1, flip=True)
    allowed = {}
    for label, image in enumerate(split.images):
        padded = np.pad(image, ((0, 0), (1, 1), (1, 1)))
        windows = [padded[:, y : y + 5, x : x + 7] for y in range(3) for x in range(3)]
        allowed[label] = {w.tobytes() for w in windows} | {w[:, :, ::-1].tobytes() for w in windows}
    mean, deviation = np.array(data.mean)[:, None, None], np.array(data.deviation)[:, None, None]
    seen = set()
    for seed in range(40):
        for images, labels in Batches(data, 6).epoch(np.random.default_rng(seed)):
            pixels = np.rint(images.numpy() * deviation + mean).astype(np.uint8)
            for image, label in zip(pixels, labels.tolist(), strict=True):
                assert image.tobytes() in allowed[label]
                seen.add(image.tobytes())
    assert len(seen) > 90  # of 6 x 18


def test_a_batch_larger_than_the_split_is_refused(data):
    with pytest.raises(UserError, match="1 to 96 images"):
        open_batches(data, 97)


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    where = tmp_path / "cifar-10-batches-bin"
    where.mkdir()
    for name in ("data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch"):
        records = rng.integers(0, 256, size=(20, RECORD), dtype=np.uint8)
        records[:, 0] = np.arange(20) % 10
        records.tofile(where / f"{name}.bin")
    return tmp_path


def test_official_cifar10_files_are_read(folder):
    data = cifar10(folder, validation=20)
    assert (len(data.train), len(data.validation), len(data.test)) == (80, 20, 20)
    assert (np.bincount(data.validation.labels) == 2).all()
    first = np.fromfile(folder / "cifar-10-batches-bin" / "test_batch.bin", dtype=np.uint8)[:RECORD]
    assert data.test.labels[0] == first[0]
    assert data.test.images[0, 1, 0, 0] == first[1 + 1024]  # the green plane comes second


def test_a_missing_and_a_cut_off_file_are_named(folder):
    path = folder / "cifar-10-batches-bin" / "data_batch_3.bin"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(UserError, match=r"data_batch_3.bin.*cut off"):
        cifar10(folder)
    path.unlink()
    with pytest.raises(UserError, match=r"data_batch_3.bin.*is missing"):
        cifar10(folder)


def test_the_real_cifar10(test_data, tmp_path):
    import subprocess
    import sys

    names = ["data_batch_1", "test_batch"]
    subprocess.run([sys.executable, test_data / "cifar10" / "unpack.py", tmp_path, *names], check=True, capture_output=True)
    where = tmp_path / "cifar-10-batches-bin"
    for index in range(2, 6):
        (where / f"data_batch_{index}.bin").symlink_to(where / "data_batch_1.bin")
    data = cifar10(tmp_path, validation=5000)
    assert (len(data.train), len(data.validation), len(data.test)) == (45_000, 5_000, 10_000)
    assert data.mean == pytest.approx((125.3, 123.0, 113.9), abs=1.0)
