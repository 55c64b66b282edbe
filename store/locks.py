"""One writer per store, by whatever name it was opened; readers take no lock."""

from __future__ import annotations

import errno
import json
import os
import socket
import warnings
from contextlib import suppress
from pathlib import Path

from filelock import SoftFileLock, Timeout

from store.errors import StoreError, StoreLockedError, StoreWarning
from store.header import now
from store.portable import NO_LINKS, lock_at_once, locks_folders

_NO_LOCKS = {errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, 524}  # 524: ENOTSUPP of Linux


def resolved(path: str | Path) -> Path:
    """Follow every link in a path, so that one store has one name.

    Raises
    ------
    StoreError
        The links lead in a circle, or a folder on the way cannot be read.
    """
    try:
        return Path(path).resolve()
    except (OSError, RuntimeError, TypeError, ValueError) as error:
        raise StoreError(f"there is no store at {path}: {getattr(error, 'strerror', None) or error}") from error


class StoreLock:
    """Held while a store is open for writing; the operating system drops it when its process dies.

    Both the name and the file or folder itself are locked: the name for what is created or put in its place, the file
    for those who reach it by another name. Who holds the lock stands in a hidden file beside the store.

    Parameters
    ----------
    path : Path
        The store, with every link followed.

    Raises
    ------
    StoreLockedError
        Somebody else holds it; the message says who.
    StoreError
        The folder cannot be written to, or an HDF5 file has several names (hard links).
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._owner = path.with_name(f".{path.name}.owner")
        self._descriptors: list[int] = []
        self._soft: SoftFileLock | None = None
        self._process = os.getpid()
        try:
            self._lock_name(path.with_name(f".{path.name}.lock"))
            self.cover()
            self._write_owner()
        except BaseException as error:
            held = isinstance(error, (BlockingIOError, Timeout))
            message = self._message() if held else ""
            self._let_go()
            if held:
                raise StoreLockedError(message) from error
            if isinstance(error, OSError):
                raise StoreError(_why_not(path, error)) from error
            raise

    def _lock_name(self, name: Path) -> None:
        try:
            self._lock(os.open(name, os.O_RDWR | os.O_CREAT | NO_LINKS, 0o666))
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
            self._lock_softly(error)

    def _lock_softly(self, error: OSError) -> None:
        """Fall back to a file that is there while the store is being written to; a killed process leaves it behind."""
        name = self._path.with_name(f".{self._path.name}.softlock")
        soft = SoftFileLock(name, timeout=0)
        soft.acquire()
        self._soft = soft
        warnings.warn(
            f"the file system of {self._path} has no locks ({error.strerror or error}): {name} stands for one. "
            "If a process is killed it stays; delete it then, when nobody writes to the store",
            StoreWarning,
            stacklevel=2,
        )

    def cover(self) -> None:
        """Lock the store's file or folder itself, once it exists."""
        if self._soft is not None or not locks_folders() or not self._path.exists():
            return
        folder = self._path.is_dir()
        try:
            self._lock(os.open(self._path, (os.O_RDONLY if folder else os.O_RDWR) | NO_LINKS))
        except OSError as error:
            if not (folder and error.errno in {errno.EBADF, *_NO_LOCKS}):  # NFS locks no folders; the name is held
                raise
        names = 1 if folder else os.stat(self._path).st_nlink  # noqa: PTH116 - as it is on the disk
        if names > 1:
            raise StoreError(
                f"{self._path} has {names} names (hard links), and a crash while it is written to would leave its "
                "journal beside one of them only. Make a copy of it (cp) and write to that, or delete the other names"
            )

    def _lock(self, descriptor: int) -> None:
        try:
            lock_at_once(descriptor)
        except OSError:
            os.close(descriptor)
            raise
        self._descriptors.append(descriptor)

    def _write_owner(self) -> None:
        self._owner.unlink(missing_ok=True)
        descriptor = os.open(self._owner, os.O_WRONLY | os.O_CREAT | os.O_EXCL | NO_LINKS, 0o666)
        with os.fdopen(descriptor, "w") as file:
            json.dump({"pid": os.getpid(), "host": socket.gethostname(), "since": now()}, file)

    def _message(self) -> str:
        holder = "another process, or under another name, or open in another program"
        with suppress(OSError, ValueError, KeyError, TypeError):
            owner = json.loads(self._owner.read_text())
            holder = f"process {owner['pid']} on {owner['host']} since {owner['since']}"
        left = f" If that process is gone, delete {self._soft_name()}." if self._soft_name().exists() else ""
        return f"{self._path} is being written to by {holder}. Wait for it to end, or write to another store.{left}"

    def _soft_name(self) -> Path:
        return self._path.with_name(f".{self._path.name}.softlock")

    def release(self) -> None:
        """Let others write; a fork of the process that holds the lock only lets go of its own copy."""
        if self._process == os.getpid():
            with suppress(OSError):
                self._owner.unlink(missing_ok=True)
        self._let_go()

    def _let_go(self) -> None:
        while self._descriptors:
            os.close(self._descriptors.pop())
        if self._soft is not None and self._process == os.getpid():
            self._soft.release()
            self._soft = None


def _why_not(path: Path, error: OSError) -> str:
    if error.errno == errno.ELOOP:
        return (
            f"cannot write to {path}: {error.filename} is a link, which a lock never is. Delete it; "
            "what it points to was not touched"
        )
    return f"cannot write to {path}: {error.strerror or error}. Check the folder's permissions"
