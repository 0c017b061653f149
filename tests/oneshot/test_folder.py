"""Images in folders: what is found, how it is split, batches that are the same for any number of workers, what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image, ImageEnhance

from lissnas.errors import UserError
from lissnas.oneshot.augment import Augmentation, augment
from lissnas.oneshot.batches import calibration_images, evaluation_batches, open_batches
from lissnas.oneshot.decode import centre_box, decode, random_box
from lissnas.oneshot.folder import image_folder
from lissnas.runs.images import DataConfig

SUFFIX = {"cat": "jpeg", "dog": "png", "owl": "webp"}


@pytest.fixture
def folder(tmp_path):
    """3 classes of one colour each, 20 training and 4 validation images of 40 x 24 pixels."""
    for part, n in (("train", 20), ("val", 4)):
        for label, (name, suffix) in enumerate(SUFFIX.items()):
            (tmp_path / part / name).mkdir(parents=True)
            for index in range(n):
                pixels = np.zeros((24, 40, 3), np.uint8)
                pixels[..., label] = 100 + 5 * index
                Image.fromarray(pixels).save(tmp_path / part / name / f"{index}.{suffix}")
    return tmp_path


def test_images_are_split_by_class_and_val_is_the_test(folder):
    data = image_folder(folder, 16, validation=15, workers=0)
    assert (len(data.train), len(data.validation), len(data.test)) == (45, 15, 12)
    assert data.class_names == ("cat", "dog", "owl")
    assert data.shape == (3, 16, 16)
    assert (np.bincount(data.validation.labels) == 5).all()
    assert not set(data.train.files) & set(data.validation.files)
    assert all(name.startswith(b"val/") for name in data.test.files)


def test_without_val_the_test_comes_off_train(folder, tmp_path):
    (folder / "val").rename(tmp_path / "elsewhere")
    data = image_folder(folder, 16, train=30, validation=6, workers=0)
    assert (len(data.train), len(data.validation), len(data.test)) == (30, 6, 6)
    assert len({*data.train.files, *data.validation.files, *data.test.files}) == 42


def test_the_fingerprint_is_that_of_names_splits_and_augmentation(folder):
    first = image_folder(folder, 16, workers=0).fingerprint
    assert image_folder(folder, 16, workers=2).fingerprint == first
    others = [image_folder(folder, 24), image_folder(folder, 16, seed=1), image_folder(folder, 16, jitter=0)]
    (folder / "train" / "cat" / "3.jpeg").write_bytes(b"")  # a damaged image may be replaced on the way
    assert image_folder(folder, 16).fingerprint == first
    (folder / "train" / "cat" / "3.jpeg").rename(folder / "train" / "cat" / "new.jpeg")
    assert len({first, *(data.fingerprint for data in others), image_folder(folder, 16).fingerprint}) == 5


@pytest.mark.parametrize(
    ("workers", "devices", "each"), [(None, 1, 16), (None, 8, 4), (None, 64, 1), (0, 8, 0), (20, 1, 20), (20, 8, 20)]
)
def test_the_devices_of_a_training_share_the_cores_unless_it_is_said_how_many(folder, monkeypatch, workers, devices, each):
    monkeypatch.setattr("os.cpu_count", lambda: 32)
    assert image_folder(folder, 16, workers=workers).decoders(devices) == each


def test_batches_are_the_same_for_any_number_of_workers(folder):
    def seen(workers):
        data = image_folder(folder, 16, workers=workers)
        batches = open_batches(data, 18)
        assert batches.per_epoch == 3
        return [batch for epoch in (0, 1) for batch in batches.epoch(np.random.default_rng(epoch))]

    alone, shared = seen(0), seen(2)
    assert len(alone) == 6
    for (a, b), (c, d) in zip(alone, shared, strict=True):
        assert torch.equal(a, c)
        assert torch.equal(b, d)
    assert not torch.equal(alone[0][0], alone[3][0])


def test_ranks_share_the_same_batch(folder):
    data = image_folder(folder, 16, workers=0)
    whole = next(open_batches(data, 18).epoch(np.random.default_rng(0)))
    parts = [next(open_batches(data, 18, None, rank, 2).epoch(np.random.default_rng(0))) for rank in (0, 1)]
    for index in (0, 1):
        assert torch.equal(torch.cat([part[index] for part in parts]), whole[index])


def test_evaluation_has_all_images_in_order_with_their_labels(folder):
    data = image_folder(folder, 16, workers=0)
    for _ in range(2):  # decoded, then kept
        batches = list(evaluation_batches(data, "test", 5))
        assert [len(labels) for _, labels in batches] == [5, 5, 2]
        images = torch.cat([images for images, _ in batches])
        pixels = images * torch.tensor(data.deviation).view(-1, 1, 1) + torch.tensor(data.mean).view(-1, 1, 1)
        assert (pixels.mean((2, 3)).argmax(1).numpy() == data.test.labels).all()  # a class is a colour
        assert (torch.cat([labels for _, labels in batches]).numpy() == data.test.labels).all()
    assert calibration_images(data, 7).shape == (7, 3, 16, 16)
    assert calibration_images(data, 1000).shape[0] == len(data.train)


def test_colours_change_as_in_pillow(rng):
    image = rng.integers(60, 150, size=(9, 7, 3), dtype=np.uint8)  # so that nothing is clipped
    factors = torch.tensor([[1.3, 1, 1], [1, 0.7, 1], [1, 1, 1.4], [1, 1, 1]])
    ours = augment(torch.from_numpy(np.stack([image.transpose(2, 0, 1)] * 4)), Augmentation(torch.tensor([False] * 4), factors))
    enhanced = (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color)
    for index, enhance in enumerate(enhanced):
        theirs = np.asarray(enhance(Image.fromarray(image)).enhance(float(factors[index, index])), dtype=np.float64)
        assert (
            np.abs(ours[index].permute(1, 2, 0).numpy() - theirs).max() < 1.6
        )  # Pillow rounds the mean, the gray and the blend
    assert (ours[3].permute(1, 2, 0).numpy() == image).all()


def test_mirroring_is_of_the_images_that_chance_says(rng):
    images = torch.from_numpy(rng.integers(0, 256, size=(2, 3, 4, 5), dtype=np.uint8))
    ours = augment(images, Augmentation(torch.tensor([True, False]), torch.ones(2, 3)))
    assert torch.equal(ours[0].to(torch.uint8), images[0].flip(2))
    assert torch.equal(ours[1].to(torch.uint8), images[1])


@pytest.mark.parametrize(("width", "height"), [(500, 375), (32, 32), (4000, 30), (1, 7)])
def test_random_crops_lie_in_the_image(width, height, rng):
    boxes = [random_box(width, height, rng, 0.08) for _ in range(300)]
    for left, top, w, h in boxes:
        assert 0 <= left <= left + w <= width
        assert 0 <= top <= top + h <= height
        assert w >= 1
        assert h >= 1
    if width == 500:
        areas = np.array([w * h for _, _, w, h in boxes]) / (width * height)
        assert areas.min() > 0.07
        assert areas.min() < 0.15
        assert areas.max() > 0.8


def test_the_centre_crop_is_that_of_256_and_224():
    assert centre_box(512, 256) == (144, 16, 224, 224)


def test_a_large_jpeg_is_decoded_small_and_looks_the_same(tmp_path):
    x = np.linspace(0, 255, 800)[None, :, None].repeat(640, 0).repeat(3, 2).astype(np.uint8)
    Image.fromarray(x).save(tmp_path / "a.jpeg", quality=95)
    Image.fromarray(x).save(tmp_path / "a.png")
    small, exact = (decode(str(tmp_path / name), 32, None, 1.0).astype(int) for name in ("a.jpeg", "a.png"))
    assert np.abs(small - exact).max() < 6


def test_gray_palette_and_cmyk_images_are_read(tmp_path):
    for mode in ("L", "P", "CMYK"):
        path = tmp_path / f"{mode}.{'jpeg' if mode == 'CMYK' else 'png'}"
        Image.new("RGB", (20, 20), (90, 90, 90)).convert(mode).save(path)
        assert decode(str(path), 8, None, 1.0).shape == (8, 8, 3)


@pytest.mark.parametrize("workers", [0, 1])
def test_a_corrupt_image_is_named(folder, workers):
    path = folder / "train" / "dog" / "7.png"
    path.write_bytes(path.read_bytes()[:60])
    data = image_folder(folder, 16, validation=3, workers=workers)
    with pytest.raises(UserError, match=r"7\.png' cannot be read"):
        list(open_batches(data, len(data.train)).epoch(np.random.default_rng(0)))


def test_folders_that_are_not_as_they_should_be(folder, tmp_path):
    with pytest.raises(UserError, match="is no folder"):
        image_folder(tmp_path / "nowhere")
    (folder / "val" / "owl").rename(folder / "val" / "bat")
    with pytest.raises(UserError, match=r"same classes.* 1 are not in .*\(owl\)"):
        image_folder(folder)
    (folder / "train" / "eel").mkdir()
    with pytest.raises(UserError, match=r"class '.*train/eel' has no images"):
        image_folder(folder)
    (tmp_path / "flat" / "train").mkdir(parents=True)
    with pytest.raises(UserError, match="no folders of classes"):
        image_folder(tmp_path / "flat")


@pytest.mark.parametrize("setting", [{"jitter": 1.0}, {"min_area": 0.0}, {"resolution": 4}, {"workers": -1}, {"train": 60}])
def test_wrong_settings_are_refused(folder, setting):
    with pytest.raises(UserError, match=f"{next(iter(setting))}|splits"):
        image_folder(folder, **setting)


def test_a_configuration_names_them(folder):
    config = DataConfig(name="imagenet-folder", folder=str(folder), resolution=16, validation=6)
    assert len(config.load(0).validation) == 6
    with pytest.raises(UserError, match="needs the setting 'folder'"):
        DataConfig(name="imagenet-folder").load(0)
