"""Rows of plain columns and vectors that nobody has encoded: what is empty, how cells are written, one row and many."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fusion import load_model, predict
from fusion.datasets import ColumnTable
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


@pytest.mark.parametrize("fusion", ["early", "late"])
def test_a_first_cell_that_is_empty_does_not_make_a_modality_missing(tmp_path: Path, fusion: str) -> None:
    for name, columns in {"one": ["age", "height"], "two": ["age", "city"]}.items():
        people()[["id", *columns, "label"]].to_csv(tmp_path / f"{name}.csv", index=False)
        encode(ColumnTable(tmp_path / f"{name}.csv"), tmp_path / f"{name}.zarr", options=ONE)
    train(
        link([tmp_path / "one.zarr", tmp_path / "two.zarr"], on="id"), tmp_path / "m", fusion=fusion, classifier=QUICK
    )
    (found,) = predict(tmp_path / "m", [{"one": text(tmp_path / "new.csv", "age,height\n,1.75\n")}])
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
