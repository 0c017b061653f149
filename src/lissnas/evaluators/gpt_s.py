"""HW-GPT-Bench: language models of the GPT-S space, with perplexity, latency and energy (Sukthanker et al. 2024)."""

from __future__ import annotations

from pathlib import Path

from lissnas.evaluators.base import Metric
from lissnas.evaluators.benchmark import Benchmark, Columns, Source
from lissnas.evaluators.store import Say
from lissnas.evaluators.table import TableEvaluator
from lissnas.spaces import SearchSpace

__all__ = ["GPT_S", "gpt_s", "read_gpt_s"]

GPT_S = Benchmark(
    name="gpt-s",
    space="gpt-s",
    about="10,000 subnets of a GPT-2-S-scale supernet: perplexity with inherited weights, latency and energy on a P100",
    paper="Sukthanker et al., HW-GPT-Bench: Hardware-Aware Architecture Benchmark for Language Models (NeurIPS 2024)",
    license="Apache-2.0",
    metrics={
        "perplexity": Metric("perplexity", "", higher_is_better=False),
        "accuracy": Metric("accuracy", "fraction"),
        "latency_ms": Metric("latency_ms", "ms", higher_is_better=False),
        "energy_mwh": Metric("energy_mwh", "mWh", higher_is_better=False),
    },
    sources=(
        Source(
            "https://github.com/automl/HW-GPT-Bench",
            note="measurements as a CSV file: a column per gene and per metric",
            fetchable=False,
        ),
    ),
    convert="lissnas.evaluators.gpt_s:read_gpt_s",
    files=("gpt_s.csv",),
)


def gpt_s(space: SearchSpace | None = None, task: str | None = None, data: str | Path | None = None) -> TableEvaluator:
    """HW-GPT-Bench as an evaluator. It holds 10,000 of the 1.9e12 networks: ``.known``."""
    return TableEvaluator(GPT_S, space, task, data)


def read_gpt_s(path: Path, space: SearchSpace, say: Say) -> Columns:  # noqa: ARG001 - every converter is given it
    """The columns of a CSV or Parquet file with a column per gene, ``perplexity``, and other numbers.

    Raises:
        UserError: a mistake in the file, with its line.
    """
    from lissnas.formats import read_scores  # loads pyarrow

    measured = read_scores(path, space, "perplexity")
    return {"genotypes": measured.genotypes, "perplexity": measured.scores, **measured.columns}
