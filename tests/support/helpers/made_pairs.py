"""Functas of modalities made up for tests: each tells a part of the classes apart, together they tell all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fusion import link
from fusion.linking import LinkTable
from helpers.made_functas import stored
from store import Rows

CLASSES = ("climb", "sit", "stand", "walk")
K = 6


def views(subjects: int, each: int, *, noise: float, seed: int, third: bool) -> dict[str, Rows]:
    """Rows by view: the sensor sees the first bit of the class well and the second badly, the camera vice versa."""
    random = np.random.default_rng(seed)
    count = subjects * each
    codes = np.arange(count) % len(CLASSES)
    bits = np.stack([codes // 2, codes % 2], axis=1) - 0.5
    subject = np.arange(count) // each
    columns = {
        "labels": [CLASSES[code] for code in codes],
        "splits": ["test" if number >= subjects * 2 // 3 else "train" for number in subject],
        "groups": [f"subject-{number}" for number in subject],
        "psnr": random.uniform(20, 40, count),
    }
    ids = [f"trial-{number:03d}" for number in range(count)]
    scales = {"sensor": (1.0, 0.25), "camera": (0.25, 1.0), "sound": (0.5, 0.5)}
    made = {}
    for name in ("sensor", "camera", "sound")[: 3 if third else 2]:
        functas = 0.5 + noise * random.normal(size=(count, K)).astype(np.float32)
        functas[:, :2] += bits * scales[name]
        made[name] = Rows.build(ids, functas, **columns)
    return made


def linked(
    folder: Path,
    *,
    subjects: int = 12,
    each: int = 12,
    noise: float = 0.3,
    seed: int = 0,
    third: bool = False,
    lacking: int = 0,
    how: str = "inner",
) -> LinkTable:
    """Write one store for each view and link them by ID; the camera lacks every so many-th row where asked."""
    folder.mkdir(exist_ok=True)
    modalities = {"sensor": "sensor", "camera": "video", "sound": "audio"}
    paths = {}
    for name, rows in views(subjects, each, noise=noise, seed=seed, third=third).items():
        if name == "camera" and lacking:
            rows = rows.take(np.flatnonzero(np.arange(len(rows)) % lacking != 0))
        store = stored(
            folder / f"{name}.zarr",
            rows,
            modality=modalities[name],
            encoder={"kind": "functa", "view": name},
            state={"start": np.full(K, 0.5, np.float32)},
        )
        paths[name] = store.path
    return link(paths, how=how)  # type: ignore[arg-type]


def pair_functas(count: int = 20) -> dict[str, NDArray[np.float32]]:
    """Functas of both views; every third item lacks the camera."""
    random = np.random.default_rng(1)
    made = {name: random.normal(0.5, 0.5, size=(count, K)).astype(np.float32) for name in ("sensor", "camera")}
    made["camera"][::3] = np.nan
    return made
