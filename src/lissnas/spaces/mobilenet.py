"""The MobileNet space that ABS shrinks, Proxyless-GPU's widths (reconstruction B.6; megvii-model/AngleNAS SPOS/shrinking)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lissnas.spaces.chain import ChainLayout, Site, stage_sites
from lissnas.spaces.fairnas import MB_ALLELES
from lissnas.spaces.gene import Gene
from lissnas.spaces.product import Movable, ProductSpace

__all__ = ["mobilenet", "mobilenet_se"]

IDENTITY = "identity"
STAGES = ((4, 32, 2), (4, 56, 2), (4, 112, 2), (4, 128, 1), (4, 256, 2), (1, 432, 1))


def mobilenet(resolution: int = 224, classes: int = 1000, stem_stride: int = 2) -> ProductSpace:
    """6^6 * 259^5 networks of up to 21 inverted residuals; all but the first of each stage may be an identity.

    There are 7^15 * 6^6 encodings. Where the identities of a stage stand makes no difference, so networks count once.
    """
    paper = "Hu et al., Angle-based Search Space Shrinking for Neural Architecture Search, ECCV 2020"
    return _mobilenet("mobilenet", MB_ALLELES, "relu6", resolution, classes, stem_stride, paper)


def mobilenet_se(resolution: int = 224, classes: int = 1000, stem_stride: int = 2) -> ProductSpace:
    """12^6 * 1885^5 = 7.1e22 networks, more than 2^64: each block also with squeeze-and-excitation, and h-swish throughout.

    13 choices at 15 of the layers, 12 where no identity may stand (GreedyNAS has 13 at all 21; its squeeze-and-excitation:
    open-mmlab/mmrazor configs/nas/greedynas).
    """
    alleles = tuple(f"{allele}{suffix}" for suffix in ("", "_se") for allele in MB_ALLELES)
    paper = "You et al., GreedyNAS: Towards Fast One-Shot NAS with Greedy Supernet, CVPR 2020"
    return _mobilenet("mobilenet-se", alleles, "hswish", resolution, classes, stem_stride, paper)


def _mobilenet(
    name: str, alleles: tuple[str, ...], activation: str, resolution: int, classes: int, stem_stride: int, paper: str
) -> ProductSpace:
    kinds = tuple(f"mb_{allele}" for allele in alleles)
    first = Site(40, 24, 1, ("mb_k3e1",))
    layout = ChainLayout(
        resolution,
        in_channels=3,
        stem=(40, stem_stride),
        sites=(first, *stage_sites(first.out_channels, STAGES, (*kinds, "skip"), kinds)),
        head=1728,
        classes=classes,
        activation=activation,
        classifier_bias=True,
        counts_norms=True,
    )
    genes = [
        Gene(f"block_{index}", (*alleles, IDENTITY) if "skip" in layout.sites[site].kinds else alleles)
        for index, site in enumerate(layout.choices)
    ]
    return ProductSpace(
        name,
        genes,
        movable=list(_movable(genes)),
        costs=layout.costs(),
        layout=layout,
        notation="indices",
        paper=paper,
    )


def _movable(genes: Sequence[Gene]) -> Iterator[Movable]:
    """The layers behind the first of each stage."""
    start = 0
    for repeats, _, _ in STAGES:
        if repeats > 1:
            yield Movable(IDENTITY, tuple(gene.name for gene in genes[start + 1 : start + repeats]))
        start += repeats
