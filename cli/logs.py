"""`functa --log-file FILE`, `-v`, `-q`: where what the library logs goes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

LogFile = Annotated[
    Path | None, typer.Option("--log-file", metavar="FILE", help="Add to this file what is done, with its time.")
]
Verbose = Annotated[
    int, typer.Option("--verbose", "-v", count=True, help="Tell on stderr what is done; -vv each commit too.")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar.")]

_ROOMS = ("fusion", "store", "cli")
_LINE = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def start_logging(file: Path | None, verbose: int, *, quiet: bool) -> None:
    """Send what the library logs to a file, to stderr, or both.

    Parameters
    ----------
    file : Path or None
        Gets everything, at its end.
    verbose : int
        0 = nothing on stderr, 1 = what is done, 2 = commits too.
    quiet : bool
        Show no progress.
    """
    if quiet:
        from fusion.progress import silence

        silence()
    if file is None and not verbose:
        return
    import logging

    handlers: list[tuple[logging.Handler, int]] = []
    if file is not None:
        handlers.append((logging.FileHandler(file, encoding="utf-8", errors="backslashreplace"), logging.DEBUG))
    if verbose:
        handlers.append((logging.StreamHandler(sys.stderr), logging.INFO if verbose == 1 else logging.DEBUG))
    for name in _ROOMS:
        logging.getLogger(name).setLevel(logging.DEBUG)
    for handler, level in handlers:
        handler.setLevel(level)
        handler.setFormatter(logging.Formatter(_LINE))
        for name in _ROOMS if isinstance(handler, logging.FileHandler) else _ROOMS[:2]:
            logging.getLogger(name).addHandler(handler)


def record(message: str) -> None:
    """Log what a user was told on stderr, where a log is kept."""
    if "logging" in sys.modules:
        from logging import getLogger

        logger = getLogger("cli")
        if logger.handlers:
            logger.warning(message)
