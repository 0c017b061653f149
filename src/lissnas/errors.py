"""A user's mistake, said in one line."""

from __future__ import annotations

import importlib
from types import ModuleType

__all__ = ["UserError", "require"]


class UserError(ValueError):
    """A mistake that the user can mend.

    The message is one line: the rule, the value that broke it, the remedy. The command line prints it without a traceback
    and exits with code 2.
    """


def require(module: str, extra: str) -> ModuleType:
    """Import an optional ``module``, or say which extra brings it.

    Raises:
        UserError: the module is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        # A package that is installed but lacks one of its own parts is a broken install, not a missing extra.
        package = module.split(".")[0]
        if error.name is None or error.name.split(".")[0] != package:
            raise
        raise UserError(f"this needs the package '{package}', which is not installed: pip install 'lissnas[{extra}]'") from None
