"""Made people: plain columns in a CSV file, and windows of the same people in another."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

NAMES = tuple("abcdefghij")


def people(names: tuple[str, ...] = NAMES) -> pd.DataFrame:
    """Two columns that say something, one that says nothing."""
    return pd.DataFrame(
        {
            "id": names,
            "sex": ["f" if place % 2 else "m" for place in range(len(names))],
            "age": [20 + 3 * place for place in range(len(names))],
            "country": "here",
        }
    )


def write_people(path: Path, frame: pd.DataFrame | None = None) -> Path:
    (people() if frame is None else frame).to_csv(path, index=False)
    return path


def write_windows(path: Path, names: tuple[str, ...] = NAMES, *, readings: int = 64, seed: int = 0) -> Path:
    """Two recordings of each person; fast ones have a higher frequency."""
    random = np.random.default_rng(seed)
    parts = []
    for name in names:
        for label, frequency in (("slow", 1.0), ("fast", 4.0)):
            time = np.arange(readings) / 16
            wave = np.sin(2 * np.pi * frequency * time) + random.normal(0, 0.2, readings)
            row = {"id": f"{name}-{label}", "time": time, "ax": wave, "label": label, "group": name}
            parts.append(pd.DataFrame(row))
    pd.concat(parts).to_csv(path, index=False)
    return path
