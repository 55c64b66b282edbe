"""Rows as Arrow, Polars and xarray hold them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from store import open_store
from store.testing import K, make_rows, new_store, numbered

ROWS = make_rows(numbered(0, 9))


@pytest.fixture
def filled(path: Path) -> Path:
    with new_store(path) as store:
        store.append(ROWS)
    return path


def test_an_arrow_table_holds_every_row(filled: Path) -> None:
    table = open_store(filled).to_arrow()
    assert table["id"].to_pylist() == ROWS.ids.tolist()
    assert table["label"].to_pylist() == ROWS.labels.tolist()
    assert np.array_equal(table["functa"].combine_chunks().flatten().to_numpy().reshape(-1, K), ROWS.functas)
    assert "functa" not in open_store(filled).to_arrow(functas=False).column_names


def test_of_one_split_only_its_rows(filled: Path) -> None:
    expected = [name for name, split in zip(ROWS.ids, ROWS.splits, strict=True) if split == "test"]
    assert open_store(filled).to_arrow(split="test")["id"].to_pylist() == expected
    assert expected


def test_polars_takes_it(filled: Path) -> None:
    polars = pytest.importorskip("polars")
    frame = polars.from_arrow(open_store(filled).to_arrow())
    assert np.array_equal(frame["functa"].to_numpy(), ROWS.functas)
    assert frame.filter(polars.col("split") == "train")["id"].to_list() == [
        name for name, split in zip(ROWS.ids, ROWS.splits, strict=True) if split == "train"
    ]


def test_xarray_selects_rows_by_id(filled: Path) -> None:
    pytest.importorskip("xarray")
    found = open_store(filled).to_xarray()
    assert dict(found.sizes) == {"id": 9, "weight": K}
    assert np.array_equal(found["functa"].sel(id="sample-3"), ROWS.functas[3])
    assert found["label"].sel(id="sample-3").item() == ROWS.labels[3]
    assert found.attrs == {"modality": "sensor"}
