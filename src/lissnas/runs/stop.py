"""Being stopped: Ctrl-C and SIGTERM end a run in the same orderly way."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

__all__ = ["RunInterrupted", "listen_for_sigterm"]


class RunInterrupted(Exception):
    """The run was stopped from outside and can be resumed; the message says how. The command line exits with 130."""


def listen_for_sigterm() -> Callable[[], None]:
    """From now on SIGTERM raises ``KeyboardInterrupt``, as Ctrl-C does; what is returned puts things back.

    Only the main thread can do so, and only where nobody else listens: elsewhere nothing happens.
    """
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        return lambda: None
    signal.signal(signal.SIGTERM, _interrupt)

    def restore() -> None:
        with contextlib.suppress(ValueError):  # closed by another thread
            signal.signal(signal.SIGTERM, signal.SIG_DFL)

    return restore


def _interrupt(_number: int, _frame: FrameType | None) -> Any:
    raise KeyboardInterrupt
