"""Stores that released versions wrote are read for ever."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from store import IntegrityError, StoreFormatError, compact, open_store, rows_equal
from store.header import Header, digest
from store.testing import K, make_rows
from store.testing.forgery import swap_chunks

ARCHIVES = sorted((Path(__file__).parent / "archives").glob("v*/sensor.*"))


@pytest.fixture(params=ARCHIVES, ids=[f"{path.parent.name}{path.suffix}" for path in ARCHIVES])
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    copy = tmp_path / request.param.parent.name / request.param.name
    copy.parent.mkdir()
    (shutil.copytree if request.param.is_dir() else shutil.copyfile)(request.param, copy)
    return copy


def test_both_formats_are_there() -> None:
    found = {(path.parent.name, path.suffix) for path in ARCHIVES}
    assert found == {("v1.0", ".zarr"), ("v1.0", ".h5"), ("v1.1", ".zarr"), ("v1.1", ".h5")}


def test_both_versions_are_the_same_store(archive: Path) -> None:
    prints = {
        ".zarr": "eb53f54c679f8f53a087a8524b4069551a7057c599c6dbfdd754fbecd141954e",
        ".h5": "3968f2b9edac07ff7e535eff0a592e2704cb8fcf12eb1600415b4e39a224049d",
    }
    assert open_store(archive).fingerprint == prints[archive.suffix]


def test_rows_of_an_archive(archive: Path) -> None:
    store = open_store(archive)
    kept = [0, 1, 3, 5, 6, 7, 8, 9]
    rows = store.read()
    assert rows.ids.tolist() == [*(f"sample-{i}" for i in kept[:-1]), "ä/ö ü.png", "sample-2"]
    assert np.array_equal(rows.functas[:-1], np.array(kept)[:, None] + np.arange(K, dtype=np.float32) / 16)
    assert rows.functas[-1].tolist() == [0.5] * K
    assert rows.labels.tolist() == [*(f"class-{i % 3}" for i in kept), "new"]
    assert rows.splits[:4].tolist() == ["train", "test", "train", None]
    assert rows.groups[:4].tolist() == [None, "subject-1", "subject-1", None]
    assert rows.psnr[:-1].tolist() == [20 + i for i in kept]
    assert rows.loss[:-1].tolist() == [i / 8 for i in kept]
    assert rows.source_hash[2].tolist() == [3] * 16
    assert rows.extra["age"].tolist() == [0, 30, 0, 0, 0, 0, 0, 0, 0]
    assert rows.extra["place"][2] == "Köln"
    assert store.failed() == [("broken", "decode", "not a PNG")]


def test_provenance_of_an_archive(archive: Path) -> None:
    store = open_store(archive)
    assert store.verify().ok
    assert store.header.schema_version == archive.parent.name.removeprefix("v")
    assert (store.header.dataset, store.header.seed, store.header.conventions) == ("golden", 3, {"values": [0, 1]})
    assert store.state["start"].tolist() == list(range(K))
    assert store.state["bank"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert store.finished


def test_an_archive_can_be_written_to(archive: Path) -> None:
    with open_store(archive, "a") as store:
        store.append(make_rows(["another"]))
    before = open_store(archive)
    assert f"v{before.header.schema_version}" == archive.parent.name
    rows, fingerprint = before.read(), before.fingerprint
    compact(archive)
    store = open_store(archive)
    assert len(store) == 10
    assert store.verify().ok
    assert rows_equal(store.read(), rows)
    assert store.header.schema_version == "1.1"
    assert store.fingerprint == fingerprint


def test_swapped_functas_of_an_archive_are_noticed(archive: Path) -> None:
    """In a store of format 1.0 nothing but its rows' own checksums tells in which place a chunk belongs."""
    if archive.is_dir():
        swap_chunks(archive, ("functas",))
        with pytest.raises(IntegrityError):
            open_store(archive).read()
        with pytest.raises(IntegrityError):
            list(open_store(archive).iter_blocks())
        assert not open_store(archive).verify().ok


def test_a_store_of_a_newer_reader_is_refused() -> None:
    header = {"format": "functa-store", "schema_version": "2.0", "min_reader_version": 2}
    with pytest.raises(
        StoreFormatError, match=r"has schema version 2\.0 and needs reader 2, but this is reader 1\. Upgrade"
    ):
        Header.from_json(header, digest(header), "a.zarr")
