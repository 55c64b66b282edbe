"""Sensor windows in files of their own, one for each trial: in a list, in class folders, as arrays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from helpers.made_walks import CHANNELS, EPOCH, walks, written

from fusion.datasets.file_table import FileTable
from fusion.datasets.open import open_dataset
from fusion.encoders.remarks import remarks_on
from fusion.errors import ConfigError, SampleError
from fusion.modalities import SensorModality


def trials(folder: Path, suffix: str = ".csv", *, arrays: bool = False) -> Path:
    """Write a list of trials, each seven readings longer than the one before."""
    rows = []
    for place, (key, part) in enumerate(walks("abcde").groupby("id")):
        table = part.iloc[: 150 + 7 * place][["time", *CHANNELS]]
        path = folder / "trials" / str(part.label.iloc[0]) / f"{key}{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        if arrays:
            np.save(path, table[list(CHANNELS)].to_numpy())
        else:
            written(path, table)
        facts = {"label": part.label.iloc[0], "group": part.group.iloc[0]}
        rows.append({"id": key, "path": path.relative_to(folder).as_posix()} | facts)
    pd.DataFrame(rows).to_csv(folder / "trials.csv", index=False)
    return folder / "trials.csv"


def prepared(source: Path, **options: Any) -> tuple[SensorModality, list[np.ndarray]]:
    """Prepare every sample with the sizes of the first."""
    with open_dataset(None, source, modality="sensor", options=options) as dataset:
        modality: Any = dataset.default_modality()  # type: ignore[attr-defined]
        raws = [sample.raw for sample in dataset]
        modality = modality.resolved(raws[0])
        return modality, [modality.prepare(raw) for raw in raws]


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet", ".npy"])
@pytest.mark.parametrize("folder", [False, True])
def test_trials_of_unequal_length_are_brought_to_one(tmp_path: Path, suffix: str, folder: bool) -> None:
    path = trials(tmp_path, suffix, arrays=suffix == ".npy")
    source = path.with_suffix("") if folder else path
    modality, windows = prepared(source, length="128")
    assert [window.shape for window in windows] == [(128, 3)] * 10
    assert modality.channels == (("channel_0", "channel_1", "channel_2") if suffix == ".npy" else CHANNELS)
    first = walks("abcde").groupby("id").get_group("a-sit").iloc[:150]
    even = np.linspace(0, 149, 128)
    np.testing.assert_allclose(windows[0][:, 0], np.interp(even, np.arange(150), first.ax), rtol=1e-4, atol=1e-6)
    with pytest.raises(SampleError, match=r"window of shape \(1.., 3\); expected \(150, 3\).*--reader length=128"):
        prepared(source)
    assert {window.shape for window in prepared(source, resample="true")[1]} == {(150, 3)}


def test_columns_are_taken_by_name_in_whatever_order_they_stand(tmp_path: Path) -> None:
    modality, windows = prepared(trials(tmp_path), length=100, columns="az, ax")
    assert modality.channels == ("az", "ax")
    path = next((tmp_path / "trials").rglob("a-sit.csv"))
    pd.read_csv(path)[["ay", "ax", "time", "az"]].to_csv(path, index=False)
    np.testing.assert_array_equal(prepared(tmp_path / "trials.csv", length=100, columns="az,ax")[1][0], windows[0])


def test_a_file_with_other_names_is_refused_with_both_lists(tmp_path: Path) -> None:
    path = written(tmp_path / "w.csv", walks("a", ("x",))[["time", "ay", "ax", "az"]].rename(columns={"ax": "gx"}))
    modality = SensorModality(length=300, channels=CHANNELS)
    with pytest.raises(SampleError, match="no column 'ax'; got ay, gx, az; expected ax, ay, az"):
        modality.prepare(modality.read(path))


def test_what_is_no_channel_is_left_out_and_named(tmp_path: Path) -> None:
    path = trials(tmp_path)
    for file in (tmp_path / "trials").rglob("*.csv"):
        pd.read_csv(file).assign(frame=range(len(pd.read_csv(file))), note="x", label=1).to_csv(file)
    with open_dataset(None, path, modality="sensor") as dataset:
        assert dataset.left_out == {  # type: ignore[attr-defined]
            "Unnamed: 0": "it has no name, as a running number of rows",
            "frame": "it counts rows",
            "note": "words, such as 'x'",
            "label": "named like a label; take it with --reader label=label",
            "time": "the time",
        }
    assert prepared(path, length=100)[0].channels == CHANNELS


def test_a_word_among_numbers_fails_its_window_alone(tmp_path: Path) -> None:
    path = trials(tmp_path)
    file = next((tmp_path / "trials").rglob("b-sit.csv"))
    table = pd.read_csv(file).astype({"ay": object})
    table.loc[3, "ay"] = "oops"
    table.to_csv(file, index=False)
    with open_dataset(None, path, modality="sensor") as dataset:
        failed = [sample for sample in dataset if sample.id == "b-sit"]
    with pytest.raises(SampleError, match="'oops' in column 'ay'; expected a number"):
        SensorModality(channels=CHANNELS).resolved(failed[0].raw)


def test_irregular_times_in_a_window_are_interpolated_or_refused(tmp_path: Path) -> None:
    times = np.sort(np.random.default_rng(0).uniform(0, 4, 200))
    path = written(tmp_path / "w.csv", pd.DataFrame({"t": 0, "time": times, "ramp": 3 * times}))
    with pytest.raises(SampleError, match=r"times in column 'time' are .* apart; expected even steps. .*resample=true"):
        SensorModality().resolved(SensorModality().read(path))
    modality = SensorModality(length=50, channels=("ramp",), resample=True)
    ramp = modality.prepare(modality.read(path))[:, 0]
    np.testing.assert_allclose(ramp, np.linspace(3 * times[0], 3 * times[-1], 50), rtol=1e-5)
    repeated = written(tmp_path / "r.csv", pd.DataFrame({"time": np.repeat([0, 1], 5), "x": np.arange(10) ** 2.5}))
    with pytest.raises(SampleError, match="8 of 10 readings have the time of the one before in column 'time'"):
        modality.prepare(modality.read(repeated))


def test_a_decimal_comma_is_told_from_a_window_too(tmp_path: Path) -> None:
    table = walks("a", ("x",))[["time", *CHANNELS]]
    plain = SensorModality().read(written(tmp_path / "w.csv", table))
    table.to_csv(tmp_path / "w.csv", index=False, sep=";", decimal=",")
    np.testing.assert_array_equal(SensorModality().read(tmp_path / "w.csv"), plain)


def test_options_of_windows_are_refused_for_other_files(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("path\na.png\n")
    with (
        pytest.raises(ConfigError, match="length, columns and resample are options of sensor windows, not of image fi"),
        open_dataset(None, tmp_path / "list.csv", modality="image", options={"length": 3}),
    ):
        pass


def listed(folder: Path, tables: list[pd.DataFrame], **how: object) -> FileTable:
    for number, table in enumerate(tables):
        table.to_csv(folder / f"{number}.csv", index=False)
    (folder / "list.csv").write_text("path,split\n" + "".join(f"{n}.csv,train\n" for n in range(len(tables))))
    return FileTable(folder / "list.csv", modality="sensor", **how)  # type: ignore[arg-type]


def remarks(dataset: FileTable) -> tuple[str, ...]:
    return remarks_on(dataset.default_modality().resolved(next(iter(dataset)).raw), dataset)


def test_columns_of_some_files_and_constant_ones_are_told(tmp_path: Path) -> None:
    window = walks("a", labels=("walk",), seconds=1)[["time", "ax", "ay"]]
    dataset = listed(tmp_path, [window.assign(code=n, **({"temp": window.ax} if n % 2 else {})) for n in range(4)])
    assert remarks(dataset) == (
        "columns that are not in every file are not taken: of 4 looked at temp in 2",
        "constant in every file looked at: code; leave such out with --reader columns=",
    )
    assert remarks(listed(tmp_path, [window] * 3)) == ()


def test_names_that_count_from_0_are_no_reading(tmp_path: Path) -> None:
    window = walks("a", labels=("walk",), seconds=1)[list(CHANNELS)].set_axis(["0", "1", "2"], axis=1)
    raw = next(iter(listed(tmp_path, [window]))).raw
    assert (raw.names, raw.values.shape) == (("0", "1", "2"), (50, 3))


def test_a_line_of_units_in_a_window_is_named(tmp_path: Path) -> None:
    dataset = listed(tmp_path, [walks("a", labels=("walk",), seconds=1)[["time", *CHANNELS]]])
    text = (tmp_path / "0.csv").read_text()
    (tmp_path / "0.csv").write_text(text.replace("\n", "\ns,g,g,g\n", 1))
    with pytest.raises(SampleError, match="row 1 holds words in all columns: a line of units or names"):
        _ = next(iter(dataset)).raw


@pytest.mark.parametrize("how", ["%d/%m/%Y %H:%M:%S.%f", "%m/%d/%Y %H:%M:%S.%f"])
def test_windows_with_dates_are_put_in_their_order(tmp_path: Path, how: str) -> None:
    window = walks("a", labels=("walk",), seconds=1)[["time", *CHANNELS]]
    moments = pd.to_datetime((EPOCH + 24 * 86400) * 1000 + (1000 * window.time).round().astype("int64"), unit="ms")
    shuffled = window.assign(time=moments.dt.strftime(how)).sample(frac=1, random_state=0)
    raw = next(iter(listed(tmp_path, [shuffled]))).raw
    np.testing.assert_array_equal(np.asarray(raw), window[list(CHANNELS)].to_numpy(np.float32))
