"""Keep decoders quiet that write what they find odd straight to the standard error, past Python."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOCK = threading.Lock()
_quiet: list[int] = []
"""A copy of the standard error for each thread that wants quiet; they are all of what it was before the first."""


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Send file descriptor 2 nowhere, until the last of the threads that ask for it is done.

    What is wrong is told by errors.
    """
    with _LOCK:
        _quiet.append(os.dup(_quiet[0] if _quiet else 2))
        if len(_quiet) == 1:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, 2)
            os.close(nowhere)
    try:
        yield
    finally:
        with _LOCK:
            kept = _quiet.pop()
            if not _quiet:
                os.dup2(kept, 2)
            os.close(kept)
