"""Frames whose columns, cells or names are not what one expects of a table."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from fusion.datasets import ArrayDataset, FrameDataset
from fusion.errors import DataError, SampleError

DATES = [pd.Timestamp("2020-01-01"), None]
VECTORS = [np.ones(2), np.ones(2)]


def test_missing_dates_are_none_in_every_reading_of_a_frame() -> None:
    frame = pd.DataFrame({"v": VECTORS, "age": [3, 4], "group": pd.to_datetime(pd.Series(DATES))})
    column = FrameDataset(frame, column="v", modality="vectors")
    plain = FrameDataset(frame.drop(columns="v"))
    groups = [[s.group for s in data] for data in (column, plain, ArrayDataset(VECTORS, groups=frame["group"]))]
    assert groups == [["2020-01-01 00:00:00", None]] * 3


def test_missing_targets_of_pandas_are_none() -> None:
    numbers = pd.array([1, None], dtype="Int64")
    frame = pd.DataFrame({"v": VECTORS, "y": numbers})
    for data in (
        ArrayDataset(VECTORS, targets=numbers),
        FrameDataset(frame, column="v", target="y", modality="vectors"),
    ):
        assert [s.target for s in data] == [1.0, None]


def test_a_frame_with_two_columns_of_one_name_is_refused() -> None:
    for rows in ([[1, 2, "x"], [3, 4, "y"]], [[1, 2, "x"]] * 3):
        with pytest.raises(
            DataError, match="the frame has more than one column 'a'; expected a name of its own for each"
        ):
            FrameDataset(pd.DataFrame(rows, columns=["a", "a", "label"]))
    with pytest.raises(DataError, match="more than one column '1'"):
        FrameDataset(pd.DataFrame([[1, 2]], columns=[1, "1"]))


def test_ids_beyond_the_largest_signed_number_are_kept() -> None:
    ids = np.array([2**63 + 5, 7], np.uint64)
    frame = pd.DataFrame({"id": ids, "size": ids})
    found = list(FrameDataset(frame))
    assert [s.id for s in found] == ["9223372036854775813", "7"]
    assert found[0].raw.numbers["size"] == pytest.approx(2.0**63)


@pytest.mark.parametrize("cells", [[[1.0, 2.0]] * 2, VECTORS, [{"a": 1}] * 2, [None, [1]]])
def test_a_column_of_lists_is_refused_by_its_name(cells: list[Any]) -> None:
    with pytest.raises(DataError, match=r"column 'emb' of the frame holds a \w+; expected one number or text"):
        list(FrameDataset(pd.DataFrame({"emb": cells, "age": [1, 2]})))


def test_a_row_without_a_file_is_a_failed_row() -> None:
    data = FrameDataset(pd.DataFrame({"file": ["a.png", None]}), path="file", modality="image")
    found = list(data)
    assert [s.id for s in found] == ["a.png", "frame:2"]
    with pytest.raises(SampleError, match="row 2 of the frame names no file"):
        found[1].load()
