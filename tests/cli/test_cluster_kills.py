"""Scheduler, worker and client of a Dask cluster on this machine, each killed in the middle of a run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from helpers.har_files import write_har
from helpers.running import ENCODE, ROOT

from store import open_store

pytest.importorskip("distributed")
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
ROWS = 900


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_har(tmp_path_factory.mktemp("cluster"), per_class=120, test_per_class=30)


class Cluster:
    """A scheduler and workers as processes of their own."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.file, self.stack = folder / "scheduler.json", stack
        self.scheduler = self.start("scheduler", "--host", "127.0.0.1", "--port", "0")
        self.workers = [self.start("worker", "--nthreads", "1", "--host", "127.0.0.1") for _ in range(2)]

    def start(self, what: str, *more: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "distributed.cli.dask_" + what, "--scheduler-file", str(self.file), *more]
        process = subprocess.Popen(
            [*command, "--no-dashboard"], env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.stack.callback(process.wait)
        self.stack.callback(process.kill)
        return process

    @property
    def address(self) -> str:
        for _ in range(600):
            if self.file.exists() and self.file.stat().st_size:
                return str(json.loads(self.file.read_text())["address"])
            time.sleep(0.1)
        raise AssertionError


@contextmanager
def cluster(folder: Path) -> Iterator[Cluster]:
    folder.mkdir()
    with ExitStack() as stack:
        yield Cluster(folder, stack)


def start(source: Path, store: Path, address: str) -> subprocess.Popen[str]:
    arguments = ["encode", source, "--store", store, *ENCODE[:-2], "--steps", 2000, "--block-rows", 8, "--json"]
    command = [sys.executable, "-c", "from cli.main import main; main()", *map(str, arguments), "--scheduler", address]
    return subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for_more(process: subprocess.Popen[str], store: Path, before: int) -> int:
    while process.poll() is None:
        if store.exists() and (rows := len(open_store(store))) > before:
            return rows
        time.sleep(0.05)
    return len(open_store(store)) if store.exists() else 0


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", ["s.zarr", "s.functas"])
def test_whoever_is_killed_nothing_is_lost_and_nothing_is_there_twice(source: Path, tmp_path: Path, name: str) -> None:
    store, kept = tmp_path / name, 0
    for number, victim in enumerate(["worker", "scheduler", "client", "nobody"]):
        with cluster(tmp_path / f"cluster-{number}") as running:
            process = start(source, store, running.address)
            kept = max(kept, wait_for_more(process, store, kept))
            assert kept < ROWS or victim == "nobody"
            if victim == "worker":
                running.workers[0].send_signal(signal.SIGKILL)
                kept = max(kept, wait_for_more(process, store, kept))
                process.send_signal(signal.SIGINT)
            elif victim == "scheduler":
                running.scheduler.send_signal(signal.SIGKILL)
            elif victim == "client":
                process.send_signal(signal.SIGKILL)
            out, err = process.communicate(timeout=300)
            assert "Traceback" not in err
            if victim == "scheduler":
                assert process.returncode == 1
                assert [line for line in err.splitlines() if line.strip()] == [err.strip()]
                assert "the Dask scheduler at tcp://127.0.0.1" in err
        with open_store(store, "a") as opened:
            assert len(opened) >= kept
            assert opened.n_rows == len(opened)
            assert opened.verify().ok
            kept = len(opened)
    assert process.returncode == 0, err
    report = json.loads(out)
    assert (report["rows"], report["failed"]) == (ROWS, 0)
    assert open_store(store).finished
