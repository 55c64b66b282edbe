"""Cut recordings into windows of one length."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from fusion.errors import SampleError
from fusion.modalities.clocks import is_regular

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from fusion.datasets.time_series import TimeSeries

_SPREAD = "Let them be spread evenly until the next time with the reader's option spread=true."


@dataclass(frozen=True)
class Cut:
    """How recordings are cut.

    Parameters
    ----------
    readings : int >= 2
        In a window.
    step : int >= 1
        Readings from the beginning of a window to that of the next.
    rate : float or None
        Readings per second; None where there is no time.
    max_gap : float
        A longer pause between two readings, in seconds, is a gap, which no window spans.
    resample : bool
        Interpolate readings that come at irregular times; False makes such a window unusable.
    resolution : float
        Of the times, in seconds: a steady clock may be written off by as much.
    """

    readings: int
    step: int
    rate: float | None
    max_gap: float
    resample: bool
    resolution: float = 0.0


@dataclass(frozen=True, eq=False)
class Window:
    """One window: where it begins, and its readings or the reason why it has none.

    Parameters
    ----------
    first : int
        Position of its first reading in the recording.
    start : float or None
        Seconds from the recording's first reading; None where there is no time.
    content : NDArray, shape=(readings, channels), or SampleError
    end : int
        Position after the last reading that it is made of.
    """

    first: int
    start: float | None
    content: NDArray[np.float32] | SampleError
    end: int


def segments(recording: TimeSeries, max_gap: float) -> Iterator[tuple[int, int]]:
    """Give begin and end of the longest runs without a gap in time or a change of key."""
    breaks = np.diff(recording.keys) != 0
    if recording.times is not None:
        breaks |= np.diff(recording.times) > max_gap
    edges = [0, *(np.flatnonzero(breaks) + 1).tolist(), len(recording.keys)]
    yield from pairwise(edges)


def cut(recording: TimeSeries, how: Cut) -> Iterator[Window]:
    """Cut a recording; what is left at the end of a run, shorter than a window, is left out."""
    for begin, end in segments(recording, how.max_gap):
        times = None if recording.times is None else recording.times[begin:end]
        if times is None or how.rate is None or is_regular(times, how.rate, how.resolution):
            yield from _by_position(recording, begin, end, how)
        else:
            yield from _by_time(recording, times, begin, how, how.rate)


def _by_position(recording: TimeSeries, begin: int, end: int, how: Cut) -> Iterator[Window]:
    for first in range(begin, end - how.readings + 1, how.step):
        start = None if recording.times is None else float(recording.times[first])
        end = first + how.readings
        yield Window(first, start, _content(recording, first, end), end)


def _by_time(recording: TimeSeries, times: NDArray[np.float64], begin: int, how: Cut, rate: float) -> Iterator[Window]:
    span = (how.readings - 1) / rate
    count = math.floor((times[-1] - times[0] - span) * rate / how.step + 1e-6) + 1
    for number in range(max(0, count)):
        start = float(times[0] + number * how.step / rate)
        first = int(np.searchsorted(times, start, side="right")) - 1
        last = min(len(times), int(np.searchsorted(times, start + span)) + 1)
        content = _content(recording, begin + first, begin + last)
        if not isinstance(content, SampleError):
            at = start + np.arange(how.readings) / rate
            twice = recording.twice(begin, begin + len(times))
            content = _interpolated(content, times[first:last], at) if how.resample else _irregular(times, rate, twice)
        yield Window(begin + first, start, content, begin + last)


def _interpolated(
    content: NDArray[np.float32], times: NDArray[np.float64], at: NDArray[np.float64]
) -> NDArray[np.float32]:
    return np.stack([np.interp(at, times, channel) for channel in content.T], axis=-1).astype(np.float32)


def _irregular(times: NDArray[np.float64], rate: float, twice: int) -> SampleError:
    intervals = np.diff(times)
    repeated = int((intervals == 0).sum())
    if twice and twice == repeated:
        return SampleError(
            "read",
            f"{twice} of {len(times)} readings stand twice, with the same time and values. Delete the second ones.",
        )
    if repeated:
        return SampleError("read", f"{repeated} of {len(times)} readings have the time of the one before. {_SPREAD}")
    return SampleError(
        "read",
        f"readings come every {intervals.min():.4g} to {intervals.max():.4g} s; expected {1 / rate:.4g} s. "
        "Let them be interpolated with the reader's option resample=true.",
    )


def _content(recording: TimeSeries, begin: int, end: int) -> NDArray[np.float32] | SampleError:
    try:
        return recording.readable(begin, end)
    except SampleError as error:
        return error
