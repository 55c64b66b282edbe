"""What a column of times says: whether it is named like one, its cells as numbers, and their unit."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from fusion.errors import ConfigError, DataError
from fusion.modalities.column_cells import as_numpy, is_text, numbers, trimmed_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fusion.modalities.clocks import Clock
    from fusion.modalities.tables import Part, Table

SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
"""Units of time."""

LONGER = {"min": 60.0, "h": 3600.0, "d": 86400.0}
"""Units that a name or the user says, and that are never guessed."""

WORDS = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}
SLOWEST, FASTEST = 0.1, 100_000.0
"""Readings per second that are taken without a question."""

_EPOCH = (9e8, 5e9)
_SLOW, _DOUBTFUL, _NEAR = 1e-4, 0.5, 0.1
_ENDLESS = 1e30
_MONTHS = 12
DAY_FIRST, MONTH_FIRST = "day-first", "month-first"
_DAY_AND_MONTH = (
    r"^(?P<a>\d{1,2})[/.-](?P<b>\d{1,2})[/.-](?P<year>\d{4})(?:[ T.]+(?P<hour>\d{1,2})(?P<rest>:[^ ]*?))?"
    r"(?: ?(?P<half>[AaPp])\.?[Mm]\.?)?$"
)
_IN_NAME = re.compile(
    r"(?:^|[\s_.(\[/-])(ns|us|µs|ms|s|sec|secs|seconds|msec|millis|milliseconds|microseconds|nanoseconds"
    r"|min|mins|minutes|h|hr|hrs|hours|d|days)[)\]]?$"
)
_UNIT_OF_WORD = {"µs": "us", "msec": "ms", "millis": "ms", "milliseconds": "ms", "nanoseconds": "ns"}
_UNIT_OF_WORD |= {"microseconds": "us", "mins": "min", "minutes": "min"} | dict.fromkeys(("hr", "hrs", "hours"), "h")
_UNIT_OF_WORD["days"] = "d"
_NAMES = {
    *("time", "timestamp", "timestamps", "datetime", "dateandtime", "utc", "ts", "epoch", "epoc", "unix", "reltime"),
    *(f"{kind}time" for kind in ("arrival", "creation", "event", "sensor", "system", "local", "record", "elapsed")),
    *("timeelapsed", "secondselapsed", "epochtime", "unixtime", "unixtimestamp", "posixtime", "relativetime"),
}
_PERHAPS = {
    *("t", "date", "elapsed", "seconds", "sec", "secs", "ms", "us", "ns", "millis"),
    *("milliseconds", "microseconds", "nanoseconds", "minutes", "hours", "days"),
}


def named_like_time(name: str) -> bool | None:
    """Tell whether a column is named like a time; None where the name may mean something else too."""
    plain = re.sub(r"[^a-z0-9µ]", "", name.lower())
    bare = re.sub(r"[^a-z0-9µ]", "", _IN_NAME.sub("", re.sub(r"[(\[].*?[)\]]", "", name).strip().lower()))
    words = [word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)]
    if plain in _NAMES or bare in _NAMES or "timestamp" in words or words[:1] == ["time"]:
        return True
    return None if plain in _PERHAPS or bare in _PERHAPS or words[-1:] == ["time"] else False


def unit_in_name(name: str) -> str | None:
    """Give the unit that a column's name ends with, such as ``time_ms`` or ``Time (s)``."""
    found = _IN_NAME.search(name.strip().lower())
    if found is None:
        return None
    return _UNIT_OF_WORD.get(found[1], found[1] if found[1] in SECONDS | LONGER else "s")


@dataclass(frozen=True, eq=False)
class Stamps:
    """Cells of a time column as numbers.

    Parameters
    ----------
    values : NDArray of int64 or float64, shape=(rows,)
        Nanoseconds since 1970 where the cells are dates, else the numbers as they stand.
    known : NDArray of bool, shape=(rows,)
        Which cells hold a time at all.
    dates : bool
    """

    values: NDArray[Any]
    known: NDArray[np.bool_]
    dates: bool


def stamps(part: Part, name: str, *, dates: bool | None = None) -> Stamps:
    """Read a column of times: numbers, dates with zones or without (taken as UTC), or timestamps.

    Dates are those of ISO 8601, and day, month and year in the order that the table says.

    Parameters
    ----------
    part : Part
    name : str
    dates : bool, optional
        What the part before it held; told from the cells when not given.
    """
    import pyarrow as pa

    column, order = part.columns[name], part.table.dates
    if pa.types.is_temporal(column.type):
        return _dates(column, order)
    whole = _whole_numbers(column)
    if whole is not None and not dates:
        return Stamps(whole, np.ones(len(whole), bool), dates=False)
    values, _ = numbers(column, part.decimal)
    known = np.abs(values) < _ENDLESS
    if dates or (dates is None and is_text(column) and known.mean() < 0.5):
        return _dates(column, order)
    return Stamps(values, known, dates=False)


def stamps_in_either_order(part: Part, name: str) -> Stamps:
    """Read a column of times by `stamps`, dates in the order in which more of them are dates.

    From one reading to the next both orders tell the same time, but for a night between months.
    """
    read = [stamps(replace(part, table=replace(part.table, dates=order)), name) for order in (DAY_FIRST, MONTH_FIRST)]
    return max(read, key=lambda found: int(found.known.sum()))


def _whole_numbers(column: Any) -> NDArray[np.int64] | None:
    """Give whole numbers exactly: nanoseconds since 1970 have more digits than a float."""
    import pyarrow as pa

    try:
        whole = (trimmed_text(column) if is_text(column) else column).cast(pa.int64())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None
    return None if whole.null_count else as_numpy(whole)


def _dates(column: Any, order: str | None) -> Stamps:
    import pandas as pd

    cells = column.to_pandas() if not is_text(column) else _year_first(trimmed_text(column, ","), order).to_pandas()
    if getattr(cells.dtype, "kind", "") == "m":
        moments: Any = pd.Timestamp(0, tz="UTC") + cells
    else:
        moments = pd.to_datetime(cells, errors="coerce", utc=True, format="ISO8601")
    known = moments.notna().to_numpy()
    whole = moments.dt.as_unit("ns").astype("int64").to_numpy() if known.any() else np.zeros(len(cells), np.int64)
    return Stamps(whole, known, dates=True)


def _year_first(column: Any, order: str | None) -> Any:
    """Write day, month and year as ISO 8601 does, and hours from 0 to 23."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if order is None:
        return column
    column = pc.cast(column, pa.string())
    day, month = "ab" if order == DAY_FIRST else "ba"
    found = pc.extract_regex(column, _DAY_AND_MONTH)
    parts = {name: pc.struct_field(found, name) for name in ("a", "b", "year", "hour", "rest", "half")}
    hour = pc.cast(pc.if_else(pc.equal(parts["hour"], ""), "0", parts["hour"]), pa.int64())
    half = pc.utf8_lower(parts["half"])
    hour = pc.if_else(pc.equal(half, ""), hour, pc.subtract(hour, pc.if_else(pc.equal(hour, 12), 12, 0)))
    hour = pc.if_else(pc.equal(half, "p"), pc.add(hour, 12), hour)
    two = [pc.utf8_lpad(pc.cast(part, pa.string()), 2, "0") for part in (parts[month], parts[day], hour)]
    written = pc.binary_join_element_wise(parts["year"], "-", two[0], "-", two[1], "T", two[2], parts["rest"], "")
    return pc.if_else(pc.is_valid(found), written, column)


def date_order(table: Table, column: str, asked: str | None) -> tuple[str | None, str]:
    """Tell whether the dates of a column begin with the day or the month, and how that was found; None of others.

    Parameters
    ----------
    table : Table
    column : str
    asked : {"day-first", "month-first"}, optional
        As the user says.

    Raises
    ------
    ConfigError
        When both would do.
    DataError
        When the dates are not in the order that was asked for, or in none.
    """
    shown, most = "", (0, 0)
    for part in table.parts():
        found = _day_and_month(part, column)
        if found is None:
            return None, ""
        most = max(most[0], int(found[0].max())), max(most[1], int(found[1].max()))
        shown = shown or part.cell(column, 0)
    fitting = [order for order, place in ((DAY_FIRST, 1), (MONTH_FIRST, 0)) if most[place] <= _MONTHS]
    if not fitting or (asked and asked not in fitting):
        raise DataError(f"{table.path}: dates such as {shown!r} in column {column!r} are not {asked or 'in one order'}")
    if asked or len(fitting) == 1:
        return asked or fitting[0], "as asked" if asked else f"no month is {max(most)}"
    if "." in shown.split()[0]:
        return DAY_FIRST, "as dates with points are written"
    raise ConfigError(
        f"{table.path}: dates such as {shown!r} in column {column!r} may begin with the day or the month; say which "
        f"with --reader dates={DAY_FIRST} or dates={MONTH_FIRST}"
    )


def _day_and_month(part: Part, column: str) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    """Give the first two numbers of dates that end with the year; None where most cells are no such dates."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not is_text(part.columns[column]):
        return None
    found = pc.drop_null(pc.extract_regex(trimmed_text(part.columns[column], ","), _DAY_AND_MONTH))
    if 2 * len(found) < part.rows:
        return None
    first, second = (pc.cast(pc.struct_field(found, name), pa.int64()).to_numpy() for name in "ab")
    return first, second


@dataclass(frozen=True)
class Unit:
    """Of a column of times.

    Parameters
    ----------
    name : {"s", "ms", "us", "ns", "min", "h", "d"}
    found : str
        How it was found.
    """

    name: str
    found: str

    @property
    def seconds(self) -> float:
        """How long one is."""
        return (SECONDS | LONGER)[self.name]


def unit_of(column: str, clock: Clock, asked: str | None, *, dates: bool, rate: float | None = None) -> Unit:
    """Tell the unit of a column of times.

    Parameters
    ----------
    column : str
        Its name.
    clock : Clock
        Of one of its recordings, in the unit that is looked for.
    asked : str or None
        As the user says.
    dates : bool
        Whether its cells are dates, which `Stamps` gives in nanoseconds.
    rate : float, optional
        Readings per second that are known.

    Raises
    ------
    DataError
        When no unit gives a plausible rate, or several do.
    """
    if dates:
        return Unit("ns", "dates")
    if asked is not None:
        return Unit(asked, "as asked")
    rates = {name: clock.rate / seconds for name, seconds in SECONDS.items()}
    plausible = [name for name, rate in rates.items() if SLOWEST <= rate <= FASTEST]
    named = unit_in_name(column)
    since = next((name for name, unit in SECONDS.items() if _EPOCH[0] <= clock.size * unit <= _EPOCH[1]), None)
    if not clock.rate:
        return Unit(
            named or since or "s", "the column's name" if named else "the size of the times" if since else "usual"
        )
    fitting = [name for name in rates if rate and abs(rates[name] / rate - 1) < _NEAR]
    if len(fitting) == 1:
        return Unit(fitting[0], f"{rate:g} readings per second")
    if named in LONGER and SLOWEST <= clock.rate / LONGER[named] <= FASTEST:
        return Unit(named, "the column's name")
    for name, found in ((named, "the column's name"), (since, "the size of the times, since 1970")):
        if name in plausible:
            return Unit(str(name), found)
    # Every second whole number may be a slow clock in seconds, or a fast one in milliseconds.
    if "s" in plausible and (rates["s"] > _DOUBTFUL or clock.resolution < 1):
        return Unit("s", "usual")
    if len(plausible) == 1 and rates["s"] < _SLOW:
        return Unit(plausible[0], "the time from reading to reading")
    raise _question(column, clock, rates, plausible)


def _question(column: str, clock: Clock, rates: dict[str, float], plausible: list[str]) -> DataError:
    shown = ", ".join(f"{rates[name]:.4g} if {WORDS[name]}" for name in ("s", *(n for n in plausible if n != "s")))
    first = plausible[0] if plausible else "ms"
    return DataError(
        f"column {column!r} has a time every {1 / clock.rate:.6g} in recording {clock.name!r}: readings per second are "
        f"{shown}; say which with --reader time_unit={first} (s, ms, us, ns, min, h or d)"
    )


def check_unit(unit: str | None) -> str | None:
    """Return a unit; ConfigError when it is none."""
    if unit is not None and unit not in SECONDS | LONGER:
        raise ConfigError(f"time_unit is {unit!r}; expected s, ms, us, ns, min, h or d")
    return unit
