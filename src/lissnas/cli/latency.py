"""``lissnas latency``: a space with its networks' latency as a cost, measured on this machine or looked up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from lissnas.cli.console import ConsoleProgress
from lissnas.cli.options import DeviceOption, JsonOption, SeedOption, SpaceArgument
from lissnas.errors import UserError, require
from lissnas.formats import get_space, save_space
from lissnas.formats.latency import read_latency
from lissnas.spaces import PricedSpace

__all__ = ["latency"]

BUSY = 0.25  # a table of blocks is off by less than half of this where nothing else runs (docs/search.md)


def latency(
    space: SpaceArgument,
    out: Annotated[Path, typer.Option(help="The space to write, .parquet; the table goes beside it as .csv.")],
    table: Annotated[
        Path | None, typer.Option(help="Look it up: a CSV or Parquet file with the columns gene, allele and ms.")
    ] = None,
    name: Annotated[str, typer.Option(help="What the cost is called.")] = "latency_ms",
    batch: Annotated[int, typer.Option(help="Images in a pass.", min=1)] = 1,
    repeats: Annotated[int, typer.Option(help="Passes that the median is taken of.", min=1)] = 15,
    threads: Annotated[int, typer.Option(help="Threads of torch.", min=1)] = 1,
    device: DeviceOption = "cpu",
    networks: Annotated[
        int | None, typer.Option(help="Whole networks that the table is checked on here; 0: none. [20; 0 with --table]", min=0)
    ] = None,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Give a space the latency of its networks as a cost, and write it as a space that every command takes.

    Examples:

      lissnas latency shufflenetv2 --out shufflenetv2-here.parquet

      lissnas search my-run --space shufflenetv2-here.parquet --limit "latency_ms <= 12" --method nsga2 --cost latency_ms
    """
    require("torch", "oneshot")
    from lissnas.oneshot.latency import LatencyTable, Stopwatch, check_table, measure_table
    from lissnas.runs.images import require_devices

    if out.suffix.lower() != ".parquet":
        raise UserError(f"a space with its costs is written as .parquet, but got '{out}': change its ending")
    if out.exists():
        raise UserError(f"'{out}' exists already: choose another --out")
    if networks is None:
        networks = 20 if table is None else 0
    if networks == 1:
        raise UserError("a latency table is checked on 2 networks or more, but got --networks 1: give 2 or more, or 0")
    require_devices(device, 1)
    given = get_space(space)
    rng = np.random.default_rng(seed)
    watch = Stopwatch(batch=batch, repeats=repeats, threads=threads, device=device)
    progress = ConsoleProgress()
    try:
        if table is None:
            progress.say(f"timing '{given.name}': {watch}")
            measured = measure_table(given, rng, watch, lambda done, total: progress.advance("measured", done, total))
        else:
            cost = read_latency(table, given, name)
            measured = LatencyTable(cost.base, cost.table, f"looked up in {table.name}")
        priced = PricedSpace(given, [measured.cost(name)])
        error = None
        if networks:
            progress.say(f"checking it on {networks} whole networks")
            error = check_table(given, measured.cost(name), given.sample(networks, rng), watch)
    finally:
        progress.close()
    save_space(priced, out, made_by={"latency": measured.made})
    if table is None:
        measured.write(out.with_suffix(".csv"), given)
    costs = priced.cost(priced.sample(2000, rng))[name]
    if as_json:
        checked = None
        if error:
            checked = {"networks": networks, "relative": error.relative, "kendall": error.kendall, "repeated": error.repeated}
        numbers = {"median": float(np.median(costs)), "low": float(costs.min()), "high": float(costs.max())}
        print(json.dumps({"space": str(out), "cost": name, "made": measured.made, "checked": checked, **numbers}))
        return
    print(f"{name} of 2,000 random networks: {costs.min():.3g} to {costs.max():.3g}, median {np.median(costs):.3g}")
    print(f"Made: {measured.made}.")
    if error:
        print(f"Checked: {error}.")
        if table is None and error.relative > BUSY:
            print("That is far off: on a machine that does other work long passes are interrupted. Measure when it rests.")
    print(f'Written: {out}. Next: lissnas shrink {out} ... --limit "{name} <= {np.median(costs):.3g}"')
