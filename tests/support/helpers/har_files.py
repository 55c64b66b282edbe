"""Write a small folder in the official UCI-HAR layout, with motion that depends on the activity."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fusion.datasets.uci_har import CHANNELS

ACTIVITIES = ("WALKING", "WALKING_UPSTAIRS", "WALKING_DOWNSTAIRS", "SITTING", "STANDING", "LAYING")


def write_har(folder: Path, *, per_class: int = 4, test_per_class: int = 2) -> Path:
    root = folder / "UCI HAR Dataset"
    root.mkdir(parents=True)
    lines = [f"{number} {name}" for number, name in enumerate(ACTIVITIES, 1)]
    (root / "activity_labels.txt").write_text("\n".join(lines) + "\n")
    for split, count, first_subject in (("train", per_class, 1), ("test", test_per_class, 20)):
        signals = root / split / "Inertial Signals"
        signals.mkdir(parents=True)
        labels = np.repeat(np.arange(1, 7), count)
        subjects = first_subject + np.arange(len(labels)) % 2
        np.savetxt(root / split / f"y_{split}.txt", labels, fmt="%d")
        np.savetxt(root / split / f"subject_{split}.txt", subjects, fmt="%d")
        windows = har_windows(labels, seed=first_subject)
        for channel, name in enumerate(CHANNELS):
            np.savetxt(signals / f"{name}_{split}.txt", windows[..., channel], fmt="%.6e")
    return root


def har_windows(labels: NDArray[Any], seed: int) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    time = np.linspace(0, 2.56, 128)[None, :, None]
    kind = labels[:, None, None].astype(float)
    phases = rng.uniform(0, 0.5, (len(labels), 1, 9))
    waves = 0.1 * kind * np.sin(2 * np.pi * kind * time + phases + np.arange(9))
    return (waves + 0.02 * rng.normal(size=waves.shape)).astype(np.float32)
