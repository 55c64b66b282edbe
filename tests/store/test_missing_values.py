"""Stores whose usable rows may lack numbers: format 1.2, and its golden archives."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from store import FunctaStore, Rows, Status, StoreError, compact, convert, create_store, open_store
from store.testing import new_store, numbered

ARCHIVES = Path(__file__).parent / "archives" / "v1.2"
VALUES = np.array([[0.5, np.nan, 1.0], [np.nan, 2.0, 0.0], [1.0, 2.0, 3.0]], np.float32)


def made(path: Path, values: NDArray[np.float32] = VALUES) -> FunctaStore:
    layout = [("age", (1,), 0), ("sex", (2,), 1)]
    store = create_store(path, modality="columns", layout=layout, encoder={}, state={}, missing_values=True)
    store.append(Rows.build(numbered(0, len(values)), values))
    store.commit(finished=True)
    return store


@pytest.fixture(params=[".zarr", ".h5"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return tmp_path / f"people{request.param}"


def test_missing_numbers_come_back_and_are_verified(path: Path) -> None:
    made(path).close()
    store = open_store(path)
    assert np.array_equal(store.read().functas, VALUES, equal_nan=True)
    assert store.read().status.tolist() == [Status.OK] * 3
    assert store.verify(deep=True).ok
    assert (store.header.schema_version, store.header.missing_values) == ("1.2", True)


@pytest.mark.parametrize("bad", [[np.inf, np.nan, 0.0], [np.nan, np.nan, np.nan]])
def test_infinity_and_rows_of_nothing_are_refused(path: Path, bad: list[float]) -> None:
    with pytest.raises(StoreError, match="infinity, or nothing but NaN, the first is 'sample-0'"):
        made(path, np.array([bad], np.float32))


def test_other_stores_are_written_as_before_and_refuse_missing_numbers(path: Path) -> None:
    with new_store(path) as store:
        assert store.header.schema_version == "1.1"
        assert "missing_values" not in store.header.to_json()
        with pytest.raises(StoreError, match="status ok but a functa with NaN or infinity"):
            store.append(Rows.build(["a"], np.full((1, store.k), np.nan)))


def test_it_survives_compact_and_convert(path: Path) -> None:
    made(path).close()
    compact(path)
    other = path.with_suffix(".h5" if path.suffix == ".zarr" else ".zarr")
    convert(path, other)
    for found in (path, other):
        store = open_store(found)
        assert np.array_equal(store.read().functas, VALUES, equal_nan=True)
        assert (store.header.schema_version, store.verify().ok) == ("1.2", True)


@pytest.mark.parametrize("suffix", [".zarr", ".h5"])
def test_the_golden_archive_is_read_and_written_to(tmp_path: Path, suffix: str) -> None:
    copy = tmp_path / f"columns{suffix}"
    (shutil.copytree if suffix == ".zarr" else shutil.copyfile)(ARCHIVES / copy.name, copy)
    with open_store(copy, "a") as store:
        assert np.array_equal(store.read().functas, VALUES, equal_nan=True)
        assert store.verify().ok
        store.append(Rows.build(["another"], VALUES[:1]))
    assert len(open_store(copy)) == 4
