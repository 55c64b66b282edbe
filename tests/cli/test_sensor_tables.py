"""A table of readings through the whole command: bad recordings are rows with a reason, and stop nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from helpers.running import Functa


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
