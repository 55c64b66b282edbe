"""What a table of readings holds, found in one pass before any window is cut: facts of its columns and clocks."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from fusion.datasets.columns import Columns, time_candidates
from fusion.datasets.melted import refuse_melted
from fusion.datasets.time_series import TogetherCheck, runs
from fusion.errors import ConfigError, DataError
from fusion.modalities.clocks import Clock, clock_of
from fusion.modalities.column_facts import ColumnFacts
from fusion.modalities.dialect import is_number
from fusion.modalities.times import date_order, named_like_time, stamps, stamps_in_either_order

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from fusion.modalities.tables import Part, Table

_MOST_RUNS = 100_000


@dataclass(frozen=True, eq=False)
class TableSurvey:
    """What a table holds.

    Parameters
    ----------
    table : Table
        With the order of its dates.
    columns : Columns
        With the time, and the recordings' names, that were found.
    facts : dict of str to ColumnFacts
        Of the columns that have no role.
    recordings, rows : int
    clocks : list of Clock
        Of the recordings, in the unit of the times; empty without times.
    dates : bool
        Whether the times are dates.
    timeless, timeless_row : int
        Rows without a time, and the first of them in which something else stands.
    told_apart : str
        How recordings were told apart where no column was named for it.
    order_found : str
        How the order of day and month in its dates was found; empty where there are no such dates.
    """

    table: Table
    columns: Columns
    facts: dict[str, ColumnFacts]
    recordings: int
    rows: int
    clocks: list[Clock] = field(default_factory=list)
    dates: bool = False
    timeless: int = 0
    timeless_row: int | None = None
    told_apart: str = ""
    order_found: str = ""


def survey_table(table: Table, columns: Columns, *, dates: str | None = None) -> TableSurvey:
    """Read a table once, and find its time and its recordings where they were not named.

    Parameters
    ----------
    table : Table
    columns : Columns
    dates : {"day-first", "month-first"}, optional
        Order of dates that end with the year, as the user says.

    Raises
    ------
    DataError
        When the table is damaged, is a long one, has no times where they are said to be, or its times go back over
        others.
    ConfigError
        When several columns may be the time.
    """
    time = columns.time or _time_named(table, columns)
    columns = replace(columns, time=time)
    told = order_found = ""
    if time is not None:
        order, order_found = date_order(table, time, dates)
        table = replace(table, dates=order)
        refuse_melted(table, columns)
    if time is not None and not columns.id:
        found = _recordings_by_time(table, columns)
        columns, told = replace(columns, id=found), "times begin anew where they change" if found else ""
    survey = replace(_surveyed(table, columns), told_apart=told, order_found=order_found)
    if time is None and not columns.channels:
        _ask_for_a_time(table, survey.facts.values())
    _refuse_overlaps(table, columns, survey)
    return survey


def _time_named(table: Table, columns: Columns) -> str | None:
    candidates = time_candidates(table.names, {*columns.taken(), *columns.channels})
    if len(candidates) > 1:
        raise ConfigError(
            f"{table.path}: {' and '.join(candidates)} may both be the time; say which with --reader "
            f"time={candidates[0]}"
        )
    if candidates and named_like_time(candidates[0]) is None and not _rises(table, columns, candidates[0]):
        return None
    return candidates[0] if candidates else None


def _rises(table: Table, columns: Columns, name: str) -> bool:
    """Tell whether a column that may be a time goes forward in the first part of the table."""
    part = next(table.parts())
    found = stamps_in_either_order(part, name)
    steps = np.diff(found.values)
    together = np.ones(len(steps), bool)
    for _, begin, _ in runs(part, columns.id):
        together[max(0, begin - 1) : begin] = False
    steps = steps[together & found.known[1:] & found.known[:-1]]
    return bool(found.known.mean() > 0.5 and len(steps) and (steps >= 0).mean() > 0.9)


def _surveyed(table: Table, columns: Columns) -> TableSurvey:
    facts = {name: ColumnFacts(name) for name in table.names if name not in columns.taken()}
    check, clocks = TogetherCheck(table, columns.id), _Clocks(table, columns.time)
    rows = 0
    changes = _Changes((columns.label, columns.group, columns.split))
    for part in table.parts():
        _require_numbers(part, columns.target)
        together = ~changes.of(part)
        for name, begin, end in runs(part, columns.id):
            if check.begins(name):
                together[begin] = False
                clocks.begin(name)
            clocks.rows(part, begin, end)
        for fact in facts.values():
            fact.add(part, together)
        rows += part.rows
    clocks.begin("")
    if columns.time is not None and clocks.timeless == rows:
        raise clocks.none_found()
    return TableSurvey(
        table,
        columns,
        facts,
        len(check.seen),
        rows,
        clocks.found,
        bool(clocks.dates),
        clocks.timeless,
        clocks.timeless_row,
    )


def _require_numbers(part: Part, name: str | None) -> None:
    """Refuse a column of words as target by its first rows; where only some are wrong, their samples fail."""
    if name is None or part.first:
        return
    values, words = part.numbers(name)
    if words.sum() > np.isfinite(values).sum():
        row = int(np.argmax(words))
        place = f"{part.table.path}: row {part.first + row + 1} has {part.cell(name, row)!r}"
        raise DataError(f"{place} in the target's column {name!r}; expected a finite number, or nothing. Correct it.")


class _Changes:
    """Finds the rows at which class, group or split change."""

    def __init__(self, roles: Iterable[str | None]) -> None:
        self.names = [name for name in roles if name is not None]
        self._last: dict[str, str | None] = {}

    def of(self, part: Part) -> NDArray[np.bool_]:
        changed = np.zeros(part.rows, bool)
        for name in self.names:
            cells = part.text(name)
            before = np.concatenate([np.array([self._last.get(name, cells[0])], dtype=object), cells[:-1]])
            changed |= cells != before
            self._last[name] = cells[-1]
        return changed


class _Clocks:
    """Measures the times of one recording after the other."""

    def __init__(self, table: Table, column: str | None) -> None:
        self.table, self.column = table, column
        self.found: list[Clock] = []
        self.dates: bool | None = None
        self.timeless = 0
        self.timeless_row: int | None = None
        self._shown = ""
        self._name = ""
        self._times: list[NDArray[Any]] = []
        self._read: tuple[Any, Any] = (None, None)

    def begin(self, name: str) -> None:
        if self._times:
            self.found.append(clock_of(self._name, np.concatenate(self._times)))
        self._name, self._times = name, []

    def rows(self, part: Part, begin: int, end: int) -> None:
        if self.column is None:
            return
        if self._read[0] is not part:
            self._read = (part, stamps(part, self.column, dates=self.dates))
            self.dates = self._read[1].dates if self._read[1].known.any() else self.dates
            self._shown = self._shown or part.cell(self.column, 0)
        found = self._read[1]
        known = found.known[begin:end]
        row = begin + int(np.argmin(known))
        if self.timeless_row is None and not known.all() and part.columns[self.column][row].as_py():
            self.timeless_row = part.first + row
        self.timeless += int((~known).sum())
        self._times.append(found.values[begin:end][known])

    def none_found(self) -> DataError:
        return DataError(
            f"{self.table.path}: {self._shown!r} in column {self.column!r} is no time; expected numbers, or dates and "
            "times in one column, such as 2024-05-01T12:00:00.25"
        )


def _ask_for_a_time(table: Table, facts: Iterable[ColumnFacts]) -> None:
    ticking = [fact.name for fact in facts if fact.ticks and not fact.counts_rows]
    if ticking and is_number(ticking[0]):
        raise ConfigError(
            f"{table.path}: the first line seems to hold readings, such as {ticking[0]!r}; expected names of columns"
        )
    if ticking:
        raise ConfigError(
            f"{table.path} has no column named like a time, and {ticking[0]!r} rises evenly from reading to reading; "
            f"say that it is the time with --reader time={ticking[0]}, or name the channels with --reader channels=a,b"
        )


def _refuse_overlaps(table: Table, columns: Columns, survey: TableSurvey) -> None:
    over = next((clock for clock in survey.clocks if clock.overlap is not None), None)
    if over is not None and over.overlap is not None:
        listed = ",".join((*columns.id, "another"))
        raise DataError(
            f"{table.path}: the times of recording {over.name!r} begin anew at its row {over.overlap + 1}, over those "
            "above: it is several recordings, or its rows are not in order. Name all columns that tell recordings "
            f"apart, such as --reader id={listed}, or sort the rows by time"
        )


def _recordings_by_time(table: Table, columns: Columns) -> tuple[str, ...]:
    """Find the fewest columns of names that change wherever the times go back; none where they never do.

    Raises
    ------
    DataError
        When readings of several recordings stand mixed.
    """
    rows = _NamedRuns(table, columns)
    for part in table.parts():
        rows.add(part)
    mixed = next((name for name in rows.names if rows.is_mixed(name)), None)
    if mixed is not None:
        raise DataError(
            f"{table.path}: column {mixed!r} changes to and fro from row to row: readings of several recordings stand "
            f"mixed. Sort the rows by it, then by time, and name it with --reader id={mixed}"
        )
    return rows.fewest()


class _NamedRuns:
    """Runs of rows in which all columns of names stay the same, and which of them begin at an earlier time."""

    def __init__(self, table: Table, columns: Columns) -> None:
        first = next(table.parts())
        others = {columns.time, columns.split, columns.label, columns.group, columns.target, *columns.channels}
        rest = [name for name in table.names if name not in others and _is_slow(first, name)]
        ordered = [columns.group, *sorted(rest, key=lambda name: not _holds_words(first, name)), columns.label]
        self.names = [name for name in ordered if name is not None]
        self.time = str(columns.time)
        self.rows = 0
        self.changes = dict.fromkeys(self.names, 0)
        self.runs: list[tuple[tuple[str | None, ...], bool]] = []
        self._last: tuple[Any, tuple[str | None, ...]] | None = None

    def add(self, part: Part) -> None:
        times = stamps(part, self.time).values
        cells = np.stack([part.text(name) for name in self.names], axis=-1) if self.names else np.empty((part.rows, 0))
        before = self._last or (times[0], tuple(cells[0]))
        changed = cells != np.concatenate([np.array([before[1]], dtype=object), cells[:-1]])
        back = np.diff(times, prepend=before[0]) < 0
        for name, count in zip(self.names, changed.sum(axis=0), strict=True):
            self.changes[name] += int(count)
        if not self.rows:
            self.runs.append((tuple(cells[0]), False))
        if len(self.runs) < _MOST_RUNS:
            self.runs += [(tuple(cells[row]), bool(back[row])) for row in np.flatnonzero(changed.any(axis=1) | back)]
        self._last = (times[-1], tuple(cells[-1]))
        self.rows += part.rows

    def is_mixed(self, name: str) -> bool:
        place = self.names.index(name)
        return self.changes[name] > 0.2 * self.rows and len({names[place] for names, _ in self.runs}) < 0.1 * self.rows

    def fewest(self) -> tuple[str, ...]:
        if len(self.runs) >= _MOST_RUNS or not any(back for _, back in self.runs):
            return ()
        places = range(len(self.names))
        sets = (chosen for size in (1, 2, 3) for chosen in combinations(places, size))
        found = next((chosen for chosen in sets if self._tells_apart(chosen)), ())
        return tuple(self.names[place] for place in found)

    def _tells_apart(self, chosen: tuple[int, ...]) -> bool:
        """Whether columns change wherever times go back, and never come back to what they were."""
        seen, last = set(), None
        for names, back in self.runs:
            here = tuple(names[place] for place in chosen)
            if here == last:
                if back:
                    return False
                continue
            if here in seen or None in here:
                return False
            seen.add(here)
            last = here
        return True


def _is_slow(part: Part, name: str) -> bool:
    """Whether a column holds words, or whole numbers that seldom change."""
    if _holds_words(part, name):
        return True
    values, _ = part.numbers(name)
    steps = np.diff(values)
    return bool((values == np.rint(values)).all() and (steps != 0).mean() < 0.05) if len(steps) else False


def _holds_words(part: Part, name: str) -> bool:
    numbers, words = part.numbers(name)
    return bool(words.sum() > np.isfinite(numbers).sum())
