from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from helpers.sound_files import tone, write_sound

from fusion.datasets import ArrayDataset, FolderDataset
from fusion.encoders.remarks import remarks_on
from fusion.modalities import AudioModality, Recording, SensorModality


def test_what_the_first_clips_length_does_to_the_others_is_told(tmp_path: Path) -> None:
    for number in range(6):
        write_sound(tmp_path / "a" / f"{number}.wav", tone(0.2 + 0.1 * number))
    (tmp_path / "a" / "6.wav").write_bytes(b"RIFF")
    dataset = FolderDataset(tmp_path, modality="audio")
    clips, failed = remarks_on(AudioModality(rate=8000, seconds=0.3), dataset)
    assert clips.startswith("every clip is brought to 0.3 s: of 6 looked at 4 are longer and cut, 1 shorter and padded")
    assert failed.startswith("1 of 7 samples looked at cannot be used, first a/6.wav: read: 6.wav")


def test_nothing_is_said_where_all_is_well(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / "a").mkdir(exist_ok=True)
        np.save(tmp_path / "a" / f"{number}.npy", np.eye(4))
    dataset = FolderDataset(tmp_path, modality="sensor")
    assert remarks_on(SensorModality(length=4, channels=("a", "b", "c", "d")), dataset) == ()


@pytest.mark.parametrize(("count", "slow", "looked_at"), [(6, 9.0, 6), (40, 9.0, 8), (40, 0.0, 40), (3000, 0.0, 254)])
def test_slow_samples_and_a_slow_start_leave_a_look_at_some_of_all(
    monkeypatch: pytest.MonkeyPatch, count: int, slow: float, looked_at: int
) -> None:
    clock = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: clock[0])
    seen: list[str] = []

    class Slow(AudioModality):
        def prepare(self, raw: Recording) -> np.ndarray:
            clock[0] += slow if seen else 9.0
            seen.append(str(len(raw.samples)))
            return np.zeros((80, 1), np.float32)

    sounds = [Recording(np.zeros(100 + number, np.float32), 1000) for number in range(count)]
    told = remarks_on(Slow(rate=1000, seconds=0.08), ArrayDataset(sounds, modality="audio"))
    assert len(seen) == looked_at
    assert f"of {looked_at} looked at {looked_at} are longer and cut" in told[0]
    assert {"100", str(99 + count)} <= set(seen)
