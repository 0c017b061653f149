"""The paper's tables and figures: what was published, how ours is obtained, and a verdict on every number.

An experiment is one small file: its claims (``verdict.Claim``: a published number or statement, and the rule it is judged by)
and a function that measures them, from stages that several experiments share (``stages``: one space, one benchmark, every
method once per seed; ``outcomes``: what came out). ``EXPERIMENTS`` names them in the order of the paper. ``job`` runs them in a
run directory, each once; ``data`` finds the benchmarks, and says which file is missing.
"""

from __future__ import annotations

from lissnas.registry import Registry

__all__ = ["EXPERIMENTS", "list_experiments"]

_TABLES = [f"table{n}" for n in range(1, 11)]
_FIGURES = [f"figure{n}" for n in range(1, 7)]
_APPENDIX = ["spaces", "theorem1", "appendix-g", "appendix-h3", "nasbench201", "originals", "contradictions"]

EXPERIMENTS = Registry(
    "experiment",
    {
        name: f"lissnas.experiments.{name.replace('-', '_')}:EXPERIMENT"
        for name in (*_TABLES, *_FIGURES, *_APPENDIX)  # the contradictions last: they read the others' results
    },
)


def list_experiments() -> list[str]:
    """The names of all experiments, in the order they run in."""
    return EXPERIMENTS.names()
