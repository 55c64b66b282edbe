"""The unit of a table's times and the rate of its readings, and how both were found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fusion.errors import DataError
from fusion.modalities.clocks import Clock, plain_rate, sample_clock
from fusion.modalities.times import FASTEST, SLOWEST, unit_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from fusion.datasets.table_survey import TableSurvey

_WHOLE = {86400.0: "days", 3600.0: "hours", 60.0: "minutes", 1.0: "seconds", 1e-3: "milliseconds", 1e-6: "microseconds"}


@dataclass(frozen=True)
class TableClock:
    """When the readings of a table were taken.

    Parameters
    ----------
    unit : str or None
        Of its times; None without times.
    unit_found : str
    unit_seconds : float
    rate : float or None
        Readings per second.
    rate_found : str
    resolution : float
        Of the times, in seconds.
    remarks : tuple of str
        What else a user should know.
    """

    unit: str | None = None
    unit_found: str = ""
    unit_seconds: float = 1.0
    rate: float | None = None
    rate_found: str = ""
    resolution: float = 0.0
    remarks: tuple[str, ...] = ()


def table_clock(source: Path, survey: TableSurvey, *, unit: str | None, rate: float | None, spread: bool) -> TableClock:
    """Tell unit and rate, asked for or measured.

    Raises
    ------
    DataError
        When the unit cannot be told, times are cut to whole seconds, or no two readings have different times.
    """
    if survey.columns.time is None:
        return TableClock(rate=rate, rate_found="as asked" if rate else "")
    measured = sample_clock(survey.clocks)
    if measured is None and rate is None:
        raise DataError(
            f"{source}: no recording has two readings of different times in column {survey.columns.time!r}; expected "
            "readings one after the other, or their number per second as --reader rate=50"
        )
    found = unit_of(survey.columns.time, measured or survey.clocks[0], unit, dates=survey.dates, rate=rate)
    clocks = [clock.scaled(found.seconds) for clock in survey.clocks]
    if not spread:
        _refuse_cut_times(source, clocks)
    chosen = None if measured is None else measured.scaled(found.seconds)
    told = f"as asked; measured {chosen.rate:.6g}" if rate and chosen else "as asked"
    if not rate and chosen is not None:
        rate, told = plain_rate(chosen), f"measured on recording {chosen.name!r}"
        _question(source, rate, unit or ("dates" if survey.dates else None))
    return TableClock(
        unit=found.name,
        unit_found=found.found,
        unit_seconds=found.seconds,
        rate=rate,
        rate_found=told,
        resolution=0.0 if spread or chosen is None else chosen.resolution,
        remarks=_remarks(clocks, rate or 0.0),
    )


def _question(source: Path, rate: float, sure: str | None) -> None:
    if sure is None and not SLOWEST <= rate <= FASTEST:
        raise DataError(f"{source}: {rate:g} readings per second; say the unit of the times with --reader time_unit=s")


def _refuse_cut_times(source: Path, clocks: Sequence[Clock]) -> None:
    cut = [clock for clock in clocks if clock.cut_short and clock.intervals]
    if 2 * len(cut) <= len(clocks):
        return
    worst = max(cut, key=lambda clock: clock.intervals)
    whole = next((f"whole {word}" for size, word in _WHOLE.items() if abs(worst.resolution / size - 1) < 1e-6), "")
    written = whole or f"steps of {worst.resolution:g} s"
    raise DataError(
        f"{source}: times are cut to {written}: {worst.repeated:,} of {worst.intervals + 1:,} readings of "
        f"recording {worst.name!r} have the time of the one before. Give finer times, or let the readings of one time "
        "be spread evenly until the next with --reader spread=true"
    )


def _remarks(clocks: Sequence[Clock], rate: float) -> tuple[str, ...]:
    said = []
    apart = {
        clock.name: clock.rate
        for clock in clocks
        if clock.rate and abs(clock.rate / rate - 1) > 0.02 + clock.resolution / clock.span
    }
    if apart:
        name, other = next(iter(apart.items()))
        said.append(
            f"{len(apart)} of {len(clocks)} recordings come at another rate, such as {name!r} at {other:.4g} a second: "
            "their windows fail unless --reader resample=true"
        )
    backward = sum(clock.backward for clock in clocks)
    if backward:
        said.append(f"times go back at {backward:,} rows: the readings were put in their order")
    return tuple(said)
