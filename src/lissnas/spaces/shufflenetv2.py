"""ShuffleNetV2 choice blocks as SPOS has them (reconstruction B.3; megvii-model/SinglePathOneShot src/Supernet/network.py)."""

from __future__ import annotations

from collections.abc import Sequence

from lissnas.spaces.chain import ChainLayout, stage_sites
from lissnas.spaces.gene import Gene
from lissnas.spaces.product import ProductSpace

__all__ = ["digits_shuffle", "shuffle_chain", "shufflenetv2", "shufflenetv2_cifar"]

ALLELES = ("k3", "k5", "k7", "xception")


def shufflenetv2(resolution: int = 224, classes: int = 1000, stem_stride: int = 2) -> ProductSpace:
    """4^20 networks of 20 choice blocks in stages of 4, 4, 8, 4. FLOPs and parameters equal the published ones."""
    return shuffle_chain(
        "shufflenetv2",
        resolution=resolution,
        in_channels=3,
        stem=(16, stem_stride),
        stages=((4, 64, 2), (4, 160, 2), (8, 320, 2), (4, 640, 2)),
        head=1024,
        classes=classes,
        dropout=0.1,
    )


def shufflenetv2_cifar(resolution: int = 32, classes: int = 10) -> ProductSpace:
    """The same 4^20 for the 32x32 images of CIFAR-10: the resolution is halved only at blocks 4 and 8.

    As those who repeat SPOS on CIFAR-10 have it (reconstruction B.3; ShunLu91/Single-Path-One-Shot-NAS models/model.py).
    """
    return shuffle_chain(
        "shufflenetv2-cifar",
        resolution=resolution,
        in_channels=3,
        stem=(16, 1),
        stages=((4, 64, 1), (4, 160, 2), (8, 320, 2), (4, 640, 1)),
        head=1024,
        classes=classes,
        dropout=0.1,
    )


def digits_shuffle() -> ProductSpace:
    """4^9 = 262,144 networks of the same blocks, scaled to the 8x8 images of scikit-learn's digits.

    Kernels are 3 or 1 wide, and blocks as wide as SPOS has them or half of that: on images of this size a 5 or a 7 is no
    better than a 3, while a 1 sees nothing of a pixel's neighbors, so that networks differ.
    """
    return shuffle_chain(
        "digits-shuffle",
        resolution=8,
        in_channels=1,
        stem=(8, 1),
        stages=((4, 16, 1), (5, 32, 2)),
        head=32,
        classes=10,
        alleles=("k1_half", "k1", "k3_half", "k3"),
    )


def shuffle_chain(
    name: str,
    *,
    resolution: int,
    in_channels: int,
    stem: tuple[int, int],
    stages: Sequence[tuple[int, int, int]],
    head: int,
    classes: int,
    dropout: float = 0.0,
    alleles: Sequence[str] = ALLELES,
) -> ProductSpace:
    """A space of ShuffleNetV2 choice blocks.

    Args:
        stem: channels and stride of the first convolution.
        stages: for each stage its number of blocks, its channels and the stride of its first block.
        head: channels of the last convolution.
        alleles: the choices at every site, block kinds without their ``shuffle_``.
    """
    kinds = tuple(f"shuffle_{allele}" for allele in alleles)
    sites = tuple(stage_sites(stem[0], stages, kinds))
    layout = ChainLayout(resolution, in_channels, stem, sites, head, classes, dropout)
    genes = [Gene(f"block_{index}", tuple(alleles)) for index in range(len(sites))]
    return ProductSpace(name, genes, costs=layout.costs(), layout=layout, notation="indices")
