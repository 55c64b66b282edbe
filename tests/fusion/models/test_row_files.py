"""Rows of plain columns and vectors that nobody has encoded: what is empty, how cells are written, one row and many."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fusion import load_model, predict
from fusion.datasets import ColumnTable, VectorTable
from fusion.encoders import EncodeOptions, encode
from fusion.estimators.xgboost import FunctaClassifier
from fusion.linking import link
from fusion.models import Model, train
from fusion.models.prediction import Predicting

ONE = EncodeOptions(workers=1)
QUICK = FunctaClassifier(n_estimators=10, n_jobs=1)


def people(count: int = 60) -> pd.DataFrame:
    """The height tells the class, the other columns nothing."""
    place = np.arange(count)
    frame = pd.DataFrame({"id": [f"p{number:03d}" for number in place], "age": 20 + 7 * place % 50})
    frame["height"] = 1.5 + place % 30 / 100
    frame["city"] = np.where(place % 3, "Oslo", "Bern")
    frame["label"] = np.where(frame["height"] > 1.65, "tall", "small")
    return frame


def trained(frame: pd.DataFrame, folder: Path, **options: str) -> Model:
    frame.to_csv(folder / "people.csv", index=False)
    encode(ColumnTable(folder / "people.csv", **options), folder / "people.zarr", options=ONE)
    train(folder / "people.zarr", folder / "model", classifier=QUICK)
    return load_model(folder / "model", only_predict=True)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return trained(people(), tmp_path_factory.mktemp("people"))


def text(path: Path, content: str) -> Path:
    path.write_text(content)
    return path


def test_an_empty_cell_is_missing_wherever_it_stands(model: Model, tmp_path: Path) -> None:
    for cells in (",1.75,Oslo", "30,1.75,", ",1.75,"):
        (found,) = predict(model, [text(tmp_path / "one.csv", f"age,height,city\n{cells}\n")])
        assert (found.label, found.error) == ("tall", "")


def test_a_row_of_empty_cells_fails_as_in_training(model: Model, tmp_path: Path) -> None:
    (found,) = predict(model, [text(tmp_path / "one.csv", "age,height,city\n,,\n")])
    assert (found.label, found.error[:38]) == (None, "prepare: all of age, height, city are ")


def fused_model(folder: Path, fusion: str) -> Model:
    for name, columns in {"one": ["age", "height"], "two": ["age", "city"]}.items():
        people()[["id", *columns, "label"]].to_csv(folder / f"{name}.csv", index=False)
        encode(ColumnTable(folder / f"{name}.csv"), folder / f"{name}.zarr", options=ONE)
    both = link([folder / "one.zarr", folder / "two.zarr"], on="id")
    train(both, folder / "fused", fusion=fusion, classifier=QUICK)
    return load_model(folder / "fused", only_predict=True)


@pytest.mark.parametrize("fusion", ["early", "late"])
def test_a_first_cell_that_is_empty_does_not_make_a_modality_missing(tmp_path: Path, fusion: str) -> None:
    fused = fused_model(tmp_path, fusion)
    (found,) = predict(fused, [{"one": text(tmp_path / "new.csv", "age,height\n,1.75\n")}])
    assert (found.label, found.error) == ("tall", "")


def test_cells_are_read_as_those_of_the_training_were(tmp_path: Path) -> None:
    frame = people().astype({"age": str, "height": str})
    frame["height"] = frame["height"].str.replace(".", ",")
    frame.loc[::7, "age"] = frame.loc[::5, "city"] = "?"
    model = trained(frame, tmp_path, missing="?", decimal=",")
    (found,) = predict(model, [text(tmp_path / "one.csv", 'age,height,city\n?,"1,75",?\n')])
    assert (found.label, found.error) == ("tall", "")


def test_a_column_named_as_the_class_is_the_truth(tmp_path: Path) -> None:
    model = trained(people().rename(columns={"label": "build"}), tmp_path, label="build")
    (found,) = predict(model, [text(tmp_path / "one.csv", "age,height,city,build\n30,1.75,Bern,small\n")])
    assert (found.label, found.truth) == ("tall", "small")


def test_a_model_that_does_not_tell_how_it_read_reads_plain_cells(model: Model, tmp_path: Path) -> None:
    branch = model.branches[0]
    header = {name: value for name, value in branch.header.items() if name != "conventions"}
    old = replace(model, branches=(replace(branch, header=header),))
    (found,) = predict(old, [text(tmp_path / "one.csv", "age,height,city\n30,1.75,Bern\n")])
    assert (found.label, found.error) == ("tall", "")


def test_categories_that_no_training_row_has_are_told(model: Model, tmp_path: Path) -> None:
    new, failed = tmp_path / "new.csv", text(tmp_path / "failed.csv", "age,height,city\nold,1.7,Rome\n")
    predicting = Predicting.of(model, [text(new, "age,height,city\n30,1.7,Paris\n"), failed])
    assert predicting.remarks == ()
    for _ in range(2):
        list(predicting.run())
        assert predicting.remarks == ("categories that no training row has are 0 at every place: city=Paris (1 rows)",)


def told(model: Model, *files: Path) -> list[tuple[str, str | None, str | None]]:
    return [(found.recording, found.label, found.truth) for found in predict(model, list(files))]


def test_each_row_of_a_table_is_predicted_under_its_id(model: Model, tmp_path: Path) -> None:
    rows = "id,age,height,city,label\nana,30,1.75,Bern,tall\nbo,,1.55,,tall\nbo,x,1.55,Bern,\n"
    found = told(model, text(tmp_path / "new.csv", rows))
    assert found == [("ana", "tall", "tall"), ("bo", "small", "tall"), ("bo, row 3", None, None)]
    one = text(tmp_path / "one.csv", "id,age,height,city\nana,30,1.75,Bern\n")
    assert told(model, one) == [("ana", "tall", None)]


def test_rows_without_ids_are_called_by_their_place(model: Model, tmp_path: Path) -> None:
    found = told(model, text(tmp_path / "new.csv", "age,height,city\n30,1.75,Bern\n30,1.55,Bern\n"))
    assert found == [("new:1", "tall", None), ("new:2", "small", None)]


def test_rows_of_two_tables_are_joined_by_id(tmp_path: Path) -> None:
    one = text(tmp_path / "a.csv", "id,age,height\nana,30,1.75\nbo,30,1.55\n")
    two = text(tmp_path / "b.csv", "id,age,city\nbo,30,Bern\nana,30,Oslo\n")
    found = predict(fused_model(tmp_path, "late"), [{"one": one, "two": two}])
    assert [(part.recording, part.label, part.error) for part in found] == [("ana", "tall", ""), ("bo", "small", "")]


def vectors(count: int = 60) -> pd.DataFrame:
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(count, 4)), columns=[f"e{place}" for place in range(4)])
    frame["label"] = np.where(frame["e1"] > 0, "up", "down")
    return frame


def test_vectors_are_predicted_from_tables_and_arrays_of_many_rows(tmp_path: Path) -> None:
    vectors().to_csv(tmp_path / "known.csv", index_label="id")
    encode(VectorTable(tmp_path / "known.csv"), tmp_path / "known.zarr", options=ONE)
    train(tmp_path / "known.zarr", tmp_path / "model", classifier=QUICK)
    model = load_model(tmp_path / "model", only_predict=True)
    frame = vectors(5).assign(id=list("abcde"))
    frame.to_csv(tmp_path / "new.csv", index=False)
    pd.DataFrame({"e": list(frame.iloc[:, :4].to_numpy())}).to_parquet(tmp_path / "lists.parquet")
    np.save(tmp_path / "many.npy", frame.iloc[:, :4].to_numpy())
    np.save(tmp_path / "one.npy", frame.iloc[0, :4].to_numpy(np.float64))
    np.save(tmp_path / "short.npy", np.zeros((2, 3)))
    labels = frame["label"].tolist()
    assert told(model, tmp_path / "new.csv") == list(zip("abcde", labels, labels, strict=True))
    for name in ("many.npy", "lists.parquet"):
        expected = [(f"{Path(name).stem}:{place + 1}", label, None) for place, label in enumerate(labels)]
        assert told(model, tmp_path / name) == expected
    assert told(model, tmp_path / "one.npy") == [("", labels[0], None)]
    failed = predict(model, [tmp_path / "short.npy"])
    assert [found.error for found in failed] == ["prepare: a vector of 3 numbers; expected 4"] * 2


def test_a_table_of_categories_alone(tmp_path: Path) -> None:
    frame = people()[["id", "city"]].assign(label=lambda given: np.where(given["city"] == "Bern", "here", "there"))
    model = trained(frame, tmp_path)
    found = told(model, text(tmp_path / "new.csv", "id,city\na,Bern\nb,Oslo\n"))
    assert found == [("a", "here", None), ("b", "there", None)]
