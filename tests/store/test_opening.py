"""What is no path, and what no store is made of, is refused in one line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from store import RowView, StoreError, collect, compact, convert, create_store, export, merge, open_store, repair
from store.testing import new_store

OPENED: list[Callable[[Any], Any]] = [
    open_store, lambda path: open_store(path, "a"), new_store, RowView, compact, repair,
    lambda path: export(path, "x.npz"), lambda path: convert(path, "x.zarr"), lambda path: merge([path], "x.zarr"),
    lambda path: collect([path], "x.functas"),
]  # fmt: skip


@pytest.mark.parametrize("opened", OPENED)
@pytest.mark.parametrize("path", [None, 5, b"store.zarr"])
def test_what_is_no_path(opened: Callable[[Any], Any], path: Any) -> None:
    with pytest.raises(StoreError, match=r"^the path of a store is .*, expected a string or a path$"):
        opened(path)


@pytest.mark.parametrize("layout", ["w", None, 5, [("w", 2, 0)], [("w", (2,))]])
def test_what_is_no_layout(tmp_path: Path, layout: Any) -> None:
    with pytest.raises(StoreError, match=r"^the layout is no list of \(name, shape, offset\): .*$"):
        create_store(tmp_path / "s.zarr", modality="sensor", layout=layout, encoder={}, state={})


@pytest.mark.parametrize("what", ["encoder", "state", "conventions"])
def test_what_is_no_mapping(tmp_path: Path, what: str) -> None:
    with pytest.raises(StoreError, match=f"^{what} is of type list, expected a mapping$"):
        new_store(tmp_path / "s.zarr", **{what: [1]})
    with pytest.raises(StoreError, match="state array is named 5, expected letters"):
        new_store(tmp_path / "s.zarr", state={5: [1.0]})
    assert not list(tmp_path.iterdir())
