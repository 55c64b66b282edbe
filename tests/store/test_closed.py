"""A store that was closed says so, whatever it is asked for, in every format."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest

from store import FunctaStore, StoreError, open_store
from store.testing import make_rows, new_store, numbered

READS: dict[str, Callable[[FunctaStore], Any]] = {
    "read": lambda store: store.read(),
    "get": lambda store: store.get("sample-0"),
    "len": len,
    "in": lambda store: "sample-0" in store,
    "holds": lambda store: store.holds(["sample-0"]),
    "ids": lambda store: store.ids,
    "state": lambda store: store.state,
    "blocks": lambda store: list(store.iter_blocks()),
    "numpy": lambda store: store.to_numpy(split="train"),
    "known": lambda store: store.known(),
    "failed": lambda store: store.failed(),
    "info": lambda store: store.info(),
    "verify": lambda store: store.verify(),
}
WRITES: dict[str, Callable[[FunctaStore], Any]] = {
    "append": lambda store: store.append(make_rows(["more"])),
    "commit": lambda store: store.commit(),
    "delete": lambda store: store.delete(["sample-0"]),
    "add_column": lambda store: store.add_column("age", {}),
}


@pytest.fixture(params=[".zarr", ".h5", ".functas"])
def filled(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / f"store{request.param}"
    with new_store(path) as store:
        store.append(make_rows(numbered(0, 9)))
    return path


@pytest.mark.parametrize("mode", ["r", "a"])
def test_nothing_is_read_or_written_after_close(filled: Path, mode: Literal["r", "a"]) -> None:
    store = open_store(filled, mode)
    store.read()
    store.close()
    store.close()
    for use in (READS | (WRITES if mode == "a" else {})).values():
        with pytest.raises(StoreError, match=r"^\S+ was closed\. Open it again$"):
            use(store)
    assert (store.n_rows, store.mode, store.k) == (9, mode, 8)
    assert str(filled) in repr(store)
    assert open_store(filled).verify().ok


def test_blocks_end_when_the_store_is_closed_between_them(filled: Path) -> None:
    store = open_store(filled)
    blocks = store.iter_blocks()
    next(blocks)
    store.close()
    with pytest.raises(StoreError, match=r"was closed\. Open it again$"):
        next(blocks)


def test_a_writer_that_was_left_by_an_error_is_closed_too(filled: Path) -> None:
    def fail(store: FunctaStore) -> None:
        with store:
            raise KeyError

    store = open_store(filled, "a")
    with pytest.raises(KeyError):
        fail(store)
    with pytest.raises(StoreError, match=r"was closed\. Open it again$"):
        store.read()
