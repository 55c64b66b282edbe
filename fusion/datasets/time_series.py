"""The recordings in a table of readings: rows that stand together under one name."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from fusion.datasets.columns import ROLES, Columns
from fusion.errors import DataError, SampleError
from fusion.modalities.clocks import spread_evenly
from fusion.modalities.times import stamps

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from fusion.modalities.tables import Part, Table

MAX_RECORDING_BYTES = 1 << 30


@dataclass(frozen=True, eq=False)
class TimeSeries:
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
    timeless : int
        Readings that were left out because they have no time.
    targets : NDArray of float64, shape=(n,), or None
        Number to predict, NaN of a reading without one.
    """

    name: str
    values: NDArray[np.float32]
    times: NDArray[np.float64] | None
    facts: NDArray[Any]
    keys: NDArray[Any]
    words: Mapping[int, str]
    timeless: int = 0
    targets: NDArray[np.float64] | None = None

    @property
    def nbytes(self) -> int:
        """Memory that it takes, about."""
        return (
            self.values.nbytes
            + self.facts.nbytes
            + self.keys.nbytes
            + (0 if self.times is None else 8 * len(self.times))
            + (0 if self.targets is None else 8 * len(self.targets))
        )

    def target(self, begin: int, end: int) -> float | None:
        """Give the mean target of some readings, of those that have one; None where none has."""
        found = np.empty(0) if self.targets is None else self.targets[begin:end]
        known = found[np.isfinite(found)]
        return float(known.mean()) if len(known) else None

    def twice(self, begin: int, end: int) -> int:
        """Count the readings, of some, that have time and values of the one before."""
        if self.times is None:
            return 0
        same = (np.diff(self.times[begin:end]) == 0) & (np.diff(self.values[begin:end], axis=0) == 0).all(axis=1)
        return int(same.sum())

    def readable(self, begin: int, end: int) -> NDArray[np.float32]:
        """Give some readings; SampleError when one of them is no number."""
        for position in sorted(self.words):
            if begin <= position < end:
                raise SampleError("read", self.words[position])
        return self.values[begin:end]


def runs(part: Part, columns: tuple[str, ...]) -> Iterator[tuple[str, int, int]]:
    """Give name, begin and end of the rows of a part that stand together under one recording's name.

    Raises
    ------
    DataError
        When a row has no name.
    """
    if not columns:
        yield part.table.path.stem, 0, part.rows
        return
    names = [part.text(column) for column in columns]
    changes = np.zeros(part.rows - 1, bool)
    for column, found in zip(columns, names, strict=True):
        nameless = found == None  # noqa: E711 - of each element
        if nameless.any():
            raise DataError(
                f"{part.table.path}: row {part.first + int(np.argmax(nameless)) + 1} has nothing in column {column!r}; "
                "expected the name of its recording in each row"
            )
        changes |= found[1:] != found[:-1]
    edges = [0, *(np.flatnonzero(changes) + 1).tolist(), part.rows]
    for begin, end in pairwise(edges):
        yield "/".join(found[begin] for found in names), begin, end


class TogetherCheck:
    """Refuses a recording whose rows do not stand together."""

    def __init__(self, table: Table, columns: tuple[str, ...]) -> None:
        self.path, self.columns = table.path, columns
        self.seen: set[str] = set()
        self.current: str | None = None

    def begins(self, name: str) -> bool:
        """Tell whether a run begins a recording, or goes on with that of the run before."""
        if name == self.current:
            return False
        if name in self.seen:
            listed = ",".join(self.columns)
            raise DataError(
                f"{self.path}: the rows of recording {name!r} are not together; sort the table by {listed!r}"
            )
        self.seen.add(name)
        self.current = name
        return True


@dataclass(frozen=True)
class TimeReading:
    """How the cells of the time column become seconds.

    Parameters
    ----------
    seconds : float
        How long one unit is.
    dates : bool
    spread : bool
        Readings that share a time are spread evenly over the time until the next.
    """

    seconds: float = 1.0
    dates: bool = False
    spread: bool = False


def read_series(table: Table, columns: Columns, time: TimeReading) -> Iterator[TimeSeries]:
    """Put together the rows of each recording.

    Raises
    ------
    DataError
        When the file is damaged, the rows of a recording are not together, or it is too long for memory.
    """
    check = TogetherCheck(table, columns.id)
    pending: _Pending | None = None
    for part in table.parts():
        cells = _Cells.of(part, columns, time)
        for name, begin, end in runs(part, columns.id):
            if check.begins(name):
                if pending is not None:
                    yield pending.whole()
                pending = _Pending(table, columns, name, time)
            if pending is not None:
                pending.add(cells.rows(begin, end))
    if pending is not None:
        yield pending.whole()


@dataclass(frozen=True, eq=False)
class _Cells:
    """Rows as arrays."""

    values: NDArray[np.float32]
    facts: NDArray[Any]
    words: dict[int, str]
    times: NDArray[Any] | None
    known: NDArray[np.bool_] | None
    targets: NDArray[np.float64] | None

    @classmethod
    def of(cls, part: Part, columns: Columns, time: TimeReading) -> _Cells:
        # Numbers that no float32 can hold become infinite or NaN, which their window is refused for.
        with np.errstate(all="ignore"):
            read = [part.numbers(name) for name in columns.channels]
            values = np.stack([numbers.astype(np.float32) for numbers, _ in read], axis=-1)
        words = {
            int(row): f"{part.cell(name, int(row))!r} in column {name!r}, row {part.first + row + 1}; expected a number"
            for name, (_, bad) in zip(columns.channels, read, strict=True)
            for row in np.flatnonzero(bad)
        }
        targets = None if columns.target is None else _targets(part, columns.target, words)
        nothing = np.full(part.rows, None, dtype=object)
        roles = (columns.label, columns.group, columns.split)
        facts = np.stack([nothing if name is None else part.text(name) for name in roles], axis=-1)
        if columns.time is None:
            return cls(values, facts, words, None, None, targets)
        found = stamps(part, columns.time, dates=time.dates)
        return cls(values, facts, words, found.values, found.known, targets)

    def rows(self, begin: int, end: int) -> _Cells:
        words = {row - begin: reason for row, reason in self.words.items() if begin <= row < end}
        times = None if self.times is None else self.times[begin:end]
        known = None if self.known is None else self.known[begin:end]
        targets = None if self.targets is None else self.targets[begin:end]
        return _Cells(self.values[begin:end], self.facts[begin:end], words, times, known, targets)


@dataclass
class _Pending:
    """Rows of the recording that is being read."""

    table: Table
    columns: Columns
    name: str
    time: TimeReading
    parts: list[_Cells] = field(default_factory=list)
    rows: int = 0

    def add(self, cells: _Cells) -> None:
        self.parts.append(cells)
        self.rows += len(cells.values)
        if 8 * self.rows * (len(self.columns.channels) + len(ROLES)) > MAX_RECORDING_BYTES:
            raise DataError(
                f"{self.table.path}: recording {self.name!r} has more than {self.rows:,} readings, too many for "
                "memory; cut it into several recordings"
            )

    def whole(self) -> TimeSeries:
        values = np.concatenate([part.values for part in self.parts])
        facts = np.concatenate([part.facts for part in self.parts])
        words: dict[int, str] = {}
        offset = 0
        for part in self.parts:
            words |= {offset + row: reason for row, reason in part.words.items()}
            offset += len(part.values)
        parts = [part.targets for part in self.parts if part.targets is not None]
        targets = np.concatenate(parts) if parts else None
        if self.columns.time is None:
            return TimeSeries(self.name, values, None, facts, _keys(facts), words, targets=targets)
        times, order = self._times()
        moved = {int(old): new for new, old in enumerate(order)} if words else {}
        kept = {moved[position]: reason for position, reason in words.items() if position in moved}
        lost = len(values) - len(order)
        sorted_targets = None if targets is None else targets[order]
        return TimeSeries(
            self.name, values[order], times, facts[order], _keys(facts[order]), kept, lost, sorted_targets
        )

    def _times(self) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Give the times in seconds since the first, in order, and the positions of the readings that have one."""
        stamped = np.concatenate([part.times for part in self.parts if part.times is not None])
        known = np.flatnonzero(np.concatenate([part.known for part in self.parts if part.known is not None]))
        order = known[np.argsort(stamped[known], kind="stable")]
        # Taken from the first before they are turned into seconds: a float has too few digits for both.
        since = (stamped[order] - stamped[order[:1]].sum()).astype(np.float64)
        seconds = since * self.time.seconds if self.time.seconds >= 1 else since / round(1 / self.time.seconds)
        if self.time.spread:
            seconds = spread_evenly(seconds)
        return seconds - seconds[:1].sum(), order


def _targets(part: Part, name: str, words: dict[int, str]) -> NDArray[np.float64]:
    """Give the numbers to predict; which of them are none is added to `words`."""
    targets, wrong = part.numbers(name)
    for row in map(int, np.flatnonzero(wrong | np.isinf(targets))):
        place = f"in the target's column {name!r}, row {part.first + row + 1}"
        words.setdefault(row, f"{part.cell(name, row)!r} {place}; expected a finite number, or nothing")
    return targets


def _keys(facts: NDArray[Any]) -> NDArray[np.int64]:
    changes = (facts[1:] != facts[:-1]).any(axis=1)
    return np.concatenate([[0], np.cumsum(changes)]).astype(np.int64) if len(facts) else np.empty(0, np.int64)
