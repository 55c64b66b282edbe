"""Progress as a person sees it: a bar on the terminal, or in a notebook."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager, nullcontext
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    Update = Callable[[str, int, int], None]

__all__ = ["progress_bar", "silence"]

_EVERY = 0.2
_silent: list[bool] = []


def progress_bar() -> AbstractContextManager[Update]:
    """Show what is done now, with its rate, on stderr or, in a notebook, below the cell.

    Returns
    -------
    context manager
        Gives a callable for the ``progress`` of `fusion.encode`, `fusion.train` and their like. It takes what is done,
        how far it is and how much there is at most (0 = not known); a new stage starts its clock anew.

    Examples
    --------
    >>> with progress_bar() as progress:
    ...     progress("encoding", 3, 12)
    """
    if _silent:
        return nullcontext(_nothing)
    return _notebook_bar() if _in_notebook() else _terminal_bar()


def silence() -> None:
    """Show no bars from here on in this process."""
    _silent.append(True)


def _nothing(what: str, done: int, most: int) -> None:
    pass


def _in_notebook() -> bool:
    """Tell a kernel, which has a page to write to, from a terminal."""
    ipython: Any = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return type(shell).__name__ == "ZMQInteractiveShell"


@contextmanager
def _notebook_bar() -> Iterator[Update]:
    """Write HTML to one place of the output; unlike rich's bar it needs no widgets."""
    from IPython.display import HTML, display

    shown: Any = display(HTML("starting"), display_id=True)
    stage, begun, last = "", time.monotonic(), 0.0
    text = ""

    def update(what: str, done: int, most: int) -> None:
        nonlocal stage, begun, last, text
        now = time.monotonic()
        if what.partition(",")[0] != stage:
            stage, begun, last = what.partition(",")[0], now, 0.0
        text = _html(what, done, most, now - begun)
        if now - last >= _EVERY:
            last = now
            shown.update(HTML(text))

    yield update
    shown.update(HTML(text or "nothing to do"))


def _html(what: str, done: int, most: int, seconds: float) -> str:
    bar = f'<progress value="{done}" max="{most}"></progress> {done:,}/{most:,}' if most else ""
    rate = f", {done / seconds:,.0f}/s" if done and seconds > 0 else ""
    return f"{escape(what)} {bar} {seconds:.0f} s{rate}"


@contextmanager
def _terminal_bar() -> Iterator[Update]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[count]}"),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=not sys.stderr.isatty()) as bar:
        task = bar.add_task("starting", total=None, count="", rate="")

        def update(what: str, done: int, most: int) -> None:
            if what.partition(",")[0] != str(bar.tasks[0].description).partition(",")[0]:
                bar.reset(task)
            elapsed = bar.tasks[0].elapsed or 0.0
            rate = f"{done / elapsed:,.0f}/s" if done and elapsed else ""
            count = f"{done:,}/{most:,}" if most else ""
            bar.update(task, description=what, completed=done, total=most or None, count=count, rate=rate)

        yield update
