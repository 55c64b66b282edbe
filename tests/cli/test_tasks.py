"""Tasks on the command line: a number to predict, weights of classes, and the page that tells of them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from helpers.made_tasks import linked_tasks
from helpers.pages import commands, page, run_in_order
from typer.testing import CliRunner

from cli.main import app

NO_CLASS = "labels look like numbers"


@pytest.fixture
def run(monkeypatch):
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "1")
    runner = CliRunner()
    return lambda *words: runner.invoke(app, [str(word) for word in words])


@pytest.fixture(scope="module")
def walks(tmp_path_factory) -> Path:
    """Readings of eight people; how strong a wave is in them is the label."""
    random, lines = np.random.default_rng(0), ["id,time,ax,ay,label,group"]
    for number, person in enumerate("abcdefghij"):
        for take in range(3):
            strength = 0.5 + 0.25 * number + 0.05 * take
            for reading in range(200):
                wave = strength * np.sin(reading / 4) + 0.02 * random.normal()
                lines.append(f"{person}{take},{reading * 0.02:.2f},{wave:.4f},{-wave:.4f},{strength:.2f},{person}")
    path = tmp_path_factory.mktemp("walks") / "walks.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_labels_that_are_numbers_ask_for_the_task_then_train_and_predict(run, walks, tmp_path):
    store, model = tmp_path / "walks.zarr", tmp_path / "model"
    encode = ["encode", walks, "--modality", "sensor", "--store", store, "--reader", "window=1.28", "--workers", 1]
    plan = json.loads(run(*encode, "--dry-run", "--json").stdout)
    assert plan["targets"] == {"rows": 150, "low": 0.5, "high": 2.85, "told_by": "label"}
    assert "numbers to predict" in run(*encode, "--architecture", "paper-half").output
    asked = run("train", store, "--model", model)
    assert asked.exit_code == 1
    assert NO_CLASS in " ".join(asked.output.split())
    assert "--task regression" in " ".join(asked.output.split())
    trained = run("train", store, "--model", model, "--task", "regression", "--preset", "linear", "--threads", 1)
    assert "mean absolute error" in trained.output
    out = tmp_path / "out.csv"
    found = json.loads(run("predict", model, walks, "--out", out, "--json").stdout)
    assert found["accuracy"]["numbers"] == 30
    assert found["predictions"][0]["value"] == pytest.approx(0.5, abs=0.3)
    assert found["predictions"][0]["windows"][0]["value"] is not None
    assert out.read_text().splitlines()[0] == "file,recording,window,value,truth,psnr,error"


def test_a_column_of_readings_is_the_target_beside_a_class(run, walks, tmp_path):
    rows = [line.split(",") for line in walks.read_text().splitlines()[1:]]
    table = tmp_path / "pulse.csv"
    lines = [",".join([*row[:4], "walk", row[5], row[4]]) for row in rows]
    table.write_text("\n".join(["id,time,ax,ay,label,group,pulse", *lines]) + "\n")
    store, model = tmp_path / "pulse.zarr", tmp_path / "model"
    encode = ["encode", table, "--modality", "sensor", "--store", store, "--reader", "window=1.28", "--workers", 1]
    assert "pulse, of each sample the mean of its readings" in " ".join(
        run(*encode, "--reader", "target=pulse", "--architecture", "paper-half").output.split()
    )
    trained = run("train", store, "--model", model, "--task", "regression", "--preset", "linear", "--json")
    assert json.loads(trained.stdout)["r2"] > 0.9
    found = json.loads(run("predict", model, table, "--json").stdout)
    assert found["accuracy"]["numbers"] == 30
    assert found["accuracy"]["mae"] < 0.2
    assert found["predictions"][0]["truth"] == "0.5"


def test_a_link_carries_targets_and_both_kinds_of_file_keep_them(run, tmp_path):
    table = linked_tasks(tmp_path / "pair")
    for suffix in (".parquet", ".csv"):
        path = table.save(tmp_path / f"pair{suffix}")
        trained = run("train", path, "--model", tmp_path / "m", "--task", "regression", "--preset", "linear", "--json")
        assert json.loads(trained.stdout)["r2"] > 0.8
    assert table.to_dict()["targets"] == len(table)
    assert "numbers" in str(table)


def test_several_labels_a_row(run, tmp_path):
    table = linked_tasks(tmp_path / "pair", labels="sets").save(tmp_path / "pair.parquet")
    words = ["train", table, "--model", tmp_path / "m", "--task", "multilabel", "--preset", "linear", "--threads", 1]
    printed = run(*words).output
    assert "mean average precision" in printed
    assert "Each label on the test rows" in printed


def test_weights_are_read_or_refused(run, tmp_path):
    store = linked_tasks(tmp_path / "pair").stores["sensor"].path
    words = ["train", store, "--model", tmp_path / "m", "--preset", "fast", "--rounds", 5, "--threads", 1]
    trained = json.loads(run(*words, "--class-weight", "high=5,low=1", "--json").stdout)
    assert 0 <= trained["balanced_accuracy"] <= 1
    assert "balanced accuracy" in run(*words, "--class-weight", "balanced").output
    wrong = run(*words, "--class-weight", "high=much")
    assert wrong.exit_code == 2


@pytest.mark.slow
def test_the_page_s_commands_run_and_reach_what_it_says(tmp_path, monkeypatch):
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "1")
    run_in_order(commands(page("docs/tasks.md")), tmp_path)
    assert json.loads((tmp_path / "speed" / "metrics.json").read_text())["r2"] > 0.95
