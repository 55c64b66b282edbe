from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pytest
from helpers.made_functas import functa_rows

from fusion.errors import ConfigError, DataError
from fusion.estimators.presets import TrainingSettings, training_settings
from fusion.models.evaluating import evaluate
from fusion.models.records import RUN_FILE, Run, add_run, collect_runs, runs_table, shown_columns
from fusion.models.repeating import settings_told
from fusion.models.training import train

QUICK = training_settings("fast", n_estimators=4, n_jobs=1)


@pytest.fixture
def model(make_store, tmp_path) -> Path:
    with make_store() as store:
        train(store, tmp_path / "models" / "one", preset=QUICK, seeds=2)
    return tmp_path / "models" / "one"


def runs_of(model: Path) -> list[dict]:
    return json.loads((model / RUN_FILE).read_text())["runs"]


def test_settings_that_are_no_preset_and_tune_are_told():
    told = settings_told(TrainingSettings(tune=True, max_columns=7))
    assert (told["preset"], told["tune"]) == (None, True)


def test_training_and_evaluations_are_recorded_one_after_the_other(model, tmp_path):
    result = evaluate(model, tmp_path / "functas.zarr")
    first, second = runs_of(model)
    assert (first["kind"], second["kind"]) == ("train", "evaluate")
    assert first["settings"]["preset"] == "fast"
    assert (first["settings"]["seed"], first["settings"]["seeds"]) == (42, 2)
    assert first["settings"]["parameters"]["n_estimators"] == 4
    assert first["data"] == second["data"]
    assert first["data"]["stores"]["sensor"]["path"] == str(tmp_path / "functas.zarr")
    assert second["figures"]["accuracy"] == first["figures"]["accuracy"] == result.accuracy
    assert {"mean", "sd"} <= first["figures"].keys()
    assert first["versions"].keys() >= {"xgboost", "numpy"}


def test_other_rows_are_other_data(make_store, tmp_path):
    for name, rows in (("a", functa_rows()), ("b", functa_rows(7))):
        train(make_store(rows, name), tmp_path / f"model-{name}", preset=QUICK)
    first, second = (runs_of(tmp_path / f"model-{name}")[0]["data"]["digest"] for name in "ab")
    assert first != second


def test_runs_below_a_folder_are_tabulated_and_damaged_records_told(model, tmp_path):
    shutil.copytree(model, tmp_path / "models" / "below" / "two")
    (tmp_path / "models" / "bad").mkdir()
    (tmp_path / "models" / "bad" / RUN_FILE).write_text("{")
    found, notes = collect_runs(tmp_path / "models")
    table = runs_table(found)
    assert len(table) == 2
    assert set(table["folder"]) == {str(model), str(tmp_path / "models" / "below" / "two")}
    assert {"preset", "parameters.max_depth", "accuracy", "digest", "seconds"} <= set(table)
    assert "fusion" not in shown_columns(table)
    (note,) = notes
    assert str(tmp_path / "models" / "bad") in note


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"format": "other"}', "no record of runs"),
        ('{"format": "functa-fusion-runs", "format_version": 9, "runs": []}', "reads up to 1"),
        (
            '{"format": "functa-fusion-runs", "format_version": 1, "runs": [{"data": {"stores": 3}}]}',
            "a run that is none",
        ),
        ('{"format": "functa-fusion-runs", "format_version": 1, "runs": [7]}', "a run that is none"),
    ],
)
def test_a_foreign_record_is_one_line(tmp_path, text, message):
    (tmp_path / RUN_FILE).write_text(text)
    found, (note,) = collect_runs(tmp_path)
    assert not found
    assert message in note


def test_a_folder_without_records_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"has no run\.json in it or below"):
        collect_runs(tmp_path)
    with pytest.raises(DataError, match="there is no folder"):
        collect_runs(tmp_path / "nowhere")


def test_runs_that_end_together_are_all_recorded(tmp_path):
    run = Run("evaluate", {}, {}, {"accuracy": 1.0}, 0.1)
    with ThreadPoolExecutor(8) as pool:
        reasons = list(pool.map(lambda _: add_run(tmp_path, run), range(24)))
    assert reasons == [None] * 24
    assert len(collect_runs(tmp_path)[0]) == 24


def test_an_evaluation_that_cannot_be_recorded_says_so(model, tmp_path):
    (model / RUN_FILE).write_text("{")
    assert any("this run is not in" in warning for warning in evaluate(model, tmp_path / "functas.zarr").warnings)


def test_predictions_are_written_by_suffix(make_store, tmp_path):
    result = train(make_store(), preset=QUICK, cv=3)
    read = pd.read_csv(result.save_predictions(tmp_path / "rows.csv"), dtype={"id": str})
    same = pd.read_parquet(result.save_predictions(tmp_path / "rows.parquet"))
    assert read["id"].tolist() == same["id"].tolist() == result.predictions["id"].tolist()
    assert {"label", "predicted", "probability", "fold"} <= set(read)
    with pytest.raises(ConfigError, match=r"expected a name in \.csv or \.parquet"):
        result.save_predictions(tmp_path / "rows.xlsx")
    with pytest.raises(ConfigError, match="there is no folder"):
        result.save_predictions(tmp_path / "none" / "rows.csv")
