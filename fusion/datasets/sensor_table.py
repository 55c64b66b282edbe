"""Sensor readings in a table - CSV, Parquet or .npz - one reading in a row, cut into windows of one length."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fusion.datasets.base import Sample
from fusion.datasets.cutting import Cut, Window, cut, segments
from fusion.datasets.files import check_test_share, hashed_split
from fusion.datasets.recordings import find_columns, read_recordings
from fusion.errors import ConfigError, DataError, SampleError
from fusion.modalities.sensor import SensorModality

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from fusion.datasets.recordings import Recording

_GAP_INTERVALS = 3.0
_SHORTEST = 1e-9


class SensorTable:
    """A table of readings; each recording in it is a sample, or is cut into windows that are.

    Parameters
    ----------
    source : path
        ``.csv``, ``.parquet`` or ``.npz`` with a column for each channel.
    id, time, label, group, split : str, optional
        Names of the columns that tell recording, time, class, group and split of each reading. Where none is given,
        the column of that very name is taken, if there is one. Without recordings the table is one, named like the
        file; without groups each recording is one.
    channels : sequence of str or str, optional
        Names of the channels' columns, or one text with commas between them; all other columns whose first values
        are mostly numbers when not given.
    window, step : float, optional
        Length of a window and time from one to the next, in seconds, or in readings where neither `time` nor `rate`
        is known. The step is half the window when not given. Without `window` each recording is one sample.
    rate : float, optional
        Readings per second; learned from the first recording's median interval when not given.
    max_gap : float, optional
        A longer pause between readings is a gap, in seconds; three intervals when not given.
    resample : bool
        Interpolate readings that come at irregular times. False makes a window of them a failed sample.
    length : int, optional
        Readings that every window is brought to, over time scaled to [0, 1]; the window's own when not given.
    separator : str
        Between the fields of a CSV file.
    test_share : float
        Where there is no split column: share of the groups that a seeded hash of their names puts into ``test``.
    seed : int
        Of that hash.

    Raises
    ------
    ConfigError
        When an option is out of range.
    DataError
        When the file or a column is missing, or the file is damaged.

    Notes
    -----
    A window never crosses recordings, gaps, or a change of label, group or split, so its label is that of all its
    readings; readings at the end of such a run that fill no window are left out. Times are seconds or ISO 8601 dates;
    readings without a time are left out, the others are sorted by it. IDs are the recording's name and the window's
    start in it, such as ``rec1-000012.50s``, or ``rec1-r000640`` where there is no time.

    A recording's rows must stand together. One recording is in memory at a time, and a part of the file.
    """

    name = "table"
    modality = "sensor"

    def __init__(
        self,
        source: str | Path,
        *,
        id: str | None = None,  # noqa: A002 - the name of what the column tells
        time: str | None = None,
        label: str | None = None,
        group: str | None = None,
        split: str | None = None,
        channels: str | Sequence[str] | None = None,
        window: float | None = None,
        step: float | None = None,
        rate: float | None = None,
        max_gap: float | None = None,
        resample: bool = False,
        length: int | None = None,
        separator: str = ",",
        test_share: float = 0.2,
        seed: int = 42,
    ) -> None:
        roles = {"id": id, "time": time, "label": label, "group": group, "split": split}
        numbers = {"window": window, "step": step, "rate": rate, "max_gap": max_gap, "length": length}
        _check(numbers, resample, separator)
        names = _names(channels)
        self.options = {
            name: value
            for name, value in (
                roles | numbers | {"channels": names, "resample": resample, "separator": separator}
            ).items()
            if value not in (None, [], False)
        } | {"test_share": test_share, "seed": seed}
        """What the reader was opened with, as plain JSON values."""
        self.test_share = check_test_share(test_share)
        self.source, self.separator, self.seed, self.length = Path(source), separator, seed, length
        self.columns = find_columns(self.source, {role: _text(name) for role, name in roles.items()}, names, separator)
        self.rate = rate or self._measured_rate()
        self.max_gap = max_gap or (_GAP_INTERVALS / self.rate if self.rate else math.inf)
        self.cut = None if window is None else self._cut(window, step, resample=resample)

    def default_modality(self) -> SensorModality:
        """Give the windows' length, the channels and the rate."""
        length = self.length or (None if self.cut is None else self.cut.readings)
        rate = None if self.length else self.rate
        return SensorModality(length, self.columns.channels, rate, resample=self.length is not None)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know of how the table was read."""
        if self.columns.split is not None:
            return ()
        share = f"about {100 * self.test_share:.0f} % of the groups"
        return (f"no split column: {share} are for testing, chosen by a hash of their names (seed {self.seed})",)

    def __iter__(self) -> Iterator[Sample]:
        for recording in self._recordings():
            for window in self._windows(recording):
                yield self._sample(recording, window)

    def _recordings(self) -> Iterator[Recording]:
        return read_recordings(self.source, self.columns, self.separator)

    def _measured_rate(self) -> float | None:
        if self.columns.time is None:
            return None
        times = next(self._recordings()).times
        intervals = np.diff(times) if times is not None else np.empty(0)
        intervals = intervals[intervals > 0]
        if not len(intervals):
            return None
        interval = float(np.median(intervals))
        if not _SHORTEST <= interval <= 1 / _SHORTEST:
            raise DataError(f"{self.source}: a reading every {interval:g} s; expected seconds in {self.columns.time!r}")
        # The rate is part of a store's configuration: what rounding adds to times must not make another of it.
        return float(f"{1 / interval:.6g}")

    def _cut(self, window: float, step: float | None, *, resample: bool) -> Cut:
        per_second = self.rate or 1.0
        readings = round(window * per_second)
        stride = round((step or window / 2) * per_second)
        if readings < 2 or stride < 1:
            unit = f"{per_second:g} readings per second" if self.rate else "no time"
            raise ConfigError(
                f"with {unit}, window {window:g} is {readings} readings and step {step or window / 2:g} is {stride}; "
                "expected at least 2 and 1"
            )
        return Cut(readings, stride, self.rate, self.max_gap, resample)

    def _windows(self, recording: Recording) -> Iterator[Window]:
        if not len(recording.values):
            return iter([Window(0, None, SampleError("read", "none of its readings has a time; expected one in each"))])
        if self.cut is None:
            return iter([_whole(recording, self.max_gap)])
        return cut(recording, self.cut)

    def _sample(self, recording: Recording, window: Window) -> Sample:
        label, group, split = recording.facts[window.first] if len(recording.facts) else (None, None, None)
        group = group or recording.name
        return Sample(
            id=recording.name if self.cut is None else f"{recording.name}-{self._start(window)}",
            label=label,
            split=split or hashed_split(group, test_share=self.test_share, seed=self.seed),
            group=group,
            load=partial(_given, window.content),
        )

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


def _whole(recording: Recording, max_gap: float) -> Window:
    runs = list(segments(recording, max_gap))
    if len(runs) > 1:
        found = f"a gap in time, or a change of label, group or split, after {runs[0][1]} of its readings"
        return Window(
            0, None, SampleError("read", f"{found}; expected none, or cut it with the reader's option window")
        )
    try:
        return Window(0, 0.0, recording.readable(0, len(recording.values)))
    except SampleError as error:
        return Window(0, 0.0, error)


def _names(channels: str | Sequence[str] | None) -> list[str]:
    if channels is None:
        return []
    parts = channels.split(",") if isinstance(channels, str) else channels
    return [str(part).strip() for part in parts]


def _text(name: Any) -> str | None:
    return None if name is None else str(name)


def _check(numbers: dict[str, float | None], resample: Any, separator: Any) -> None:
    for name, value in numbers.items():
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < math.inf:
            raise ConfigError(f"{name} is {value!r}; expected a number above 0")
    if not isinstance(resample, bool):
        raise ConfigError(f"resample is {resample!r}; expected true or false")
    if not isinstance(separator, str) or len(separator) != 1:
        raise ConfigError(f"separator is {separator!r}; expected one character")
    if numbers["length"] is not None and not isinstance(numbers["length"], int):
        raise ConfigError(f"length is {numbers['length']!r}; expected a whole number of readings")
    if numbers["step"] is not None and numbers["window"] is None:
        raise ConfigError("a step is given without a window; expected both, or neither")
