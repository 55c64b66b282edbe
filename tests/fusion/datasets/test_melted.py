"""Long tables, with a row for each channel's value, are told from readings that share a time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fusion.datasets import SensorTable
from fusion.errors import DataError


def melted(*by: str) -> pd.DataFrame:
    """Give two recordings of two channels, a row for each value, in that order."""
    wide = pd.DataFrame({"id": np.repeat(["a", "b"], 30), "time": np.tile(np.arange(30) / 10, 2)})
    wide = wide.assign(ax=np.sin(np.arange(60)), ay=np.cos(np.arange(60)))
    return wide.melt(["id", "time"], var_name="channel").sort_values(list(by), ignore_index=True)


@pytest.mark.parametrize("by", [("id", "time", "channel"), ("id", "channel", "time")])
@pytest.mark.parametrize("spread", [False, True])
def test_a_long_table_is_to_be_pivoted(tmp_path: Path, by: tuple[str, ...], *, spread: bool) -> None:
    melted(*by).to_csv(tmp_path / "t.csv", index=False)
    asked = r"column 'channel' has each of 'ax', 'ay' at every time.*pivot the table, with one column for each"
    with pytest.raises(DataError, match=asked):
        SensorTable(tmp_path / "t.csv", spread=spread)


def test_pivoted_or_named_as_recordings_it_is_read(tmp_path: Path) -> None:
    melted("id", "channel", "time").to_csv(tmp_path / "t.csv", index=False)
    assert [sample.id for sample in SensorTable(tmp_path / "t.csv", id="id,channel")] == [
        "a/ax",
        "a/ay",
        "b/ax",
        "b/ay",
    ]
    wide = melted("id", "time").pivot(index=["id", "time"], columns="channel", values="value").reset_index()
    wide.to_csv(tmp_path / "wide.csv", index=False)
    assert SensorTable(tmp_path / "wide.csv").columns.channels == ("ax", "ay")


def test_words_beside_readings_are_no_channels(tmp_path: Path) -> None:
    table = melted("id", "time").query("channel == 'ax'").assign(channel=["walk", "sit"] * 30)
    table.to_csv(tmp_path / "t.csv", index=False)
    assert SensorTable(tmp_path / "t.csv").columns.channels == ("value",)
