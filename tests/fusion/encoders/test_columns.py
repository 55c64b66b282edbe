"""Plain columns: what is taken, what is learned of them, and that missing stays missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from helpers.made_people import people, write_people
from numpy.testing import assert_allclose

from fusion.datasets import ColumnTable, open_dataset
from fusion.encoders import EncodeOptions, decode, encode, encoder_config, plan
from fusion.encoders.encoder import encoder_of
from fusion.errors import ConfigError, DataError, SampleError
from fusion.modalities import ColumnsModality
from store import FunctaStore, StoreMismatchError, open_store

ONE = EncodeOptions(workers=1)
TRAIN = ["train"] * 6 + ["test"] * 4


def encoded(folder: Path, frame: pd.DataFrame, **options: Any) -> FunctaStore:
    source = write_people(folder / "people.csv", frame)
    encode(ColumnTable(source, **options), folder / "people.zarr", options=ONE)
    return open_store(folder / "people.zarr")


def left_out(folder: Path, frame: pd.DataFrame, **options: Any) -> dict[str, str]:
    dataset = ColumnTable(write_people(folder / "people.csv", frame), **options)
    return plan(dataset, encoder_config(dataset), ONE).left_out


def test_numbers_are_standardised_by_training_rows_and_categories_are_one_hot(tmp_path: Path) -> None:
    store = encoded(tmp_path, people().assign(split=TRAIN))
    ages = 20 + 3 * np.arange(10)
    rows = store.read(list("abcdefghij")).functas
    assert_allclose(rows[:, 0], (ages - ages[:6].mean()) / ages[:6].std(), rtol=1e-6)
    assert rows[:, 1:].tolist() == [[0.0, 1.0], [1.0, 0.0]] * 5
    assert store.header.layout == [["age", [1], 0], ["sex", [2], 1]]
    assert store.header.conventions["train_splits"] == ["train"]
    assert store.header.conventions["source"]["file"] == "people.csv"
    assert np.isnan(store.read().psnr).all()
    assert (store.info()["psnr_mean"], store.verify(deep=True).ok) == (None, True)


def test_the_plan_and_the_report_name_what_is_taken_and_what_is_not(tmp_path: Path) -> None:
    dataset = ColumnTable(write_people(tmp_path / "people.csv"))
    told = plan(dataset, encoder_config(dataset), ONE)
    report = encode(dataset, tmp_path / "people.zarr", options=ONE)
    for found in (told, report):
        assert found.channels == ("age", "sex")
        assert found.left_out == {"country": "constant: 'here' in all training rows"}
        assert any("a hash of names (seed 42)" in note for note in found.notes)
    assert (told.k, told.samples, report.psnr_mean) == (3, 10, None)


def test_test_rows_change_nothing_that_is_learned(tmp_path: Path) -> None:
    frame = people().assign(split=TRAIN)
    one = encoded(tmp_path, frame)
    frame.loc[6:, ["age", "sex"]] = [[900, "x"]] * 4
    (tmp_path / "other").mkdir()
    other = encoded(tmp_path / "other", frame.iloc[::-1])
    assert one.header.encoder == other.header.encoder
    assert all(np.array_equal(one.state[name], other.state[name]) for name in ("mean", "scale"))
    assert np.array_equal(one.read(list("abcdef")).functas, other.read(list("abcdef")).functas)


def test_an_empty_cell_is_nan_and_an_unseen_category_is_zero_with_a_note(tmp_path: Path) -> None:
    frame = people().assign(split=TRAIN).astype({"age": object})
    frame.loc[1, "age"], frame.loc[2, "sex"], frame.loc[9, "sex"] = None, None, "x"
    source = write_people(tmp_path / "people.csv", frame)
    report = encode(ColumnTable(source), tmp_path / "people.zarr", options=ONE)
    store = open_store(tmp_path / "people.zarr")
    rows = store.read(["b", "c", "j"]).functas
    assert np.isnan(rows).tolist() == [[True, False, False], [False, True, True], [False, False, False]]
    assert rows[2, 1:].tolist() == [0, 0]
    assert any("no training row has are 0 at every place: sex=x (1 rows)" in note for note in report.notes)


def test_only_an_empty_cell_is_missing_unless_another_word_is_named(tmp_path: Path) -> None:
    frame = people().assign(split=TRAIN, state=["NA", "none", "null"] * 3 + [""])
    store = encoded(tmp_path, frame)
    assert dict(store.header.encoder["modality"]["categories"])["state"] == ["NA", "none", "null"]
    (tmp_path / "named").mkdir()
    frame = frame.assign(age=["?", *range(21, 30)])
    store = encoded(tmp_path / "named", frame, missing="?")
    assert np.isnan(store.get("a").functas[0, 0])


def test_a_word_among_numbers_and_an_empty_row_fail_alone(tmp_path: Path) -> None:
    frame = people().assign(split=TRAIN).astype({"age": object})
    frame.loc[1, "age"] = "old"
    frame.loc[2, ["age", "sex", "country"]] = None
    store = encoded(tmp_path, frame)
    assert store.failed() == [
        ("b", "prepare", "'old' in column 'age'; expected a number"),
        ("c", "prepare", "all of age, sex are empty; expected one that is not"),
    ]


@pytest.mark.parametrize(
    ("name", "cells", "why"),
    [
        ("name", [f"person {place}" for place in range(10)], "another text in every row, such as 'person 0'"),
        ("city", [f"city {place % 6}" for place in range(10)], "6 categories in 10 training rows, more than 5"),
        ("number", [*range(1, 11)], "it counts rows"),
        ("number", [0, 2, 3, 4, 6, 7, 8, 9, 10, 12], "it counts rows"),
        ("Unnamed: 0", [*range(5, 15)], "it has no name"),
        ("empty", [""] * 10, "empty in all training rows"),
        ("target", ["x", "y"] * 5, "named like a label; take it with --reader label=target"),
    ],
)
def test_what_is_left_out_says_why(tmp_path: Path, name: str, cells: list[Any], why: str) -> None:
    frame = people().assign(split="train", **{name: cells})
    assert why in left_out(tmp_path, frame, max_categories=5)[name]
    if "empty" not in why:
        assert name not in left_out(tmp_path, frame, columns=["age", name], max_categories=5)


@pytest.mark.parametrize("cell", ["{} kg", "{:,}"])
def test_numbers_that_are_not_read_are_asked_for(tmp_path: Path, cell: str) -> None:
    frame = people().assign(split="train", weight=[cell.format(1000 + place % 3) for place in range(10)])
    with pytest.raises(DataError, match=r"column 'weight' holds numbers that are not read .*categories=weight"):
        left_out(tmp_path, frame)
    assert "weight" not in left_out(tmp_path, frame, categories="weight")
    assert left_out(tmp_path, frame, columns=["age"])["weight"] == "not asked for"


def test_numbers_that_are_names_are_categories_when_asked(tmp_path: Path) -> None:
    frame = people().assign(split="train", zip=["01", "1", "02", "2", "2"] * 2)
    store = encoded(tmp_path, frame, categories="zip")
    assert dict(store.header.encoder["modality"]["categories"])["zip"] == ["01", "02", "1", "2"]


def test_decimal_commas_and_other_names_of_roles(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("person;visit;weight;ill\na;1;60,5;yes\nb;1;70,5;no\nb;2;72,0;no\n")
    dataset = ColumnTable(path, id="person,visit", label="ill", group="person", columns="weight", test_share=0)
    samples = list(dataset)
    assert [(sample.id, sample.label, sample.group) for sample in samples] == [
        ("a/1", "yes", "a"),
        ("b/1", "no", "b"),
        ("b/2", "no", "b"),
    ]
    assert [sample.raw.numbers["weight"] for sample in samples] == [60.5, 70.5, 72.0]


def test_rows_without_ids_are_called_after_their_table(tmp_path: Path) -> None:
    dataset = ColumnTable(write_people(tmp_path / "people.csv", people().drop(columns="id")))
    assert [sample.id for sample in dataset][:2] == ["people:1", "people:2"]
    assert any("no column of IDs" in note for note in dataset.notes)


def test_a_row_decodes_to_its_cells(tmp_path: Path) -> None:
    encoded(tmp_path, people())
    decode(tmp_path / "people.zarr", "c", tmp_path / "c.csv")
    assert (tmp_path / "c.csv").read_text().splitlines() == ["age,sex", "26,m"]
    with pytest.raises(DataError, match="has no resolution"):
        decode(tmp_path / "people.zarr", "c", tmp_path / "c.csv", scale=2)


def test_a_stored_encoder_reads_one_row_of_a_file_by_names(tmp_path: Path) -> None:
    store = encoded(tmp_path, people())
    encoder = encoder_of(store)
    (tmp_path / "new.csv").write_text("sex,other,age\nm,5,26\n")
    raw = encoder.config.modality.read(tmp_path / "new.csv")
    row = encoder.rows(encoder.config.modality.prepare(raw)[None])
    assert np.array_equal(row, store.get("c").functas)
    with pytest.raises(SampleError, match=r"no column 'age'; got sex; expected age, sex"):
        encoder.config.modality.prepare({"sex": "f"})


def test_the_same_command_goes_on_and_another_choice_is_refused(tmp_path: Path) -> None:
    source = write_people(tmp_path / "people.csv")
    encode(ColumnTable(source), tmp_path / "people.zarr", options=ONE)
    again = encode(ColumnTable(source), tmp_path / "people.zarr", options=ONE)
    assert (again.encoded, again.skipped) == (0, 10)
    with pytest.raises(StoreMismatchError):
        encode(ColumnTable(source, columns=["age"]), tmp_path / "people.zarr", options=ONE)


def test_kinds_and_modalities_that_do_not_go_together_are_refused(tmp_path: Path) -> None:
    with open_dataset(None, write_people(tmp_path / "people.csv"), modality="columns") as dataset:
        with pytest.raises(ConfigError, match="expected the encoder 'columns'"):
            encoder_config(dataset, options={"kind": "functa"})
        with pytest.raises(ConfigError, match="fits no network, so steps means nothing"):
            encoder_config(dataset, fit={"steps": 3})
    with pytest.raises(ConfigError, match="takes the modality 'columns', not 'sensor'"):
        encoder_config(_Sensor(), options={"kind": "columns"})


class _Sensor:
    name = "made"
    modality = "sensor"


def test_no_column_to_take_is_refused_with_the_reasons(tmp_path: Path) -> None:
    frame = people().assign(split="train")[["id", "country", "split"]]
    with pytest.raises(DataError, match=r"no column can be taken \(country: constant"):
        encoded(tmp_path, frame)
    with pytest.raises(ConfigError, match="no column 'hight' without another role; got country"):
        encoded(tmp_path, frame, columns="hight")


def test_no_training_rows_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="Categories and means are learned from training rows only"):
        encoded(tmp_path, people().assign(split="fold-1"))


def test_a_modality_that_knows_no_columns_says_so() -> None:
    with pytest.raises(ConfigError, match="the columns are not known yet"):
        ColumnsModality().d_out  # noqa: B018
