"""One window of readings in a file: its columns by name, and its times where it has them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from fusion.errors import DataError, SampleError
from fusion.modalities.arrays import MAX_BYTES
from fusion.modalities.clocks import Clock, clock_of, is_regular
from fusion.modalities.column_facts import ColumnFacts, names_row, why_no_channel
from fusion.modalities.dialect import text_rows
from fusion.modalities.tables import TEXT_SUFFIXES, Part, Table, open_table
from fusion.modalities.times import named_like_time, stamps_in_either_order

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Readings:
    """A window with the names of its columns.

    Parameters
    ----------
    values : NDArray of float32, shape=(readings, columns)
        In the order of time.
    names : tuple of str
        Of the columns; none where the file has no line of names.
    left_out : dict of str to str
        Columns that are no channels unless they are asked for, and columns without numbers, and why.
    times : NDArray of float64, shape=(readings,), or None
        Since the first, in the file's own unit.
    unsteady : str
        Why the readings cannot be taken as evenly spaced; empty where they can.
    words : dict of str to str
        What stands in a column where a number is expected.
    """

    values: NDArray[np.float32]
    names: tuple[str, ...] = ()
    left_out: dict[str, str] = field(default_factory=dict)
    times: NDArray[np.float64] | None = None
    unsteady: str = ""
    words: dict[str, str] = field(default_factory=dict)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:  # noqa: FBT001 - NumPy's protocol
        return self.take(self.channels).astype(dtype or np.float32, copy=bool(copy))

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of the columns that are channels; of none where there are no names."""
        return tuple(name for name in self.names if name not in self.left_out)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of all columns of the file."""
        return (*self.names, *(name for name in self.left_out if name not in self.names))

    def take(self, wanted: Sequence[str]) -> NDArray[np.float32]:
        """Give columns by name, in the order asked for; all of them where they have no names.

        Raises
        ------
        SampleError
            When one is missing, or holds something that is no number.
        """
        if not self.names:
            return self.values
        missing = [name for name in wanted if name not in self.names]
        if missing:
            got, expected = ", ".join(self.names), ", ".join(wanted)
            raise SampleError("read", f"no column {missing[0]!r}; got {got}; expected {expected}")
        wrong = next((self.words[name] for name in wanted if name in self.words), None)
        if wrong:
            raise SampleError("read", f"{wrong}; expected a number")
        return self.values[:, [self.names.index(name) for name in wanted]]


def read_readings(path: Path) -> Readings:
    """Read one window from a table: CSV with a line of names or without, TSV or Parquet.

    Raises
    ------
    SampleError
        When it cannot be read, is larger than `MAX_BYTES`, or its times begin anew over those above.
    """
    try:
        _refuse_large(path)
        table = open_table(path)
        return _with_names(table) if table.names else _without_names(table)
    except OSError as error:
        raise SampleError("read", f"{path.name} cannot be opened: {error.strerror or error}") from error
    except DataError as error:
        told = str(error).replace(str(path), path.name)
        raise SampleError("read", f"{told if path.name in told else f'{path.name}: {told}'}") from error


def _refuse_large(path: Path) -> None:
    if path.stat().st_size > MAX_BYTES:
        raise DataError(f"{path} is larger than {MAX_BYTES:,} bytes")


def _without_names(table: Table) -> Readings:
    dialect = table.dialect
    if dialect is None or table.path.suffix.lower() not in TEXT_SUFFIXES:
        raise DataError(f"{table.path} has no columns; expected one for each channel")
    cells = [row for _, row in text_rows(table.path, dialect)]
    try:
        values = np.array([[float(cell.replace(dialect.decimal, ".") or "nan") for cell in row] for row in cells])
    except ValueError as error:
        raise DataError(f"{table.path} is not a table of numbers: {error}") from error
    return Readings(_as_float32(values))


def _with_names(table: Table) -> Readings:
    parts = list(table.parts())
    timed = next((name for name in table.names if named_like_time(name)), None)
    facts = {name: _facts(name, parts) for name in table.names if name != timed}
    left_out = {name: why for name, fact in facts.items() if (why := why_no_channel(fact, timed=True))}
    held = [name for name, fact in facts.items() if fact.numbers or name not in left_out]
    read = [[part.numbers(name) for part in parts] for name in held]
    values = np.stack([np.concatenate([found for found, _ in column]) for column in read], axis=-1) if held else None
    if values is None:
        listed = "; ".join(f"{name}: {why}" for name, why in left_out.items()) or "the time alone"
        raise DataError(f"{table.path} has no column of numbers ({listed}); expected one for each channel")
    words = {name: f"{facts[name].word!r} in column {name!r}" for name in held if facts[name].words}
    row = names_row([facts[name] for name in held if name not in left_out])
    if row is not None and len(held) > 1:
        raise DataError(f"{table.path}: row {row + 1} holds words in all columns: a line of units or names; delete it")
    if timed is None:
        return Readings(_as_float32(values), tuple(held), left_out, words=words)
    times, order, unsteady = _times(table, parts, timed)
    return Readings(_as_float32(values[order]), tuple(held), left_out | {timed: "the time"}, times, unsteady, words)


def _facts(name: str, parts: Sequence[Part]) -> ColumnFacts:
    facts = ColumnFacts(name)
    for part in parts:
        together = np.ones(part.rows, bool)
        together[0] = part.first > 0
        facts.add(part, together)
    return facts


def _times(table: Table, parts: Sequence[Part], name: str) -> tuple[NDArray[np.float64] | None, NDArray[Any], str]:
    """Give the times since the first, the order of the rows by time, and why they are not evenly spaced."""
    found = [stamps_in_either_order(part, name) for part in parts]
    stamped, known = np.concatenate([part.values for part in found]), np.concatenate([part.known for part in found])
    every = np.arange(len(stamped))
    if not known.all():
        lost = int((~known).sum())
        return None, every, f"{lost} of {len(known)} readings have no time in column {name!r}" if known.any() else ""
    clock = clock_of(table.path.stem, stamped)
    if clock.overlap is not None:
        raise DataError(
            f"{table.path}: times begin anew at row {clock.overlap + 1}, over those above; expected one window"
        )
    order = np.argsort(stamped, kind="stable")
    times = (stamped[order] - stamped[order[:1]].sum()).astype(np.float64)
    return times, order, _unsteady(times, clock, name)


def _unsteady(times: NDArray[np.float64], clock: Clock, name: str) -> str:
    if len(times) < 2:
        return ""
    if clock.repeated:
        return f"{clock.repeated} of {len(times)} readings have the time of the one before in column {name!r}"
    if is_regular(times, clock.rate, clock.resolution):
        return ""
    intervals = np.diff(times)
    return f"times in column {name!r} are {intervals.min():.4g} to {intervals.max():.4g} apart; expected even steps"


def _as_float32(values: NDArray[np.float64]) -> NDArray[np.float32]:
    with np.errstate(all="ignore"):
        return values.astype(np.float32)
