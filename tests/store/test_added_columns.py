"""Columns of one's own hide none of the store's, in no export, and their values belong to rows that are there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from store import FunctaStore, StoreError, UnknownIDError, collect, convert, export, list_rows, open_store, rows_equal
from store.frames import taken_names
from store.testing import K, make_rows, new_store, numbered

ROWS = make_rows(numbered(0, 5))
HIDING = ("ids", "labels", "label", "functa", "functa_1", "weight", "header", "state_start", "status")


@pytest.fixture(params=[".zarr", ".h5", ".functas"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FunctaStore]:
    with new_store(tmp_path / f"store{request.param}") as made:
        made.append(ROWS)
        yield made


@pytest.fixture
def old(path: Path) -> Path:
    """Write what an older version let users add."""
    with new_store(path) as made:
        made.append(ROWS)
        made.commit()
        for name in HIDING:
            made.carry_column(name, "integer", {"sample-1": 7})
    return path


def test_a_name_that_an_export_uses_is_taken(store: FunctaStore, tmp_path: Path) -> None:
    pytest.importorskip("xarray")
    used = {*store.to_numpy(), *store.to_pandas(functas=True).reset_index(), *store.to_arrow().column_names}
    used |= {str(name) for found in (store.to_xarray(),) for name in (*found.variables, *found.dims)}
    store.commit()
    export(store.path, tmp_path / "out.npz")
    used |= set(np.load(tmp_path / "out.npz"))
    used |= set(list_rows(store)[0])
    assert used <= taken_names(store.header)
    for name in [*sorted(used), "functa_7", "_index"]:
        with pytest.raises(StoreError, match=f"there is a column '{name}' already. Choose another name"):
            store.add_column(name, {"sample-1": 1})
    assert rows_equal(store.read(), ROWS)


def test_a_column_of_an_older_version_hides_nothing(old: Path, tmp_path: Path) -> None:
    pytest.importorskip("xarray")
    store = open_store(old)
    assert store.verify().ok
    arrays, frame, table, found = (
        store.to_numpy(), store.to_pandas(functas=True), store.to_arrow(), store.to_xarray(),
    )  # fmt: skip
    assert arrays["ids"].tolist() == table["id"].to_pylist() == found["id"].to_numpy().tolist() == ROWS.ids.tolist()
    assert arrays["labels"].tolist() == frame["label"].tolist() == ROWS.labels.tolist()
    assert frame["functa_1"].tolist() == ROWS.functas[:, 1].tolist()
    assert found["functa"].shape == (5, K)
    for values in (arrays["extra_labels"], frame["extra_label"], table["extra_functa"], found["extra_weight"]):
        assert np.asarray(values).tolist() == [0, 7, 0, 0, 0]
    assert [(row["label"], row["extra_label"]) for row in list_rows(store)][1] == (ROWS.labels[1], 7)
    export(old, tmp_path / "out.npz")
    with np.load(tmp_path / "out.npz") as written:
        assert np.array_equal(written["state_start"], store.state["start"])
        assert written["extra_state_start"].tolist() == written["extra_header"].tolist() == [0, 7, 0, 0, 0]
    export(old, tmp_path / "out.parquet")
    assert pq.read_table(tmp_path / "out.parquet")["label"].to_pylist() == ROWS.labels.tolist()


def test_a_column_of_an_older_version_goes_along(old: Path, tmp_path: Path) -> None:
    convert(old, tmp_path / f"copy{old.suffix}")
    collect([old], tmp_path / "all.functas")
    for path in (tmp_path / f"copy{old.suffix}", tmp_path / "all.functas"):
        found = open_store(path).read(ROWS.ids.tolist())
        assert set(found.extra) == set(HIDING)
        assert found.extra["label"].tolist() == [0, 7, 0, 0, 0]


def test_values_of_ids_that_are_not_there_are_refused(path: Path) -> None:
    with new_store(path) as store:
        store.append(ROWS)
        store.delete(["sample-4"])
        with pytest.raises(UnknownIDError, match=r"has no row for 3 IDs of column 'age', the first is 'nope'$"):
            store.add_column("age", {"sample-1": 1, "nope": 3, "sample-4": 2, 5: 1})  # type: ignore[dict-item]
        store.add_column("age", {"sample-1": 1})
    assert open_store(path).read().extra["age"].tolist() == [0, 1, 0, 0]


def test_a_series_is_values_by_id(path: Path) -> None:
    with new_store(path) as store:
        store.append(ROWS)
        store.add_column("age", pd.Series({"sample-3": 2.5, "sample-0": 1.5}))
        with pytest.raises(StoreError, match="column 'more' has 2 values for ID 'sample-0', expected one"):
            store.add_column("more", pd.Series([1, 2, 3], index=["sample-1", "sample-0", "sample-0"]))
    assert np.array_equal(open_store(path).read().extra["age"], [1.5, np.nan, np.nan, 2.5, np.nan], equal_nan=True)


@pytest.mark.parametrize("wrong", [None, [1, 2, 3, 4, 5], np.arange(5)])
def test_values_without_ids_are_refused(path: Path, wrong: Any) -> None:
    with new_store(path) as store:
        store.append(ROWS)
        with pytest.raises(StoreError, match=r"column 'age' is given as \w+, expected values by ID, as in a dict"):
            store.add_column("age", wrong)
        with pytest.raises(StoreError, match="a column is named 5, expected letters"):
            store.add_column(5, {})  # type: ignore[arg-type]
