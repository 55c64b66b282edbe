"""Long tables, in which each row holds the value of one channel: told from tables with a column for each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fusion.errors import DataError
from fusion.modalities.times import stamps
from fusion.names import first_names

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from fusion.datasets.columns import Columns
    from fusion.modalities.tables import Part, Table

_MOST, _SHOWN, _NEARLY = 100, 4, 0.9


def refuse_melted(table: Table, columns: Columns) -> None:
    """Refuse a table in which nearly every time of each recording has each word of a column once.

    Raises
    ------
    DataError
        With the column and its words.
    """
    if columns.time is None or not columns.id:
        return
    part = next(table.parts())
    names = [name for name in table.names if name not in columns.taken() and _holds_words_alone(part, name)]
    moments = _moments(part, columns.id, columns.time) if names else np.empty(0)
    for name in names:
        words = part.text(name)
        found = sorted({word for word in words if word is not None})
        if 2 <= len(found) <= _MOST and _each_once(moments, words, len(found)):
            shown = first_names(found, _SHOWN)
            raise DataError(
                f"{table.path}: column {name!r} has each of {shown} at every time of a recording: pivot the table, "
                "with one column for each of them. If they are recordings of their own, sort the rows by them and say "
                f"so with --reader id={','.join((*columns.id, name))}"
            )


def _each_once(moments: NDArray[Any], words: NDArray[Any], count: int) -> bool:
    there = moments >= 0
    places, times = _codes(words)[there], moments[there]
    together = np.unique(np.stack([times, places]), axis=1).shape[1]
    return bool(together == len(times) >= max(4, _NEARLY * count * len(np.unique(times))))


def _moments(part: Part, names: Iterable[str], time: str) -> NDArray[Any]:
    """Give each time of each recording a number, -1 where there is none."""
    found = stamps(part, time)
    codes = [_codes(part.text(name)) for name in names]
    _, moments = np.unique(np.stack([*codes, _codes(found.values)]), axis=1, return_inverse=True)
    return np.where(found.known, moments.ravel(), -1)


def _codes(cells: NDArray[Any]) -> NDArray[np.int64]:
    numbers: dict[Any, int] = {}
    return np.fromiter((numbers.setdefault(cell, len(numbers)) for cell in cells.tolist()), np.int64, len(cells))


def _holds_words_alone(part: Part, name: str) -> bool:
    values, words = part.numbers(name)
    return bool(words.any() and not np.isfinite(values).any())
