"""The command line: parse, call, print. All work is done in the rooms below."""

from __future__ import annotations

import os
import sys

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> int:
    """Run one command. The exit code: 0, 2 for a user's mistake (one line on stderr), 130 when stopped."""
    # Threads that spin on shared cores cost far more than they give; this must be set before NumPy or XGBoost load.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    from lissnas.cli.app import run_app

    code = run_app(sys.argv[1:] if arguments is None else arguments)
    sys.stdout.flush()
    return code
