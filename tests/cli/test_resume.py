from __future__ import annotations

import os
import subprocess
import sys
import time
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from helpers.har_files import write_har
from helpers.running import ENCODE, ROOT, Functa

from store import open_store

SLOWLY = ("--steps", 60, "--block-rows", 8)
HEARS = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
"""A shell's background job ignores SIGINT, and so would what it starts."""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_har(tmp_path_factory.mktemp("resume"), per_class=120, test_per_class=30)


@pytest.fixture(scope="module")
def uninterrupted(functa: Functa, source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("whole") / "s.zarr"
    assert functa("encode", source, "--store", path, *ENCODE, *SLOWLY).code == 0
    return path


def start(source: Path, store: Path) -> subprocess.Popen[bytes]:
    arguments = ["encode", source, "--store", store, *ENCODE, *SLOWLY]
    return subprocess.Popen(
        [sys.executable, "-c", "from cli.main import main; main()", *map(str, arguments)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def committed(store: Path) -> set[str]:
    if not store.exists():
        return set()
    with open_store(store) as opened:
        return set(opened.ids)


def kill_once(source: Path, store: Path, delay: float) -> set[str]:
    """Start an encode run, wait until it commits more, kill it a moment later, and return what is committed then."""
    before = len(committed(store))
    process = start(source, store)
    while process.poll() is None and len(committed(store)) == before:
        time.sleep(0.02)
    time.sleep(delay)
    process.kill()
    process.wait()
    return committed(store)


def kill_again_and_again(source: Path, folder: Path, suffix: str, kills: int, whole: Path) -> Path:
    """Kill runs at random moments; a store that got finished is checked and a new one begun."""
    rng = np.random.default_rng(kills)
    stores = (folder / f"{number}{suffix}" for number in count())
    store, kept = next(stores), set[str]()
    for _ in range(kills):
        now = kill_once(source, store, rng.uniform(0, 0.3))
        assert kept <= now
        kept = now
        if len(kept) == 900:
            require_equal(store, whole)
            store, kept = next(stores), set()
    return store


def require_equal(store: Path, whole: Path) -> None:
    with open_store(store) as a, open_store(whole) as b:
        assert sorted(a.ids) == sorted(b.ids)
        left, right = a.read(sorted(a.ids)), b.read(sorted(b.ids))
        np.testing.assert_allclose(left.functas, right.functas, atol=1e-5)
        np.testing.assert_array_equal(left.labels, right.labels)
        np.testing.assert_array_equal(left.source_hash, right.source_hash)
        assert a.verify().ok


@pytest.mark.parametrize("suffix", [".zarr", ".h5"])
@pytest.mark.parametrize("kills", [2, pytest.param(100, marks=[pytest.mark.slow, pytest.mark.timeout(1800)])])
def test_a_killed_run_goes_on_where_it_was(
    functa: Functa, source: Path, uninterrupted: Path, tmp_path: Path, suffix: str, kills: int
) -> None:
    store = kill_again_and_again(source, tmp_path, suffix, kills, uninterrupted)
    kept = len(committed(store))
    report = functa("encode", source, "--store", store, *ENCODE, *SLOWLY, "--json").json
    assert (report["rows"], report["skipped"], report["encoded"]) == (900, kept, 900 - kept)
    require_equal(store, uninterrupted)
    with open_store(store) as opened:
        assert opened.n_rows == 900


def test_ctrl_c_commits_and_says_so(source: Path, tmp_path: Path) -> None:
    import signal

    store = tmp_path / "s.zarr"
    process = subprocess.Popen(
        [sys.executable, "-c", f"{HEARS}; from cli.main import main; main()", "encode", str(source)]
        + [str(a) for a in ("--store", store, *ENCODE, "--steps", 250, "--block-rows", 8)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    )
    while process.poll() is None and not committed(store):
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.strip() == "functa: interrupted; what was committed is kept, and the same command goes on from there"
    assert committed(store)
