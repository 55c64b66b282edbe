"""How the times of one recording go on: their rate, their resolution, and whether they are steady."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

GAP = 3.0
"""Intervals, after which a pause is a gap."""

_FEW = 100
_JITTER = 0.1
_DRIFT = 0.02


@dataclass(frozen=True)
class Clock:
    """How the times of one recording go on, in the unit that they are written in.

    Parameters
    ----------
    name : str
        Of the recording.
    intervals : int
        Between readings that follow one another without a gap.
    rate : float
        Readings per unit; 0 where no two readings have different times.
    span : float
        Time over which the rate was measured.
    resolution : float
        Of the stamps: all are multiples of it; 0 where there is none.
    repeated : int
        Readings that have the time of the one before.
    backward : int
        Readings whose time is before that of the row above.
    size : float
        Of the largest time.
    overlap : tuple of int, or None
        Where the times go back over what was recorded already, and before how many rows; None where they do not.
    """

    name: str
    intervals: int
    rate: float
    span: float
    resolution: float
    repeated: int
    backward: int
    size: float
    overlap: int | None

    @property
    def cut_short(self) -> bool:
        """Whether most readings share their time with others."""
        return self.repeated > 0.5 * (self.intervals + 1)

    def scaled(self, unit: float) -> Clock:
        """Give it in seconds."""
        resolution, span, rate = self.resolution * unit, self.span * unit, self.rate / unit
        return Clock(
            self.name, self.intervals, rate, span, resolution, self.repeated, self.backward, self.size, self.overlap
        )


def clock_of(name: str, times: NDArray[Any]) -> Clock:
    """Measure the times of one recording, in the order of its rows."""
    size = float(np.abs(times).max(initial=0))
    steps = np.diff(times)
    backward = int((steps < 0).sum())
    overlap = _overlap(times, steps) if backward else None
    relative = np.sort(times - times.min()).astype(np.float64) if len(times) else np.empty(0)
    resolution = _resolution(times)
    intervals = np.diff(relative)
    repeated = int((intervals == 0).sum())
    rate, span = _slope(relative, intervals, resolution)
    return Clock(name, len(intervals), rate, span, resolution, repeated, backward, size, overlap)


def _slope(times: NDArray[np.float64], intervals: NDArray[np.float64], resolution: float) -> tuple[float, float]:
    """Measure readings per unit, over what is between the gaps."""
    positive = intervals[intervals > 0]
    if not len(positive):
        return 0.0, 0.0
    if 2 * len(positive) < len(intervals) and len(positive) > 1:
        # Several readings at each time: whole times from the second on, the first one may have begun before.
        first, last = (int(np.flatnonzero(intervals > 0)[place]) + 1 for place in (0, -1))
        return (last - first) / (times[last] - times[first]), float(times[last] - times[first])
    kept = intervals[intervals <= GAP * np.median(positive)]
    span = float(kept.sum())
    period = float(np.median(positive))
    lost = np.rint(kept / period)
    steady = np.abs(kept - lost * period) <= np.maximum(0.1 * period, 1.01 * resolution)
    count = lost.sum() if steady.mean() > 0.95 and period > resolution else len(kept)
    return float(count) / span, span


def _resolution(times: NDArray[Any]) -> float:
    steps = np.unique(np.abs(np.diff(times)))
    steps = steps[steps > 0]
    if not len(steps):
        return 0.0
    if times.dtype.kind in "iu":
        whole = [power for power in range(18) if not (steps % 10**power).any()]
        return float(10 ** whole[-1])
    fine = 4 * np.finfo(np.float64).eps * float(np.abs(times).max())
    for power in range(math.ceil(-math.log10(steps[0]) - 1e-6), 10):
        scaled = times * 10.0**power
        if np.abs(scaled - np.rint(scaled)).max() <= max(1e-6, fine * 10.0**power):
            return 0.0 if fine * 10.0**power > 0.1 else 10.0**-power
    return 0.0


def _overlap(times: NDArray[Any], steps: NDArray[Any]) -> int | None:
    """Give the first row at which times begin anew over those above; None where rows are only out of order."""
    if (steps < 0).mean() >= 0.2:
        return None
    usual = float(np.median(steps[steps > 0])) if (steps > 0).any() else 0.0
    edges = [0, *(np.flatnonzero(steps < -10 * usual) + 1).tolist(), len(times)]
    pieces = sorted((float(times[a:b].min()), float(times[a:b].max()), a) for a, b in pairwise(edges))
    for (_, end, row), (begin, _, after) in pairwise(pieces):
        if begin < end:
            return max(row, after)
    return None


def is_regular(times: NDArray[np.float64], rate: float, resolution: float = 0.0) -> bool:
    """Tell whether readings come at a steady rate, as far as the resolution of their times can say.

    Parameters
    ----------
    times : NDArray, shape=(n,)
        In seconds.
    rate : float
        Readings per second.
    resolution : float
        Seconds. Whole milliseconds write 64 readings per second as intervals of 15 and 16 ms.
    """
    intervals = np.diff(times)
    if not len(intervals):
        return True
    off = np.abs(intervals - 1 / rate).max()
    # As far as the resolution, but not by all of it: where intervals are whole multiples, none may be one more.
    steady = off * rate <= _JITTER or (resolution * rate < 1 and off < resolution * (1 - 1e-3))
    return bool(steady and abs(float(intervals.mean()) * rate - 1) <= _DRIFT + resolution * rate / len(intervals))


def sample_clock(clocks: list[Clock]) -> Clock | None:
    """Choose the recording that the rate is measured on: the first long one, else the longest; None without any."""
    ticking = [clock for clock in clocks if clock.rate > 0]
    return next((clock for clock in ticking if clock.intervals >= _FEW), None) or max(
        ticking, key=lambda clock: clock.intervals, default=None
    )


def plain_rate(clock: Clock) -> float:
    """Give the roundest rate that the resolution of the stamps leaves open.

    The rate is part of a store's configuration: what rounding adds to times must not make another of it.
    """
    tolerance = clock.rate * max(5e-7, clock.resolution / clock.span)
    for decimals in range(-2 - max(0, math.floor(math.log10(clock.rate))), 13):
        rounded = round(clock.rate, decimals)
        if rounded > 0 and abs(rounded - clock.rate) <= tolerance:
            return float(rounded)
    return clock.rate


def spread_evenly(times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Spread readings that have one time evenly over the time until the next.

    Parameters
    ----------
    times : NDArray, shape=(n,)
        In order, cut to whole seconds, say.

    Returns
    -------
    NDArray of float64, shape=(n,)
        The first readings stand at the end of their second, the last at the beginning of theirs, at the pace of those
        between them.
    """
    begins = np.flatnonzero(np.diff(times, prepend=-np.inf) > 0)
    counts = np.diff(begins, append=len(times))
    if len(begins) < 3:
        return times
    lengths = np.diff(times[begins])
    pace = (begins[-1] - begins[1]) / (times[begins[-1]] - times[begins[1]])
    steps = np.append(lengths, 0.0) / counts
    steps[[0, -1]] = 1 / pace
    within = np.arange(len(times)) - np.repeat(begins, counts)
    spread: NDArray[np.float64] = np.repeat(times[begins], counts) + within * np.repeat(steps, counts)
    spread[: counts[0]] += lengths[0] - counts[0] / pace
    return spread
