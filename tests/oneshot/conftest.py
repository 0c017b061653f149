"""Small things that the tests of this room share: a space of 27 networks, 64 digits, and a recipe of seconds."""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from lissnas.oneshot import ImageData, Recipe, digits  # noqa: E402  # only where torch is
from lissnas.spaces import ProductSpace  # noqa: E402
from lissnas.spaces.shufflenetv2 import shuffle_chain  # noqa: E402


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def small() -> ProductSpace:
    """4^3 networks on 8x8 images, with dropout: 10,000 multiply-adds each."""
    return shuffle_chain(
        "small", resolution=8, in_channels=1, stem=(4, 1), stages=((2, 8, 2), (1, 16, 2)), head=16, classes=10, dropout=0.1
    )


@pytest.fixture(scope="session")
def data() -> ImageData:
    return digits(train=96, validation=100)


@pytest.fixture
def recipe() -> Recipe:
    return Recipe(epochs=4, batch_size=32, ghost=16, checkpoint_epochs=2)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)
