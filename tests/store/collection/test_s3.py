"""A real S3 server on loopback: uploads killed with -9, connections lost, answers that take long."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from helpers.running import ROOT
from helpers.s3_server import BUCKET, S3Server, killer, s3_server

from store import open_store, rows_equal
from store.testing import make_rows, numbered

pytest.importorskip("s3fs")
pytest.importorskip("moto")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800), pytest.mark.filterwarnings("ignore")]
IDS = numbered(0, 24)
WRITE = """
import sys
from store import open_store
from store.collection.collection import exists
from store.testing import make_rows, new_store, numbered
url, ids = sys.argv[1], numbered(0, int(sys.argv[2]))
rows = make_rows(ids)
with open_store(url, "a") if exists(url) else new_store(url, part_rows=4) as store:
    known = store.known()
    for place, name in enumerate(ids):
        if name not in known:
            store.append(rows.take([place]))
    store.commit(finished=True)
"""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[S3Server]:
    import s3fs

    s3fs.S3FileSystem.clear_instance_cache()  # those of another server
    with s3_server() as running:
        for name, value in running.environment().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("FUNCTA_STAGES", str(tmp_path / "stages"))
        yield running


def write(url: str) -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)])}
    command = [sys.executable, "-c", WRITE, url, str(len(IDS))]
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)


def require_whole(url: str) -> None:
    import s3fs

    store = open_store(url)
    assert store.n_rows == len(store) == len(IDS)
    assert rows_equal(store.read(IDS), make_rows(IDS))
    assert store.verify().ok
    there = {name.rpartition("/")[2] for name in s3fs.S3FileSystem().ls(url, refresh=True)}
    assert {name for name in there if name.startswith("part")} == {part.name for part in store.parts}  # type: ignore[attr-defined]


def test_an_upload_killed_at_fifty_random_points_loses_and_repeats_nothing(server: S3Server) -> None:
    random, kills, finished = np.random.default_rng(19), 0, 0
    while kills < 50:
        url = f"s3://{BUCKET}/{finished}.functas"
        process = write(url)
        server.before_put = killer(process, server.puts + int(random.integers(1, 80)))
        _, told = process.communicate(timeout=300)
        server.before_put = lambda number: None
        if process.returncode == 0:
            require_whole(url)
            finished += 1
        else:
            assert process.returncode == -9, told
            kills += 1
    _, told = (process := write(url)).communicate(timeout=300)
    assert process.returncode == 0, told
    require_whole(url)


def test_what_was_sent_is_compared_by_its_digest_and_not_read_back(server: S3Server) -> None:
    url = f"s3://{BUCKET}/digest.functas"
    _, told = (process := write(url)).communicate(timeout=300)
    assert process.returncode == 0, told
    assert not [path for path in server.read if "/functas/" in path]
    require_whole(url)
    assert [path for path in server.read if "/functas/" in path]


def test_lost_connections_and_slow_answers(server: S3Server) -> None:
    random = np.random.default_rng(20)
    server.slow = 0.05
    server.lost = lambda number: bool(random.random() < 0.05)
    url = f"s3://{BUCKET}/lost.functas"
    _, told = (process := write(url)).communicate(timeout=900)
    server.slow, server.lost = 0.0, lambda number: False
    assert process.returncode == 0, told
    require_whole(url)
