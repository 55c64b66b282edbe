from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from fusion.names import is_missing, name_of, names_of


@pytest.mark.parametrize("cell", [None, float("nan"), np.float32("nan"), "", pd.NA])
def test_what_stands_for_nothing_names_nothing(cell):
    assert name_of(cell) is None


@pytest.mark.parametrize("cell", [1, 1.0, np.float32(1), np.int64(1), "1"])
def test_whole_numbers_are_called_alike(cell):
    assert name_of(cell) == "1"
    assert names_of([cell, "a", 0.5, None]).tolist() == ["1", "a", "0.5", "None"]


@pytest.mark.parametrize("cell", [None, np.nan, np.float32("nan"), pd.NaT, pd.NA, np.ma.masked, "", b"", "<NA>"])
def test_nothing_is_told_in_one_place(cell: Any) -> None:
    assert is_missing(cell)
    assert not any(map(is_missing, (0, False, " ", "nan", np.inf, [], np.array([np.nan, 1.0]), pd.Timestamp("2020"))))
