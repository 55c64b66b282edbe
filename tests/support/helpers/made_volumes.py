"""Made volumes of two families of shapes, at random places and in random sizes: full balls and hollow ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FAMILIES = ("full", "hollow")


def volume(family: str, seed: int, *, points: int = 16) -> NDArray[np.float32]:
    """One ball in values from about 0 to 1, softly bounded, with some noise."""
    random = np.random.default_rng([seed, FAMILIES.index(family)])
    axes = np.linspace(-1.0, 1.0, points)
    place = np.stack(np.meshgrid(axes, axes, axes, indexing="ij"), axis=-1)
    centre, radius = random.uniform(-0.25, 0.25, 3), random.uniform(0.45, 0.65)
    distance = np.linalg.norm((place - centre) / random.uniform(0.85, 1.15, 3), axis=-1)
    full = 1.0 / (1.0 + np.exp((distance - radius) / 0.08))
    hole = 1.0 / (1.0 + np.exp((distance - 0.55 * radius) / 0.08))
    values = full - hole if family == "hollow" else full
    return (values + random.normal(0.0, 0.01, values.shape)).astype(np.float32)


def write_volumes(folder: Path, each: int, *, suffix: str = ".npy", points: int = 16) -> Path:
    """Write class folders of volumes below ``train`` and ``test``, a quarter of them for testing."""
    for family in FAMILIES:
        for number in range(each):
            split = "test" if number % 4 == 0 else "train"
            path = folder / split / family / f"{number:03d}{suffix}"
            path.parent.mkdir(parents=True, exist_ok=True)
            np.save(path, volume(family, number, points=points))
    return folder
