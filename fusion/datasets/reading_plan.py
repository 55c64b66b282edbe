"""How a table of readings becomes windows, as plain values that a store keeps and that everybody can read."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_ROLES = ("time", "label", "group", "split", "target")


@dataclass(frozen=True)
class ReadingPlan:
    """Which column tells what, the unit of time and the rate, the windows, and what was left out and why.

    Parameters
    ----------
    id : tuple of str
        Columns that name the recordings; none where the table is one.
    time, label, group, split : str or None
        Columns; None where there is none.
    target : str or None
        Column of the number to predict, of which a sample has the mean of its readings.
    channels : tuple of str
        In the order of the values.
    left_out : dict of str to str
        Column, and why it is no channel.
    constant : tuple of str
        Channels with one value throughout.
    dates : {"day-first", "month-first"} or None
        Order of dates that end with the year; None of other times.
    time_unit : {"s", "ms", "us", "ns", "min", "h", "d"} or None
        Of the numbers in the time column, or of dates; None without times.
    time_unit_found : str
        How the unit was found.
    rate : float or None
        Readings per second.
    rate_found : str
        How the rate was found.
    window, step : float or None
        In seconds; None without windows, or where there is no rate.
    window_readings, step_readings : int or None
        The same in readings.
    max_gap : float or None
        Seconds.
    resample, spread : bool
    length : int or None
        Readings that every window is brought to.
    separator, decimal : str or None
        Of a text file.
    recordings, rows : int
        In the table.
    dropped : dict of str to int
        What was left out of the readings, and how much of it; empty until the table has been read once.
    remarks : tuple of str
        What else a user should know.
    """

    id: tuple[str, ...] = ()
    time: str | None = None
    label: str | None = None
    group: str | None = None
    split: str | None = None
    target: str | None = None
    channels: tuple[str, ...] = ()
    left_out: dict[str, str] = field(default_factory=dict)
    constant: tuple[str, ...] = ()
    dates: str | None = None
    time_unit: str | None = None
    time_unit_found: str = ""
    rate: float | None = None
    rate_found: str = ""
    window: float | None = None
    step: float | None = None
    window_readings: int | None = None
    step_readings: int | None = None
    max_gap: float | None = None
    resample: bool = False
    spread: bool = False
    length: int | None = None
    separator: str | None = None
    decimal: str | None = None
    recordings: int = 0
    rows: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; `from_dict` reads them back."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ReadingPlan:
        """Read a plan that a store kept; what a later version added is passed over."""
        known = {item.name for item in fields(cls)} & values.keys()
        kept: dict[str, Any] = {name: _untold(values[name]) for name in known}
        return cls(**kept)

    def reader_options(self, there: Collection[str]) -> dict[str, Any]:
        """Give the options of `SensorTable` that read another table as this one was read.

        Parameters
        ----------
        there : collection of str
            Columns of the other table; roles of columns that it lacks are left out, channels never.
        """
        roles = {name: value for name in _ROLES if (value := getattr(self, name)) in there}
        window, step = (self.window, self.step) if self.window else (self.window_readings, self.step_readings)
        options = {
            **roles,
            "id": list(self.id) if self.id and set(self.id) <= set(there) else None,
            "channels": list(self.channels),
            "window": window,
            "step": step,
            # What was told from the training's times is told anew: others may be written in another unit.
            "time_unit": self.time_unit if self.time_unit_found == "as asked" and "time" in roles else None,
            "dates": self.dates,
            "rate": self.rate,
            "max_gap": self.max_gap,
            "resample": self.resample,
            "spread": self.spread,
            "length": self.length,
        }
        return {name: value for name, value in options.items() if value}

    def lines(self) -> dict[str, str]:
        """Tell it to a user, by heading."""
        unit = f"{self.time}, in {self.time_unit} ({self.time_unit_found})" if self.time else "no column: none known"
        told = {
            "recordings": f"{self.recordings:,}, named by {', '.join(self.id) or 'the file'}",
            "time": f"{self.time}, dates" if self.time_unit_found == "dates" else unit,
            **{role: getattr(self, role) or "no column" for role in ("label", "group", "split")},
            "target": "" if self.target is None else f"{self.target}, of each sample the mean of its readings",
            "channels": ", ".join(self.channels),
            "left out": "; ".join(f"{name} ({why})" for name, why in self.left_out.items()),
            "constant": ", ".join(self.constant),
            "rate": "" if self.rate is None else f"{self.rate:g} readings per second ({self.rate_found})",
            "window": _in_both(self.window, self.window_readings),
            "step": _in_both(self.step, self.step_readings),
            "length": "" if self.length is None else f"every window brought to {self.length:,} readings",
            "dropped": "; ".join(f"{count:,} {what}" for what, count in self.dropped.items() if count),
            "text": "" if self.separator is None else f"separator {self.separator!r}, decimal mark {self.decimal!r}",
        }
        return {name: line for name, line in told.items() if line}


def _untold(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _in_both(seconds: float | None, readings: int | None) -> str:
    if readings is None:
        return ""
    return f"{readings:,} readings" if seconds is None else f"{seconds:g} s, {readings:,} readings"
