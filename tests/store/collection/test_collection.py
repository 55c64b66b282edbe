"""A collection keeps the contract of a store, and reads as the store that its parts make when they are merged."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest

from store import (
    FunctaStore,
    IntegrityError,
    Rows,
    RowView,
    StoreError,
    export,
    list_rows,
    merge,
    open_store,
    rows_equal,
)
from store.collection.manifest import Manifest
from store.files import FileSystem
from store.testing import StoreContract, contract, make_rows, new_store, numbered


class TestCollection(StoreContract):
    suffix = ".functas"

    def test_a_second_writer_is_told_who_holds_the_lock(self, path: Path) -> None:
        """Two writers may be at work: each writes parts of its own."""
        with new_store(path) as one, open_store(path, "a") as other:
            one.append(make_rows(numbered(0, 3)))
            other.append(make_rows(numbered(3, 5)))
            other.commit()
            one.commit()
            assert sorted(one.ids) == numbered(0, 5)
        assert sorted(open_store(path).ids) == numbered(0, 5)


class TestCollectionOfSmallParts(TestCollection):
    @pytest.fixture(autouse=True)
    def _small_parts(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(contract, "create_store", partial(contract.create_store, part_rows=4))

    def test_the_last_row_of_an_id_wins(self, path: Path) -> None:
        newer = make_rows(["sample-2", "sample-0"], seed=1)
        with new_store(path) as store:
            store.append(make_rows(numbered(0, 6)))
            store.append(newer)
        store = open_store(path)
        assert len(store) == 6
        assert store.verify().ok
        assert rows_equal(store.read(["sample-2", "sample-0"]), newer)


def test_few_rows_of_a_large_collection_are_read_from_their_blocks_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.collection.table._KEPT_ROWS", 0)
    rows = make_rows(numbered(0, 96))
    with new_store(tmp_path / "s.functas", part_rows=32) as store:
        store.append(rows)
    places = [40, 3, 41, 2, 90]
    store = open_store(tmp_path / "s.functas")
    assert rows_equal(store.read([f"sample-{i}" for i in places]), rows.take(places))
    assert store.holds(["sample-95", "sample-96"]).tolist() == [True, False]
    kept = [table.kept for table in store.table.tables]  # type: ignore[attr-defined]
    assert not any("label" in columns or "row_crc" in columns for columns in kept)
    assert rows_equal(store.read(), rows)


ROWS = make_rows(numbered(0, 150))
"""In parts of 9: 17 parts, with rows that were replaced, deleted and failed."""


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A collection, and the store that it makes when it is merged."""
    folder = tmp_path_factory.mktemp("pair")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FileSystem, "sync", lambda *_: None)
        with new_store(folder / "many.functas", part_rows=9) as store:
            store.append(ROWS)
            store.append(make_rows(["sample-3", "sample-77"], seed=4))
            store.append(Rows.failed("broken", "fit", "NaN", 8))
            store.delete(["sample-10", "sample-149"])
        merge([folder / "many.functas"], folder / "one.zarr")
    return folder / "many.functas", folder / "one.zarr"


def by_id(store: FunctaStore) -> Rows:
    return store.read(sorted(store.ids))


def test_it_reads_as_the_merged_store(pair: tuple[Path, Path]) -> None:
    many, one = map(open_store, pair)
    assert len(many.info()["splits"]) == 2
    assert many.info()["parts"] >= 16
    assert rows_equal(by_id(many), by_id(one))
    assert many.known() == one.known()
    assert many.failed() == one.failed() == [("broken", "fit", "NaN")]
    for split in ("train", ("train", "test"), "fold-9"):
        found = [name for rows in many.iter_blocks(split=split, functas=False) for name in rows.ids]
        assert sorted(found) == sorted(name for rows in one.iter_blocks(split=split) for name in rows.ids)
    assert sorted(many.to_pandas().index) == sorted(one.to_pandas().index)
    assert many.to_numpy(split="test")["functas"].shape == one.to_numpy(split="test")["functas"].shape
    assert {row["id"]: row for row in list_rows(many, label="class-1")} == {
        row["id"]: row for row in list_rows(one, label="class-1")
    }
    same = ("rows", "modality", "k", "splits", "classes", "groups", "psnr_percentiles", "failed", "encoder")
    assert {name: many.info()[name] for name in same} == {name: one.info()[name] for name in same}


def test_rows_are_gathered_over_parts_in_the_order_asked(pair: tuple[Path, Path]) -> None:
    asked = np.random.default_rng(0).permutation(open_store(pair[1]).ids).tolist()
    assert rows_equal(open_store(pair[0]).read(asked), open_store(pair[1]).read(asked))
    assert rows_equal(open_store(pair[0]).read(asked[:7]), open_store(pair[1]).read(asked[:7]))


def test_other_libraries_get_the_same(pair: tuple[Path, Path], tmp_path: Path) -> None:
    many, one = RowView(pair[0]), RowView(pair[1])
    assert (many.classes, sorted(many.ids)) == (one.classes, sorted(one.ids))
    counts = [export(path, tmp_path / f"{path.stem}{suffix}") for path in pair for suffix in (".npz", ".h5")]
    assert counts == [148, 149, 148, 149]  # a store keeps failed rows too
    assert rows_equal(by_id(open_store(tmp_path / "many.h5")), by_id(open_store(pair[1])))


def test_a_part_that_was_changed_is_noticed(pair: tuple[Path, Path], tmp_path: Path) -> None:
    path = tmp_path / "copy.functas"
    with new_store(path, part_rows=4) as store:
        store.append(make_rows(numbered(0, 9)))
    with open_store(path / "part-00001.zarr", "a") as part:
        part.append(make_rows(["new"]))
    with pytest.raises(StoreError, match=r"part-00001\.zarr of .* has 5 rows, but 4 are listed"):
        open_store(path)


def test_verify_says_what_is_proved(pair: tuple[Path, Path]) -> None:
    report = open_store(pair[0]).verify(deep=True)
    assert report.ok
    assert report.proved[-1].startswith("every part is the one that was listed")


def test_counts_that_are_not_those_of_the_rows(tmp_path: Path) -> None:
    path = tmp_path / "copy.functas"
    with new_store(path, part_rows=4) as store:
        store.append(make_rows(numbered(0, 9)))
    told = Manifest.from_bytes((path / "collection.json").read_bytes(), "x")
    wrong = told.changed(parts=(told.parts[0].model_copy(update={"usable": 3}), *told.parts[1:]))
    (path / "collection.json").write_bytes(wrong.to_bytes())
    report = open_store(path).verify()
    assert report.problems == ["part-00000.zarr: its rows are not those that collection.json counts"]


def test_a_collection_takes_no_columns_of_ones_own(tmp_path: Path) -> None:
    with new_store(tmp_path / "s.functas") as store:
        store.append(make_rows(["a"]))
        with pytest.raises(StoreError, match="listed parts never change"):
            store.add_column("age", {"a": 3})


def test_only_a_collection_has_parts(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"is not written in parts, so part_rows says nothing\. Name it s\.functas"):
        new_store(tmp_path / "s.zarr", part_rows=4)
    with pytest.raises(StoreError, match="part_rows is 0, expected 1 or more"):
        new_store(tmp_path / "s.functas", part_rows=0)


def test_a_url_reads_like_a_path(pair: tuple[Path, Path]) -> None:
    fsspec = pytest.importorskip("fsspec")
    url = f"memory://{pair[0].parent.name}/many.functas"
    fsspec.filesystem("memory").put(str(pair[0]), url, recursive=True)
    store = open_store(url)
    assert rows_equal(by_id(store), by_id(open_store(pair[1])))
    assert str(store.path) == url
    fsspec.filesystem("memory").rm(f"{url}/collection.json")
    with pytest.raises(IntegrityError, match=r"has no collection\.json"):
        open_store(url)
