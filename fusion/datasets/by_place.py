"""Samples, and what stands beside them, as their owners hold them: taken by position."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from pathlib import PurePath
from typing import Any

from fusion.errors import DataError

__all__ = ["cells_of", "samples_by_place"]

_UNORDERED = (str, bytes, PurePath, Mapping, AbstractSet)


def cells_of(values: Any, what: str) -> list[Any]:
    """Give what stands beside samples, one value for each in their order, whatever index it carries.

    Parameters
    ----------
    values : iterable
        Such as a list, an array of one axis, a column of pandas or of Arrow.
    what : str
        Names them in messages, such as "labels".

    Raises
    ------
    DataError
        When they have no order, or more than one axis.
    """
    shape = getattr(values, "shape", (0,))
    if len(shape) != 1:
        raise DataError(f"{what} have the shape {tuple(shape)}; expected one axis, with one of them for each sample")
    if isinstance(values, _UNORDERED) or not isinstance(values, Iterable):
        raise DataError(f"{what} are of type {type(values).__name__}; expected a list with one for each sample")
    return list(values.to_pylist() if hasattr(values, "to_pylist") else values)


def samples_by_place(values: Any) -> Any:
    """Give a sequence of samples that is read by position, also where it has an index of its own, as pandas' have.

    Raises
    ------
    DataError
        When it cannot be read by position.
    """
    try:
        read = not isinstance(values, _UNORDERED) and len(values) >= 0 and hasattr(values, "__getitem__")
    except TypeError:
        read = False
    if not read:
        once = " It can be iterated only once: pass list(...) of it." if hasattr(values, "__next__") else ""
        raise DataError(
            f"samples are of type {type(values).__name__}; expected a list or an array with one in each place.{once}"
        )
    return getattr(values, "iloc", values)
