"""`functa predict`: columns by name, recordings cut as in training, folders, patterns, lists, files out, exit codes."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from helpers.made_gestures import CHANNELS, ENCODE, gestures, recording
from helpers.running import ROOT, Functa

from cli.output import shortened
from fusion import load_model, predict
from fusion.models.folder import save_model


@pytest.fixture(scope="module")
def model(functa: Functa, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("gestures")
    table = gestures(folder / "gestures.csv")
    assert functa("encode", table, "--store", folder / "g.zarr", *ENCODE).code == 0
    quick = ("--rounds", 20, "--threads", 1, "--preset", "fast")
    assert functa("train", folder / "g.zarr", "--model", folder / "m", *quick).code == 0
    return folder / "m"


@pytest.fixture
def new(tmp_path: Path) -> pd.DataFrame:
    return recording("nod", "z", seed=99)


def window(new: pd.DataFrame, path: Path, *columns: str, **renamed: str) -> Path:
    new.iloc[:128].rename(columns=renamed)[list(columns)].to_csv(path, index=False)
    return path


def test_columns_are_put_in_order_by_name(functa: Functa, model: Path, new: pd.DataFrame, tmp_path: Path) -> None:
    files = [window(new, tmp_path / "a.csv", "time", *CHANNELS), window(new, tmp_path / "b.csv", *CHANNELS[::-1])]
    first, other = functa("predict", model, *files, "--json").json["predictions"]
    assert first["label"] == other["label"] == "nod"
    assert first["probabilities"] == other["probabilities"]


def test_thresholds_are_used_when_asked_for(functa: Functa, model: Path, new: pd.DataFrame, tmp_path: Path) -> None:
    plain, file = load_model(model), window(new, tmp_path / "a.csv", "time", *CHANNELS)
    rare = next(name for name in plain.classes if name != "nod")
    low = {name: 1e-6 if name == rare else 0.4 for name in plain.classes}
    cut = save_model(replace(plain, thresholds=low), tmp_path / "cut")
    labels = {}
    for options in ((), ("--thresholds",)):
        (found,) = functa("predict", cut, file, *options, "--json").json["predictions"]
        labels[options] = found["label"], next(iter(found["probabilities"]))
    assert labels == {(): ("nod", "nod"), ("--thresholds",): (rare, rare)}
    refused = functa("predict", model, file, "--thresholds")
    assert refused.code == 1
    assert "this model has no thresholds" in refused.error_line()


def test_other_names_are_refused_with_both_lists(
    functa: Functa, model: Path, new: pd.DataFrame, tmp_path: Path
) -> None:
    outcome = functa("predict", model, window(new, tmp_path / "a.csv", "time", "gx", "ay", "az", ax="gx"), "--json")
    (found,) = outcome.json["predictions"]
    assert outcome.code == 4
    assert found["label"] is None
    assert found["error"] == "read: no column 'ax'; got time, gx, ay, az; expected ax, ay, az"


def test_a_whole_recording_is_cut_as_in_training(
    functa: Functa, model: Path, new: pd.DataFrame, tmp_path: Path
) -> None:
    new.to_csv(tmp_path / "whole.csv", index=False)
    outcome = functa("predict", model, tmp_path / "whole.csv", "--json")
    (found,) = outcome.json["predictions"]
    assert (outcome.code, found["label"], found["recording"], found["truth"]) == (0, "nod", "z-nod", "nod")
    assert [part["window"] for part in found["windows"]] == [f"{start:09.2f}s" for start in (0, 1.28, 2.56, 3.84, 5.12)]
    mean = np.mean([part["probabilities"]["nod"] for part in found["windows"]])
    assert found["probabilities"]["nod"] == pytest.approx(mean)
    told = outcome.json["accuracy"]
    assert (told["accuracy"], told["recordings"], told["accuracy_windows"], told["windows"]) == (1.0, 1, 1.0, 5)


def test_a_table_of_recordings_gives_an_answer_for_each(functa: Functa, model: Path, tmp_path: Path) -> None:
    short = recording("nod", "y", seed=3, readings=100)
    table = pd.concat([recording("tilt", "x", seed=1), recording("shake", "x", seed=2), short])
    table.to_csv(tmp_path / "all.csv", index=False)
    outcome = functa("predict", model, tmp_path / "all.csv", "--json")
    told = [(found["recording"], found["label"]) for found in outcome.json["predictions"]]
    assert told == [("x-tilt", "tilt"), ("x-shake", "shake"), ("", None)]
    assert outcome.json["predictions"][2]["error"].startswith("read: 1 of its recordings hold fewer than 128 readings")
    assert outcome.code == 4


def test_without_times_and_labels_it_is_cut_by_the_rate_of_the_training(
    functa: Functa, model: Path, new: pd.DataFrame, tmp_path: Path
) -> None:
    new[list(CHANNELS)].to_parquet(tmp_path / "whole.parquet")
    (found,) = functa("predict", model, tmp_path / "whole.parquet", "--json").json["predictions"]
    assert (found["label"], found["truth"], len(found["windows"])) == ("nod", None, 5)


def test_readings_at_another_rate_are_refused(functa: Functa, model: Path, tmp_path: Path) -> None:
    recording("nod", "z", seed=5, rate=100).to_csv(tmp_path / "fast.csv", index=False)
    outcome = functa("predict", model, tmp_path / "fast.csv", "--json")
    assert outcome.code == 4
    error = outcome.json["predictions"][0]["error"]
    assert "readings come every 0.01 to 0.01 s; expected 0.02 s. Resample the file to that rate." in error


def test_a_window_that_cannot_be_used_leaves_the_others(
    functa: Functa, model: Path, new: pd.DataFrame, tmp_path: Path
) -> None:
    new.loc[10, "ay"] = np.nan
    new.to_csv(tmp_path / "hole.csv", index=False)
    outcome = functa("predict", model, tmp_path / "hole.csv", "--json")
    (found,) = outcome.json["predictions"]
    assert (outcome.code, found["label"]) == (4, "nod")
    assert found["error"].startswith("1 of 5 windows: prepare: nan at reading 10")
    assert [part["label"] for part in found["windows"]] == [None, "nod", "nod", "nod", "nod"]


def test_folders_patterns_and_lists(functa: Functa, model: Path, new: pd.DataFrame, tmp_path: Path) -> None:
    for folder in ("nod", "other"):
        (tmp_path / "new" / folder).mkdir(parents=True)
        window(new, tmp_path / "new" / folder / "a.csv", *CHANNELS)
    (tmp_path / "new" / "notes.pdf").write_text("no sample")
    folder = functa("predict", model, tmp_path / "new", "--json")
    assert [found["truth"] for found in folder.json["predictions"]] == ["nod", None]
    assert any("files left out: 1 of other kinds" in note for note in folder.json["notes"])
    pattern = functa("predict", model, tmp_path / "new" / "*" / "a.csv", "--json").json
    assert [Path(found["file"]).parent.name for found in pattern["predictions"]] == ["nod", "other"]
    (tmp_path / "list.csv").write_text("path, label\nnew/nod/a.csv, nod\nnew/other/a.csv, tilt\n")
    listed = functa("predict", model, tmp_path / "list.csv", "--json").json
    assert [found["truth"] for found in listed["predictions"]] == ["nod", "tilt"]
    assert listed["accuracy"]["accuracy"] == 0.5
    assert "no file matches" in functa("predict", model, tmp_path / "*.wav").error_line()
    (tmp_path / "empty").mkdir()
    assert "holds no file that the model reads" in functa("predict", model, tmp_path / "empty").error_line()


def test_a_folder_is_walked_as_that_of_a_training(
    functa: Functa, model: Path, new: pd.DataFrame, tmp_path: Path
) -> None:
    for folder in ("nod/tilt", ".ipynb_checkpoints", "__MACOSX/nod", "tilt", "other"):
        (tmp_path / folder).mkdir(parents=True)
        window(new, tmp_path / folder / "a.csv", *CHANNELS)
    window(new, tmp_path / "alone.csv", *CHANNELS)
    (tmp_path / "nod" / "sheet.xlsx").write_bytes(b"")
    outcome = functa("predict", model, tmp_path, "--json")
    told = {found["file"][len(str(tmp_path)) + 1 :]: found["truth"] for found in outcome.json["predictions"]}
    expected = {"alone.csv": None, "nod/sheet.xlsx": "nod", "nod/tilt/a.csv": "nod", "other/a.csv": None}
    assert told == expected | {"tilt/a.csv": "tilt"}
    assert (outcome.code, outcome.json["failed"]) == (4, 1)
    assert any("files left out: 2 hidden" in note for note in outcome.json["notes"])


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".json"])
def test_predictions_as_a_file(functa: Functa, model: Path, new: pd.DataFrame, tmp_path: Path, suffix: str) -> None:
    new.to_csv(tmp_path / "whole.csv", index=False)
    out = tmp_path / f"p{suffix}"
    assert functa("predict", model, tmp_path / "whole.csv", tmp_path / "no.csv", "--out", out, "--top", 3).code == 4
    if suffix == ".json":
        whole, missing = json.loads(out.read_text())["predictions"]
        assert (whole["label"], len(whole["windows"]), missing["label"]) == ("nod", 5, None)
        return
    table = pd.read_csv(out) if suffix == ".csv" else pd.read_parquet(out)
    assert len(table) == 1 + 5 + 1
    assert table["class"].tolist()[:6] == ["nod"] * 6
    assert table.loc[:5, ["probability", "probability_2", "probability_3"]].sum(axis=1).to_numpy() == pytest.approx(1)
    assert "does not exist" in table["error"].iloc[6]


def test_a_file_that_cannot_be_written_is_refused_before_any_work(functa: Functa, model: Path, tmp_path: Path) -> None:
    for out, message in (("p.xlsx", ".csv, .parquet, .json"), ("no/p.csv", "there is no folder")):
        outcome = functa("predict", model, tmp_path / "a.csv", "--out", tmp_path / out)
        assert outcome.code == 2
        assert message in outcome.error_line()


def test_the_table_names_files_and_what_failed(functa: Functa, model: Path, new: pd.DataFrame, tmp_path: Path) -> None:
    deep = tmp_path / ("long-" * 20)
    deep.mkdir()
    outcome = functa("predict", model, window(new, deep / "the-end.csv", *CHANNELS), tmp_path / "no.csv", "--top", 2)
    assert "the-end.csv" in outcome.out
    assert "class 2" in outcome.out
    assert "What went wrong" in outcome.out
    assert "expected a table of readings" in outcome.out


def test_long_paths_lose_their_middle() -> None:
    assert shortened("short.wav", 20) == "short.wav"
    assert shortened("/data/" + "x" * 80 + "/take-7.wav", 30) == "/data/xxx...xxxxxxx/take-7.wav"


def test_a_missing_file_of_a_fusion_is_shown_and_counts(
    functa: Functa, model: Path, new: pd.DataFrame, tmp_path: Path
) -> None:
    fused = fusion_of(functa, model, tmp_path)
    for name in ("a_one", "a_two", "b_one"):
        window(new, tmp_path / f"{name}.csv", *CHANNELS)
    files = [f"one={tmp_path / 'a_one.csv'}", f"two={tmp_path / 'a_two.csv'}", f"one={tmp_path / 'b_one.csv'}"]
    outcome = functa("predict", fused, *files, "--json")
    whole, part = outcome.json["predictions"]
    assert (whole["error"], part["error"]) == ("", "two: no file of this modality")
    assert (outcome.code, part["label"]) == (4, "nod")
    gone = functa("predict", fused, files[0], f"two={tmp_path / 'gone.csv'}")
    assert gone.code == 4
    assert "gone.csv does not exist" in " ".join(gone.out.split())
    alone = functa("predict", fused, files[0])
    assert alone.code == 0


def test_windows_of_a_fusion_are_joined_by_their_names(
    functa: Functa, model: Path, new: pd.DataFrame, tmp_path: Path
) -> None:
    fused = fusion_of(functa, model, tmp_path)
    new.to_csv(tmp_path / "a.csv", index=False)
    new.iloc[:200].to_csv(tmp_path / "b.csv", index=False)
    outcome = functa("predict", fused, f"one={tmp_path / 'a.csv'}", f"two={tmp_path / 'b.csv'}", "--json")
    (found,) = outcome.json["predictions"]
    assert outcome.code == 4
    assert len(found["windows"]) == 5
    assert found["error"].startswith("two: 3 of 5 windows: read: no window of this name")
    assert [bool(part["error"]) for part in found["windows"]] == [False, False, True, True, True]


def fusion_of(functa: Functa, model: Path, folder: Path) -> Path:
    """Fuse the store of the gestures with a copy of itself."""
    store = model.parent / "g.zarr"
    link = folder / "link.csv"
    assert functa("link", f"one={store}", f"two={store}", "--on", "id", "--out", link).code == 0
    quick = ("--fusion", "late", "--rounds", 4, "--threads", 1, "--preset", "fast")
    assert functa("train", link, "--model", folder / "fused", *quick).code == 0
    return folder / "fused"


def test_many_files_come_in_order(functa: Functa, model: Path, new: pd.DataFrame, tmp_path: Path) -> None:
    source = window(new, tmp_path / "w.csv", *CHANNELS)
    (tmp_path / "many").mkdir()
    for number in range(200):
        shutil.copy(source, tmp_path / "many" / f"{number:04}.csv")
    out = tmp_path / "p.csv"
    outcome = functa("predict", model, tmp_path / "many", "--out", out, "--workers", 1)
    assert outcome.code == 0
    with out.open() as file:
        rows = list(csv.DictReader(file))
    assert [Path(row["file"]).name for row in rows] == [f"{number:04}.csv" for number in range(200)]
    assert {row["class"] for row in rows} == {"nod"}
    assert "180 more in the file" in outcome.out


def test_a_loaded_model_predicts_files_too(model: Path, new: pd.DataFrame, tmp_path: Path) -> None:
    loaded = load_model(model)
    (found,) = predict(loaded, [window(new, tmp_path / "a.csv", *CHANNELS)])
    assert found.label == "nod"


def in_a_process(*arguments: object) -> str:
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_predicting_imports_nothing_that_only_training_needs(model: Path, new: pd.DataFrame, tmp_path: Path) -> None:
    heavy = "{'sklearn', 'pandas', 'matplotlib', 'xgboost', 'joblib', 'tensorflow', 'loky'}"
    code = (
        f"import sys, fusion; fusion.predict(*sys.argv[1:2], sys.argv[2:]); print(sorted({heavy} & set(sys.modules)))"
    )
    assert in_a_process("-c", code, model, window(new, tmp_path / "a.csv", "time", *CHANNELS)) == "[]"


@pytest.mark.slow
def test_one_file_takes_less_than_a_second_and_a_half(model: Path, new: pd.DataFrame, tmp_path: Path) -> None:
    """Of processor time, which is what a quiet machine takes: others slow the clock on the wall."""
    file, taken = window(new, tmp_path / "a.csv", "time", *CHANNELS), []
    for _ in range(7):
        before = sum(os.times()[2:4])
        in_a_process("-c", "from cli.main import main; main()", "predict", model, file)
        taken.append(sum(os.times()[2:4]) - before)
    assert np.median(taken) < 1.5, taken


@pytest.mark.slow
def test_a_thousand_files_take_no_more_memory_than_a_hundred(model: Path, new: pd.DataFrame, tmp_path: Path) -> None:
    source = window(new, tmp_path / "w.csv", *CHANNELS)
    code = (
        "import resource, sys; from cli.main import app; app(sys.argv[1:], standalone_mode=False); "
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    peaks = []
    for count in (100, 1000):
        (tmp_path / str(count)).mkdir()
        for number in range(count):
            shutil.copy(source, tmp_path / str(count) / f"{number:04}.csv")
        out = tmp_path / f"{count}.csv"
        told = in_a_process("-c", code, "predict", model, tmp_path / str(count), "--out", out, "--workers", 1)
        assert len(pd.read_csv(out)) == count
        peaks.append(int(told.splitlines()[-1]))
    assert peaks[1] < 1.1 * peaks[0], peaks
