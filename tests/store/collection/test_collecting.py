from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from store import Rows, StoreError, StoreMismatchError, collect, compact, convert, merge, open_store, rows_equal
from store.testing import make_rows, new_store, numbered

ROWS = make_rows(numbered(0, 12))


@pytest.fixture
def sources(tmp_path: Path) -> list[Path]:
    """Three stores of both formats, one of them with rows that no longer count."""
    paths = [tmp_path / name for name in ("a.zarr", "b.h5", "c.zarr")]
    for number, path in enumerate(paths):
        with new_store(path) as store:
            store.append(ROWS.take(slice(4 * number, 4 * number + 4)))
            if number == 2:
                store.append(make_rows(["gone", "sample-8"], seed=3))
                store.delete(["gone"])
                store.append(ROWS.take([8]))
            store.commit(finished=True)
    return paths


def test_stores_become_parts(sources: list[Path], tmp_path: Path) -> None:
    report = collect(sources, tmp_path / "all.functas")
    names = ["part-00000.zarr", "part-00001.h5", "part-00002.zarr"]
    assert (report.rows, list(report.parts.values()), report.moved) == (12, names, False)
    store = open_store(tmp_path / "all.functas")
    assert store.finished
    assert store.verify().ok
    assert rows_equal(store.read(ROWS.ids.tolist()), ROWS)
    assert all(path.exists() for path in sources)


def test_moved_and_added_later(sources: list[Path], tmp_path: Path) -> None:
    collect(sources[:1], tmp_path / "all.functas")
    report = collect(sources[1:], tmp_path / "all.functas", move=True)
    assert (report.rows, report.moved) == (12, True)
    assert [path.exists() for path in sources] == [True, False, False]


def test_rows_are_encoded_into_it_afterwards(sources: list[Path], tmp_path: Path) -> None:
    collect(sources, tmp_path / "all.functas", part_rows=2)
    with open_store(tmp_path / "all.functas", "a") as store:
        store.append(make_rows(["new-1", "new-2", "new-3"]))
    assert open_store(tmp_path / "all.functas").info()["parts"] == 5


def test_an_id_in_two_sources(sources: list[Path], tmp_path: Path) -> None:
    with open_store(sources[1], "a") as store:
        store.append(ROWS.take([1]))
    with pytest.raises(StoreError, match=r"ID 'sample-1' is both in .*a\.zarr and in .*b\.h5.* Nothing was written"):
        collect(sources, tmp_path / "all.functas")
    assert not (tmp_path / "all.functas").exists()
    collect(sources[:1], tmp_path / "all.functas")
    with pytest.raises(StoreError, match=r"ID 'sample-1' is both in .*b\.h5 and in part-00000\.zarr"):
        collect(sources[1:], tmp_path / "all.functas")
    assert open_store(tmp_path / "all.functas").info()["parts"] == 1


def test_stores_of_other_configurations(sources: list[Path], tmp_path: Path) -> None:
    new_store(tmp_path / "other.zarr", encoder={"kind": "other"}).close()
    with pytest.raises(StoreMismatchError, match=r"other\.zarr cannot be .* encoder\.kind 'functa' -> 'other'"):
        collect([*sources, tmp_path / "other.zarr"], tmp_path / "all.functas")
    collect(sources, tmp_path / "all.functas")
    with pytest.raises(StoreError, match="was made by another configuration"):
        collect([tmp_path / "other.zarr"], tmp_path / "all.functas")


def test_columns_of_users_stand_beside_those_without(sources: list[Path], tmp_path: Path) -> None:
    with open_store(sources[0], "a") as store:
        store.add_column("age", {"sample-1": 3.5})
    collect(sources, tmp_path / "all.functas")
    merge(sources, tmp_path / "merged.zarr")
    many, one = open_store(tmp_path / "all.functas"), open_store(tmp_path / "merged.zarr")
    assert rows_equal(many.read(ROWS.ids.tolist()), one.read(ROWS.ids.tolist()))
    assert many.read(["sample-1", "sample-7"]).extra["age"].tolist()[0] == 3.5


def test_one_store_again(sources: list[Path], tmp_path: Path) -> None:
    collect(sources, tmp_path / "all.functas")
    with open_store(tmp_path / "all.functas", "a") as store:
        store.append(make_rows(["sample-1"], seed=8))
        store.append(Rows.failed("broken", "fit", "NaN", 8))
    with pytest.raises(StoreError, match=r"whose parts never change\. Name the store to write, with --out"):
        compact(tmp_path / "all.functas")
    report = compact(tmp_path / "all.functas", tmp_path / "compacted.zarr")
    assert (report.rows, report.removed) == (13, 2)
    assert convert(tmp_path / "all.functas", tmp_path / "converted.h5") == 13
    assert merge([tmp_path / "all.functas"], tmp_path / "merged.zarr").rows == 13
    many = open_store(tmp_path / "all.functas")
    ids = sorted(many.ids)
    for name in ("compacted.zarr", "converted.h5", "merged.zarr"):
        one = open_store(tmp_path / name)
        assert rows_equal(one.read(ids), many.read(ids))
        assert one.failed() == [("broken", "fit", "NaN")]


def test_nothing_and_collections_are_refused(sources: list[Path], tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="nothing to collect"):
        collect([], tmp_path / "all.functas")
    collect(sources, tmp_path / "all.functas")
    with pytest.raises(StoreError, match="is a collection already"):
        collect([tmp_path / "all.functas"], tmp_path / "more.functas")
    with pytest.raises(StoreError, match=r"expected one of \.functas"):
        collect(sources, tmp_path / "all.zarr2")


def test_parts_whose_numbers_may_be_missing(tmp_path: Path) -> None:
    rows = make_rows(["holes"])
    rows.functas[0, 3] = np.nan
    with new_store(tmp_path / "a.zarr") as store:
        store.append(make_rows(["whole"]))
    with new_store(tmp_path / "b.zarr", missing_values=True) as store:
        store.append(rows)
    collect([tmp_path / "a.zarr", tmp_path / "b.zarr"], tmp_path / "all.functas")
    assert np.isnan(open_store(tmp_path / "all.functas").get("holes").functas).sum() == 1
