"""Names in tables: classes, people and recordings stay what was written, whatever the file and its writer."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from helpers.made_walks import require_same, samples, told, walks, written

from fusion.datasets import ArrayDataset, ColumnTable, FileTable, SensorTable
from fusion.errors import ConfigError, DataError

SUFFIXES = [".csv", ".tsv", ".txt", ".parquet", ".npz"]


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("name", ["null", "NA", "None", "nan", "N/A", "<NA>", "NULL"])
def test_a_class_named_like_nothing_is_a_class(tmp_path: Path, suffix: str, name: str) -> None:
    table = walks("ab", labels=("walk", "sit", name), seconds=3)
    found = samples(written(tmp_path / f"t{suffix}", table))
    assert Counter(sample.label for sample in found) == {"walk": 2, "sit": 2, name: 2}


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_person_named_na_stands_on_one_side(tmp_path: Path, suffix: str) -> None:
    people = ("NA", "ND", "SD", "MN", "IA", "KS", "WI", "MT")
    found = samples(written(tmp_path / f"t{suffix}", walks(people)))
    assert {sample.group for sample in found} == set(people)
    assert len({(sample.group, sample.split) for sample in found}) == 8


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_empty_cell_is_no_name(tmp_path: Path, suffix: str) -> None:
    table = walks("ab", seconds=3)
    table.loc[table.label == "sit", "label"] = ""
    assert {sample.label for sample in samples(written(tmp_path / f"t{suffix}", table))} == {"walk", None}


@pytest.mark.parametrize("blank", ["{}, {}", "{} ,{}", "{}  ,\t{}"])
def test_blanks_around_names_and_values_are_no_part_of_them(tmp_path: Path, blank: str) -> None:
    table = walks(("001", "002", "010", "011", "1"), labels=("01", "02"))
    plain = samples(written(tmp_path / "plain.csv", table))
    separator = blank.format("", "")
    rows = [separator.join(table.columns), *(separator.join(map(str, row)) for row in table.itertuples(index=False))]
    (tmp_path / "plain.csv").write_text("\n".join(rows) + "\n")
    found = samples(tmp_path / "plain.csv")
    require_same(found, plain)
    assert {sample.group for sample in found} == {"001", "002", "010", "011", "1"}
    assert {sample.label for sample in found} == {"01", "02"}


def test_blanks_in_other_formats_are_no_part_of_names_either(tmp_path: Path) -> None:
    table = walks("ab", seconds=3)
    plain = samples(written(tmp_path / "t.parquet", table))
    padded = table.assign(label=" " + table.label, group=table.group + "  ").rename(columns={"ax": " ax "})
    for suffix in (".parquet", ".npz"):
        require_same(samples(written(tmp_path / f"t{suffix}", padded)), plain)


@pytest.mark.parametrize("pages", [50_000, 2_000])
def test_whole_numbers_are_the_same_names_in_every_part(tmp_path: Path, pages: int) -> None:
    frame = walks("abcd", labels=("1", "2"), seconds=40)
    frame["label"] = pd.to_numeric(frame.label).astype("Int64")
    frame.loc[(frame.id == "a-1") & (frame.time < 3), "label"] = pd.NA
    table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
    pq.write_table(table, tmp_path / "t.parquet", row_group_size=pages)
    assert {sample.label for sample in samples(tmp_path / "t.parquet")} == {"1", "2", None}
    as_floats = table.set_column(table.schema.get_field_index("label"), "label", table["label"].cast(pa.float64()))
    pq.write_table(as_floats, tmp_path / "floats.parquet")
    assert {sample.label for sample in samples(tmp_path / "floats.parquet")} == {"1", "2", None}
    frame["label"] = frame.label.astype("category")
    frame.to_parquet(tmp_path / "t.parquet")
    assert {sample.label for sample in samples(tmp_path / "t.parquet")} == {"1", "2", None}


def test_long_whole_numbers_keep_their_digits(tmp_path: Path) -> None:
    frame = walks("ab", labels=("x",), seconds=3)
    frame["group"] = frame.group.map({"a": 9007199254740993, "b": 9007199254740992}).astype("Int64")
    frame.loc[:5, "group"] = pd.NA
    found = samples(written(tmp_path / "t.parquet", frame.iloc[6:]), window=1)
    assert {sample.group for sample in found} == {"9007199254740993", "9007199254740992"}


def test_a_row_without_a_recording_is_named(tmp_path: Path) -> None:
    table = walks("ab", seconds=3)
    table.loc[200, "id"] = ""
    with pytest.raises(DataError, match="row 201 has nothing in column 'id'; expected the name of its recording"):
        samples(written(tmp_path / "t.csv", table))


def test_recordings_may_be_named_by_several_columns(tmp_path: Path) -> None:
    table = walks("ab", seconds=3).drop(columns="id").rename(columns={"group": "who"})
    path = written(tmp_path / "t.csv", table)
    expected = [("a/walk", "walk"), ("a/sit", "sit"), ("b/walk", "walk"), ("b/sit", "sit")]
    for columns in ("who,label", ["who", "label"]):
        found = samples(path, id=columns, label="label", window=3)
        assert [(sample.group, sample.label) for sample in found] == expected


def test_times_that_begin_anew_tell_recordings_apart(tmp_path: Path) -> None:
    table = walks("ab", seconds=3).drop(columns="id")
    expected = told(samples(written(tmp_path / "t.csv", table), id="group,label"))
    assert told(samples(tmp_path / "t.csv")) == expected
    with pytest.raises(DataError, match=r"times of recording 'a' begin anew at its row 151.*--reader id=group,another"):
        samples(tmp_path / "t.csv", id="group")
    with pytest.raises(DataError, match=r"times of recording 't' begin anew at its row 151"):
        samples(written(tmp_path / "t.csv", table.drop(columns=["label", "group"])))


def test_readings_of_several_recordings_that_stand_mixed_are_refused(tmp_path: Path) -> None:
    table = walks("ab", labels=("x",), seconds=3).drop(columns=["id", "label"]).rename(columns={"group": "device"})
    table["time"] += np.where(table.device == "a", 0, 0.01)
    path = written(tmp_path / "t.csv", table.sort_values("time"))
    with pytest.raises(DataError, match=r"column 'device' changes to and fro.*name it with --reader id=device"):
        samples(path)


SPLITS = {"a": "Train", "b": "TRAINING", "c": "TEST", "d": "Validation", "e": "dev", "f": ""}


def test_usual_names_of_splits_are_read_in_any_spelling_and_told(tmp_path: Path) -> None:
    table = walks().assign(split=lambda rows: rows.group.map(SPLITS))
    dataset = SensorTable(written(tmp_path / "t.csv", table), window=2.56)
    found = {sample.group: sample.split for sample in dataset}
    assert found == {"a": "train", "b": "train", "c": "test", "d": "val", "e": "val", "f": None}
    told = "splits read: TEST as test, TRAINING as train, Train as train, Validation as val, dev as val"
    assert told in dataset.notes


def test_usual_names_of_splits_are_read_in_lists_columns_and_memory(tmp_path: Path) -> None:
    rows = [{"id": name, "path": f"{name}.png", "x": 1.0, "split": split} for name, split in SPLITS.items()]
    path = tmp_path / "t.csv"
    pd.DataFrame(rows).to_csv(path, index=False)
    expected = ["train", "train", "test", "val", "val", None]
    readers = [FileTable(path, modality="image"), ColumnTable(path)]
    for dataset in readers:
        assert [sample.split for sample in dataset] == expected
        assert any(note.startswith("splits read: TEST as test") for note in dataset.notes)
    arrays = ArrayDataset([np.zeros((4, 1))] * 6, splits=[split or None for split in SPLITS.values()])
    assert [sample.split for sample in arrays] == expected


def test_a_seed_that_no_hash_takes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"seed is 9+; expected a whole number"):
        SensorTable(written(tmp_path / "t.csv", walks("ab")), seed=10**30 - 1)


def test_samples_without_a_group_are_counted_where_others_have_one(tmp_path: Path) -> None:
    table = walks("ab").assign(group=lambda rows: rows.group.replace("b", ""))
    dataset = SensorTable(written(tmp_path / "t.csv", table), window=2.56)
    assert {sample.group for sample in dataset} == {"a", "b-walk", "b-sit"}
    assert "6 samples have no group: nothing keeps those of one person on one side of the split" in dataset.notes
    rows = [{"id": name, "path": f"{name}.png", "x": 1.0, "group": group} for name, group in (("a", "g"), ("b", ""))]
    pd.DataFrame(rows).to_csv(tmp_path / "l.csv", index=False)
    for reader in (FileTable(tmp_path / "l.csv", modality="image"), ColumnTable(tmp_path / "l.csv")):
        list(reader)
        assert any(note.startswith("1 samples have no group") for note in reader.notes)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "t.csv", walks("ab"))
    path.write_bytes(path.read_bytes().replace(b"walk", b"wa\0k", 7))
    with pytest.raises(DataError, match=r"t.csv holds NUL bytes, as a file does whose writing broke off"):
        SensorTable(path)
