"""Latency on this machine: networks timed whole, and a table that adds up what each allele takes.

A table of a chain of blocks is measured block by block, as ProxylessNAS and OFA do it; of any other space it is fitted to whole
networks. Either is checked on networks that it has not seen, and the error is part of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lissnas.arrays import Genotypes
from lissnas.disk import writing
from lissnas.errors import UserError
from lissnas.oneshot.blocks import build_block
from lissnas.oneshot.network import build_network, build_stem, build_tail, layout_of
from lissnas.oneshot.norm import GhostBatchNorm2d
from lissnas.spaces.base import SearchSpace
from lissnas.spaces.chain import ChainLayout
from lissnas.spaces.cost import TableCost

__all__ = ["LatencyTable", "Stopwatch", "TableError", "check_table", "measure_networks", "measure_table"]

FITTED = 3  # networks measured for each number of a fitted table


@dataclass(frozen=True)
class Stopwatch:
    """How a module is timed: the median of ``repeats`` passes over a batch, after ``warmup`` passes that do not count.

    Attributes:
        batch: images in a pass.
        threads: of torch on the CPU.
        device: where it runs; a GPU is waited for before each look at the clock.
    """

    batch: int = 1
    warmup: int = 3
    repeats: int = 15
    threads: int = 1
    device: str = "cpu"

    def __post_init__(self) -> None:
        if min(self.batch, self.repeats, self.threads) < 1 or self.warmup < 0:
            raise UserError(f"batch, repeats and threads must be 1 or more and warmup 0 or more, but got {self}")

    def __str__(self) -> str:
        threads = f", {self.threads} thread{'s' if self.threads > 1 else ''}" if self.device == "cpu" else ""
        return f"median of {self.repeats} passes after {self.warmup}, batches of {self.batch}, {self.device}{threads}"

    @torch.inference_mode()
    def time(self, module: nn.Module, images: Tensor) -> float:
        """Milliseconds of a pass of ``images`` through ``module``, in evaluation mode."""
        device = torch.device(self.device)
        module = module.eval().to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        images = images.to(device).contiguous(memory_format=torch.channels_last)
        before = torch.get_num_threads()
        torch.set_num_threads(self.threads)
        try:
            taken = []
            for _ in range(self.warmup + self.repeats):
                _wait(device)
                began = time.perf_counter()
                module(images)
                _wait(device)
                taken.append(time.perf_counter() - began)
        finally:
            torch.set_num_threads(before)
        return 1000 * float(np.median(taken[self.warmup :]))


def _wait(device: torch.device) -> None:
    if device.type != "cpu":
        torch.accelerator.synchronize(device)


@dataclass(frozen=True)
class TableError:
    """How far a table is from whole networks, on ``n`` that it has not seen.

    Attributes:
        measured, predicted: float64[n], milliseconds; measured twice, and the mean of both.
        relative: the mean of |predicted - measured| / measured.
        kendall: how well it orders a measurement of them, the mean of both.
        repeated: how well one measurement orders the other, which no table need do better.
    """

    measured: NDArray[np.float64]
    predicted: NDArray[np.float64]
    relative: float
    kendall: float
    repeated: float

    def __str__(self) -> str:
        return (
            f"on {len(self.measured)} whole networks ({self.measured.min():.3g} to {self.measured.max():.3g} ms) the table is "
            f"off by {self.relative:.1%} on average, and orders them with Kendall tau {self.kendall:.2f} "
            f"(one measurement orders the other with {self.repeated:.2f})"
        )


@dataclass(frozen=True)
class LatencyTable:
    """Milliseconds of each allele, which add up: ``base + sum(table[gene, allele])``.

    Attributes:
        base: what every network takes.
        table: float64[L, K], 0 where a gene has no such allele.
        made: how, in words.
    """

    base: float
    table: NDArray[np.float64]
    made: str = ""

    def cost(self, name: str = "latency_ms") -> TableCost:
        """As a cost, for ``PricedSpace(space, [table.cost()])``."""
        return TableCost(name, self.base, self.table)

    def write(self, path: str | Path, space: SearchSpace) -> None:
        """As CSV, a row per allele: gene, allele, ms; what every network takes stands in a row without a gene."""
        rows = [f",,{self.base!r}"]
        for gene, values in zip(space.genes, self.table.tolist(), strict=True):
            rows += [f"{gene.name},{gene.label(allele)},{values[allele]!r}" for allele in range(len(gene.alleles))]
        with writing(path) as temporary:
            temporary.write_text("\n".join(["gene,allele,ms", *rows, ""]), encoding="utf-8")


def measure_networks(
    space: SearchSpace, genotypes: Genotypes, watch: Stopwatch | None = None, on_network: Callable[[int], None] | None = None
) -> NDArray[np.float64]:
    """Milliseconds of each whole network, float64[n]."""
    watch = watch or Stopwatch()
    images = _images(space, watch.batch)
    taken = np.empty(len(genotypes))
    for index, genotype in enumerate(space.require_valid(genotypes)):
        taken[index] = watch.time(build_network(space.root, genotype, seed=0), images)
        if on_network:
            on_network(index + 1)
    return taken


def measure_table(
    space: SearchSpace,
    rng: np.random.Generator,
    watch: Stopwatch | None = None,
    on_step: Callable[[int, int], None] | None = None,
) -> LatencyTable:
    """A table for ``space``: block by block where its networks are chains of blocks, fitted to whole networks elsewhere."""
    watch = watch or Stopwatch()
    layout = layout_of(space)
    if isinstance(layout, ChainLayout):
        return _measure_blocks(space, layout, watch, on_step)
    return _fit(space, rng, watch, on_step)


def check_table(space: SearchSpace, cost: TableCost, genotypes: Genotypes, watch: Stopwatch | None = None) -> TableError:
    """Measure whole networks, all of them twice, and say how far the table is from them.

    Raises:
        UserError: there are fewer than two networks, which have no order.
    """
    from scipy.stats import kendalltau

    if len(genotypes) < 2:
        raise UserError(f"a latency table is checked on 2 networks or more, but got {len(genotypes)}: give 2 or more")
    first, second = (measure_networks(space, genotypes, watch) for _ in range(2))
    measured, predicted = (first + second) / 2, cost.evaluate(genotypes, {})
    relative = float(np.mean(np.abs(predicted - measured) / measured))
    kendall = float(np.mean([kendalltau(predicted, one).statistic for one in (first, second)]))
    return TableError(measured, predicted, relative, kendall, float(kendalltau(first, second).statistic))


def _images(space: SearchSpace, batch: int) -> Tensor:
    layout = layout_of(space)
    return torch.randn(
        batch, layout.in_channels, layout.resolution, layout.resolution, generator=torch.Generator().manual_seed(0)
    )


def _measure_blocks(
    space: SearchSpace, layout: ChainLayout, watch: Stopwatch, on_step: Callable[[int, int], None] | None
) -> LatencyTable:
    """Each different block once, with an input of the size that it has in the network."""
    images = _images(space, watch.batch)
    known: dict[object, float] = {}
    choices = {site: gene for gene, site in enumerate(layout.choices)}
    table = np.zeros((space.length, max(gene.radix for gene in space.genes)))
    stem = build_stem(layout, GhostBatchNorm2d)
    base = watch.time(stem, images)
    with torch.inference_mode():
        x = stem.cpu()(images)
    for index, site in enumerate(layout.sites):
        following = None
        for allele, kind in enumerate(site.kinds):
            key = (site.in_channels, site.out_channels, site.stride, kind, x.shape)
            block = build_block(kind, site, GhostBatchNorm2d, layout.activation)
            if key not in known:
                known[key] = watch.time(block, x)
            with torch.inference_mode():
                following = block.eval().cpu()(x) if following is None else following
            if index in choices:
                table[choices[index], allele] = known[key]
            else:
                base += known[key]
        assert following is not None
        x = following
        if on_step:
            on_step(index + 1, len(layout.sites))
    base += watch.time(build_tail(layout, GhostBatchNorm2d), x)
    return LatencyTable(base, table, f"block by block: {watch}")


def _fit(
    space: SearchSpace, rng: np.random.Generator, watch: Stopwatch, on_step: Callable[[int, int], None] | None
) -> LatencyTable:
    """The table whose sums are closest to whole networks (least squares, the smallest of those that are equally close)."""
    radix = max(gene.radix for gene in space.genes)
    numbers = 1 + sum(len(gene.alleles) - 1 for gene in space.genes)
    genotypes = space.sample(FITTED * numbers, rng)
    told = None if on_step is None else lambda done: on_step(done, len(genotypes))
    measured = measure_networks(space, genotypes, watch, told)
    columns = (genotypes[:, :, None] == np.arange(radix)).reshape(len(genotypes), -1).astype(np.float64)
    base = float(measured.mean())
    fitted = np.linalg.lstsq(columns - columns.mean(axis=0), measured - base, rcond=1e-9)[0]
    base -= float(columns.mean(axis=0) @ fitted)
    return LatencyTable(base, fitted.reshape(space.length, radix), f"fitted to {len(genotypes)} networks: {watch}")
