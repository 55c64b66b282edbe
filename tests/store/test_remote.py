from __future__ import annotations

from pathlib import Path

import pytest

from store import IntegrityError, StoreError, convert, open_store, rows_equal
from store.testing import make_rows, new_store, numbered

fsspec = pytest.importorskip("fsspec")

ROWS = make_rows(numbered(0, 9))


@pytest.fixture
def url(path: Path) -> str:
    """Put a store behind a URL that is not a local path."""
    with new_store(path) as store:
        store.append(ROWS)
    url = f"memory://{path.parent.name}/{path.name}"
    fsspec.filesystem("memory").put(str(path), url, recursive=True)
    return url


def test_a_url_reads_like_a_path(url: str) -> None:
    store = open_store(url)
    assert rows_equal(store.read(), ROWS)
    assert rows_equal(store.read(["sample-8", "sample-1"]), ROWS.take([8, 1]))
    assert store.verify().ok
    assert store.state["start"].shape == (8,)
    assert store.info()["bytes"] > 0
    assert str(store.path) == url


def test_a_url_can_be_copied_to_a_path(url: str, tmp_path: Path) -> None:
    convert(url, tmp_path / "copy.zarr")
    assert rows_equal(open_store(tmp_path / "copy.zarr").read(), ROWS)


def test_writing_to_a_url_is_refused(url: str) -> None:
    with pytest.raises(StoreError, match=r"cannot write to memory://.*Write here and copy it there"):
        open_store(url, "a")
    with pytest.raises(StoreError, match="cannot write to memory://"):
        new_store(url)  # type: ignore[arg-type]


def test_damage_behind_a_url_is_noticed(url: str) -> None:
    files = fsspec.filesystem("memory")
    place = ROWS.functas[5].tobytes()
    for name in files.find(url):
        data = files.cat_file(name)
        files.pipe_file(name, data.replace(place, place[::-1]))
    with pytest.raises(IntegrityError, match="'sample-5'"):
        open_store(url).read()
