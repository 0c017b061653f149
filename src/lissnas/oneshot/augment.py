"""What chance does to training images once they have their size: all of a batch at once, on the device that it is on."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

__all__ = ["Augmentation", "augment", "draw_augmentation"]

GRAY = (0.299, 0.587, 0.114)  # luma of ITU-R BT.601, as in Pillow


class Augmentation(NamedTuple):
    """What happens to n images: ``mirrored`` bool[n]; ``factors`` float32[n, 3] of brightness, contrast and saturation."""

    mirrored: Tensor
    factors: Tensor

    def of(self, part: slice) -> Augmentation:
        """That of some of the images."""
        return Augmentation(self.mirrored[part], self.factors[part])


def draw_augmentation(
    n: int, rng: np.random.Generator, *, flip: bool, jitter: float, device: torch.device | None = None
) -> Augmentation:
    """Half of the images mirrored, and factors uniform in 1 - jitter to 1 + jitter [ColorJitter(0.4) of ShuffleNetV2, SPOS]."""
    mirrored = rng.random(n) < 0.5 if flip else np.zeros(n, dtype=bool)
    factors = rng.uniform(1 - jitter, 1 + jitter, size=(n, 3)).astype(np.float32)
    return Augmentation(torch.from_numpy(mirrored).to(device), torch.from_numpy(factors).to(device))


def augment(images: Tensor, chance: Augmentation) -> Tensor:
    """uint8[n, 3, H, W] -> float32[n, 3, H, W] in 0 to 255.

    Brightness blends an image with black, contrast with the mean of its gray, saturation with its gray. Clipped only at the
    end, the three commute: saturation leaves gray as it is, and brightness scales all. So the random order that torchvision
    gives them makes no difference here, and all three are one matrix and one constant for each image.
    """
    images = torch.where(chance.mirrored[:, None, None, None], images.flip(3), images)
    pixels = images.to(torch.float32, memory_format=torch.channels_last)
    brightness, contrast, saturation = (factor.view(-1, 1, 1, 1) for factor in chance.factors.unbind(1))
    gray = sum(weight * pixels[:, channel : channel + 1] for channel, weight in enumerate(GRAY))
    assert isinstance(gray, Tensor)
    scale = brightness * contrast
    constant = brightness * (1 - contrast) * gray.mean((2, 3), keepdim=True)
    return (scale * saturation * pixels).add_(scale * (1 - saturation) * gray + constant).clamp_(0, 255)
