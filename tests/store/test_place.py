"""A chunk proves its place: sound chunks in the wrong place, and records that were put back, are noticed."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import pytest

from store import FunctaStore, IntegrityError, StoreFormatError, export, open_store, repair, rows_equal
from store.testing import make_rows, new_store, numbered
from store.testing.forgery import BASE_COLUMNS, chunk_file, swap_chunks, tree

ROWS = make_rows(numbered(0, 14))

READS: dict[str, Callable[[FunctaStore], Any]] = {
    "read": lambda store: store.read(),
    "read without functas": lambda store: store.read(functas=False),
    "to_numpy": lambda store: store.to_numpy(),
    "to_pandas": lambda store: store.to_pandas(),
    "known": lambda store: store.known(),
    "blocks": lambda store: list(store.iter_blocks()),
    "some": lambda store: store.read(numbered(0, 8)),
}


@pytest.fixture
def filled(path: Path) -> Path:
    with new_store(path) as store:
        store.append(ROWS)
    return path


def touches(column: str, reading: str) -> bool:
    if reading == "known":
        return column in ("id", "status", "source_hash")
    return column != "functas" or reading not in ("read without functas", "to_pandas")


@pytest.mark.parametrize("reading", READS)
@pytest.mark.parametrize("column", ["functas", "id", "label", "source_hash"])
def test_swapped_chunks_of_one_column_are_noticed_by_whoever_reads_it(filled: Path, column: str, reading: str) -> None:
    swap_chunks(filled, (column,))
    if not touches(column, reading):
        return
    with pytest.raises(IntegrityError, match=r"Run `functa store repair"):
        READS[reading](open_store(filled))


def test_swapped_chunks_are_not_exported(filled: Path, tmp_path: Path) -> None:
    swap_chunks(filled, ("functas",))
    with pytest.raises(IntegrityError):
        export(filled, tmp_path / "out.npz")
    assert not (tmp_path / "out.npz").exists()


@pytest.mark.parametrize("reading", READS)
def test_swapped_blocks_of_all_columns_are_noticed(filled: Path, reading: str) -> None:
    """Each row proves itself, but which row of an ID is the last depends on their order."""
    swap_chunks(filled, BASE_COLUMNS)
    with pytest.raises(IntegrityError):
        READS[reading](open_store(filled))


def test_repair_of_swapped_blocks_keeps_every_row_but_those_whose_order_is_lost(path: Path) -> None:
    newer = make_rows(["sample-1", "sample-9", "sample-10", "sample-11"], seed=5)
    with new_store(path) as store:
        store.append(make_rows(numbered(0, 4)))
        store.append(newer)
    swap_chunks(path, BASE_COLUMNS)
    assert not is_sound(path)
    assert repair(path).lost_ids == ["sample-1"]
    store = open_store(path)
    assert store.verify().ok
    assert set(store.known()) == {"sample-0", "sample-2", "sample-3", "sample-9", "sample-10", "sample-11"}
    assert rows_equal(store.get("sample-9"), newer.take([1]))


def is_sound(path: Path) -> bool:
    try:
        return open_store(path).verify().ok
    except IntegrityError:
        return False


def test_a_block_of_another_store_is_noticed(filled: Path, tmp_path: Path) -> None:
    other = tmp_path / f"other{filled.suffix}"
    with new_store(other) as store:
        store.append(make_rows([f"other-{i}" for i in range(14)], seed=9))
    if filled.is_dir():
        for column in BASE_COLUMNS:
            shutil.copyfile(chunk_file(other, column, 1), chunk_file(filled, column, 1))
    else:
        with h5py.File(filled, "r+") as file, h5py.File(other) as source:
            for column in (*BASE_COLUMNS, "chunk_crc"):
                place = slice(1, 2) if column == "chunk_crc" else slice(4, 8)
                file[column][place] = source[column][place]
    with pytest.raises(IntegrityError):
        open_store(filled).read(functas=False)


def commits(path: Path) -> list[Path]:
    """Make a store of six commits; return a copy of it after each."""
    copies = []
    with new_store(path) as store:
        for number in range(6):
            store.append(make_rows(numbered(4 * number, 4 * number + 4), seed=number))
            store.commit()
            copies.append(path.parent / f"copy{number}" / path.name)
            copies[-1].parent.mkdir()
            (shutil.copytree if path.is_dir() else shutil.copyfile)(path, copies[-1])
    return copies


@pytest.mark.parametrize("names", [("zarr.json",), ("zarr.json", "mirror/zarr.json")])
def test_an_old_root_that_was_put_back_is_noticed_and_repaired(tmp_path: Path, names: tuple[str, ...]) -> None:
    path = tmp_path / "store.zarr"
    old = commits(path)[0]
    for name in names:
        shutil.copyfile(old / name, path / name)
    before = tree(path)
    for mode in ("r", "a"):
        with pytest.raises(IntegrityError, match=r"(is older than the store|older copies).*Run `functa store repair"):
            open_store(path, mode)  # type: ignore[arg-type]
    assert tree(path) == before
    report = repair(path)
    assert (report.lost_ids, report.lost_unknown) == ([], 0)
    store = open_store(path)
    assert store.verify().ok
    assert sorted(store.ids) == sorted(numbered(0, 24))


@pytest.mark.parametrize("names", [("commit",), ("commit", "seal"), ("commit", "seal", "mirror/commit", "mirror/seal")])
def test_an_old_commit_that_was_put_back_is_noticed_and_repaired(tmp_path: Path, names: tuple[str, ...]) -> None:
    path = tmp_path / "store.h5"
    old = commits(path)[0]
    open_store(old, "a").close()
    with h5py.File(path, "r+") as file, h5py.File(old) as source:
        for name in names:
            file[name].resize(source[name].shape)
            file[name][:] = source[name][:]
    before = path.read_bytes()
    for mode in ("r", "a"):
        with pytest.raises(IntegrityError, match="Run `functa store repair"):
            open_store(path, mode)  # type: ignore[arg-type]
    assert path.read_bytes() == before
    report = repair(path)
    assert (report.lost_ids, report.lost_unknown) == ([], 0)
    store = open_store(path)
    assert store.verify().ok
    assert sorted(store.ids) == sorted(numbered(0, 24))


def test_what_an_interrupted_commit_left_is_not_taken_for_an_older_root(tmp_path: Path) -> None:
    path = tmp_path / "store.zarr"
    copies = commits(path)
    shutil.copyfile(copies[4] / "zarr.json", path / "zarr.json")
    assert open_store(path).n_rows == 20
    with open_store(path, "a") as store:
        store.append(make_rows(["another"]))
    assert sorted(open_store(path).ids) == sorted([*numbered(0, 20), "another"])


def test_a_store_that_an_older_version_wrote_to_last_is_refused(filled: Path) -> None:
    """It keeps header and commit, and knows nothing of the seal over them."""
    if filled.is_dir():
        import zarr

        group = zarr.open_group(filled, mode="r+")
        kept = {name: group.attrs[name] for name in ("header", "commit")}
        group.attrs.put(kept)
    else:
        with h5py.File(filled, "r+") as file:
            del file["seal"]
    with pytest.raises(IntegrityError):
        open_store(filled)
    assert repair(filled).lost_ids == []
    assert rows_equal(open_store(filled).read(), ROWS)


def test_a_store_of_a_later_minor_version_is_read_and_not_written(
    filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = filled.with_name(f"later{filled.suffix}")
    monkeypatch.setattr("store.header.SCHEMA_VERSION", "1.9")
    with new_store(later) as store:
        store.append(ROWS)
    monkeypatch.undo()
    assert rows_equal(open_store(later).read(), ROWS)
    with pytest.raises(StoreFormatError, match=r"schema version 1\.9, which this version reads but does not write"):
        open_store(later, "a")
