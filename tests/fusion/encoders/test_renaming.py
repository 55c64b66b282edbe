"""What is stored follows the data set's names, or says that it does not; a sample that is lost keeps its functa."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fusion
from fusion.encoders import EncodeOptions
from fusion.errors import DataError
from store import open_store

ROWS = np.random.default_rng(0).normal(size=(12, 6)).astype(np.float32)
IDS = [f"s{number}" for number in range(12)]
NAMES: dict[str, Any] = {"labels": ["a", "b"] * 6, "splits": ["train"] * 9 + ["test"] * 3, "groups": IDS}
ONE = EncodeOptions(workers=1)


def encode(path: Path, options: EncodeOptions = ONE, rows: Any = ROWS, **names: Any) -> fusion.encoders.EncodeReport:
    data = fusion.ArrayDataset(list(rows), ids=IDS, modality="vectors", **(NAMES | names))
    return fusion.encode(data, path, options=options)


@pytest.fixture(params=["s.zarr", "s.h5", "s.functas"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    encode(tmp_path / request.param)
    return tmp_path / request.param


CHANGES = {
    "label": {"labels": ["b", "a"] * 6},
    "split": {"splits": ["test"] * 3 + ["train"] * 9},
    "group": {"groups": ["one"] * 12},
    "target": {"targets": range(12)},
}


@pytest.mark.parametrize("what", CHANGES)
def test_other_names_are_refused_left_or_taken_over(path: Path, what: str) -> None:
    column = "target" if what == "target" else f"{what}s"
    with open_store(path) as store:
        before = store.read()
    with pytest.raises(DataError, match=f"the {what} of .* stored samples differ .*--on-change reencode"):
        encode(path, **CHANGES[what])
    left = encode(path, replace(ONE, on_change="keep"), **CHANGES[what])
    assert any(f"the {what} of" in note and "left as they are" in note for note in left.notes)
    with open_store(path) as store:
        np.testing.assert_array_equal(getattr(store.read(), column), getattr(before, column))
    taken = encode(path, replace(ONE, on_change="reencode"), **CHANGES[what])
    assert (taken.encoded, taken.skipped) == (0, 12)
    assert any(f"the {what} of" in note and "taken over" in note for note in taken.notes)
    with open_store(path) as store:
        after = store.read(IDS)
        assert store.verify().ok
    given = next(iter(CHANGES[what].values()))
    assert getattr(after, column).tolist() == list(given)
    np.testing.assert_array_equal(after.functas, before.functas)
    assert not any("differ" in note for note in encode(path, **CHANGES[what]).notes)


def test_a_sample_that_cannot_be_read_any_more_keeps_its_functa(path: Path) -> None:
    lost = [ROWS[0] * np.inf, *ROWS[1:]]
    found = encode(path, rows=lost)
    assert (found.rows, found.failed, found.spared) == (12, 0, 1)
    assert found.failures[0][0] == "s0"
    assert any("their functas are kept" in note for note in found.notes)
    given_up = encode(path, replace(ONE, on_change="reencode"), rows=lost)
    assert (given_up.rows, given_up.failed, given_up.spared) == (11, 1, 0)


def test_rows_without_a_sample_are_told(path: Path) -> None:
    data = fusion.ArrayDataset(
        list(ROWS[:9]),
        ids=IDS[:9],
        modality="vectors",
        labels=["a", "b"] * 4 + ["a"],
        splits=["train"] * 9,
        groups=IDS[:9],
    )
    notes = fusion.encode(data, path, options=ONE).notes
    assert any("3 rows of the store are of no sample here, such as 's10'; --prune" in note for note in notes)
