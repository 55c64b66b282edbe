"""A table of readings through the whole command: bad recordings are rows with a reason, and stop nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from helpers.made_walks import walks
from helpers.running import Functa

from store import open_store


def table(path: Path) -> Path:
    parts = []
    for number, name in enumerate(["sé 1", "b'2\"", "constant", "gone", "endless", "word"]):
        values = np.random.default_rng(number).normal(size=(100, 2)).astype(object)
        if name == "constant":
            values[:] = 1.5
        bad = {"gone": np.nan, "endless": np.inf, "word": "n/a?"}.get(name)
        if bad is not None:
            values[60, 1] = bad
        part = pd.DataFrame(values, columns=["ax", "ay"]).assign(who=name, t=np.arange(100) / 50)
        parts.append(part.assign(what="xy"[number % 2], part="train" if number < 4 else "test"))
    pd.concat(parts).to_csv(path, index=False)
    return path


def test_bad_recordings_fail_alone_and_are_tried_again(functa: Functa, tmp_path: Path) -> None:
    columns = [
        f"--reader={role}={name}" for role, name in {"id": "who", "time": "t", "label": "what", "split": "part"}.items()
    ]
    how = ("--modality", "sensor", *columns, "--reader=window=1", "--reader=step=1", "--store", tmp_path / "s.h5")
    command = ("encode", table(tmp_path / "t.csv"), *how, "--workers", 1, "--json")
    first = functa(*command)
    assert (first.code, first.json["rows"], first.json["failed"]) == (4, 9, 3)
    reasons = dict(first.json["failures"])
    assert list(reasons) == ["gone-000001.00s", "endless-000001.00s", "word-000001.00s"]
    assert reasons["gone-000001.00s"] == "prepare: nan at reading 10, channel 1; expected finite numbers"
    assert reasons["endless-000001.00s"] == "prepare: inf at reading 10, channel 1; expected finite numbers"
    assert reasons["word-000001.00s"] == "read: 'n/a?' in column 'ay', row 561; expected a number"
    again = functa(*command, "--retry-failed")
    assert (again.code, again.json["encoded"], again.json["skipped"]) == (4, 0, 0)
    decoded = functa("decode", tmp_path / "s.h5", "sé 1-000000.00s", "--out", tmp_path / "out.csv")
    assert decoded.code == 0
    assert np.loadtxt(tmp_path / "out.csv", delimiter=",", skiprows=1).shape == (50, 3)


def test_the_plan_is_shown_by_every_run_and_kept_in_the_header(functa: Functa, tmp_path: Path) -> None:
    walks("ab").to_csv(tmp_path / "t.csv")
    how = ("--modality", "sensor", "--reader=window=2.56", "--steps", 2, "--workers", 1)
    command = ("encode", tmp_path / "t.csv", *how, "--store", tmp_path / "s.zarr")
    left_out = {"Unnamed: 0": "it has no name, as a running number of rows"}
    plan = functa(*command, "--dry-run", "--json").json
    run = functa(*command, "--json").json
    for told in (plan, run):
        assert (told["channels"], told["left_out"]) == (["ax", "ay", "az"], left_out)
        assert told["reading"]["dropped"] == {
            "readings without a time": 0,
            "readings that fill no window": 176,
            "recordings too short for a window": 0,
        }
    kept = open_store(tmp_path / "s.zarr").header.conventions["reading"]
    assert kept == run["reading"]
    shown = functa(*command).out
    for line in (
        "50 readings per second (measured on recording 'a-walk')",
        "2.56 s, 128 readings",
        "Unnamed: 0 (it has",
    ):
        assert line in shown


def test_stores_of_tables_with_other_columns_left_out_can_be_merged(functa: Functa, tmp_path: Path) -> None:
    how = ("--modality", "sensor", "--reader=window=2.56", "--steps", 2, "--workers", 1)
    for name, table in (("a", walks("ab")), ("b", walks("cd").assign(note="x"))):
        table.to_csv(tmp_path / f"{name}.csv", index=False)
        like = () if name == "a" else ("--like", tmp_path / "a.zarr")
        done = functa("encode", tmp_path / f"{name}.csv", *how, *like, "--store", tmp_path / f"{name}.zarr")
        assert done.code == 0, done.err
    merged = functa("store", "merge", tmp_path / "a.zarr", tmp_path / "b.zarr", "--out", tmp_path / "m.zarr", "--json")
    assert (merged.code, merged.json["rows"]) == (0, 24), merged.err
