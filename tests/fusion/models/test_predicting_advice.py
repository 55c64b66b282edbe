"""Advice of readers where nobody can give them options: every option that a window's or a table's error names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fusion.datasets import SensorTable
from fusion.errors import FusionError
from fusion.modalities import SensorModality
from fusion.models.predicting_advice import for_prediction


def table(path: Path, times: np.ndarray, **columns: object) -> Path:
    pd.DataFrame({"time": times, "ax": np.arange(len(times)) % 7, **columns}).to_csv(path, index=False)
    return path


def reason_of(path: Path, **options: object) -> str:
    with pytest.raises(FusionError) as caught:
        [sample.raw for sample in SensorTable(path, channels="ax", **options)]
    return for_prediction(str(caught.value))


def test_a_window_file_is_to_be_resampled(tmp_path: Path) -> None:
    modality = SensorModality(8, ("ax",))
    with pytest.raises(FusionError) as caught:
        modality.prepare(modality.read(table(tmp_path / "short.csv", np.arange(5) / 10)))
    assert for_prediction(str(caught.value)).endswith("(readings, channels). Resample or cut the file to that length")
    uneven = np.cumsum(np.tile([0.1, 0.3], 4))
    with pytest.raises(FusionError) as caught:
        modality.prepare(modality.read(table(tmp_path / "uneven.csv", uneven)))
    assert "even steps. Resample the file to even steps, or leave the column of times out" in for_prediction(
        str(caught.value)
    )


def test_a_table_is_to_be_resampled_longer_or_cut(tmp_path: Path) -> None:
    fast = table(tmp_path / "fast.csv", np.arange(300) / 100)
    assert reason_of(fast, window=1, rate=50.0).endswith("expected 0.02 s. Resample the file to that rate.")
    assert reason_of(fast, window=400).endswith("Give a longer recording")
    whole = np.floor(np.arange(300) / 50)
    assert reason_of(table(tmp_path / "whole.csv", whole), window=1).endswith("Give finer times")
    gap = np.concatenate([np.arange(50), np.arange(1000, 1050)]) / 10
    assert reason_of(table(tmp_path / "gap.csv", gap)).endswith("expected none, or cut the file there")


def test_other_options_are_said_to_be_those_of_encode() -> None:
    told = for_prediction("read: two columns may both be the time; say which with --reader time=a")
    assert told.endswith(
        "; predict takes no such option, functa encode FILE --like STORE does, and functa evaluate what it writes"
    )
    assert for_prediction("read: no column 'ax'") == "read: no column 'ax'"
