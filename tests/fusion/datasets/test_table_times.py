"""Times in tables: names, units, rates and what is refused, so that seconds are seconds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from helpers.made_walks import EPOCH, require_same, samples, told, walks, written

from fusion.datasets.sensor_table import SensorTable
from fusion.errors import ConfigError, DataError, SampleError

PER_SECOND = {"s": 1, "ms": 1e3, "us": 1e6, "ns": 1e9}


def whole(times: pd.Series, unit: str, since: float) -> pd.Series:
    return ((since + times) * int(PER_SECOND["ms"])).round().astype("int64") * int(PER_SECOND[unit] // 1000)


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".npz"])
@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_the_unit_of_times_since_1970_is_told_from_their_size(tmp_path: Path, unit: str, suffix: str) -> None:
    table = walks("ab")
    plain = samples(written(tmp_path / "t.csv", table))
    path = written(tmp_path / f"t{suffix}", table.assign(time=whole(table.time, unit, EPOCH)))
    require_same(samples(path), [*plain])
    plan = SensorTable(path).reading
    assert (plan.rate, plan.time_unit, plan.time_unit_found) == (50.0, unit, "the size of the times, since 1970")


def test_seconds_since_1970_and_nanoseconds_since_the_start_are_told(tmp_path: Path) -> None:
    table = walks("ab")
    plain = samples(written(tmp_path / "t.csv", table))
    assert told(samples(written(tmp_path / "t.csv", table.assign(time=(EPOCH + table.time).round(3))))) == told(plain)
    path = written(tmp_path / "t.csv", table.assign(time=whole(table.time, "ns", 35_000)))
    require_same(samples(path), plain)
    assert SensorTable(path).reading.time_unit == "ns"


@pytest.mark.parametrize("name", ["time_ms", "Time (ms)", "timestamp [ms]", "t_ms"])
def test_a_unit_in_the_name_is_taken(tmp_path: Path, name: str) -> None:
    table = walks("ab")
    plain = samples(written(tmp_path / "t.csv", table))
    milli = table.assign(time=whole(table.time, "ms", 0)).rename(columns={"time": name})
    require_same(samples(written(tmp_path / "t.csv", milli)), plain)


def test_an_implausible_rate_is_questioned_and_answered_by_an_option(tmp_path: Path) -> None:
    table = walks("ab")
    plain = samples(written(tmp_path / "t.csv", table))
    path = written(tmp_path / "t.csv", table.assign(time=whole(table.time, "ms", 0)))
    message = r"'time' has a time every 20 in recording 'a-walk': .* 0.05 if seconds, 50 if milliseconds.*time_unit=ms"
    with pytest.raises(DataError, match=message):
        samples(path)
    require_same(samples(path, time_unit="ms"), plain)
    assert SensorTable(path, time_unit="s", window=100).rate == 0.05
    with pytest.raises(ConfigError, match="time_unit is 'w'; expected s, ms, us, ns, min, h or d"):
        samples(path, time_unit="w")
    with pytest.raises(DataError, match="say which with --reader time_unit="):
        samples(written(tmp_path / "t.csv", table.assign(time=table.time / 1e6)))


@pytest.mark.parametrize(
    "name",
    [
        "timestamp",
        "Timestamp",
        "datetime",
        "t",
        "Time",
        "Arrival_Time",
        "epoch",
        "seconds_elapsed",
        "date",
        "sensorTimestamp",
        "time since start",
    ],
)
def test_names_that_people_give_a_time_are_known(tmp_path: Path, name: str) -> None:
    table = walks("ab")
    plain = samples(written(tmp_path / "t.csv", table))
    require_same(samples(written(tmp_path / "t.csv", table.rename(columns={"time": name}))), plain)


def test_one_of_several_times_must_be_named(tmp_path: Path) -> None:
    table = walks("ab")
    plain = samples(written(tmp_path / "t.csv", table))
    two = table.assign(Creation_Time=whole(table.time, "ns", EPOCH)).rename(columns={"time": "Arrival_Time"})
    path = written(tmp_path / "t.csv", two)
    with pytest.raises(ConfigError, match="Arrival_Time and Creation_Time may both be the time; say which with --read"):
        samples(path)
    for name in ("Arrival_Time", "Creation_Time"):
        require_same(samples(path, time=name), plain)
    require_same(samples(written(tmp_path / "t.csv", table.assign(timestamp=table.time))), plain)


def test_a_column_that_rises_evenly_is_asked_for(tmp_path: Path) -> None:
    path = written(tmp_path / "t.csv", walks("ab").rename(columns={"time": "zeit"}))
    with pytest.raises(ConfigError, match=r"'zeit' rises evenly from reading to reading; say .*--reader time=zeit"):
        samples(path)
    assert len(samples(path, time="zeit")) == 12


def test_a_letter_that_is_no_time_is_a_channel(tmp_path: Path) -> None:
    table = walks("ab", seconds=3).drop(columns="time").rename(columns={"az": "t"})
    assert SensorTable(written(tmp_path / "t.csv", table)).reading.channels == ("ax", "ay", "t")


@pytest.mark.parametrize("window", [2.56, 1, 40.5])
def test_without_a_time_seconds_never_turn_into_readings(tmp_path: Path, window: float) -> None:
    path = written(tmp_path / "t.csv", walks("ab").drop(columns="time"))
    with pytest.raises(ConfigError, match=r"t.csv has no time, so windows are counted in readings: .*--reader rate=50"):
        samples(path, window=window)
    assert len(samples(path, window=128, step=64)) == 12
    assert len(samples(path, window=2.56, rate=50)) == 12


def test_times_cut_to_whole_seconds_are_an_error_of_their_own(tmp_path: Path) -> None:
    table = walks("abc")
    plain = samples(written(tmp_path / "t.csv", table))
    moments = pd.to_datetime(EPOCH + np.floor(table.time), unit="s")
    for cut in (moments.dt.strftime("%Y-%m-%d %H:%M:%S"), np.floor(table.time).astype(int), moments):
        path = written(tmp_path / "t.parquet", table.assign(time=cut))
        for more in ({}, {"resample": True}):
            with pytest.raises(DataError, match=r"times are cut to whole seconds: 294 of 300 readings.*spread=true"):
                samples(path, **more)
        require_same(samples(path, spread=True), plain)
    begun = table[table.time >= 0.4].assign(time=lambda part: np.floor(part.time))
    found = samples(written(tmp_path / "t.csv", begun), spread=True)
    np.testing.assert_array_equal(found[0].raw, begun[["ax", "ay", "az"]].to_numpy(np.float32)[:128])


def test_the_rate_is_measured_where_there_are_intervals(tmp_path: Path) -> None:
    table = walks("abc")
    plain = samples(written(tmp_path / "t.csv", table))
    one = table.iloc[[0]].assign(id="0-test")
    dataset = SensorTable(written(tmp_path / "t.csv", pd.concat([one, table])), window=2.56)
    require_same(list(dataset), plain)
    assert dataset.reading.dropped["recordings too short for a window"] == 1
    with pytest.raises(DataError, match="no recording has two readings of different times in column 'time'"):
        samples(written(tmp_path / "t.csv", table.groupby("id").head(1)))


@pytest.mark.parametrize("cut", [np.round, np.floor])
@pytest.mark.parametrize("rate", [25, 30, 32, 33.3, 50, 52, 60, 64, 75, 80, 100, 104, 120, 128, 148, 200, 208, 400])
def test_a_steady_clock_in_whole_milliseconds_is_steady(tmp_path: Path, rate: float, cut: Any) -> None:
    table = walks("ab", rate=rate)
    table["time"] = cut(table.groupby("id").cumcount() / rate * 1000 + 1e-7) / 1000
    dataset = SensorTable(written(tmp_path / "t.csv", table), window=2.56, step=1.28)
    assert dataset.rate == pytest.approx(rate, rel=2e-4)
    assert [sample.raw.shape[0] for sample in dataset] == [round(2.56 * rate)] * len(list(dataset))
    assert len(list(dataset)) >= 8


def test_lost_readings_do_not_change_the_rate(tmp_path: Path) -> None:
    table = walks("ab", seconds=20)
    kept = table[np.random.default_rng(0).random(len(table)) > 0.04]
    assert SensorTable(written(tmp_path / "t.csv", kept)).rate == 50.0


def test_recordings_at_another_rate_are_named(tmp_path: Path) -> None:
    table = pd.concat([walks("a"), walks("b", rate=64)])
    dataset = SensorTable(written(tmp_path / "t.csv", table), window=2.56)
    assert "2 of 4 recordings come at another rate, such as 'b-walk' at 64 a second" in dataset.notes[0]
    refused = [sample for sample in dataset if sample.group == "b"]
    with pytest.raises(SampleError, match=r"readings come every 0.015 to 0.016 s; expected 0.02 s"):
        _ = refused[0].raw


def test_zones_are_told_apart_and_text_with_a_comma_is_a_time(tmp_path: Path) -> None:
    table = walks("ab")
    plain = samples(written(tmp_path / "t.csv", table))
    moments = pd.to_datetime(EPOCH + table.time, unit="s", utc=True).dt.round("ms")
    east = moments.dt.tz_convert("+02:00").astype(str)
    mixed = moments.astype(str).where(table.index % 2 == 0, east)
    require_same(samples(written(tmp_path / "t.csv", table.assign(time=mixed))), plain)
    require_same(samples(written(tmp_path / "t.parquet", table.assign(time=moments))), plain)
    require_same(samples(written(tmp_path / "t.csv", table.assign(time=mixed.str.replace(".", ",")))), plain)


def test_readings_that_are_left_out_are_counted(tmp_path: Path) -> None:
    table = walks("ab").astype({"time": object})
    table.loc[[5, 700], "time"] = ["", "n/a"]
    dataset = SensorTable(written(tmp_path / "t.csv", table), window=2.56)
    list(dataset)
    assert dataset.reading.dropped["readings without a time"] == 2
    assert dataset.reading.dropped["readings that fill no window"] == 4 * 44


def test_a_second_clock_is_no_channel(tmp_path: Path) -> None:
    table = walks("ab")
    two = table.assign(elapsed=table.time + 3).rename(columns={"time": "timestamp", "elapsed": "elapsed (s)"})
    dataset = SensorTable(written(tmp_path / "t.csv", two), window=2.56)
    assert (dataset.reading.time, dataset.reading.left_out) == ("timestamp", {"elapsed (s)": "another time"})
    noise = two.assign(**{"elapsed (s)": np.random.default_rng(0).normal(size=len(two))})
    assert "elapsed (s)" in SensorTable(written(tmp_path / "t.csv", noise)).reading.channels


def test_rows_from_the_newest_to_the_oldest_are_put_in_order(tmp_path: Path) -> None:
    table = walks("ab")
    plain = samples(written(tmp_path / "t.csv", table))
    dataset = SensorTable(written(tmp_path / "t.csv", table.iloc[::-1]), window=2.56)
    found = {sample.id: sample for sample in dataset}
    require_same([found[sample.id] for sample in plain], plain)
    assert "times go back at 1,196 rows: the readings were put in their order" in dataset.notes


@pytest.mark.parametrize("rate", [100, 200, 500])
def test_whole_numbers_that_are_seconds_or_milliseconds_are_questioned(tmp_path: Path, rate: int) -> None:
    table = walks("ab", rate=rate)
    plain = samples(written(tmp_path / "t.csv", table))
    path = written(tmp_path / "t.csv", table.assign(time=whole(table.time, "ms", 0)))
    with pytest.raises(DataError, match=rf"{rate / 1000:g} if seconds, {rate} if milli"):
        samples(path, window=60)
    require_same(samples(path, time_unit="ms"), plain)


def test_a_repeated_row_changes_no_rate_and_fails_its_windows_alone(tmp_path: Path) -> None:
    table = walks("ab")
    dataset = SensorTable(written(tmp_path / "t.csv", pd.concat([table[:100], table[99:]])), window=2.56)
    assert dataset.rate == 50.0
    failed = []
    for sample in dataset:
        try:
            _ = sample.raw
        except SampleError as error:
            failed.append((sample.group, error.reason.partition(".")[0]))
    assert set(failed) == {("a", "1 of 301 readings stand twice, with the same time and values")}


def test_bursts_with_one_time_are_named_with_their_step(tmp_path: Path) -> None:
    table = walks("ab")
    plain = samples(written(tmp_path / "t.csv", table))
    path = written(tmp_path / "t.csv", table.assign(time=(table.groupby("id").cumcount() // 5) / 10))
    with pytest.raises(DataError, match=r"times are cut to steps of 0.1 s: 240 of 300 readings"):
        samples(path)
    require_same(samples(path, spread=True), plain)


def dated(table: pd.DataFrame, how: str, since: float) -> pd.DataFrame:
    moments = pd.to_datetime(((since + table.time) * 1000).round().astype("int64"), unit="ms")
    return table.assign(time=moments.dt.strftime(how))


@pytest.mark.parametrize(
    ("how", "days", "order"),
    [
        ("%Y/%m/%d %H:%M:%S.%f", 0, None),
        ("%d/%m/%Y %H:%M:%S.%f", 24, "day-first"),
        ("%m/%d/%Y %H:%M:%S.%f", 24, "month-first"),
        ("%m/%d/%Y %I:%M:%S.%f %p", 24, "month-first"),
        ("%d.%m.%Y %H:%M:%S.%f", 0, "day-first"),
        ("%d-%m-%Y, %H:%M:%S.%f", 24, "day-first"),
    ],
)
@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_dates_of_one_order_are_read_and_told(
    tmp_path: Path, how: str, days: int, order: str | None, suffix: str
) -> None:
    table = walks("ab")
    plain = samples(written(tmp_path / "t.csv", table))
    path = written(tmp_path / f"t{suffix}", dated(table, how, EPOCH + 86400 * days))
    require_same(samples(path), plain)
    plan = SensorTable(path).reading
    assert (plan.rate, plan.dates) == (50.0, order)
    assert any(f"are read {order}" in remark for remark in plan.remarks) == (order is not None)


@pytest.mark.parametrize("how", ["%d/%m/%Y %H:%M:%S.%f", "%m/%d/%Y %I:%M:%S.%f %p"])
def test_dates_in_a_column_that_may_be_a_time_are_found(tmp_path: Path, how: str) -> None:
    table = dated(walks("ab"), how, EPOCH + 24 * 86400).rename(columns={"time": "t"})
    assert SensorTable(written(tmp_path / "t.csv", table)).columns.time == "t"


def test_ambiguous_dates_are_asked_for_and_the_answer_is_kept(tmp_path: Path) -> None:
    table = walks("ab")
    plain = samples(written(tmp_path / "t.csv", table))
    path = written(tmp_path / "t.csv", dated(table, "%d/%m/%Y %H:%M:%S.%f", EPOCH))
    with pytest.raises(ConfigError, match=r"'01/05/2024 12:00:00.0*' .* --reader dates=day-first or dates=month-first"):
        samples(path)
    require_same(samples(path, dates="day-first"), plain)
    plan = SensorTable(path, dates="day-first").reading
    assert plan.reader_options(["time"])["dates"] == "day-first"
    late = written(tmp_path / "t.csv", dated(table, "%d/%m/%Y %H:%M:%S.%f", EPOCH + 24 * 86400))
    with pytest.raises(DataError, match="are not month-first"):
        samples(late, dates="month-first")
    with pytest.raises(ConfigError, match="dates is 'dmy'; expected day-first or month-first"):
        samples(late, dates="dmy")


@pytest.mark.parametrize(("name", "seconds"), [("time (min)", 60), ("elapsed_hours", 3600)])
def test_minutes_and_hours_in_a_name_are_taken(tmp_path: Path, name: str, seconds: float) -> None:
    table = walks("ab")
    plain = samples(written(tmp_path / "t.csv", table))
    path = written(
        tmp_path / "t.csv", table.assign(time=(table.time / seconds).round(9)).rename(columns={"time": name})
    )
    require_same(samples(path), plain)


def test_a_rate_that_is_known_tells_the_unit(tmp_path: Path) -> None:
    table = walks("ab")
    plain = SensorTable(written(tmp_path / "t.csv", table), window=2.56)
    expected = list(plain)
    path = written(tmp_path / "t.csv", table.assign(time=whole(table.time, "ms", 0)))
    require_same(samples(path, rate=50), expected)
    # As a model reads what it predicts: the unit is told anew from each table.
    options = plain.reading.reader_options(list(table))
    require_same(list(SensorTable(path, **options)), expected)
    assert SensorTable(path, **options).reading.time_unit == "ms"


def test_a_gap_shorter_than_an_interval_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"max_gap is 0.001 s; expected more than 0.02 s"):
        samples(written(tmp_path / "t.csv", walks("ab")), max_gap=0.001)


def test_a_window_that_no_recording_fills_says_how_long_they_are(tmp_path: Path) -> None:
    message = r"no recording fills a window of 500 readings; the longest has 300\. .*--reader window=3$"
    with pytest.raises(DataError, match=message):
        samples(written(tmp_path / "t.csv", walks("ab")), window=10)


def test_readings_that_stand_twice_are_named(tmp_path: Path) -> None:
    table = walks("ab")
    path = written(tmp_path / "t.csv", pd.concat([table.iloc[:5], table.iloc[4:]]))
    with pytest.raises(SampleError, match="1 of 301 readings stand twice, with the same time and values"):
        _ = samples(path)[0].raw


def test_a_table_without_names_says_so(tmp_path: Path) -> None:
    walks("ab").to_csv(tmp_path / "t.csv", index=False, header=False)
    with pytest.raises(ConfigError, match=r"the first line seems to hold readings, such as '0.0'; expected names"):
        samples(tmp_path / "t.csv")
