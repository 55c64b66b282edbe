from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from fusion.datasets.open import open_dataset
from fusion.datasets.sensor_table import SensorTable
from fusion.errors import ConfigError, DataError, SampleError

COLUMNS = ["id", "time", "ax", "ay"]


def readings(name: str, count: int, *, rate: float = 50.0, seed: int = 0, **facts: str) -> pd.DataFrame:
    values = np.random.default_rng(seed).normal(size=(count, 2))
    columns = {"id": name, "time": 7.5 + np.arange(count) / rate, "ax": values[:, 0], "ay": values[:, 1]}
    return pd.DataFrame(columns | facts)


def written(path: Path, table: pd.DataFrame) -> Path:
    if path.suffix == ".csv":
        table.to_csv(path, index=False)
    elif path.suffix == ".parquet":
        table.to_parquet(path)
    else:
        np.savez(path, **{name: np.array(table[name].tolist()) for name in table})
    return path


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".npz"])
def test_long_recordings_become_overlapping_windows(tmp_path: Path, suffix: str) -> None:
    table = pd.concat([readings("é 1", 200, label="walk"), readings("b", 100, seed=1, label="run")])
    dataset = SensorTable(written(tmp_path / f"t{suffix}", table), window=1.0, step=0.5)
    samples = list(dataset)
    assert [sample.id for sample in samples[:3]] == ["é 1-000000.00s", "é 1-000000.50s", "é 1-000001.00s"]
    assert [sample.group for sample in samples] == ["é 1"] * 7 + ["b"] * 3
    assert {sample.group: sample.label for sample in samples} == {"é 1": "walk", "b": "run"}
    expected = table[["ax", "ay"]].to_numpy(np.float32)
    np.testing.assert_array_equal(samples[1].raw, expected[25:75])
    np.testing.assert_array_equal(samples[7].raw, expected[200:250])
    modality = dataset.default_modality()
    assert (modality.length, modality.channels) == (50, ("ax", "ay"))
    assert modality.rate == 50.0


def test_the_same_windows_have_the_same_ids_when_the_table_grows(tmp_path: Path) -> None:
    short = written(tmp_path / "a.csv", readings("r", 120))
    first = [(sample.id, sample.split) for sample in SensorTable(short, window=1, step=0.3)]
    long = pd.concat([readings("r", 200), readings("s", 90)])
    second = [
        (sample.id, sample.split) for sample in SensorTable(written(tmp_path / "a.csv", long), window=1, step=0.3)
    ]
    assert second[: len(first)] == first
    assert len({sample_id for sample_id, _ in second}) == len(second)


def test_windows_cross_no_gap_and_no_change_of_label(tmp_path: Path) -> None:
    table = readings("r", 200)
    table["label"] = np.where(np.arange(200) < 70, "sit", "stand")
    table.loc[130:, "time"] += 0.5
    samples = list(SensorTable(written(tmp_path / "t.csv", table), window=1.0, step=0.2))
    begins = [round(float(sample.id.split("-")[1].rstrip("s")) * 50) for sample in samples]
    assert begins == [0, 10, 20, 70, 80, *range(155, 155 + 21, 10)]
    assert [sample.label for sample in samples] == ["sit"] * 3 + ["stand"] * 5


def test_without_time_windows_are_counted_in_readings(tmp_path: Path) -> None:
    table = readings("r", 100).drop(columns=["id", "time"])
    samples = list(SensorTable(written(tmp_path / "walk.csv", table), window=40, step=30))
    assert [sample.id for sample in samples] == ["walk-r000000", "walk-r000030", "walk-r000060"]


def test_irregular_readings_are_refused_or_interpolated(tmp_path: Path) -> None:
    time = np.sort(np.random.default_rng(0).uniform(0, 4, 400))
    table = pd.DataFrame({"time": time, "ramp": 3 * time})
    path = written(tmp_path / "t.csv", table)
    refused = list(SensorTable(path, window=1, rate=50, max_gap=1))
    with pytest.raises(SampleError, match=r"readings come every .* s; expected 0.02 s. .*resample=true"):
        _ = refused[0].raw
    given = list(SensorTable(path, window=1, rate=50, max_gap=1, resample=True))
    assert [sample.id for sample in given] == [sample.id for sample in refused]
    start = 0.5
    expected = 3 * (time[0] + start + np.arange(50) / 50)
    np.testing.assert_allclose(given[1].raw[:, 0], expected, rtol=1e-5)


def test_dates_are_times_and_unsorted_rows_are_sorted(tmp_path: Path) -> None:
    table = readings("r", 100)
    table["time"] = pd.Timestamp("2024-05-01T12:00:00Z") + pd.to_timedelta(np.arange(100) * 20, unit="ms")
    path = written(tmp_path / "t.csv", table.sample(frac=1, random_state=0))
    samples = list(SensorTable(path, window=0.5, step=0.5))
    assert [sample.id for sample in samples] == [f"r-00000{start:.2f}s" for start in (0, 0.5, 1, 1.5)]
    np.testing.assert_allclose(samples[1].raw, table[["ax", "ay"]].to_numpy()[25:50], rtol=1e-6)


def test_columns_are_chosen_by_name(tmp_path: Path) -> None:
    table = readings("r", 60).rename(columns={"id": "film", "time": "t"})
    table = table.assign(person=7, part="val", what="1", note="text")
    options: dict[str, Any] = {"id": "film", "time": "t", "group": "person", "split": "part", "label": "what"}
    dataset = SensorTable(written(tmp_path / "t.csv", table), **options, channels="ay, ax", window=0.5)
    sample = next(iter(dataset))
    assert (sample.label, sample.split, sample.group) == ("1", "val", "7")
    assert dataset.columns.channels == ("ay", "ax")
    again = SensorTable(tmp_path / "t.csv", **dataset.options)
    assert list(again) == list(dataset)


def test_whole_groups_go_into_a_split(tmp_path: Path) -> None:
    tables = [readings(f"r{number}", 30, seed=number, group=f"p{number % 40}") for number in range(120)]
    samples = list(SensorTable(written(tmp_path / "t.parquet", pd.concat(tables)), window=0.2))
    splits: dict[str | None, set[str | None]] = {}
    for sample in samples:
        splits.setdefault(sample.group, set()).add(sample.split)
    assert all(len(found) == 1 for found in splits.values())
    assert 3 <= sum(found == {"test"} for found in splits.values()) <= 14


def test_without_a_window_each_recording_is_a_sample(tmp_path: Path) -> None:
    broken = readings("c", 40)
    broken["label"] = ["x"] * 20 + ["y"] * 20
    table = pd.concat([readings("a", 40, label="x"), readings("b", 50, label="y"), broken])
    dataset = SensorTable(written(tmp_path / "t.csv", table), length=16)
    a, b, c = dataset
    assert (a.id, a.label, a.raw.shape) == ("a", "x", (40, 2))
    assert dataset.default_modality().prepare(b.raw).shape == (16, 2)
    with pytest.raises(SampleError, match="change of label, group or split, after 20 of its readings"):
        _ = c.raw


def test_bad_readings_fail_their_windows_only(tmp_path: Path) -> None:
    table = readings("r", 200).astype({"ax": object})
    table.loc[60, "ax"], table.loc[110, "ay"], table.loc[160, "ay"] = "oops", np.nan, np.inf
    dataset = SensorTable(written(tmp_path / "t.csv", table), window=1, step=1)
    modality = dataset.default_modality()
    good, *bad = dataset
    assert modality.prepare(good.raw).shape == (50, 2)
    for sample, reason in zip(
        bad, ["'oops' in column 'ax', row 61", "nan at reading 10", "inf at reading 10"], strict=True
    ):
        with pytest.raises(SampleError, match=reason):
            modality.prepare(sample.raw)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "t.csv is empty; expected a line of names"),
        (b"time,ax\n", "t.csv has no rows"),
        (b"time,ax\n1,2\n2,3,4,5\n", "t.csv cannot be read: "),
        (b"time,name\n1,x\n2,y\n", "has no column of numbers to take as a channel .name: words, such as 'x'."),
        (b"id,ax\na,1\nb,2\na,3\n", "rows of recording 'a' are not together; sort the table by 'id'"),
        (b"time,ax\nsoon,1\nlater,2\n", "'soon' in column 'time' is no time"),
        (b"ax, ax \n1,2\n", "t.csv has more than one column 'ax'"),
        (
            b"time,ax\n0,1\n1e-300,2\n",
            "column 'time' has a time every 1e-300 in recording 't': readings per second are 1e.300 if seconds",
        ),
        (b"\xff\xfe\x00\x01", "t.csv is UTF-16; expected CSV in UTF-8"),
    ],
)
def test_a_table_that_cannot_be_used_says_why(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(DataError, match=message):
        list(SensorTable(tmp_path / "t.csv"))


@pytest.mark.parametrize("suffix", [".parquet", ".npz"])
def test_a_truncated_table_is_named(tmp_path: Path, suffix: str) -> None:
    path = written(tmp_path / f"t{suffix}", readings("r", 500))
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(DataError, match=rf"t\{suffix} cannot be read: .*It is damaged, or is not {suffix}"):
        SensorTable(path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"window": -1}, "window is -1; expected a number above 0"),
        ({"window": "long"}, "window is 'long'"),
        ({"step": 1}, "a step is given without a window"),
        ({"window": 0.02}, "with 50 readings per second .measured on recording 'r'., window 0.02 is 1 readings"),
        ({"resample": "yes"}, "resample is 'yes'; expected true or false"),
        ({"separator": "::"}, "expected one character"),
        ({"length": 1.5}, "expected a whole number of readings"),
    ],
)
def test_options_out_of_range_are_refused(tmp_path: Path, options: dict[str, Any], message: str) -> None:
    path = written(tmp_path / "t.csv", readings("r", 20))
    with pytest.raises(ConfigError, match=message):
        SensorTable(path, **options)
    with pytest.raises(DataError, match="has no column 'subject'; got id, time, ax, ay"):
        SensorTable(path, group="subject")


def test_a_table_is_told_from_its_name(tmp_path: Path) -> None:
    path = written(tmp_path / "t.parquet", readings("r", 100))
    with open_dataset(None, path, modality="sensor", options={"window": 1}) as dataset:
        assert (dataset.name, len(list(dataset))) == ("table", 3)


def test_memory_does_not_grow_with_the_number_of_recordings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fusion.modalities.tables.PART_BYTES", 1 << 16)
    monkeypatch.setattr("fusion.datasets.sensor_table.KEPT_BYTES", 0)
    peaks = []
    for count in (40, 160):
        table = pd.concat([readings(f"r{number}", 500, seed=number) for number in range(count)])
        path = written(tmp_path / f"{count}.csv", table)
        tracemalloc.start()
        assert sum(1 for _ in SensorTable(path, window=1, step=1)) == 10 * count
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    # Names and clocks are kept of each recording, a kilobyte at most; its readings take six.
    assert peaks[1] - peaks[0] < 120 * 1024, peaks


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".npz"])
def test_a_window_s_target_is_the_mean_of_its_readings(tmp_path: Path, suffix: str) -> None:
    table = readings("r", 200, label="walk").assign(pulse=np.arange(200.0))
    if suffix != ".npz":
        table.loc[50:, "pulse"] = np.nan
        table.loc[110, "pulse"] = 7.0
    dataset = SensorTable(
        written(tmp_path / f"t{suffix}", table.sample(frac=1, random_state=0)), window=1, target="pulse"
    )
    samples = list(dataset)
    expected = [24.5, 37.0, None, 7.0, 7.0, None, None] if suffix != ".npz" else [24.5 + 25 * step for step in range(7)]
    assert [sample.target for sample in samples] == expected
    assert {sample.label for sample in samples} == {"walk"}
    assert dataset.columns.channels == ("ax", "ay")
    assert dataset.reading.lines()["target"] == "pulse, of each sample the mean of its readings"
    assert dataset.options["target"] == "pulse"
    assert dataset.reading.reader_options(["ax", "ay", "pulse"])["target"] == "pulse"
    assert "target" not in dataset.reading.reader_options(["ax", "ay"])


def test_without_windows_or_times_there_are_targets_too(tmp_path: Path) -> None:
    table = readings("r", 30).drop(columns="time").assign(pulse=3.5)
    (sample,) = SensorTable(written(tmp_path / "t.csv", table), target="pulse")
    assert sample.target == 3.5


def test_a_column_called_target_is_no_channel_and_says_what_to_do(tmp_path: Path) -> None:
    table = written(tmp_path / "t.csv", readings("r", 100).assign(target=np.random.default_rng(0).normal(size=100)))
    told = SensorTable(table, window=1).left_out["target"]
    assert told == "named like a label; take it with --reader label=target, or a number to predict with target=target"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"target": "pulse"}, r"row 4 has 'fast' in the target's column 'pulse'; expected a finite number, or nothing"),
        ({"target": "weight"}, "has no column 'weight'"),
        ({"target": "ax", "channels": "ax,ay"}, "column 'ax' is asked for as a channel and as something else"),
    ],
)
def test_a_target_that_cannot_be_read_is_refused_at_once(tmp_path: Path, options: dict[str, str], message: str) -> None:
    pulse = ["60", "61", "62", *["fast"] * 97]
    path = written(tmp_path / "t.csv", readings("r", 100).assign(pulse=pulse))
    with pytest.raises((ConfigError, DataError), match=message):
        SensorTable(path, window=1, **options)  # type: ignore[arg-type]


def test_a_reading_whose_target_is_no_number_fails_its_windows_alone(tmp_path: Path) -> None:
    pulse = ["60", "NA", "inf", *["70"] * 97]
    path = written(tmp_path / "t.csv", readings("r", 100).assign(pulse=pulse))
    first, *others = SensorTable(path, window=1, step=1, target="pulse")
    with pytest.raises(SampleError, match=r"'inf' in the target's column 'pulse', row 3; expected a finite number"):
        _ = first.raw
    assert [sample.target for sample in others if len(sample.raw)] == [70.0] * len(others)
    assert others


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".npz"])
def test_a_sample_in_each_row_is_no_table_of_readings(tmp_path: Path, suffix: str) -> None:
    table = pd.concat([readings(name, 1) for name in "abc"]).drop(columns="time")
    dataset = SensorTable(written(tmp_path / f"t{suffix}", table))
    with pytest.raises(
        DataError, match=r"each of its 3 recordings has one reading; .*--modality columns.*--reader id="
    ):
        list(dataset)


def test_a_recording_of_one_reading_among_others_is_a_sample_of_its_own(tmp_path: Path) -> None:
    table = pd.concat([readings("a", 20), readings("b", 1)])
    dataset = SensorTable(written(tmp_path / "t.csv", table), length=20)
    assert [sample.id for sample in dataset] == ["a", "b"]
