"""Sensor readings in a table - CSV, Parquet or .npz - one reading in a row, cut into windows of one length."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fusion.datasets.base import Sample
from fusion.datasets.cutting import Window, cut, segments
from fusion.datasets.files import SplitCount, check_test_share
from fusion.datasets.look_alikes import LookAlikes
from fusion.datasets.table_layout import TableOptions, lay_out, listed
from fusion.datasets.targets import with_point
from fusion.datasets.time_series import read_series
from fusion.errors import DataError, SampleError
from fusion.modalities.sensor import SensorModality

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from fusion.datasets.reading_plan import ReadingPlan
    from fusion.datasets.time_series import TimeSeries

KEPT_BYTES = 1 << 28
"""Readings of a table that are kept in memory once they are read; a larger table is read anew each time."""


class SensorTable:
    """A table of readings; each recording in it is a sample, or is cut into windows that are.

    Parameters
    ----------
    source : path
        ``.csv``, ``.tsv``, ``.txt``, ``.parquet`` or ``.npz`` with a column for each channel.
    id : str or sequence of str, optional
        Column that names the recording of each reading, or several with commas between them.
    time, label, group, split : str, optional
        Columns that tell time, class, group and split of each reading. Where none is given, the column of that very
        name is taken, if there is one; for the time also one named timestamp, datetime and the like.
    target : str, optional
        Column of a number to predict. A sample has the mean of its readings' numbers; readings without one are passed
        over, and a sample of none has no target.
    channels : sequence of str or str, optional
        Names of the channels' columns, or one text with commas between them; when not given all other columns of
        numbers but those that have no name, count rows, are another time or are named like a label, group, recording
        or split.
    window, step : float, optional
        Length of a window and time from one to the next, in seconds, or in readings where neither `time` nor `rate`
        is known. The step is half the window when not given. Without `window` each recording is one sample.
    rate : float, optional
        Readings per second; measured on the first recording of a hundred readings or more when not given.
    time_unit : {"s", "ms", "us", "ns", "min", "h", "d"}, optional
        Of times that are numbers; told from their name and size when not given.
    dates : {"day-first", "month-first"}, optional
        How dates that end with the year, such as 01/05/2024 12:00, begin; told from the table where only one will do.
    max_gap : float, optional
        A longer pause between readings is a gap, in seconds; three intervals when not given.
    resample : bool
        Interpolate readings that come at irregular times. False makes a window of them a failed sample.
    spread : bool
        Spread readings that have one time, cut to whole seconds say, evenly over the time until the next.
    length : int, optional
        Readings that every window is brought to, over time scaled to [0, 1]; the window's own when not given.
    separator, decimal : str, optional
        Between the fields of a text file, and in its numbers; told from the file when not given.
    test_share : float
        Where there is no split column: share of the groups that a seeded hash of their names puts into ``test``.
    seed : int
        Of that hash.

    Raises
    ------
    ConfigError
        When an option is out of range, or it must be asked which column or unit is meant.
    DataError
        When the file or a column is missing, the file is damaged, no recording is as long as a window, or each is of
        one reading.

    Notes
    -----
    A window never crosses recordings, gaps, or a change of label, group or split, so its label is that of all its
    readings; readings at the end of such a run that fill no window are left out, and counted in `reading`. Times are
    numbers or ISO 8601 dates; readings without a time are left out and counted, the others are sorted by it. IDs are
    the recording's name and the window's start in it, such as ``rec1-000012.50s``, or ``rec1-r000640`` where there is
    no time.

    A recording's rows must stand together. The table is read once when it is opened; its readings are kept in memory
    up to `KEPT_BYTES`, else one recording is in memory at a time, and a part of the file.
    """

    name = "table"
    modality = "sensor"

    def __init__(
        self,
        source: str | Path,
        *,
        id: str | Sequence[str] | None = None,  # noqa: A002 - the name of what the column tells
        time: str | None = None,
        label: str | None = None,
        group: str | None = None,
        split: str | None = None,
        target: str | None = None,
        channels: str | Sequence[str] | None = None,
        window: float | None = None,
        step: float | None = None,
        rate: float | None = None,
        time_unit: str | None = None,
        dates: str | None = None,
        max_gap: float | None = None,
        resample: bool = False,
        spread: bool = False,
        length: int | None = None,
        separator: str | None = None,
        decimal: str | None = None,
        test_share: float = 0.2,
        seed: int = 42,
    ) -> None:
        names = {"time": time, "label": label, "group": group, "split": split, "target": target}
        asked = TableOptions(
            id=listed(id),
            channels=listed(channels),
            **{role: None if name is None else str(name) for role, name in names.items()},
            window=window,
            step=step,
            rate=rate,
            time_unit=time_unit,
            dates=dates,
            max_gap=max_gap,
            resample=resample,
            spread=spread,
            length=length,
            separator=separator,
            decimal=decimal,
        )
        self.options = asked.to_dict() | {"test_share": check_test_share(test_share), "seed": seed}
        """What the reader was opened with, as plain JSON values."""
        self.source, self.length = Path(source), length
        layout = lay_out(self.source, asked)
        self.columns, self.rate, self.max_gap, self.cut = layout.columns, layout.rate, layout.max_gap, layout.cut
        self._layout, self._plan = layout, layout.plan
        self._split = SplitCount("groups", float(test_share), seed)
        self._names = LookAlikes()
        self._kept: list[TimeSeries] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_kept": None}  # whoever reads elsewhere reads the file

    @property
    def reading(self) -> ReadingPlan:
        """How the table becomes windows; what is dropped is known once the samples have been iterated."""
        return self._plan

    @property
    def left_out(self) -> dict[str, str]:
        """Columns that are no channels and have no other role, and why."""
        return self._plan.left_out

    def default_modality(self) -> SensorModality:
        """Give the windows' length, the channels and the rate."""
        length = self.length or (None if self.cut is None else self.cut.readings)
        rate = None if self.length else self.rate
        return SensorModality(length, self.columns.channels, rate, resample=self.length is not None)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know of how the table was read."""
        told = () if self.columns.split is not None else (self._split.note("split column"),)
        return (*self._plan.remarks, *self._names.notes(), *self._split.notes, *told)

    def __iter__(self) -> Iterator[Sample]:
        dropped: Counter[str] = Counter()
        counted, recordings, cut, longest = self._split.afresh(), 0, 0, 0
        for series in self._series():
            windows = list(self._windows(series))
            recordings, cut, longest = recordings + 1, cut + len(windows), max(longest, len(series.values))
            dropped.update(_dropped(series, windows))
            for window in windows:
                sample = self._sample(series, window, counted)
                self._names.add(sample.label, sample.group)
                yield sample
        self._plan, self._split = replace(self._plan, dropped=dict(dropped)), counted
        if longest == 1:
            raise DataError(
                f"{self.source}: each of its {recordings:,} recordings has one reading; expected readings over time. "
                "If a row is a sample of its own, take --modality columns; else name the column of the recordings with "
                "--reader id=NAME"
            )
        if not cut and self.cut is not None:
            raise DataError(
                f"{self.source}: no recording fills a window of {self.cut.readings:,} readings; the longest has "
                f"{longest:,}. Take a shorter one, such as --reader window={self._shorter(longest):g}"
            )

    def _series(self) -> Iterator[TimeSeries]:
        if self._kept is not None:
            yield from self._kept
            return
        kept: list[TimeSeries] | None = []
        size = 0
        for series in read_series(self._layout.table, self.columns, self._layout.time):
            size += series.nbytes
            kept = None if kept is None or size > KEPT_BYTES else [*kept, series]
            yield series
        self._kept = kept

    def _windows(self, series: TimeSeries) -> Iterator[Window]:
        if not len(series.values):
            reason = SampleError("read", "none of its readings has a time; expected one in each")
            return iter([Window(0, None, reason, 0)])
        if self.cut is None:
            return iter([_whole(series, self.max_gap)])
        return cut(series, self.cut)

    def _sample(self, series: TimeSeries, window: Window, counted: SplitCount) -> Sample:
        label, group, split = series.facts[window.first] if len(series.facts) else (None, None, None)
        label = with_point(label) if self._layout.comma_labels else label
        if self.columns.group is not None:
            counted.grouped(group)
        group = group or series.name
        return Sample(
            id=series.name if self.cut is None else f"{series.name}-{self._start(window)}",
            label=label,
            split=counted.split(group) if self.columns.split is None else counted.named(split),
            group=group,
            load=partial(_given, window.content),
            target=series.target(window.first, window.end),
        )

    def _shorter(self, readings: int) -> float:
        rate = 1.0 if self.cut is None or self.cut.rate is None else self.cut.rate
        return max(2, readings // 2) / rate

    def _start(self, window: Window) -> str:
        if window.start is None or self.cut is None or self.cut.rate is None:
            return f"r{window.first:06d}"
        shortest = min(self.cut.step, self.cut.readings) / self.cut.rate
        decimals = max(2, 1 + math.ceil(-math.log10(shortest)))
        return f"{window.start:0{7 + decimals}.{decimals}f}s"


def _given(content: NDArray[np.float32] | SampleError) -> NDArray[np.float32]:
    if isinstance(content, SampleError):
        raise content
    return content


def _whole(series: TimeSeries, max_gap: float) -> Window:
    runs, every = list(segments(series, max_gap)), len(series.values)
    if len(runs) > 1:
        found = f"a gap in time, or a change of label, group or split, after {runs[0][1]} of its readings"
        reason = f"{found}; expected none, or cut it with the reader's option window"
        return Window(0, None, SampleError("read", reason), every)
    try:
        return Window(0, 0.0, series.readable(0, every), every)
    except SampleError as error:
        return Window(0, 0.0, error, every)


def _dropped(series: TimeSeries, windows: Sequence[Window]) -> dict[str, int]:
    covered = np.zeros(len(series.values), bool)
    for window in windows:
        covered[window.first : window.end] = True
    return {
        "readings without a time": series.timeless,
        "readings that fill no window": int((~covered).sum()),
        "recordings too short for a window": int(not windows),
    }
