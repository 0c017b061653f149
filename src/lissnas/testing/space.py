"""The contract of a search space, as checks. See :class:`lissnas.spaces.SearchSpace`."""

from __future__ import annotations

from lissnas.spaces import SearchSpace
from lissnas.testing.checks import Check, CheckResult, add_tests, run_all
from lissnas.testing.space_edits import EDIT_CHECKS
from lissnas.testing.space_genotypes import GENOTYPE_CHECKS
from lissnas.testing.space_refusals import REFUSAL_CHECKS
from lissnas.testing.space_values import VALUE_CHECKS

__all__ = ["SPACE_CHECKS", "SpaceContract", "run_checks"]

SPACE_CHECKS: tuple[Check, ...] = (*GENOTYPE_CHECKS, *EDIT_CHECKS, *VALUE_CHECKS, *REFUSAL_CHECKS)


class SpaceContract:
    """Inherit, and say which space: ``def space(self): return my_space()``, or ``space = lissnas.get_space("mine")``."""


add_tests(SpaceContract, SPACE_CHECKS, "space")


def run_checks(space: SearchSpace) -> list[CheckResult]:
    """All checks of the space contract, one result each; no test runner is needed. A minute at most."""
    return run_all(SPACE_CHECKS, space)
