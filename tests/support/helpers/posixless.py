"""A pytest plugin that takes away what Windows lacks, before anything of the project is imported.

It stands for the names alone: what Windows does otherwise with files that are open is not imitated.
"""

from __future__ import annotations

import fcntl
import importlib
import os
import shutil
import signal
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

MODULES = ("fcntl", "resource", "pwd", "grp", "termios")
NAMES: dict[Any, tuple[str, ...]] = {
    os: (
        *("O_NOFOLLOW", "O_CLOEXEC", "O_NONBLOCK", "O_DIRECTORY", "O_SYNC", "preadv", "pread", "pwritev", "pwrite"),
        *("sched_getaffinity", "getloadavg", "fchmod", "posix_fadvise", "mkfifo", "sysconf"),
    ),
    signal: ("SIGHUP", "SIGKILL", "pthread_sigmask", "SIG_BLOCK", "SIG_SETMASK"),
}
_open, _flock = os.open, fcntl.flock


def _open_files_only(path: Any, flags: int, *more: Any, **named: Any) -> int:
    if Path(os.fsdecode(path)).is_dir():
        raise PermissionError(13, "Permission denied", str(path))
    return _open(path, flags, *more, **named)


def _locking(descriptor: int, mode: int, nbytes: int) -> None:
    """Lock as `msvcrt.locking` does, whose refusal is a permission error."""
    try:
        _flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise PermissionError(13, "Permission denied") from error


def take_away() -> None:
    """Leave this process with what Windows has."""
    for name in ("zarr", "h5py", "numpy", "filelock", "tempfile", "uuid", "asyncio", "multiprocessing.util"):
        importlib.import_module(name)  # which have their own ways there
    for module, names in NAMES.items():
        for name in names:
            if hasattr(module, name):
                delattr(module, name)
    for name in MODULES:
        sys.modules[name] = None  # type: ignore[assignment]
    windows = ModuleType("msvcrt")
    windows.LK_NBLCK, windows.locking = 2, _locking  # type: ignore[attr-defined]
    sys.modules["msvcrt"] = windows
    os.open = _open_files_only  # type: ignore[assignment]
    shutil._use_fd_functions = False  # type: ignore[attr-defined]


take_away()
