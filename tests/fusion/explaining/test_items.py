"""The samples behind rows are those that were encoded."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from helpers.made_bursts import Bursts

from fusion.datasets import ArrayDataset
from fusion.errors import DataError
from fusion.explaining import Explanation, explain


def test_a_source_that_changed_is_refused(bursts: Bursts) -> None:
    other = ArrayDataset([np.zeros((96, 2), np.float32)], ids=["w60"])
    with pytest.raises(DataError, match="not what was encoded"):
        explain(bursts.model, "w60", sources={"": other})


def test_a_store_that_moved_can_be_given(bursts: Bursts, tmp_path: Path) -> None:
    shutil.copytree(bursts.model, tmp_path / "model")
    (tmp_path / "model" / "metrics.json").unlink()
    with pytest.raises(DataError, match="--store sensor=PATH"):
        explain(tmp_path / "model", "w60", sources={"": bursts.data})
    found = explain(tmp_path / "model", "w60", sources={"": bursts.data}, stores={"sensor": bursts.store})
    assert isinstance(found, Explanation)
