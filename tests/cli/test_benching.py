from __future__ import annotations

from pathlib import Path

import pytest
from helpers.running import Functa


@pytest.mark.slow
def test_bench_fit_prints_the_keys_that_checks_read(functa: Functa) -> None:
    found = functa("bench", "fit", "--quick", "--modality", "sensor", "--json").json
    assert found["workers_speedup"] > 0
    assert {"engine_steps_per_second", "keras_steps_per_second", "ratio_to_keras", "fraction_of_matmul"} <= set(
        found["modalities"]["sensor"]
    )
    assert found["modalities"]["sensor"]["ratio_to_keras"] > 5


def test_bench_fit_names_an_unknown_modality(functa: Functa) -> None:
    outcome = functa("bench", "fit", "--modality", "smell")
    assert outcome.code == 2
    assert "no bench for modality 'smell'" in outcome.error_line()


def test_bench_store_prints_the_keys_that_checks_read(functa: Functa, tmp_path: Path) -> None:
    small = ("--k", 32, "--rows", 600, "--ids", 500, "--repeats", 1, "--folder", tmp_path / "new" / "folder")
    found = functa("bench", "store", *small, "--json").json
    assert found.keys() >= {"scan_ratio", "write_ratio", "gather_ratio", "open_seconds"}
    assert "durable write" in functa("bench", "store", *small).out
    assert list((tmp_path / "new" / "folder").iterdir()) == []


def test_bench_train_prints_the_keys_that_checks_read(functa: Functa, har_store: Path) -> None:
    found = functa("bench", "train", har_store, "--threads", 1, "--json").json
    assert {"seconds_paper", "seconds_fast", "accuracy_paper", "accuracy_fast", "ratio"} <= set(found)
    assert found["seconds_paper"] > 0 < found["seconds_fast"]


def test_the_doctor_prints_lines_or_one_document(functa: Functa, tmp_path: Path) -> None:
    lines = functa("doctor", "--folder", tmp_path).out.splitlines()
    assert any(line.strip().startswith("numpy: ") for line in lines)
    document = functa("doctor", "--folder", tmp_path, "--json").json
    assert isinstance(document["ok"], bool)
    assert {"name", "value", "ok", "advice"} == document["findings"][0].keys()


def test_bench_start_prints_the_keys_that_checks_read(functa: Functa, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = {"python": ("-c", "pass"), "import": ("-c", "import fusion"), "help": ("-c", "pass")}
    monkeypatch.setattr("fusion.bench.start._lines", lambda folder, *, demo: lines)
    found = functa("bench", "start", "--repeats", 1, "--no-demo", "--json").json
    assert found.keys() == {"seconds", "slowest", "bars", "repeats", "load", "compiled_anew"}
    assert found["seconds"].keys() == found["bars"].keys() == {"import", "help"}
    assert "at most" in functa("bench", "start", "--repeats", 1, "--no-demo").out
