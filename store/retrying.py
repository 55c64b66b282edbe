"""Requests to an object store that are tried again when a connection is lost."""

from __future__ import annotations

import errno
import random
from collections.abc import Callable
from time import sleep
from typing import TypeVar

from store.errors import StoreError, UnreachableError

T = TypeVar("T")
ATTEMPTS = 8
FIRST_PAUSE = 0.1
"""Seconds; each pause is twice the one before, thirteen seconds in all."""
_FINAL = (FileNotFoundError, FileExistsError, IsADirectoryError, NotADirectoryError)


def retried(action: Callable[[], T], what: str) -> T:
    """Do something that may be done twice, until it goes well.

    Parameters
    ----------
    action : callable
    what : str
        The address, for the message.

    Raises
    ------
    OSError
        That there is no such object, or there is one already.
    UnreachableError
        It failed each time.
    StoreError
        Access is denied.
    """
    pause = FIRST_PAUSE
    for left in reversed(range(ATTEMPTS)):
        try:
            return action()
        except (*_FINAL, StoreError):
            raise
        except PermissionError as error:
            raise StoreError(f"access to {what} is denied: {in_a_line(error)}. Check credentials and rights") from error
        except Exception as error:
            if getattr(error, "errno", None) == errno.EISDIR:
                raise
            if not left:
                raise UnreachableError(
                    f"{what} cannot be reached, tried {ATTEMPTS} times: {in_a_line(error)}. What was listed is kept; "
                    "check address and network, then run the same command again"
                ) from error
        sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - so that many writers do not ask at once
        pause *= 2
    raise AssertionError


def in_a_line(error: BaseException) -> str:
    """Say what an error says, or its name where it says nothing."""
    return " ".join(str(error).split()) or type(error).__name__
