"""What not every operating system has: flags of open, reading at an offset, locks that end with their process.

Windows has none of them. The rest of the package asks here, so that nothing but POSIX's own names is missing there.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from filelock import FileLock

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:
    fcntl = None

NO_LINKS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
"""Flags of every open: links are not followed where that can be asked for, and no line end is changed."""
NO_WAITING = getattr(os, "O_NONBLOCK", 0)
"""A pipe that nobody writes to is not waited for."""
_POSITION = threading.Lock()


def locks_folders() -> bool:
    """Tell whether a folder, or a file that is being read, can be locked; else a file beside it stands for it."""
    return fcntl is not None


def lock_at_once(descriptor: int) -> None:
    """Lock an open file or folder until it is closed.

    Raises
    ------
    BlockingIOError
        Somebody else holds it.
    OSError
        The file system has no locks.
    """
    if fcntl is not None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return
    import msvcrt

    try:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
    except PermissionError as error:
        raise BlockingIOError(errno.EAGAIN, "held by another process") from error


@contextmanager
def folder_locked(folder: Path) -> Iterator[None]:
    """Wait for the lock of a folder and hold it; where folders have none, that of a file beside it."""
    if fcntl is None:
        with FileLock(folder.with_name(f".{folder.name}.lock")):
            yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def read_into(descriptor: int, view: memoryview, offset: int) -> int:
    """Read from an offset into a view, as much as comes at once; 0 at the end of the file."""
    if hasattr(os, "preadv"):
        return os.preadv(descriptor, [view], offset)
    with _POSITION:
        os.lseek(descriptor, offset, os.SEEK_SET)
        data = os.read(descriptor, len(view))
    view[: len(data)] = data
    return len(data)


def write_from(descriptor: int, view: memoryview, offset: int) -> int:
    """Write a view at an offset, as much as goes at once; give the bytes."""
    if hasattr(os, "pwrite"):
        return os.pwrite(descriptor, view, offset)
    with _POSITION:
        os.lseek(descriptor, offset, os.SEEK_SET)
        return os.write(descriptor, view)


def sync_path(path: Path) -> None:
    """Wait until what a file or folder holds is on the disk; Windows opens no folders, and keeps renames in its log."""
    if fcntl is None and path.is_dir():
        return
    # Windows syncs only what is open for writing.
    descriptor = os.open(path, (os.O_RDONLY if fcntl is not None else os.O_RDWR) | getattr(os, "O_BINARY", 0))
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
