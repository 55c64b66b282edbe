"""Ctrl-C and the signals of batch schedulers: at once while waiting, after the commit while writing."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["SIGNALS", "Interrupts", "Terminated", "interrupts", "raise_when_terminated"]

SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
"""Those that end a process, where the system has them."""


class Terminated(KeyboardInterrupt):
    """A signal asked this process to end; whoever handles Ctrl-C handles this.

    Parameters
    ----------
    number : int
        Of the signal; a command ends with 128 and it.
    """

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


class Interrupts:
    """Whether a signal has arrived, and whether it has to wait."""

    def __init__(self) -> None:
        self._number = 0
        self._held = False

    def arrive(self, number: int) -> None:
        """Take note of a signal, and raise if nothing is being written."""
        self._number = number
        if not self._held:
            raise Terminated(number)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let signals wait until this is done."""
        self._held = True
        try:
            yield
        finally:
            self._held = False
        if self._number:
            raise Terminated(self._number)

    @contextmanager
    def last_words(self) -> Iterator[None]:
        """Let signals wait while what is at hand is committed; the one that has arrived is already on its way."""
        self._held = True
        yield


@contextmanager
def interrupts() -> Iterator[Interrupts]:
    """Turn the signals that end a process into `Terminated`, in the main thread; a second one acts at once.

    Yields
    ------
    Interrupts
        Says what must not be interrupted.
    """
    state = Interrupts()
    if threading.current_thread() is not threading.main_thread():
        yield state
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}

    def arrive(number: int, _: object) -> None:
        signal.signal(number, _at_once(number))
        state.arrive(number)

    for number, handler in before.items():
        if handler not in (signal.SIG_IGN, None):
            signal.signal(number, arrive)
    try:
        yield state
    finally:
        for number, handler in before.items():
            if handler is not None:
                signal.signal(number, handler)


def raise_when_terminated() -> None:
    """Let SIGTERM and SIGHUP raise `Terminated` from here on; a second one ends the process at once."""

    def arrive(number: int, _: object) -> None:
        signal.signal(number, _at_once(number))
        raise Terminated(number)

    for number in SIGNALS[1:]:
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, arrive)


def _at_once(number: int) -> Any:
    return signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
