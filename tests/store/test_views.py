"""A store as training loops read it."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from store import RowView, StoreError, open_store
from store.testing import K, make_rows, new_store, numbered

ROWS = make_rows(numbered(0, 20))


@pytest.fixture
def filled(path: Path) -> Path:
    with new_store(path) as store:
        store.append(ROWS)
    return path


def test_pairs_of_functa_and_class_number(filled: Path) -> None:
    view = RowView(filled)
    labelled = [row for row, label in enumerate(ROWS.labels) if label is not None]
    assert len(view) == len(labelled)
    for place, row in enumerate(labelled):
        functa, code = view[place]
        assert np.array_equal(functa, ROWS.functas[row])
        assert view.classes[code] == ROWS.labels[row]
    with pytest.raises(IndexError):
        view[len(view)]


def test_several_rows_at_once_in_the_order_asked(filled: Path) -> None:
    view = RowView(filled)
    for (functa, code), place in zip(view.__getitems__([5, 0, 3]), (5, 0, 3), strict=True):
        assert np.array_equal(functa, view[place][0])
        assert code == view[place][1]


def test_only_the_rows_of_a_split(filled: Path) -> None:
    view = RowView(filled, split="test")
    assert set(view.ids) <= {name for name, split in zip(ROWS.ids, ROWS.splits, strict=True) if split == "test"}
    with pytest.raises(StoreError, match="no labelled row of split 'nowhere'"):
        RowView(filled, split="nowhere")


def test_a_copy_in_another_process_opens_the_store_anew(filled: Path) -> None:
    view = RowView(filled)
    first = view[0]
    other = pickle.loads(pickle.dumps(view))  # noqa: S301
    assert np.array_equal(other[0][0], first[0])


def test_batches_are_in_the_order_of_the_store(filled: Path) -> None:
    view = RowView(filled)
    batches = list(view.batches(7))
    assert [functas.shape for functas, _ in batches][:2] == [(7, K), (7, K)]
    assert np.concatenate([codes for _, codes in batches]).tolist() == view.codes.tolist()
    assert np.array_equal(np.concatenate([functas for functas, _ in batches])[3], view[3][0])


SELECTIONS: list[Any] = [[True, False, True] * 6, slice(1, 8, 2), [4, -1], np.array([2], np.uint8), [], slice(0)]


@pytest.mark.parametrize("wanted", SELECTIONS)
def test_a_mask_a_slice_and_positions_select(filled: Path, wanted: Any) -> None:
    rows = make_rows(numbered(0, 18))
    with open_store(filled, "a") as store:
        store.delete(["sample-18", "sample-19"])
    view = RowView(filled)
    where = np.arange(18)[wanted if isinstance(wanted, slice) or len(wanted) else slice(0)]
    assert rows.take(wanted).ids.tolist() == rows.ids[where].tolist()
    for found in (view[wanted], view.__getitems__(wanted)):
        assert [functa.tolist() for functa, _ in found] == [view[int(place)][0].tolist() for place in where]


@pytest.mark.parametrize("wrong", [[True, False], [0.7, 1.0], ["a"], [[0, 1]], [None]])
def test_what_selects_no_rows_is_refused(filled: Path, wrong: Any) -> None:
    view = RowView(filled)
    for select in (ROWS.take, view.__getitems__, view.__getitem__):
        with pytest.raises(StoreError, match=r"^(rows are selected by|a mask has 2 values, expected one for) "):
            select(wrong)


@pytest.mark.parametrize("wrong", [1.5, None, "1", True, np.bool_(1), np.array(1.5)])
def test_one_row_is_a_whole_number(filled: Path, wrong: Any) -> None:
    with pytest.raises(StoreError, match=r"is asked for, expected a whole number, a slice or a mask$"):
        RowView(filled)[wrong]
    with pytest.raises(StoreError, match="rows are selected by"):
        ROWS.take(wrong)


@pytest.mark.parametrize("size", [0, -1, 2.5, None])
def test_batches_of_no_size_are_refused(filled: Path, size: Any) -> None:
    with pytest.raises(StoreError, match=f"size is {size}, expected a whole number of 1 or more"):
        list(RowView(filled).batches(size))
