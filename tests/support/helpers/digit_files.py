"""Write a few spoken and written digits in the layout of the data set."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import soundfile

COLUMNS = ("recording", "digit", "speaker", "index", "image", "split")


def write_digits(folder: Path, *, recordings: int = 4) -> Path:
    (folder / "recordings").mkdir(parents=True)
    rng = np.random.default_rng(0)
    rows = []
    for digit in range(3):
        for index in range(recordings):
            name = f"{digit}_ann_{index}.flac"
            wave = 0.3 * np.sin(np.arange(800) * (0.1 + 0.1 * digit)) + 0.01 * rng.normal(size=800)
            soundfile.write(folder / "recordings" / name, wave, 8000)
            split = "test" if index == 0 else "train"
            rows.append((name, digit, "ann", index, len(rows), split))
    with (folder / "pairs.csv").open("w", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *rows])
    images = rng.integers(0, 256, (len(rows), 28, 28), np.uint8)
    np.savez(folder / "mnist_subset.npz", images=images, labels=np.array([row[1] for row in rows]))
    return folder
