"""A store as training loops read it."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from store import RowView, StoreError
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
