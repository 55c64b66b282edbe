"""What batch schedulers send ends a run as Ctrl-C does: committed, in one line, within a second."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from helpers.har_files import write_har
from helpers.running import ENCODE, ROOT

from store import open_store

SLOWLY = ("--steps", 60, "--block-rows", 8)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_har(tmp_path_factory.mktemp("signals"), per_class=120, test_per_class=30)


def start(source: Path, store: Path, *more: object) -> subprocess.Popen[str]:
    arguments = ["encode", source, "--store", store, *ENCODE, *SLOWLY, *more]
    return subprocess.Popen(
        [sys.executable, "-c", "from cli.main import main; main()", *map(str, arguments)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_for_rows(process: subprocess.Popen[str], store: Path) -> int:
    while process.poll() is None:
        if store.exists() and len(rows := open_store(store)):
            return len(rows)
        time.sleep(0.02)
    raise AssertionError(process.communicate()[1])


ALL = [
    (number, code, group, workers)
    for number, code in ((signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130))
    for group in (False, True)
    for workers in (1, 2)
]
QUICK = [(signal.SIGTERM, 143, True, 2), (signal.SIGHUP, 129, False, 1)]


@pytest.mark.parametrize(
    ("number", "code", "group", "workers"),
    [pytest.param(*case, marks=[] if case in QUICK else pytest.mark.slow) for case in ALL],
)
def test_a_signal_ends_a_run_after_its_commit(
    source: Path, tmp_path: Path, number: signal.Signals, code: int, group: bool, workers: int
) -> None:
    store = tmp_path / "s.zarr"
    process = start(source, store, "--workers", workers)
    before = wait_for_rows(process, store)
    begin = time.monotonic()
    (os.killpg if group else os.kill)(process.pid, number)
    _, err = process.communicate(timeout=30)
    seconds = time.monotonic() - begin
    how = "interrupted" if number == signal.SIGINT else f"ended by {number.name}"
    assert err.strip() == f"functa: {how}; what was committed is kept, and the same command goes on from there"
    assert process.returncode == code
    assert seconds < 3  # a second on a machine that does nothing else
    with open_store(store, "a") as opened:
        assert len(opened) >= before
        assert opened.verify().ok


@pytest.mark.slow
def test_a_second_signal_acts_at_once(source: Path, tmp_path: Path) -> None:
    process = start(source, tmp_path / "s.zarr", "--workers", 2)
    wait_for_rows(process, tmp_path / "s.zarr")
    for _ in range(2):
        process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode in (143, -signal.SIGTERM)
    assert open_store(tmp_path / "s.zarr").verify().ok
