"""Names that are missing, of bytes or of numbers: one rule for arrays, frames and samples of one's own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from fusion.datasets import ArrayDataset, FrameDataset, Sample
from fusion.errors import DataError

VECTORS = [np.ones(2), np.ones(2)]
NOTHING = [None, np.nan, pd.NaT, np.datetime64("NaT", "s"), pd.NA, np.ma.masked, ""]


def sample(**given: Any) -> Sample:
    return Sample(**{"id": "s", "label": "a", "split": "train", "group": "g", "load": np.empty, **given})


@pytest.mark.parametrize("nothing", NOTHING)
def test_nothing_is_none_wherever_it_comes_from(nothing: Any) -> None:
    arrays = ArrayDataset(VECTORS, labels=["a", nothing], groups=["x", nothing], targets=[1.0, nothing])
    assert [(s.label, s.group, s.target) for s in arrays] == [("a", "x", 1.0), (None, None, None)]
    own = sample(label=nothing, group=nothing, split=nothing, target=nothing)
    assert (own.label, own.group, own.split, own.target) == (None, None, None, None)


def test_bytes_are_utf_8_or_refused() -> None:
    names = np.array([b"walk", "gehén".encode()])
    data = ArrayDataset(VECTORS, ids=names, labels=names)
    assert [(s.id, s.label) for s in data] == [("walk", "walk"), ("gehén", "gehén")]
    plain = FrameDataset(pd.DataFrame({"id": list(names), "age": [1, 2]}))
    assert [s.id for s in plain] == ["walk", "gehén"]
    with pytest.raises(DataError, match=r"the label of array 1 b'\\xff' is not UTF-8; expected text"):
        ArrayDataset(VECTORS, labels=[b"\xff", b"a"])


def test_numbers_of_an_own_data_set_become_text_as_those_of_arrays_do() -> None:
    own = sample(id=5, label=2.0, split=1, group=np.int64(3), target=np.float32(0.5))
    assert (own.id, own.label, own.split, own.group, own.target) == ("5", "2", "1", "3", 0.5)
    assert (sample(id=b"x", label=np.str_("y")).id, type(sample(label=np.str_("y")).label)) == ("x", str)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"id": None}, "a sample has no ID; expected text of its own for each"),
        ({"load": np.ones(3)}, "load of sample 's' is of type ndarray; expected a function that reads its data"),
        ({"label": ["a", "b"]}, "the label of sample 's' is of type list; expected text or a number"),
        ({"target": np.inf}, "the target of 's' is inf; expected a finite number, or nothing"),
        ({"target": np.timedelta64(3, "s")}, "expected a finite number"),
    ],
)
def test_a_sample_that_no_store_can_keep_is_refused_in_one_line(given: Any, said: str) -> None:
    with pytest.raises(DataError, match=said) as error:
        sample(**given)
    assert "\n" not in str(error.value)
