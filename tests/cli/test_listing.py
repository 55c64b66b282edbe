from __future__ import annotations

from pathlib import Path

import pandas as pd
from helpers.running import Functa


def test_runs_of_a_folder_as_table_document_and_files(functa: Functa, har_store: Path, tmp_path: Path) -> None:
    quick = ("--rounds", 3, "--threads", 1)
    trained = functa(
        "train", har_store, "--model", tmp_path / "m", *quick, "--predictions", tmp_path / "p.csv", "--json"
    )
    assert trained.json["predictions"] == str(tmp_path / "p.csv")
    assert len(pd.read_csv(tmp_path / "p.csv")) == trained.json["rows_test"]
    tested = functa("evaluate", tmp_path / "m", har_store, "--predictions", tmp_path / "q.parquet", "--json").json
    assert len(pd.read_parquet(tmp_path / "q.parquet")) == tested["rows_test"]
    listed = functa("runs", tmp_path, "--out", tmp_path / "runs.csv", "--json").json
    assert [run["kind"] for run in listed["runs"]] == ["train", "evaluate"]
    assert pd.read_csv(tmp_path / "runs.csv")["accuracy"].tolist() == [trained.json["accuracy"]] * 2
    assert "evaluate" in functa("runs", tmp_path).out


def test_a_table_of_another_kind_is_refused_before_any_work(functa: Functa, har_store: Path, tmp_path: Path) -> None:
    outcome = functa("train", har_store, "--model", tmp_path / "m", "--predictions", tmp_path / "p.xlsx")
    assert outcome.code == 2
    assert "expected a name in .csv or .parquet" in outcome.error_line()
    assert not (tmp_path / "m").exists()
