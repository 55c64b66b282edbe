"""What tells samples of a group apart is one number, and said: fractions of seconds, suffixes and days are none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fusion.linking import link, link_to_file
from fusion.linking.sides import last_number
from store import Rows, create_store

NUMBERS = {
    "p0-000015.36s": "15.36",
    "p0-000015.00s": "15",
    "p0-000000.50s": "0.5",
    "s0/take1.mp3": "1",
    "s0/take3.MP4": "3",
    "clip12.h5": "12",
    "take007.wav": "7",
    "a0b12c": "12",
    "v1.5": "5",
    "000": "0",
    "2024-01-05": "2024-01-05",
    "walk 2024-01-05T07:30": "2024-01-05T07:30",
    "2024-01-05-3": "3",
    "ann": None,
}


@pytest.mark.parametrize("name", NUMBERS)
def test_the_last_number_of_an_id(name: str) -> None:
    assert last_number(name) == NUMBERS[name]


def store(path: Path, ids: list[str]) -> Path:
    with create_store(path, modality="sensor", layout=[("w", (2,), 0)], encoder={}, state={}) as made:
        made.append(Rows.build(ids, np.zeros((len(ids), 2)), groups=["p0"] * len(ids)))
    return path


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_windows_are_joined_by_the_second_that_they_begin_at(tmp_path: Path, suffix: str) -> None:
    wrist = store(tmp_path / "wrist.zarr", ["p0-000007.36s", "p0-000012.80s", "p0-000015.36s"])
    ankle = store(tmp_path / "ankle.zarr", ["p0-000015.36s", "p0-000014.36s", "p0-000012.8s"])
    linked = link([wrist, ankle], on="group")
    pairs = linked.frame[["wrist", "ankle"]].to_numpy().tolist()
    assert sorted(pairs) == [["p0-000012.80s", "p0-000012.8s"], ["p0-000015.36s", "p0-000015.36s"]]
    (told,) = linked.summary.warnings
    assert "wrist 'p0-000007.36s' by 7.36" in told
    assert "--key" in told
    assert link_to_file([wrist, ankle], tmp_path / f"both{suffix}", on="group").summary.warnings == (told,)


def test_a_key_of_one_s_own_is_not_told(tmp_path: Path) -> None:
    wrist, ankle = store(tmp_path / "wrist.zarr", ["a1"]), store(tmp_path / "ankle.zarr", ["b1"])
    assert link([wrist, ankle], on="group", key=r"\d").summary.warnings == ()
