"""`functa encode` into an S3 server on loopback, killed with -9 at random points of its uploads."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers.har_files import write_har
from helpers.running import ENCODE, ROOT
from helpers.s3_server import BUCKET, S3Server, killer, s3_server

from store import FunctaStore, open_store

pytest.importorskip("s3fs")
pytest.importorskip("moto")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800), pytest.mark.filterwarnings("ignore")]
KILLS = 50


def encode(source: Path, store: str | Path, *options: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", "from cli.main import main; main()", "encode", source, "--store", store]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)])}
    return subprocess.Popen(
        [*map(str, command), *map(str, ENCODE), *map(str, options)],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_nothing_is_lost_or_there_twice_and_what_is_not_listed_is_never_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import s3fs

    source = write_har(tmp_path)
    _, told = (process := encode(source, tmp_path / "whole.zarr")).communicate(timeout=300)
    assert process.returncode == 0, told
    whole, random, kills, finished = open_store(tmp_path / "whole.zarr"), np.random.default_rng(19), 0, 0
    s3fs.S3FileSystem.clear_instance_cache()  # those of another server
    with s3_server() as server:
        for name, value in server.environment().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("FUNCTA_STAGES", str(tmp_path / "stages"))
        while kills < KILLS or process.returncode != 0:
            url = f"s3://{BUCKET}/{finished}.functas"
            process = encode(source, url, "--part-rows", 4)
            if kills < KILLS:
                server.before_put = killer(process, server.puts + int(random.integers(1, 120)))
            _, told = process.communicate(timeout=300)
            server.before_put = lambda number: None
            assert process.returncode in (0, -9), told
            require_part_of(whole, url, server)
            kills += process.returncode == -9
            if process.returncode == 0:
                require_whole(whole, url)
                finished += 1
    assert finished > 1


def require_part_of(whole: FunctaStore, url: str, server: S3Server) -> None:
    """What is listed is right, and is all that a reader asks for."""
    from store.collection.collection import exists

    if not exists(url):
        return
    server.read.clear()
    store = open_store(url)
    assert store.n_rows == len(store)
    ids = store.ids.tolist()
    same_functas(store, whole, ids)
    asked = {found[1] for path in server.read if (found := re.search(r"/(part-[^/]+\.zarr)/", path))}
    assert asked == {part.name for part in store.parts}  # type: ignore[attr-defined]


def require_whole(whole: FunctaStore, url: str) -> None:
    import s3fs

    store = open_store(url)
    assert sorted(store.ids) == sorted(whole.ids)
    assert store.n_rows == len(store)
    assert store.finished
    assert store.verify().ok
    there = {name.rpartition("/")[2] for name in s3fs.S3FileSystem().ls(url, refresh=True)}
    assert {name for name in there if name.startswith("part")} == {part.name for part in store.parts}  # type: ignore[attr-defined]


def same_functas(store: FunctaStore, whole: FunctaStore, ids: list[str]) -> None:
    here, there = store.read(ids), whole.read(ids)
    np.testing.assert_allclose(here.functas, there.functas, atol=1e-5)
    assert here.labels.tolist() == there.labels.tolist()
    assert (here.source_hash == there.source_hash).all()
