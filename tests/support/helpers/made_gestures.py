"""A table of gestures whose channels tell the class: read in another order, another class would be seen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

LABELS = ("nod", "tilt", "shake")
CHANNELS = ("ax", "ay", "az")
ENCODE = ("--modality", "sensor", "--reader", "window=2.56", "--architecture", "paper-half", "--workers", "1")


def recording(label: str, person: str, *, seed: int, readings: int = 400, rate: float = 50) -> pd.DataFrame:
    """Give one recording with all the columns that training has."""
    random = np.random.default_rng(seed)
    times = np.arange(readings) / rate
    values = random.normal(0, 0.1, (readings, 3))
    values[:, LABELS.index(label)] += np.sin(2 * np.pi * 1.5 * times + random.uniform(0, 6))
    facts = {"id": f"{person}-{label}", "time": times.round(3), "label": label, "group": person}
    return pd.DataFrame(facts | dict(zip(CHANNELS, values.T.round(4), strict=True)))


def gestures(path: Path, people: str = "abcdefgh") -> Path:
    """Write the table that a model is trained on."""
    pairs = [(person, label) for person in people for label in LABELS]
    parts = [recording(label, person, seed=number) for number, (person, label) in enumerate(pairs)]
    pd.concat(parts).to_csv(path, index=False)
    return path
