from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusion.modalities.clocks import clock_of, is_regular, plain_rate, sample_clock, spread_evenly


@given(st.sampled_from([7, 12.5, 25, 30, 33.3, 50, 60, 64, 80, 100, 128, 199.9, 500]), st.integers(100, 2000))
def test_the_rate_is_the_roundest_that_the_stamps_leave_open(rate: float, count: int) -> None:
    times = np.floor(np.arange(count) * 1000 / rate + 1e-6) / 1000
    clock = clock_of("r", times)
    found = plain_rate(clock)
    assert found == pytest.approx(rate, rel=1.001 * clock.resolution / clock.span)
    assert len(f"{found:g}") <= len(f"{rate:g}")
    assert is_regular(times, found, clock.resolution)


def test_the_rate_of_exact_times_is_rounded_in_the_seventh_digit() -> None:
    assert plain_rate(clock_of("r", np.arange(300) / 49.97234567)) == 49.97235


@pytest.mark.parametrize("dtype", [np.int64, np.float64])
def test_the_resolution_is_what_all_stamps_are_multiples_of(dtype: type) -> None:
    assert clock_of("r", np.arange(0, 600, 20, dtype=dtype)).resolution == 10
    assert clock_of("r", np.array([0, 16, 31, 47], dtype=dtype)).resolution == 1


def test_gaps_and_lost_readings_change_no_rate() -> None:
    times = np.delete(np.arange(500) / 50, [7, 8, 100, 333])
    times[200:] += 3
    assert plain_rate(clock_of("r", times)) == 50


def test_jitter_that_is_more_than_the_stamps_tell_is_not_steady() -> None:
    steady = np.arange(100) / 50
    assert is_regular(steady, 50)
    assert not is_regular(steady + 0.004 * (np.arange(100) % 2), 50)
    assert is_regular(steady * 1.01, 50)
    assert not is_regular(steady * 1.05, 50)
    assert is_regular(np.array([0.0]), 50)


def test_times_that_begin_anew_are_told_from_rows_that_are_out_of_order() -> None:
    times = np.arange(100) / 50
    assert clock_of("r", np.concatenate([times, times])).overlap == 100
    assert clock_of("r", np.concatenate([times + 10, times])).overlap is None
    assert clock_of("r", times[np.random.default_rng(0).permutation(100)]).overlap is None
    late = times.copy()
    late[[40, 41]] = late[[41, 40]]
    assert (clock_of("r", late).overlap, clock_of("r", late).backward) == (None, 1)


def test_the_first_long_recording_is_measured() -> None:
    clocks = [
        clock_of(name, np.arange(count) / rate) for name, count, rate in (("a", 1, 1), ("b", 9, 9), ("c", 200, 50))
    ]
    chosen = sample_clock(clocks)
    assert chosen is not None
    assert chosen.name == "c"
    assert sample_clock(clocks[:1]) is None


@given(st.integers(1, 49), st.integers(1, 50), st.integers(1, 9))
def test_cut_seconds_are_spread_to_what_they_were(begin: int, end: int, seconds: int) -> None:
    whole = np.arange(begin, 50 * (seconds + 1) + end) / 50
    np.testing.assert_allclose(spread_evenly(np.floor(whole)), whole, atol=1e-9)
