from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from helpers.made_functas import functa_rows, rebuilt, stored
from helpers.running import ROOT, Functa


@pytest.fixture
def store(tmp_path: Path) -> Path:
    rows = functa_rows(12, 6)
    stored(tmp_path / "one.zarr", rebuilt(rows)).close()
    return tmp_path / "one.zarr"


def test_a_comparison_ranks_trains_the_winner_and_is_listed(functa: Functa, store: Path, tmp_path: Path) -> None:
    out = ("--out", tmp_path / "out", "--folds", 2, "--preset", "linear", "--preset", "fast")
    found = functa("compare", store, *out, "--best", tmp_path / "model", "--json").json
    assert [row["mean"] for row in found["table"]] == sorted((row["mean"] for row in found["table"]), reverse=True)
    assert found["best"]["test"]["model"] == str(tmp_path / "model")
    assert found["best"]["test"]["rows_test"] == 18
    assert found["paired"]["rows"][0]["preset"] != found["best"]["preset"]
    shown = functa("compare", store, *out, "--best", tmp_path / "model")
    assert "corrected resampled t" in shown.out
    assert "test accuracy" in shown.out
    kinds = {run["kind"] for run in functa("runs", tmp_path, "--json").json["runs"]}
    assert kinds == {"train", "compare"}


def test_raw_data_are_encoded_by_each_encoder(functa: Functa, har: Path, tmp_path: Path) -> None:
    (tmp_path / "short.toml").write_text('initialisation = "random"\n[fit]\nsteps = 1\n')
    options = (
        "--modality",
        "sensor",
        "--dataset",
        "uci-har",
        "--encoder",
        f"short={tmp_path / 'short.toml'}",
        "--preset",
        "fast",
        "--limit",
        30,
    )
    quick = ("--out", tmp_path / "out", "--folds", 2, "--workers", 1, "--json")
    outcome = functa("compare", har, *options, *quick)
    assert outcome.code == 0, outcome.err
    found = outcome.json
    assert [row["encoder"] for row in found["table"]] == ["short"]
    assert (tmp_path / "out" / "stores").is_dir()


def test_tasks_weights_and_estimators_are_named_as_for_train(functa: Functa, store: Path, tmp_path: Path) -> None:
    options = ("--folds", 2, "--preset", "linear", "--json")
    ridge = ("--estimator", "LogisticRegression(C=0.1)")
    found = functa("compare", store, "--out", tmp_path / "named", *options, *ridge).json
    assert {row["preset"] for row in found["table"]} == {"linear", "LogisticRegression(C=0.1)"}
    assert all(0 < row["balanced_accuracy"] <= 1 for row in found["table"])
    weighted = functa("compare", store, "--out", tmp_path / "weighted", *options, "--class-weight", "balanced").json
    assert "the score of linear is the accuracy of rows that count by their class's weight" in weighted["notes"]
    assert weighted["best"]["mean"] == pytest.approx(weighted["best"]["balanced_accuracy"], abs=0.02)
    labels = functa("compare", store, "--out", tmp_path / "labels", *options, "--label-separator", "|").json
    assert labels["measure"] == "micro_f1"
    refused = functa("compare", store, "--out", tmp_path / "both", *options, *ridge, "--class-weight", "balanced")
    assert refused.code == 2
    assert "'class_weight' and the estimator LogisticRegression both say how to train" in refused.error_line()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--budget", "soon"), "--budget soon: expected a time, such as 90s, 10m or 1h30m"),
        (("--preset", "turbo"), "preset is 'turbo'; expected one of paper, fast"),
        (("--fusion", "never"), "fusion is 'never'"),
    ],
)
def test_a_wrong_option_is_one_line(
    functa: Functa, store: Path, tmp_path: Path, options: tuple[str, ...], message: str
) -> None:
    other = tmp_path / "two.zarr"
    stored(other, functa_rows(12, 6), dataset="two").close()
    outcome = functa("compare", store, other, "--out", tmp_path / "out", *options)
    assert outcome.code == 2
    assert message in outcome.error_line()


def test_after_a_kill_the_same_command_goes_on(functa: Functa, store: Path, tmp_path: Path) -> None:
    words = ["compare", store, "--out", tmp_path / "out", "--folds", 3, "--preset", "fast", "--preset", "linear"]
    words += ["--seeds", 40]
    command = [sys.executable, "-c", "from cli.main import main; main()", *map(str, words)]
    process = subprocess.Popen(command, env=os.environ | {"PYTHONPATH": str(ROOT)}, stderr=subprocess.DEVNULL)
    cells = tmp_path / "out" / "cells"
    deadline = time.monotonic() + 120
    while len(list(cells.glob("*.json"))) < 3 and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    finished = {path.name: path.stat().st_mtime_ns for path in cells.glob("*.json")}
    assert len(finished) >= 3
    words[-1] = 2
    assert functa(*words).code == 0
    assert {path.name: path.stat().st_mtime_ns for path in cells.glob("*.json")}.items() >= finished.items()
