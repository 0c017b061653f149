"""Two runs that never happened, with the numbers that real ones write: one ``shrink``, one ``main``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

Metrics = dict[str, Any]


def evidence(name: str, cardinality: int, scores: list[float], *, higher: bool, index: Metrics | None, exact: bool) -> Metrics:
    """A row of evidence as ``quality.Evidence.to_dict`` writes it."""
    ordered = np.sort(scores)
    return {
        "name": name,
        "cardinality": str(cardinality),
        "reduction": 1.0,
        "scored": len(scores),
        "exact": exact,
        "source": "predicted",
        "mean": float(ordered.mean()),
        "best": float(ordered[-1] if higher else ordered[0]),
        "median": float(np.median(ordered)),
        "q10": float(np.quantile(ordered, 0.1)),
        "q90": float(np.quantile(ordered, 0.9)),
        "shrink_index": index,
        "diversity": 9.25,
        "diversity_kept": 0.5,
        "coverage": {"flops": 0.85},
    }


def run_of(
    *,
    kind: str,
    space: Metrics,
    metric: Metrics,
    sign: float,
    level: float,
    spread: float,
    cost: str,
    costs: tuple[float, float],
) -> Metrics:
    """What both kinds of run have; ``level`` and ``spread`` are of the score, ``sign`` is +1 where more is better."""
    rng = np.random.default_rng(7)
    higher = sign > 0
    draw = {
        "full": np.sort(level + spread * rng.normal(size=1000)),
        "naive": np.sort(level + spread * (sign * 1.2 + 0.5 * rng.normal(size=600))),
        "shrunk": np.sort(level + spread * (sign * 1.9 + 0.35 * rng.normal(size=1000))),
    }
    index = {
        "value": 0.41372,
        "low": 0.38123,
        "high": 0.44219,
        "p_full": 0.1,
        "p_shrunk": 0.2214,
        "threshold": level + sign * 1.28 * spread,
    }
    cardinality, size = int(space["cardinality"]), 10_000
    sizes = [cardinality, *np.geomspace(40_000, size, 6).round().astype(int).tolist()]
    iterations = [
        {
            "index": i,
            "size": str(n),
            "mean": level + sign * spread * (1.9 * (1 - 0.6**i)),
            "best": level + sign * spread * (2.6 + 0.1 * i),
            "queries": 20_000 + 13_000 * i,
            "p_good": 0.1 + 0.02 * i,
            "shrink_index": 0.07 * i,
            "shrink_index_low": 0.07 * i - 0.03,
            "shrink_index_high": 0.07 * i + 0.03,
            "diversity": 14.0 - i,
        }
        for i, n in enumerate(sizes)
    ]

    def scatter(scores: np.ndarray) -> list[list[Any]]:
        where = np.clip(rng.beta(2, 2, size=len(scores)) + sign * (scores - level) / spread / 20, 0, 1)
        return [[float(costs[0] + w * (costs[1] - costs[0])), float(s)] for w, s in zip(where, scores, strict=True)]

    pocket = np.minimum(rng.geometric(0.3, size=1000) - 1, 11).tolist()
    measured = level + spread * rng.normal(size=800)
    predicted = measured + 0.35 * spread * rng.normal(size=800)
    ks = {"statistic": 0.8725, "p_value": 3.2e-211, "better_statistic": 0.8725, "better_p_value": 0.0}
    return {
        "kind": kind,
        "version": "0.1.0",
        "space": space,
        "metric": metric,
        "predictor": {
            "kind": "xgboost",
            "n": 800,
            "kendall": 0.81237,
            "spearman": 0.95111,
            "r2": 0.90218,
            "top_overlap": 0.62,
            "folds": 5,
        },
        "shrink": {
            "method": "lissnas",
            "threshold": index["threshold"],
            "stopped": "the size asked for was reached",
            "queries": 98_000,
            "evaluations": 1000,
            "iterations": iterations,
            "full": evidence(space["name"], cardinality, draw["full"], higher=higher, index=None, exact=False),
            "naive": evidence(
                "naive", 5000, draw["naive"], higher=higher, index={**index, "value": 0.21, "p_shrunk": 0.17}, exact=True
            ),
            "shrunk": evidence("shrunk", size, draw["shrunk"], higher=higher, index=index, exact=True),
        },
        "edf": {**{name: scores.tolist() for name, scores in draw.items()}, "ks": {"shrunk_full": ks, "shrunk_naive": ks}},
        "cost_scatter": {
            "cost": cost,
            "pockets": 12,
            "full": scatter(draw["full"]),
            "shrunk": [[*point, p] for point, p in zip(scatter(draw["shrunk"]), pocket, strict=True)],
        },
        "predicted_measured": [[float(p), float(m)] for p, m in zip(predicted, measured, strict=True)],
    }


def make_shrink() -> Metrics:
    """A language-model space from a YAML file, lower is better, nothing measured of the best network."""
    rng = np.random.default_rng(3)
    genes = {"embed": 768, "layers": 11, "bias": True}
    genes |= {f"heads_{i}": int(rng.choice([4, 8, 12])) for i in range(11)} | {
        f"mlp_{i}": int(rng.choice([2, 3, 4])) for i in range(11)
    }
    space = {
        "name": "gpt-s",
        "cardinality": str(18 * (9**10 + 9**11 + 9**12) // 3),
        "cardinality_is_exact": True,
        "genes": 27,
        "max_edits": 27,
        "fingerprint": "5b2c9a",
    }
    metrics = run_of(
        kind="shrink",
        space=space,
        metric={"name": "perplexity", "unit": "", "higher_is_better": False},
        sign=-1.0,
        level=32.5,
        spread=2.5,
        cost="latency_ms",
        costs=(61.0, 148.0),
    )
    return {
        **metrics,
        "command": "lissnas shrink gpt-s.yaml --scores measured.csv --lower-is-better --limit 'latency_ms <= 150'",
        "asked": {
            "space": "examples/gpt/gpt-s.yaml",
            "scores": "measured.csv",
            "score": "perplexity",
            "method": "lissnas",
            "limits": ["latency_ms <= 150"],
            "queries": 100_000,
            "size": 10_000,
            "seed": 0,
            "predictor": {"trees": 800, "depth": 6, "learning_rate": 0.05},
        },
        "best": {
            "architecture": " ".join(f"{g}={a}" for g, a in genes.items()),
            "genes": genes,
            "predicted": 25.8123,
            "measured": None,
            "costs": {"latency_ms": 131.25, "params": 124_439_808.0},
        },
    }


def make_main() -> Metrics:
    """The demo: digits, a supernet, retrained networks."""
    rng = np.random.default_rng(5)
    space = {
        "name": "digits-shuffle",
        "cardinality": str(4**9),
        "cardinality_is_exact": True,
        "genes": 9,
        "max_edits": 9,
        "fingerprint": "77aa01",
    }
    metrics = run_of(
        kind="main",
        space=space,
        metric={"name": "accuracy", "unit": "%", "higher_is_better": True},
        sign=1.0,
        level=93.1,
        spread=1.1,
        cost="flops",
        costs=(0.61e6, 1.42e6),
    )
    alleles = ("k3", "k5", "k7", "xception")
    genes = {f"block_{i}": alleles[int(rng.integers(4))] for i in range(9)}
    names = [str(tuple(rng.integers(4, size=9).tolist())) for _ in range(24)]
    alone = rng.normal(97.2, 0.6, size=24)
    return {
        **metrics,
        "command": "lissnas run",
        "asked": {
            "space": "digits-shuffle",
            "method": "lissnas",
            "limits": ["flops <= 1.2e6"],
            "budget": "small",
            "seed": 0,
            "supernet": {"epochs": 60, "batch": 128},
        },
        "best": {
            "architecture": "(1, 2, 3, 3, 3, 3, 0, 2, 0)",
            "genes": genes,
            "predicted": 96.12,
            "measured": 98.05,
            "costs": {"flops": 1_148_416.0, "params": 35_210.0},
        },
        "supernets": {
            "full": {
                "pearson": {"value": 0.412, "low": 0.05, "high": 0.68},
                "kendall": {"value": 0.287, "low": -0.02, "high": 0.55},
                "n": 24,
            },
            "shrunk": {
                "pearson": {"value": 0.55, "low": 0.21, "high": 0.77},
                "kendall": {"value": 0.391, "low": 0.1, "high": 0.63},
                "n": 24,
            },
        },
        "stand_alone": [
            {
                "architecture": a,
                "measured": float(m),
                "full": float(m - 4 + rng.normal()),
                "shrunk": float(m - 2 + rng.normal()),
            }
            for a, m in zip(names, alone, strict=True)
        ],
        "search": {
            name: {
                "architecture": names[row],
                "best": best,
                "evaluations": 500,
                "method": "nsga2",
                "costs": ["flops"],
                "front": [
                    {"architecture": names[row], "score": best, "flops": 1.1e6 + row},
                    {"architecture": names[2], "score": 95.0, "flops": 0.9e6},
                ],
            }
            for row, (name, best) in enumerate({"shrunk": 96.4, "full": 95.9}.items())
        },
        "supernet_difference": {"n": 24, "value": 0.104, "low": -0.05, "high": 0.26},
        "final": {
            "retrained": 10,
            "equal_cost": "Both searches had 500 evaluations and the same retraining.",
            "ours": {
                "architecture": names[0],
                "validation": 98.61,
                "test": 98.06,
                "test_low": 96.7,
                "test_high": 98.9,
                "costs": {"flops": 1_148_416.0, "params": 35_210.0},
            },
            "full_search": {
                "architecture": names[1],
                "validation": 98.4,
                "test": 97.78,
                "test_low": 96.3,
                "test_high": 98.7,
                "costs": {"flops": 1_171_000.0, "params": 36_100.0},
            },
            "random": {
                "architecture": names[2],
                "validation": 97.2,
                "test": 96.94,
                "test_low": 95.2,
                "test_high": 98.1,
                "costs": {"flops": 1_020_000.0, "params": 30_900.0},
            },
            "paired": {name: {"ours": 7, "theirs": 5, "p_value": 0.774} for name in ("full_search", "random")},
        },
    }


def write_run(folder: Path, metrics: Metrics) -> Path:
    """``folder`` as a run directory with these metrics."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "metrics.json").write_text(json.dumps(metrics), encoding="utf-8")
    return folder


@pytest.fixture
def shrink_metrics() -> Metrics:
    return make_shrink()


@pytest.fixture
def main_metrics() -> Metrics:
    return make_main()


@pytest.fixture(scope="session")
def two_runs() -> dict[str, Metrics]:
    """Both, for tests that only read them."""
    return {"shrink": make_shrink(), "main": make_main()}


@pytest.fixture
def hostile() -> Metrics:
    """A run in which whatever a user can name tries to leave its place in the page."""
    bad = "</script><script>window.broken=1</script><!--<img src=x onerror='window.broken=2'>\"&"
    metrics = make_main()
    metrics["space"]["name"] = bad
    metrics["metric"] = {"name": bad, "unit": bad, "higher_is_better": True}
    metrics["command"] = f"lissnas run {bad}"
    metrics["asked"] |= {bad: bad, "limits": [bad]}
    metrics["cost_scatter"]["cost"] = bad
    metrics["best"]["genes"] |= {bad: bad, f"{bad}_0": bad, f"{bad}_1": bad}
    metrics["best"]["costs"] = {bad: 1.0}
    metrics["best"]["architecture"] = bad
    metrics["shrink"]["stopped"] = bad
    metrics["stand_alone"][0]["architecture"] = bad
    metrics["final"]["ours"] |= {"architecture": bad, "costs": {bad: 2.0}}
    metrics["final"][bad] = {"validation": 90.0, "test": 90.0, "architecture": bad}
    metrics["notes"] = [bad]
    return metrics
