"""The layout of the public HHAR data set (Stisen et al., SenSys 2015): a running number, two times, names, a class."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from helpers.running import Functa

from fusion.datasets import SensorTable
from fusion.errors import ConfigError

COLUMNS = ["Index", "Arrival_Time", "Creation_Time", "x", "y", "z", "User", "Model", "Device", "gt"]
RATE = 200


def write_hhar(path: Path, users: str = "abcd", seconds: int = 12) -> pd.DataFrame:
    """Write blocks of rows, one for each person and telephone: they wear several telephones at the same time."""
    random, parts = np.random.default_rng(0), []
    for number, user in enumerate(users):
        for device in ("nexus4_1", "nexus4_2", "s3_1"):
            count = seconds * RATE
            start = 1_424_696_633_908 + 3_600_000 * number
            readings = random.normal(0, 3, (count, 3)).round(7)
            block = pd.DataFrame(readings, columns=["x", "y", "z"])
            block["Index"] = range(count)
            block["Creation_Time"] = start * 1_000_000 + np.arange(count, dtype=np.int64) * (10**9 // RATE)
            block["Arrival_Time"] = block.Creation_Time // 1_000_000 + 2
            block = block.assign(User=user, Model=device.split("_")[0], Device=device)
            block["gt"] = np.repeat(["stand", "null", "walk"], count // 3)
            parts.append(block[COLUMNS])
    table = pd.concat(parts)
    table.to_csv(path, index=False)
    return table


@pytest.mark.parametrize("time", ["Arrival_Time", "Creation_Time"])
def test_it_is_read_by_one_command_with_the_plan_shown(functa: Functa, tmp_path: Path, time: str) -> None:
    table = write_hhar(tmp_path / "hhar.csv")
    options = [f"--reader={option}" for option in (f"time={time}", "label=gt", "group=User", "window=2")]
    command = ("encode", tmp_path / "hhar.csv", "--modality", "sensor", "--store", tmp_path / "s.zarr", *options)
    plan = functa(*command, "--dry-run", "--json").json
    reading = plan["reading"]
    assert plan["channels"] == ["x", "y", "z"]
    assert (reading["rate"], reading["id"], reading["group"]) == (RATE, ["User", "Device"], "User")
    assert reading["time_unit"] == {"Arrival_Time": "ms", "Creation_Time": "ns"}[time]
    other = {"Arrival_Time": "Creation_Time", "Creation_Time": "Arrival_Time"}[time]
    assert plan["left_out"] == {"Index": "it counts rows", other: "another time", "Model": "words, such as 'nexus4'"}
    assert plan["classes"] == {"stand": 36, "null": 36, "walk": 36}
    shown = functa(*command, "--dry-run").out
    assert "200 readings per second" in shown
    dataset = SensorTable(tmp_path / "hhar.csv", time=time, label="gt", group="User", window=2)
    first = next(iter(dataset))
    np.testing.assert_array_equal(first.raw, table[["x", "y", "z"]].to_numpy(np.float32)[: 2 * RATE])
    assert Counter(sample.group for sample in dataset) == dict.fromkeys("abcd", 27)


def test_which_time_is_meant_must_be_said(tmp_path: Path) -> None:
    write_hhar(tmp_path / "hhar.csv", users="a")
    with pytest.raises(ConfigError, match=r"Arrival_Time and Creation_Time may both be the time; .*time=Arrival_Time"):
        SensorTable(tmp_path / "hhar.csv", label="gt", group="User", window=2)
