"""What a column of times says: whether it is named like one, its cells as numbers, and their unit."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fusion.errors import ConfigError, DataError
from fusion.modalities.tables import as_numpy, is_text, numbers, trimmed_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fusion.modalities.clocks import Clock

SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
"""Units of time."""

WORDS = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}
SLOWEST, FASTEST = 0.1, 100_000.0
"""Readings per second that are taken without a question."""

_EPOCH = (9e8, 5e9)
_SLOW, _DOUBTFUL = 1e-4, 0.5
_ENDLESS = 1e30
_IN_NAME = re.compile(r"(?:^|[\s_.(\[/-])(ns|us|µs|ms|s|sec|secs|seconds|msec|millis|milliseconds|nanoseconds)[)\]]?$")
_UNIT_OF_WORD = {"µs": "us", "msec": "ms", "millis": "ms", "milliseconds": "ms", "nanoseconds": "ns"}
_NAMES = {
    *("time", "timestamp", "timestamps", "datetime", "dateandtime", "utc", "ts", "epoch", "epoc", "unix", "reltime"),
    *(f"{kind}time" for kind in ("arrival", "creation", "event", "sensor", "system", "local", "record", "elapsed")),
    *("timeelapsed", "secondselapsed", "epochtime", "unixtime", "unixtimestamp", "posixtime", "relativetime"),
}
_PERHAPS = {
    *("t", "date", "elapsed", "seconds", "sec", "secs", "ms", "us", "ns", "millis"),
    *("milliseconds", "microseconds", "nanoseconds"),
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
    return _UNIT_OF_WORD.get(found[1], found[1] if found[1] in SECONDS else "s")


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


def stamps(column: Any, decimal: str, *, dates: bool | None = None) -> Stamps:
    """Read an Arrow array of times: numbers, dates of ISO 8601 with zones or without (taken as UTC), or timestamps.

    Parameters
    ----------
    column : pyarrow.Array
    decimal : str
        Of numbers in text.
    dates : bool, optional
        What the part before it held; told from the cells when not given.
    """
    import pyarrow as pa

    if pa.types.is_temporal(column.type):
        return _dates(column)
    whole = _whole_numbers(column)
    if whole is not None and not dates:
        return Stamps(whole, np.ones(len(whole), bool), dates=False)
    values, _ = numbers(column, decimal)
    known = np.abs(values) < _ENDLESS
    if dates or (dates is None and is_text(column) and known.mean() < 0.5):
        return _dates(column)
    return Stamps(values, known, dates=False)


def _whole_numbers(column: Any) -> NDArray[np.int64] | None:
    """Give whole numbers exactly: nanoseconds since 1970 have more digits than a float."""
    import pyarrow as pa

    try:
        whole = (trimmed_text(column) if is_text(column) else column).cast(pa.int64())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None
    return None if whole.null_count else as_numpy(whole)


def _dates(column: Any) -> Stamps:
    import pandas as pd

    cells = column.to_pandas() if not is_text(column) else trimmed_text(column, ",").to_pandas()
    if getattr(cells.dtype, "kind", "") == "m":
        moments: Any = pd.Timestamp(0, tz="UTC") + cells
    else:
        moments = pd.to_datetime(cells, errors="coerce", utc=True, format="ISO8601")
    known = moments.notna().to_numpy()
    whole = moments.dt.as_unit("ns").astype("int64").to_numpy() if known.any() else np.zeros(len(cells), np.int64)
    return Stamps(whole, known, dates=True)


@dataclass(frozen=True)
class Unit:
    """Of a column of times.

    Parameters
    ----------
    name : {"s", "ms", "us", "ns"}
    found : str
        How it was found.
    """

    name: str
    found: str

    @property
    def seconds(self) -> float:
        """How long one is."""
        return SECONDS[self.name]


def unit_of(column: str, clock: Clock, asked: str | None, *, dates: bool) -> Unit:
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
        f"{shown}; say which with --reader time_unit={first} (s, ms, us or ns)"
    )


def check_unit(unit: str | None) -> str | None:
    """Return a unit; ConfigError when it is none."""
    if unit is not None and unit not in SECONDS:
        raise ConfigError(f"time_unit is {unit!r}; expected s, ms, us or ns")
    return unit
