"""A user's own function as an evaluator."""

from __future__ import annotations

import difflib
import importlib
import inspect
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Genotypes
from lissnas.errors import UserError
from lissnas.evaluators.base import Evaluator, Metric
from lissnas.spaces import SearchSpace

__all__ = ["FunctionEvaluator", "import_function"]

SEARCH_SECONDS = 10.0  # how long a failed batch is searched for the architecture that failed


class FunctionEvaluator(Evaluator):
    """``function(genotypes)`` or ``function(genotypes, space)`` -> n numbers.

    The function gets uint8[n, L], each row the indices of the alleles, and the space if it takes two arguments
    (``space.to_dicts(genotypes)`` gives names and values). Where it raises, its batch is evaluated again row by row, for ten
    seconds at most, to name the architecture.

    Args:
        function: what is called with each batch.
        space: the space of the genotypes.
        name, unit, higher_is_better: what the score is.

    Raises:
        UserError: no function, or one that takes a space but was given none.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        *,
        space: SearchSpace | None = None,
        name: str = "score",
        unit: str = "",
        higher_is_better: bool = True,
    ) -> None:
        super().__init__(space, Metric(name, unit, higher_is_better))
        if not callable(function):
            raise UserError(f"an evaluator needs a function of genotypes, but got {type(function).__name__}")
        self.function = function
        self.takes_space = _takes_space(function)
        if self.takes_space and space is None:
            raise UserError(f"{self} takes a space as its second argument, but was made without one: give it space=...")

    @classmethod
    def from_name(cls, target: str, /, space: SearchSpace | None = None, **options: Any) -> FunctionEvaluator:
        """The function ``"module:function"``; see :func:`import_function`."""
        return cls(import_function(target), space=space, **options)

    def _evaluate(self, genotypes: Genotypes) -> NDArray[np.float64]:
        try:
            return self._call(genotypes)
        except UserError:
            raise
        except (Exception, SystemExit) as error:
            raise UserError(f"{self} raised {_described(error)} for {self._culprit(genotypes)}") from error

    def _call(self, genotypes: Genotypes) -> NDArray[np.float64]:
        batch = genotypes.copy()  # the function may write to what it is given
        result: NDArray[np.float64] = self.function(batch, self.space) if self.takes_space else self.function(batch)
        return result

    def _culprit(self, genotypes: Genotypes) -> str:
        if len(genotypes) > 1:
            start = time.monotonic()
            for row in range(len(genotypes)):
                try:
                    self._call(genotypes[row : row + 1])
                except (Exception, SystemExit):
                    return self._shown(genotypes, row)
                if time.monotonic() - start > SEARCH_SECONDS:
                    break
            return f"a batch of {len(genotypes)}, the first of which is {self._shown(genotypes, 0)}"
        return self._shown(genotypes, 0)

    def __str__(self) -> str:
        module, name = getattr(self.function, "__module__", None), getattr(self.function, "__qualname__", None)
        return f"the function {module}:{name}" if module and name else f"the function {type(self.function).__name__}"


def _takes_space(function: Callable[..., Any]) -> bool:
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return False
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return len(positional) > 1 and (positional[1].default is inspect.Parameter.empty or positional[1].name == "space")


def import_function(name: str) -> Callable[..., Any]:
    """The function called ``name``, ``"module:function"``, from the current folder or what is installed.

    Raises:
        UserError: no such module or function, or a module that cannot be imported.
    """
    module_name, colon, attribute = name.partition(":")
    if not colon or not attribute or not all(part.isidentifier() for part in module_name.split(".")):
        raise UserError(f"a function is named like 'my.module:score', but got '{name}'")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    importlib.invalidate_caches()
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is not None and (module_name == error.name or module_name.startswith(f"{error.name}.")):
            raise UserError(
                f"there is no module '{module_name}' in {here} or among what is installed: check '{name}'"
            ) from None
        raise UserError(
            f"importing '{module_name}' failed: it needs the package '{error.name}', which is not installed: install it"
        ) from error
    except (Exception, SystemExit) as error:
        raise UserError(f"importing '{module_name}' failed with {_described(error)}: mend the module") from error
    found: Any = module
    for part in attribute.split("."):
        if not hasattr(found, part):
            near = difflib.get_close_matches(part, [n for n in dir(found) if not n.startswith("_")], n=3, cutoff=0.5)
            hint = f": did you mean {' or '.join(near)}?" if near else ": check the name"
            raise UserError(f"the module '{module_name}' has no function '{attribute}'{hint}")
        found = getattr(found, part)
    if not callable(found):
        raise UserError(f"'{name}' is no function, but {type(found).__name__}: name a function")
    function: Callable[..., Any] = found
    return function


def _described(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}({text[:120]})" if text else type(error).__name__
