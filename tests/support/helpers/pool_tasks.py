"""Tasks for worker processes, which import this module by its name."""

from __future__ import annotations

import os
import signal


def square(number: int) -> tuple[int, int, str]:
    return number**2, os.getpid(), os.environ.get("OMP_NUM_THREADS", "")


def killed(number: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return number


def failing(number: int) -> int:
    raise ValueError(f"task {number}")
