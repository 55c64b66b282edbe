from __future__ import annotations

from pathlib import Path

from helpers.running import ENCODE, Functa


def test_a_file_gets_what_is_done_with_its_time(functa_process: Functa, har: Path, tmp_path: Path) -> None:
    log = tmp_path / "run.log"
    line = ("--log-file", log, "encode", har, "--store", tmp_path / "s.zarr", *ENCODE)
    assert functa_process(*line).code == 0
    assert functa_process("--log-file", log, "evaluate", "m", tmp_path / "none.zarr").code != 0
    told = log.read_text()
    assert " INFO fusion.encoders.encoding: encoding uci-har into " in told
    assert ": 36 encoded, 0 stored already, 0 failed in " in told
    assert " DEBUG store.functa_store: " in told
    assert " WARNING cli: " in told.splitlines()[-1]


def test_verbose_tells_on_stderr_and_quiet_shows_no_bar(
    functa_process: Functa, har_store: Path, tmp_path: Path
) -> None:
    line = ("link", f"a={har_store}", f"b={har_store}", "--on", "id", "--out", tmp_path / "l.parquet")
    assert "INFO fusion.linking.linker: linked a, b by id: 36 items" in functa_process("-v", *line).err
    assert functa_process("-q", *line).err == ""
    train = ("train", har_store, "--model", tmp_path / "m", "--preset", "linear")
    assert functa_process(*train).err == "\n"  # what a bar leaves behind that no terminal shows
    assert functa_process("-q", *train).err == ""


def test_a_log_that_cannot_be_written_is_one_line(functa_process: Functa, tmp_path: Path) -> None:
    outcome = functa_process("--log-file", tmp_path / "no" / "folder.log", "store", "info", tmp_path)
    assert outcome.code == 1
    assert "folder.log" in outcome.error_line()
