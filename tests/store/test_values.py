"""Every value is kept as it was given, or refused before anything is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from store import Rows, Status, StoreError, compact, convert, merge, open_store
from store.rows import error_text
from store.testing import K, make_rows, new_store, numbered


def failed(error: Any) -> Rows:
    return Rows.build(["a"], np.full((1, K), np.nan), status=[Status.FAILED], errors=[error])


@pytest.mark.parametrize("error", ["fit: no\0", "\0", "fit: \ud800", "x" * 257, None, 3])
def test_an_error_text_that_would_not_come_back_is_refused(path: Path, error: Any) -> None:
    with new_store(path) as store:
        with pytest.raises(StoreError, match="the error of row 'a'"):
            store.append(failed(error))
        store.append(make_rows(["b"]))
    assert open_store(path).verify().ok
    assert open_store(path).ids.tolist() == ["b"]


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("ends in NUL\0", "read: ends in NUL"),
        ("two\n lines\0and more", "read: two lines and more"),
        ("a name \udcff", "read: a name \\udcff"),
        ("ä" * 300, "read: " + "ä" * 123 + "..."),
    ],
)
def test_reasons_are_cleaned_and_cut(path: Path, reason: str, expected: str) -> None:
    assert error_text("read", reason) == expected
    assert len(expected.encode()) <= 256
    with new_store(path) as store:
        store.append(Rows.failed("a", "read", reason, K))
    store = open_store(path)
    assert store.verify().ok
    assert store.failed() == [("a", "read", expected.removeprefix("read: "))]


EXTRAS: list[tuple[str, Any, str]] = [
    ("integer", [3.9], "is of kind integer, but a value is 3.9"),
    ("integer", [np.nan], "is of kind integer, but a value is nan"),
    ("integer", [2**63], "is of kind integer, but"),
    ("integer", ["3"], "is of kind integer, but its values"),
    ("number", ["3"], "is of kind number, but its values"),
    ("text", [3], "expected a string"),
    ("text", ["x" * 257], "expected a text of at most 256 bytes"),
    ("text", ["a\0"], "without NUL"),
    ("text", ["\ud800"], "not valid UTF-8"),
]


@pytest.mark.parametrize(("kind", "values", "message"), EXTRAS)
def test_a_value_that_is_not_of_its_column_s_kind_is_refused(path: Path, kind: str, values: Any, message: str) -> None:
    with new_store(path) as store:
        store.add_column("mine", {}, kind)
        array = np.array(values, dtype=object if kind == "text" else None)
        with pytest.raises(StoreError, match=message):
            store.append(Rows.build(["a"], np.zeros((1, K)), extra={"mine": array}))
        with pytest.raises(StoreError, match=message):
            store.add_column("another", dict.fromkeys(["a"], values[0]), kind)
        store.append(make_rows(["b"]))
    assert open_store(path).verify().ok


def test_whole_numbers_come_back_whatever_they_were(path: Path) -> None:
    with new_store(path) as store:
        store.add_column("mine", {}, "integer")
        store.append(Rows.build(["a", "b"], np.zeros((2, K)), extra={"mine": np.array([4.0, -(2.0**40)])}))
    assert open_store(path).read().extra["mine"].tolist() == [4, -(2**40)]


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("steps", [3.9]),
        ("steps", [2**40]),
        ("steps", [np.nan]),
        ("status", [1.5]),
        ("status", [257]),
        ("source_hash", np.full((1, 16), 300)),
        ("source_hash", np.full((1, 16), 0.5)),
        ("loss", ["high"]),
        ("functas", [["x"] * K]),
        ("functas", np.full((1, K), 1 + 1j)),
        ("target", np.array([1j])),
        ("target", np.array(["2020-01-01"], "datetime64[s]")),
    ],
)
def test_numbers_are_not_cut_to_fit(column: str, values: Any) -> None:
    given = {"functas": np.zeros((1, K))} | {column: values}
    with pytest.raises(StoreError, match=f"column {column} "):
        Rows.build(["a"], **given)


@pytest.mark.parametrize("column", ["labels", "splits", "groups"])
def test_a_name_that_cannot_be_written(path: Path, column: str) -> None:
    with new_store(path) as store:
        with pytest.raises(StoreError, match="is not valid UTF-8"):
            store.append(Rows.build(["a"], np.zeros((1, K)), **{column: ["\udcff"]}))
        store.append(make_rows(numbered(0, 2)))
    assert open_store(path).verify().ok


@pytest.mark.parametrize(
    "given", [{"dataset": "\ud800"}, {"encoder": {"a": "\ud800"}}, {"conventions": {"x": float("nan")}}]
)
def test_a_header_that_cannot_be_written(path: Path, given: dict[str, Any]) -> None:
    with pytest.raises(StoreError, match="cannot be kept as JSON"):
        new_store(path, **given)
    assert not path.exists()


def test_long_ids_need_a_width_in_hdf5_only(tmp_path: Path) -> None:
    long = "x" * 512
    with new_store(tmp_path / "store.zarr") as store:
        store.append(make_rows([long]))
    with (
        new_store(tmp_path / "store.h5") as store,
        pytest.raises(StoreError, match=r"IDs of at most 128.*as \.zarr"),
    ):
        store.append(make_rows([long]))
    with new_store(tmp_path / "wide.h5", id_width=512) as store:
        store.append(make_rows([long]))
    compact(tmp_path / "store.zarr")
    convert(tmp_path / "store.zarr", tmp_path / "copy.h5")
    merge([tmp_path / "store.zarr"], tmp_path / "merged.h5")
    for name in ("store.zarr", "wide.h5", "copy.h5", "merged.h5"):
        assert open_store(tmp_path / name).ids.tolist() == [long]


@pytest.mark.parametrize("wrong", [{}, None, make_rows(["a"]).functas])
def test_what_is_no_rows_changes_nothing(path: Path, wrong: Any) -> None:
    with new_store(path) as store:
        store.append(make_rows(["a"]))
        with pytest.raises(StoreError, match=r"append got \w+, expected Rows\. Make them with Rows\.build"):
            store.append(wrong)
        store.append(make_rows(["b"]))
    assert open_store(path).ids.tolist() == ["a", "b"]


@pytest.mark.parametrize("column", ["labels", "splits", "groups"])
def test_a_name_that_cannot_be_looked_up_changes_nothing(path: Path, column: str) -> None:
    with new_store(path) as store:
        with pytest.raises(StoreError, match=f"some {column[:-1]} is no string"):
            store.append(Rows.build(["a"], np.zeros((1, K)), **{column: [{}]}))
        store.append(make_rows(["b"]))
    assert open_store(path).ids.tolist() == ["b"]
