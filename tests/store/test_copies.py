"""Copies of open stores: readers open anew by their path, writers have none, and a fork writes nothing."""

from __future__ import annotations

import copy
import gc
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from store import FunctaStore, RowView, StoreError, StoreLockedError, open_store, rows_equal
from store.places import LocalFile
from store.testing import make_rows, new_store, numbered

ROWS = make_rows(numbered(0, 6))
COPIES: list[Callable[[Any], Any]] = [copy.copy, copy.deepcopy, lambda it: pickle.loads(pickle.dumps(it))]  # noqa: S301


@pytest.fixture(params=[".zarr", ".h5", ".functas"])
def filled(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / f"store{request.param}"
    with new_store(path) as store:
        store.append(ROWS)
    return path


@pytest.mark.parametrize("copied", COPIES)
def test_a_copy_of_a_reader_opens_the_store_anew(filled: Path, copied: Callable[[Any], Any]) -> None:
    store, view = open_store(filled), RowView(filled)
    first = view[0][0].tolist()
    assert copied(store).get("sample-0").functas[0].tolist() == copied(view)[0][0].tolist() == first
    gc.collect()
    assert view[0][0].tolist() == first
    assert rows_equal(store.read(), ROWS)
    other = copied(store)
    store.close()
    assert type(other) is type(store)
    assert rows_equal(other.read(), ROWS)


@pytest.mark.parametrize("copied", COPIES)
def test_a_writer_is_not_copied_and_keeps_its_lock(filled: Path, copied: Callable[[Any], Any]) -> None:
    with open_store(filled, "a") as store:
        store.append(make_rows(["more"]))
        with pytest.raises(StoreError, match=r"is open for writing and cannot be copied\. Open it again by its path"):
            copied(store)
        gc.collect()
        if filled.suffix != ".functas":
            with pytest.raises(StoreLockedError):
                open_store(filled, "a")
    assert len(open_store(filled)) == 7


@pytest.mark.parametrize("copied", COPIES)
def test_an_open_file_has_no_copies(tmp_path: Path, copied: Callable[[Any], Any]) -> None:
    (tmp_path / "file").write_bytes(b"1")
    with pytest.raises(StoreError, match="cannot be copied"):
        copied(LocalFile(tmp_path / "file"))


def in_a_fork(action: Callable[[], None]) -> int:
    """Run in a child of this process; give what it exits with."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    code = 1
    try:
        action()
        code = 0
    finally:
        os._exit(code)


def test_a_fork_neither_writes_nor_takes_the_lock_away(filled: Path) -> None:
    store = open_store(filled, "a")
    store.append(make_rows(["more"]))
    owners = sorted(path.name for path in filled.parent.rglob(".*.owner"))

    def use() -> None:
        with pytest.raises(StoreError, match=r"is written to by process \d+, not by its fork \d+"):
            store.append(make_rows(["fork"]))
        store.close()

    assert owners
    assert in_a_fork(use) == in_a_fork(store.__del__) == 0
    assert sorted(path.name for path in filled.parent.rglob(".*.owner")) == owners
    if filled.suffix != ".functas":
        with pytest.raises(StoreLockedError, match=rf"by process {os.getpid()} "):
            open_store(filled, "a")
    store.append(make_rows(["last"]))
    store.close()
    found = open_store(filled)
    assert found.ids.tolist() == [*numbered(0, 6), "more", "last"]
    assert found.verify().ok


def test_what_was_only_half_made_goes_in_silence() -> None:
    for kind in (FunctaStore, LocalFile):
        kind.__new__(kind).__del__()
