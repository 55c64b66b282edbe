"""One writer per store; readers take no lock."""

from __future__ import annotations

import json
import os
import socket
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

from store.errors import StoreError, StoreLockedError
from store.header import now


class StoreLock:
    """Held while a store is open for writing; the operating system drops it when its process dies.

    Parameters
    ----------
    path : Path
        The store. The lock is a hidden file beside it, and who holds it stands in a second one.

    Raises
    ------
    StoreLockedError
        Somebody else holds it; the message says who.
    StoreError
        The folder cannot be written to.
    """

    def __init__(self, path: Path) -> None:
        path = path.absolute()
        self._owner = path.with_name(f".{path.name}.owner")
        self._lock = FileLock(path.with_name(f".{path.name}.lock"), timeout=0, is_singleton=False)
        try:
            self._lock.acquire()
            self._owner.write_text(json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "since": now()}))
        except Timeout as error:
            raise StoreLockedError(self._message(path)) from error
        except OSError as error:
            self._lock.release()
            raise StoreError(
                f"cannot write to {path}: {error.strerror or error}. Check the folder's permissions"
            ) from error

    def _message(self, path: Path) -> str:
        holder = "another process"
        with suppress(OSError, ValueError, KeyError):
            owner = json.loads(self._owner.read_text())
            holder = f"process {owner['pid']} on {owner['host']} since {owner['since']}"
        return f"{path} is being written to by {holder}. Wait for it to end, or write to another store"

    def release(self) -> None:
        """Let others write."""
        with suppress(OSError):
            self._owner.unlink(missing_ok=True)
        self._lock.release()
