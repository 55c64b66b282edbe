"""How a table of readings is to be read: what the user asked for, and what follows from a look at the table."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from fusion.datasets.columns import Columns, choose_channels, find_roles
from fusion.datasets.cutting import Cut
from fusion.datasets.reading_plan import ReadingPlan
from fusion.datasets.table_clock import TableClock, table_clock
from fusion.datasets.table_survey import TableSurvey, survey_table
from fusion.datasets.targets import COMMAS_TOLD, numbers_with_commas
from fusion.datasets.time_series import TimeReading
from fusion.errors import ConfigError, DataError
from fusion.modalities.clocks import GAP
from fusion.modalities.column_facts import names_row
from fusion.modalities.tables import open_table
from fusion.modalities.times import DAY_FIRST, MONTH_FIRST, check_unit

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from fusion.modalities.tables import Table


@dataclass(frozen=True)
class TableOptions:
    """What the user asked for; see `fusion.datasets.SensorTable`.

    Raises
    ------
    ConfigError
        When one is out of range.
    """

    id: tuple[str, ...] = ()
    time: str | None = None
    label: str | None = None
    group: str | None = None
    split: str | None = None
    target: str | None = None
    channels: tuple[str, ...] = ()
    window: float | None = None
    step: float | None = None
    rate: float | None = None
    time_unit: str | None = None
    dates: str | None = None
    max_gap: float | None = None
    resample: bool = False
    spread: bool = False
    length: int | None = None
    separator: str | None = None
    decimal: str | None = None

    def __post_init__(self) -> None:
        for name in ("window", "step", "rate", "max_gap", "length"):
            _check_number(name, getattr(self, name))
        for name in ("resample", "spread"):
            if not isinstance(getattr(self, name), bool):
                raise ConfigError(f"{name} is {getattr(self, name)!r}; expected true or false")
        if self.length is not None and not isinstance(self.length, int):
            raise ConfigError(f"length is {self.length!r}; expected a whole number of readings")
        if self.step is not None and self.window is None:
            raise ConfigError("a step is given without a window; expected both, or neither")
        if self.separator is not None and len(str(self.mark)) != 1:
            raise ConfigError(f"separator is {self.separator!r}; expected one character, or tab")
        if self.decimal not in (None, ".", ","):
            raise ConfigError(f"decimal is {self.decimal!r}; expected . or ,")
        check_unit(self.time_unit)
        if self.dates not in (None, DAY_FIRST, MONTH_FIRST):
            raise ConfigError(f"dates is {self.dates!r}; expected {DAY_FIRST} or {MONTH_FIRST}")

    @property
    def mark(self) -> str | None:
        """The separator as it stands in the file."""
        return "\t" if self.separator in ("tab", "\\t") else self.separator

    @property
    def roles(self) -> dict[str, Any]:
        """Columns that were asked for, by what they tell."""
        return {"id": self.id} | {role: getattr(self, role) for role in ("time", "label", "group", "split", "target")}

    def to_dict(self) -> dict[str, Any]:
        """Give the options that differ from their defaults, as plain JSON values."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in values.items()
            if value not in (None, (), False)
        }


@dataclass(frozen=True, eq=False)
class TableLayout:
    """A table, and how it becomes samples.

    Parameters
    ----------
    table : Table
    columns : Columns
    time : TimeReading
    rate : float or None
        Readings per second.
    max_gap : float
        Seconds.
    cut : Cut or None
        None where each recording is a sample.
    plan : ReadingPlan
        All of it, to be told.
    comma_labels : bool
        Whether labels are numbers with decimal commas.
    """

    table: Table
    columns: Columns
    time: TimeReading
    rate: float | None
    max_gap: float
    cut: Cut | None
    plan: ReadingPlan
    comma_labels: bool = False


def lay_out(source: Path, options: TableOptions) -> TableLayout:
    """Look at a table, and settle all that was not asked for.

    Raises
    ------
    ConfigError
        When an option does not fit the table, or it must be asked which column or unit is meant.
    DataError
        When the file or a column is missing, or the file is damaged.
    """
    table = open_table(source, separator=options.mark, decimal=options.decimal)
    columns = find_roles(source, table.names, options.roles, options.channels)
    survey = survey_table(table, columns, dates=options.dates)
    channels, left_out = choose_channels(source, survey.columns, survey.facts)
    _refuse_names_among_rows(source, survey, channels)
    clock = table_clock(source, survey, unit=options.time_unit, rate=options.rate, spread=options.spread)
    max_gap = options.max_gap or (GAP / clock.rate if clock.rate else math.inf)
    if clock.rate and max_gap * clock.rate < 1:
        raise ConfigError(f"max_gap is {max_gap:g} s; expected more than {1 / clock.rate:g} s, from reading to reading")
    cut = None if options.window is None else _cut(source, options, options.window, clock, max_gap)
    columns = replace(survey.columns, channels=channels)
    plan = _plan(options, survey, clock, columns, left_out)
    plan = replace(plan, **_windows(options, clock.rate, cut), max_gap=None if math.isinf(max_gap) else max_gap)
    time = TimeReading(clock.unit_seconds, survey.dates, options.spread)
    commas = _has_comma_labels(table, columns.label)
    plan = replace(plan, remarks=(*plan.remarks, COMMAS_TOLD)) if commas else plan
    return TableLayout(survey.table, columns, time, clock.rate, max_gap, cut, plan, commas)


def _has_comma_labels(table: Table, name: str | None) -> bool:
    if name is None or table.dialect is None:
        return False
    return numbers_with_commas((part.text(name) for part in table.parts()), table.dialect.decimal)


def _refuse_names_among_rows(source: Path, survey: TableSurvey, channels: Sequence[str]) -> None:
    """Refuse a line of units or of names among the readings: words in all channels, and no time."""
    row = names_row([survey.facts[name] for name in channels])
    timed = survey.columns.time is not None
    if row is None or (timed and survey.timeless_row != row) or (not timed and len(channels) == 1):
        return
    word = survey.facts[channels[0]].word
    raise DataError(
        f"{source}: row {row + 1} holds words where the others hold numbers, such as {word!r} "
        f"in column {channels[0]!r}: a line of units or names; delete it"
    )


def _plan(
    options: TableOptions,
    survey: TableSurvey,
    clock: TableClock,
    columns: Columns,
    left_out: dict[str, str],
) -> ReadingPlan:
    apart = (f"recordings told apart by {survey.told_apart}",) if survey.told_apart else ()
    table = survey.table
    order = f"dates in column {columns.time!r} are read {table.dates} ({survey.order_found})"
    ordered = (order,) if survey.order_found else ()
    above = () if table.dialect is None else table.dialect.notes
    return ReadingPlan(
        id=columns.id,
        time=columns.time,
        label=columns.label,
        group=columns.group,
        split=columns.split,
        target=columns.target,
        channels=columns.channels,
        left_out=left_out,
        constant=tuple(name for name in columns.channels if survey.facts[name].is_constant),
        dates=table.dates,
        time_unit=clock.unit,
        time_unit_found=clock.unit_found,
        rate=clock.rate,
        rate_found=clock.rate_found,
        resample=options.resample,
        spread=options.spread,
        length=options.length,
        separator=None if table.dialect is None else table.dialect.separator,
        decimal=None if table.dialect is None else table.dialect.decimal,
        recordings=survey.recordings,
        rows=survey.rows,
        remarks=above + clock.remarks + apart + ordered,
    )


def _windows(options: TableOptions, rate: float | None, cut: Cut | None) -> dict[str, Any]:
    if cut is None or options.window is None:
        return {}
    in_readings = {"window_readings": cut.readings, "step_readings": cut.step}
    if rate is None:
        return in_readings
    step = options.window / 2 if options.step is None else options.step
    return in_readings | {"window": float(options.window), "step": float(step)}


def _cut(source: Path, options: TableOptions, window: float, clock: TableClock, max_gap: float) -> Cut:
    step = options.step or window / 2
    if clock.rate is None:
        return _cut_in_readings(source, window, step, max_gap)
    readings, stride = round(window * clock.rate), round(step * clock.rate)
    if readings < 2 or stride < 1:
        raise ConfigError(
            f"with {clock.rate:g} readings per second ({clock.rate_found}), window {window:g} is {readings} readings "
            f"and step {step:g} is {stride}; expected at least 2 and 1. If times are not in {clock.unit}, say so with "
            "--reader time_unit=ms"
        )
    return Cut(readings, stride, clock.rate, max_gap, options.resample, clock.resolution)


def _cut_in_readings(source: Path, window: float, step: float, max_gap: float) -> Cut:
    if window != int(window) or int(window) < 2 or int(step) < 1:
        raise ConfigError(
            f"{source} has no time, so windows are counted in readings: window is {window:g} and step {step:g}; "
            "expected whole numbers, 2 and 1 or more, the column of times as --reader time=NAME, or the rate as "
            "--reader rate=50"
        )
    return Cut(int(window), round(step), None, max_gap, resample=False)


def listed(names: str | Sequence[str] | None) -> tuple[str, ...]:
    """Give names that were written as one text with commas between them, or as they are."""
    if names is None:
        return ()
    parts = names.split(",") if isinstance(names, str) else names
    return tuple(str(part).strip() for part in parts)


def _check_number(name: str, value: Any) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < math.inf:
        raise ConfigError(f"{name} is {value!r}; expected a number above 0")
