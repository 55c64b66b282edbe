"""Several processes at one store: one writes, the others are told or read a committed prefix."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from store import StoreError, StoreLockedError, open_store, rows_equal
from store.testing import make_rows, new_store, numbered

WRITER = """
import sys
from pathlib import Path
from time import sleep
from store import open_store
from store.testing import make_rows
path, start, hold = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "hold"
with open_store(path, "a") as store:
    print("open", flush=True)
    if hold:
        sys.stdin.read()
    number = start
    while not hold:
        ids = [f"sample-{number + i}" for i in range(3)]
        store.append(make_rows(ids, seed=number))
        store.commit()
        print(number + 3, flush=True)
        number += 3
        sleep(0.005)  # without it a reader on a busy machine waits long for a moment between commits
"""


def start_writer(path: Path, start: int, mode: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(path), str(start), mode]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)}
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd=path.parent
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "open\n"
    return process


def stop(process: subprocess.Popen[str]) -> list[str]:
    """Kill without warning; return what the process had still said."""
    process.send_signal(signal.SIGKILL)
    said = process.communicate()[0].splitlines()
    return [line for line in said if line]


def test_the_second_writer_is_told_who_holds_the_lock(path: Path) -> None:
    new_store(path).close()
    process = start_writer(path, 0, "hold")
    try:
        with pytest.raises(StoreLockedError, match=rf"written to by process {process.pid} on \S+ since 2\S+Z?\. Wait"):
            open_store(path, "a")
        assert len(open_store(path)) == 0
    finally:
        stop(process)


def test_the_lock_of_a_dead_process_does_not_stay(path: Path) -> None:
    new_store(path).close()
    stop(start_writer(path, 0, "hold"))
    with open_store(path, "a") as store:
        store.append(make_rows(["a"]))
    assert len(open_store(path)) == 1


def test_readers_see_a_committed_prefix_while_another_process_writes(path: Path) -> None:
    new_store(path, block_rows=6).close()
    process, seen = start_writer(path, 0, "write"), [0]
    deadline = time.monotonic() + 3
    try:
        while time.monotonic() < deadline:
            store = open_store(path)
            rows = store.read()
            assert len(rows) % 3 == 0
            assert rows.ids.tolist() == numbered(0, len(rows))
            seen.append(len(rows))
            store.close()
    finally:
        stop(process)
    assert seen == sorted(seen)
    assert seen[-1] > 0


def test_a_reader_keeps_its_snapshot(path: Path) -> None:
    first, second = make_rows(numbered(0, 3)), make_rows(numbered(3, 9), seed=1)
    with new_store(path) as store:
        store.append(first)
        store.commit()
        reader = open_store(path)
        store.append(second)
        store.commit()
        assert rows_equal(reader.read(), first)


@pytest.mark.parametrize("kills", [2, pytest.param(25, marks=pytest.mark.slow)])
def test_a_killed_writer_loses_nothing_it_acknowledged(path: Path, kills: int) -> None:
    rng, acknowledged = np.random.default_rng(0), 0
    new_store(path, block_rows=6).close()
    for _ in range(kills):
        process = start_writer(path, acknowledged, "write")
        time.sleep(rng.uniform(0.05, 0.4))
        said = stop(process)
        acknowledged = max([acknowledged, *(int(line) for line in said)])
        rows = open_store(path).read()
        assert acknowledged <= len(rows) <= acknowledged + 3
        acknowledged = len(rows)
    assert acknowledged > 0
    for number in range(0, acknowledged, 3):
        ids = [f"sample-{number + i}" for i in range(3)]
        assert rows_equal(open_store(path).read(ids), make_rows(ids, seed=number))


def test_a_folder_that_cannot_be_written_to(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    new_store(path).close()
    refuse = PermissionError(13, "Permission denied")

    def denied(*_: object, **__: object) -> None:
        raise refuse

    monkeypatch.setattr("store.portable.fcntl.flock", denied)
    with pytest.raises(StoreError, match=r"cannot write to .*: Permission denied\. Check the folder's permissions"):
        open_store(path, "a")
    assert len(open_store(path)) == 0


def test_a_missing_store_and_a_foreign_file(path: Path) -> None:
    with pytest.raises(StoreError, match="there is no store at"):
        open_store(path)
    path.mkdir()
    with pytest.raises(StoreError, match="is not a functa store"):
        open_store(path)
    path.rmdir()
    path.write_bytes(b"\x89PNG....")
    with pytest.raises(StoreError, match=r"is not a functa store: it does not begin like an HDF5 file"):
        open_store(path)
