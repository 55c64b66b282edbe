"""Which libraries Python compiles anew at every start, since nothing keeps what it compiled."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.util import cache_from_source, find_spec
from pathlib import Path

__all__ = ["IMPORTED", "compiled_anew", "writable"]

IMPORTED = (
    "fusion",
    "store",
    "cli",
    "numpy",
    "scipy",
    "pandas",
    "pyarrow",
    "sklearn",
    "xgboost",
    "numba",
    "zarr",
    "typer",
)
"""Packages that `functa train` or `functa predict` imports; most of their time is that."""


def compiled_anew(packages: Sequence[str] = IMPORTED) -> list[str]:
    """Name the packages whose bytecode is neither there nor written by the next run.

    It is not there after an installer that does not compile, and not written where ``PYTHONDONTWRITEBYTECODE``
    is set, as images of containers often do, or where the folder cannot be written.

    Parameters
    ----------
    packages : sequence of str
        Those not installed are passed over.

    Returns
    -------
    list of str
        In the order given.
    """
    return [name for name in packages if _compiled_anew(name)]


def _compiled_anew(package: str) -> bool:
    spec = find_spec(package)
    if spec is None or not spec.has_location or spec.origin is None:
        return False
    kept = Path(cache_from_source(spec.origin))
    return not kept.exists() and (sys.dont_write_bytecode or not writable(kept))


def writable(place: Path) -> bool:
    """Tell whether a folder, or the nearest one above that exists, can be written by this user."""
    while not place.exists() and place != place.parent:
        place = place.parent
    return os.access(place, os.W_OK | os.X_OK)
