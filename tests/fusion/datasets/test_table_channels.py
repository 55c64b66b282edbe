"""Which columns of a table are channels, and that the reason of every other one is told."""

from __future__ import annotations

import json
import warnings
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from helpers.made_walks import CHANNELS, require_same, samples, walks, written

from fusion.datasets import ReadingPlan, SensorTable
from fusion.errors import ConfigError, DataError


def test_a_running_number_without_a_name_is_no_channel(tmp_path: Path) -> None:
    table = walks("ab").sort_values("label", kind="stable").reset_index(drop=True)
    plain = samples(written(tmp_path / "t.csv", table))
    table.to_csv(tmp_path / "t.csv")
    require_same(samples(tmp_path / "t.csv"), plain)
    plan = SensorTable(tmp_path / "t.csv").reading
    assert plan.channels == CHANNELS
    assert plan.left_out == {"Unnamed: 0": "it has no name, as a running number of rows"}
    pd.read_csv(tmp_path / "t.csv").to_csv(tmp_path / "again.csv")
    require_same(samples(tmp_path / "again.csv"), plain)
    table.iloc[::-1].iloc[::-1].rename_axis(None).to_parquet(tmp_path / "t.parquet", index=True)
    require_same(samples(tmp_path / "t.parquet"), plain)


@pytest.mark.parametrize(
    "count",
    [
        lambda table: np.arange(len(table)),
        lambda table: np.arange(len(table)) + 1.0,
        lambda table: table.groupby("id").cumcount(),
        lambda table: np.random.default_rng(0).permutation(len(table)),
    ],
)
@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".npz"])
def test_a_column_that_counts_rows_is_no_channel(tmp_path: Path, count: object, suffix: str) -> None:
    table = walks("ab")
    plain = samples(written(tmp_path / f"t{suffix}", table))
    numbered = table.assign(frame=count(table))  # type: ignore[operator]
    dataset = SensorTable(written(tmp_path / f"t{suffix}", numbered), window=2.56)
    require_same(list(dataset), plain)
    assert dataset.reading.left_out == {"frame": "it counts rows"}


def test_every_column_is_a_channel_or_left_out_with_a_reason(tmp_path: Path) -> None:
    table = walks("ab").assign(subject=1, activity=2, Timestamp=5.0, note="x", nothing=None, trial_number=0, still=0.5)
    table["trial_number"] = table.groupby("id").ngroup()
    plan = SensorTable(written(tmp_path / "t.csv", table), window=2.56).reading
    assert plan.channels == (*CHANNELS, "still")
    assert plan.constant == ("still",)
    assert plan.left_out == {
        "subject": "named like a group; take it with --reader group=subject",
        "activity": "named like a label; take it with --reader label=activity",
        "Timestamp": "another time",
        "note": "words, such as 'x'",
        "nothing": "empty",
        "trial_number": "one number all through each recording and class",
    }


def test_channels_that_are_asked_for_are_taken_whatever_they_look_like(tmp_path: Path) -> None:
    table = walks("ab", seconds=3).assign(counter=range(600))
    dataset = SensorTable(written(tmp_path / "t.csv", table), channels="counter, ax", window=1)
    assert dataset.reading.channels == ("counter", "ax")
    assert dataset.reading.left_out["ay"] == "not asked for"
    np.testing.assert_array_equal(next(iter(dataset)).raw[:, 0], np.arange(50))
    with pytest.raises(ConfigError, match="column 'ax' is asked for as a channel and as something else"):
        SensorTable(tmp_path / "t.csv", channels="ax", label="ax")


def test_a_separator_and_a_decimal_comma_are_told_from_the_file(tmp_path: Path) -> None:
    table = walks("ab")
    plain = samples(written(tmp_path / "t.csv", table))
    for separator in (";", "\t", "|"):
        table.to_csv(tmp_path / "t.csv", index=False, sep=separator, decimal=",")
        require_same(samples(tmp_path / "t.csv"), plain)
        assert SensorTable(tmp_path / "t.csv").reading.decimal == ","
    text = table.astype(str)
    for name in ("time", *CHANNELS):
        text[name] = text[name].str.replace(".", ",")
    text.to_csv(tmp_path / "t.csv", index=False)
    require_same(samples(tmp_path / "t.csv"), plain)
    require_same(samples(tmp_path / "t.csv", separator=",", decimal=","), plain)


def test_numbers_that_are_not_told_name_the_option(tmp_path: Path) -> None:
    table = walks("ab", seconds=3)[["id", "time", "ax"]].astype({"ax": str})
    path = written(tmp_path / "t.csv", table.assign(ax=table.ax.str.replace(".", ",")))
    with pytest.raises(DataError, match=r"column 'ax' holds numbers that are not read.*--reader decimal=,"):
        samples(path)
    assert len(samples(path, decimal=",", window=1)) == 20


@pytest.mark.parametrize("place", [1, 300, 599])
@pytest.mark.parametrize("index", [False, True])
def test_a_header_that_stands_again_is_named_by_its_line(tmp_path: Path, place: int, index: bool) -> None:
    lines = walks("ab", seconds=3).to_csv(index=index).splitlines()
    lines.insert(place, lines[0] if place < 599 else f"\ufeff{lines[0]}")
    (tmp_path / "t.csv").write_text("\n".join(lines) + "\n")
    with pytest.raises(DataError, match=rf"t.csv: line {place + 1} \(row {place}\) repeats the header; delete such"):
        samples(tmp_path / "t.csv")


@pytest.mark.parametrize(("cells", "found"), [("a-x,0", 2), ("a-x,0,1,2,3,x,a,5", 8)])
def test_a_row_with_more_or_fewer_cells_is_named(tmp_path: Path, cells: str, found: int) -> None:
    lines = walks("ab", labels=("x",), seconds=3).to_csv(index=False).splitlines()
    lines[40] = cells
    (tmp_path / "t.csv").write_text("\n".join(lines) + "\n")
    with pytest.raises(DataError, match=rf"cannot be read: line 41 has {found} columns; expected 7, as the line of na"):
        samples(tmp_path / "t.csv")


def test_a_table_without_names_is_refused(tmp_path: Path) -> None:
    np.savetxt(tmp_path / "t.csv", np.random.default_rng(0).normal(size=(50, 3)), delimiter=",")
    with pytest.raises(DataError, match="has no line of names: its first line holds numbers only"):
        samples(tmp_path / "t.csv", window=10)


def test_a_sheet_is_told_to_be_saved_as_csv(tmp_path: Path) -> None:
    (tmp_path / "t.xlsx").write_bytes(b"PK\x03\x04")
    with pytest.raises(DataError, match=r"t.xlsx is no table that can be read; .*Save the sheet as CSV"):
        SensorTable(tmp_path / "t.xlsx")


def test_a_plan_survives_json_and_reads_another_table_by_name(tmp_path: Path) -> None:
    table = walks("ab")
    trained = SensorTable(written(tmp_path / "t.csv", table), window=2.56)
    expected = list(trained)
    plan = ReadingPlan.from_dict(json.loads(json.dumps(trained.reading.to_dict())))
    assert plan == trained.reading
    other = table[["az", "label", "time", "ay", "id", "ax"]].assign(noise=0.5)
    options = plan.reader_options(other.columns)
    again = SensorTable(written(tmp_path / "new.csv", other), **options)
    assert again.reading.channels == CHANNELS
    for one, two in zip(again, expected, strict=True):
        assert (one.id, one.label) == (two.id, two.label)
        np.testing.assert_array_equal(one.raw, two.raw)


@pytest.mark.parametrize("step", [2, -1, 10])
def test_a_counter_of_even_steps_is_no_channel(tmp_path: Path, step: int) -> None:
    table = walks("ab").assign(packet=lambda rows: 7 + step * np.arange(len(rows)))
    plan = SensorTable(written(tmp_path / "t.csv", table)).reading
    assert plan.left_out == {"packet": "it counts rows"}


def test_what_tells_person_or_class_is_no_channel(tmp_path: Path) -> None:
    table = walks("ab")
    table["id"] = table.group  # one recording of each person, in which the class changes
    table["time"] = (table.groupby("id").cumcount() / 50).round(3)
    table["weight"] = table.group.map({"a": 60.5, "b": 72.25})
    table["code"] = table.label.map({"walk": 1, "sit": 2})
    plan = SensorTable(written(tmp_path / "t.csv", table)).reading
    assert plan.channels == CHANNELS
    assert plan.left_out == dict.fromkeys(("weight", "code"), "one number all through each recording and class")


@pytest.mark.parametrize("cell", ["{:,.1f}", "{} g", "{}%", "{} m/s²", "\u2212{}", "0x{:x}"])
def test_numbers_that_are_not_read_are_refused_and_never_left_out(tmp_path: Path, cell: str) -> None:
    table = walks("ab")
    scaled = (1000 + 100 * table.ax.abs()).round().astype(int)
    path = written(tmp_path / "t.csv", table.assign(ax=[cell.format(value) for value in scaled]))
    with pytest.raises(DataError, match=r"column 'ax' holds numbers that are not read .*--reader channels=ay,az"):
        SensorTable(path)
    assert SensorTable(path, channels="ay,az").reading.channels == ("ay", "az")


def test_one_column_with_another_decimal_mark_is_refused(tmp_path: Path) -> None:
    table = walks("ab")
    path = tmp_path / "t.csv"
    table.assign(ax=table.ax.astype(str).str.replace(".", ",")).to_csv(path, index=False, sep=";")
    with pytest.raises(DataError, match=r"column 'ax' holds numbers that are not read"):
        SensorTable(path)


@pytest.mark.parametrize("line", ["-,s,g,g,g,-,-", "ID,TIME,AX,AY,AZ,LABEL,GROUP"])
@pytest.mark.parametrize("row", [1, 301])
def test_a_line_of_units_or_names_among_the_readings_is_refused(tmp_path: Path, line: str, row: int) -> None:
    path = written(tmp_path / "t.csv", walks("ab"))
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:row], line, *lines[row:]]) + "\n")
    with pytest.raises(DataError, match=rf"row {row} holds words where the others hold numbers.*delete it"):
        SensorTable(path)


def test_one_reading_that_is_a_word_costs_its_windows_only(tmp_path: Path) -> None:
    table = walks("ab").astype(dict.fromkeys(CHANNELS, object))
    table.loc[10, ["ax", "ay", "az"]] = "error"
    found = samples(written(tmp_path / "t.csv", table))
    assert len(found) == len(samples(written(tmp_path / "u.csv", walks("ab"))))


def test_decimal_numbers_of_parquet_are_numbers(tmp_path: Path) -> None:
    table = walks("ab")
    plain = samples(written(tmp_path / "t.csv", table))
    table["ax"] = [Decimal(str(value)) for value in table.ax]
    require_same(samples(written(tmp_path / "t.parquet", table)), plain)


def test_huge_numbers_are_counted_without_a_warning(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        samples(written(tmp_path / "t.csv", walks("ab").assign(ax=lambda rows: rows.ax * 1e300)))


@pytest.mark.parametrize(("separator", "cells"), [(",", "{:,}"), (";", "{:,}"), (";", "{:_}")])
def test_thousands_are_never_decimals(tmp_path: Path, separator: str, cells: str) -> None:
    table = walks("ab").astype({"az": str})
    scaled = (1000 + 1e6 * table.ax.abs()).round().astype(int)
    table["ax"] = [cells.format(value).replace("_", ".") for value in scaled]
    table["ay"] = (100 * table.ay).round().astype(int)
    if "_" in cells:  # a decimal comma in another column: points stand between thousands
        table["az"] = table.az.str.replace(".", ",")
        table["time"] = table.time.astype(str).str.replace(".", ",")
    table.to_csv(tmp_path / "t.csv", index=False, sep=separator)
    with pytest.raises(DataError, match=r"column 'ax' holds numbers that are not read"):
        SensorTable(tmp_path / "t.csv")
