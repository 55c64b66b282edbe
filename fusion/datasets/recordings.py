"""The recordings in a table of readings: rows that stand together under one name."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from fusion.datasets.table_files import read_parts
from fusion.errors import DataError, SampleError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray

ROLES = ("id", "time", "label", "group", "split")
MAX_RECORDING_BYTES = 1 << 30
_ENDLESS = 1e15


@dataclass(frozen=True)
class Columns:
    """Which columns of a table tell what; None where there is none.

    Parameters
    ----------
    id, time, label, group, split : str or None
    channels : tuple of str
    """

    id: str | None
    time: str | None
    label: str | None
    group: str | None
    split: str | None
    channels: tuple[str, ...] = ()

    def text(self) -> list[str]:
        """Names of the columns that hold names."""
        return [name for name in (self.id, self.label, self.group, self.split) if name is not None]


@dataclass(frozen=True, eq=False)
class Recording:
    """The readings of one recording, in the order of time.

    Parameters
    ----------
    name : str
    values : NDArray of float32, shape=(n, channels)
    times : NDArray of float64, shape=(n,), or None
        In seconds; the first is 0.
    facts : NDArray of object, shape=(n, 3)
        Label, group and split of each reading, None where there is none.
    keys : NDArray of int, shape=(n,)
        Changes where a fact does.
    words : mapping of int to str
        What is wrong with the readings that are not numbers, by position.
    """

    name: str
    values: NDArray[np.float32]
    times: NDArray[np.float64] | None
    facts: NDArray[Any]
    keys: NDArray[Any]
    words: Mapping[int, str]

    def readable(self, begin: int, end: int) -> NDArray[np.float32]:
        """Give some readings; SampleError when one of them is no number."""
        for position in sorted(self.words):
            if begin <= position < end:
                raise SampleError("read", self.words[position])
        return self.values[begin:end]


def find_columns(source: Path, given: Mapping[str, str | None], channels: Sequence[str], separator: str) -> Columns:
    """Look at the first part of a table.

    Parameters
    ----------
    source : Path
    given : mapping of str to str or None
        For each of `ROLES` the column that was asked for; None takes the one of that very name, if there is one.
    channels : sequence of str
        Empty takes every other column whose first values are mostly numbers.
    separator : str

    Raises
    ------
    DataError
        When a column is missing or there is no channel.
    """
    part = next(read_parts(source, [name or role for role, name in given.items() if role != "time"], separator))
    there = list(map(str, part.columns))
    missing = [name for name in (*given.values(), *channels) if name is not None and name not in there]
    if missing:
        raise DataError(f"{source} has no column {missing[0]!r}; got {', '.join(there[:12])}")
    roles = {role: name or (role if role in there else None) for role, name in given.items()}
    rest = [name for name in there if name not in roles.values()]
    found = tuple(channels) or tuple(name for name in rest if _mostly_numbers(part[name]))
    if not found:
        raise DataError(f"{source} has no column of numbers beside {', '.join(there[:12])}; expected one per channel")
    return Columns(**roles, channels=found)


def read_recordings(source: Path, columns: Columns, separator: str) -> Iterator[Recording]:
    """Put together the rows of each recording.

    Raises
    ------
    DataError
        When the file is damaged, the rows of a recording are not together, or it is too long for memory.
    """
    seen: set[str] = set()
    pending, row = None, 0
    for part in read_parts(source, columns.text(), separator):
        for name, rows in _runs(part, columns.id, source.stem):
            if pending is None or name != pending.name:
                if pending is not None:
                    yield pending.whole()
                if name in seen:
                    raise DataError(
                        f"{source}: the rows of recording {name!r} are not together; sort the table by {columns.id!r}"
                    )
                seen.add(name)
                pending = _Pending(source, columns, name, row)
            pending.add(rows)
            row += len(rows)
    if pending is not None:
        yield pending.whole()


@dataclass
class _Pending:
    """Rows of the recording that is being read."""

    source: Path
    columns: Columns
    name: str
    row: int
    parts: list[Any] = field(default_factory=list)
    rows: int = 0

    def add(self, rows: pd.DataFrame) -> None:
        self.parts.append(rows)
        self.rows += len(rows)
        if 8 * self.rows * (len(self.columns.channels) + len(ROLES)) > MAX_RECORDING_BYTES:
            raise DataError(
                f"{self.source}: recording {self.name!r} has more than {self.rows:,} readings, too many for memory; "
                "cut it into several recordings"
            )

    def whole(self) -> Recording:
        # Numbers that no float32 can hold become infinite or NaN, which their window is refused for.
        with np.errstate(all="ignore"):
            return self._whole()

    def _whole(self) -> Recording:
        import pandas as pd

        table, columns = pd.concat(self.parts, ignore_index=True), self.columns
        values, words = _numbers(table[list(columns.channels)], self.row)
        facts = np.stack([_texts(table, name) for name in (columns.label, columns.group, columns.split)], axis=-1)
        keys = pd.MultiIndex.from_arrays(list(facts.T)).factorize()[0]
        times, order = None, np.arange(len(table))
        if columns.time is not None:
            times, order = _times(self.source, table[columns.time])
        moved = {int(old): new for new, old in enumerate(order)} if words else {}
        kept = {moved[position]: reason for position, reason in words.items() if position in moved}
        return Recording(self.name, values[order], times, facts[order], keys[order], kept)


def _runs(part: pd.DataFrame, column: str | None, stem: str) -> Iterator[tuple[str, pd.DataFrame]]:
    if column is None:
        yield stem, part
        return
    names = _texts(part, column)
    edges = [0, *(np.flatnonzero(names[1:] != names[:-1]) + 1).tolist(), len(part)]
    for begin, end in pairwise(edges):
        yield names[begin] or "unnamed", part.iloc[begin:end]


def _texts(table: pd.DataFrame, column: str | None) -> NDArray[Any]:
    import pandas as pd

    if column is None:
        return np.full(len(table), None, dtype=object)
    codes, found = pd.factorize(table[column])
    names = np.array([*(str(value) or None for value in found), None], dtype=object)
    return names[codes]


def _mostly_numbers(column: pd.Series) -> bool:
    import pandas as pd

    return bool(pd.to_numeric(column, errors="coerce").notna().mean() > 0.5)


def _numbers(table: pd.DataFrame, row: int) -> tuple[NDArray[np.float32], dict[int, str]]:
    """Read the channels as numbers, and say by position which cells hold something else."""
    import pandas as pd

    columns, words = [], {}
    for name in table.columns:
        column = table[name]
        if not pd.api.types.is_numeric_dtype(column):
            numbers = pd.to_numeric(column, errors="coerce")
            for position in np.flatnonzero(numbers.isna() & column.notna()):
                shown = str(column.iloc[position])[:40]
                words[int(position)] = f"{shown!r} in column {name!r}, row {row + position + 1}; expected a number"
            column = numbers
        columns.append(column.to_numpy(dtype=np.float64, na_value=np.nan))
    return np.stack(columns, axis=-1).astype(np.float32), words


def _times(source: Path, column: pd.Series) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Give the times in seconds since the first, in order, and the positions of the readings that have one."""
    import pandas as pd

    if pd.api.types.is_numeric_dtype(column):
        seconds = column.to_numpy(dtype=np.float64, na_value=np.nan)
    else:
        moments = pd.to_datetime(column, errors="coerce", utc=True, format="ISO8601")
        seconds = ((moments - moments.min()) / pd.Timedelta(seconds=1)).to_numpy(dtype=np.float64)
        if not np.isfinite(seconds).any():
            raise DataError(
                f"{source}: {str(column.iloc[0])[:40]!r} in column {column.name!r} is no time; expected seconds, or "
                "dates such as 2024-05-01T12:00:00.25"
            )
    known = np.flatnonzero(np.abs(seconds) < _ENDLESS)
    order = known[np.argsort(seconds[known], kind="stable")]
    return seconds[order] - seconds[order[:1]].sum(), order
