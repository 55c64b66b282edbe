from __future__ import annotations

from pathlib import Path

import numpy as np
from helpers.sound_files import tone, write_sound

from fusion.datasets import FolderDataset
from fusion.encoders.remarks import remarks_on
from fusion.modalities import AudioModality, SensorModality


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
