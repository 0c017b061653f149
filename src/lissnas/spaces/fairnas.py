"""FairNAS's inverted residuals (reconstruction B.5; xiaomi-automl/FairNAS models/FairNAS_{A,B,C}.py, models/timm_models.py)."""

from __future__ import annotations

from lissnas.errors import UserError
from lissnas.spaces.chain import ChainLayout, Site, stage_sites
from lissnas.spaces.gene import Gene
from lissnas.spaces.product import ProductSpace

__all__ = ["MB_ALLELES", "fairnas", "fairnas_se"]

MB_ALLELES = ("k3e3", "k3e6", "k5e3", "k5e6", "k7e3", "k7e6")
STAGES = ((2, 32, 2), (4, 40, 2), (4, 80, 2), (4, 96, 1), (4, 192, 2), (1, 320, 1))
PAPER = "Chu et al., FairNAS: Rethinking Evaluation Fairness of Weight Sharing Neural Architecture Search, arXiv 1907.01845"


def fairnas(resolution: int = 224, classes: int = 1000, stem_stride: int = 2) -> ProductSpace:
    """6^19 networks of 19 inverted residuals: kernel 3, 5 or 7, expansion 3 or 6. FLOPs and parameters equal the published."""
    return _fairnas("fairnas", "", "relu6", resolution, classes, stem_stride)


def fairnas_se(resolution: int = 224, classes: int = 1000, stem_stride: int = 2, squeeze_percent: int = 100) -> ProductSpace:
    """FairNAS with squeeze-and-excitation and Swish in all 19 blocks, as its authors' FairNAS-A-SE, B-SE and C-SE.

    Args:
        squeeze_percent: channels between the two layers of squeeze-and-excitation, in percent of the block's input. Published:
            100 and 50. Only with 100 does the space hold networks of 6.1M parameters below 330M FLOPs, as LISSNAS reports.

    Raises:
        UserError: a percentage that is not 1 to 100.
    """
    if not isinstance(squeeze_percent, int) or not 1 <= squeeze_percent <= 100:
        raise UserError(f"squeeze_percent must be a whole number from 1 to 100, but got {squeeze_percent!r}")
    return _fairnas("fairnas-se", f"_se{squeeze_percent}_swish", "relu", resolution, classes, stem_stride)


def _fairnas(name: str, suffix: str, activation: str, resolution: int, classes: int, stem_stride: int) -> ProductSpace:
    kinds = tuple(f"mb_{allele}{suffix}" for allele in MB_ALLELES)
    first = Site(32, 16, 1, ("mb_k3e1",))
    layout = ChainLayout(
        resolution,
        in_channels=3,
        stem=(32, stem_stride),
        sites=(first, *stage_sites(first.out_channels, STAGES, kinds)),
        head=1280,
        classes=classes,
        dropout=0.2,
        activation=activation,
        classifier_bias=True,
        counts_norms=True,
    )
    genes = [Gene(f"block_{index}", MB_ALLELES) for index in range(len(layout.choices))]
    return ProductSpace(name, genes, costs=layout.costs(), layout=layout, notation="indices", paper=PAPER)
