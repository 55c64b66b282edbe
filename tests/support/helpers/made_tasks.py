"""Two linked stores for tests of tasks: a number and two labels lie in functas, half in each of two modalities."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from fusion import link
from fusion.encoders.presets import config_for
from fusion.linking import LinkTable
from fusion.modalities import modality_from_dict
from helpers.made_functas import stored
from store import Rows

K = 8
SUBJECTS, EACH = 12, 24


def linked_tasks(folder: Path, *, labels: str = "target", lacking: int = 0) -> LinkTable:
    """Write and link them; `labels` says what is to be learned, and the camera lacks every so many-th row where asked.

    "target": class labels and targets; "numbers": labels that are the targets; "sets": ``cat``, ``dog``, both or none.
    """
    folder.mkdir(exist_ok=True)
    random = np.random.default_rng(0)
    count = SUBJECTS * EACH
    hidden = random.normal(size=(count, 2))
    subject = np.arange(count) // EACH
    columns: dict[str, Any] = {
        "splits": np.where(subject >= SUBJECTS * 2 // 3, "test", "train").astype(object),
        "groups": [f"subject-{number}" for number in subject],
        "psnr": random.uniform(20, 40, count),
        **_learned(hidden, labels),
    }
    ids = [f"trial-{number:03d}" for number in range(count)]
    paths = {}
    for name, modality, seen in (("sensor", "sensor", (1.0, 0.3)), ("camera", "video", (0.3, 1.0))):
        functas = 0.3 * random.normal(size=(count, K)).astype(np.float32)
        functas[:, :2] += hidden * seen
        rows = Rows.build(ids, functas, **columns)
        if name == "camera" and lacking:
            rows = rows.take(np.flatnonzero(np.arange(count) % lacking != 0))
        encoder = config_for(modality_from_dict({"name": modality}), {}).to_dict()
        state = {"start": np.zeros(K, np.float32)}
        paths[name] = stored(folder / f"{name}.zarr", rows, modality=modality, encoder=encoder, state=state).path
    return link(paths, how="outer")  # type: ignore[arg-type]


def _learned(hidden: np.ndarray, labels: str) -> dict[str, Any]:
    number = 100 + 3 * hidden[:, 0] + 2 * hidden[:, 1]
    if labels == "sets":
        held = hidden > 0
        names = np.array([";".join(np.array(["dog", "cat"])[row]) or ";" for row in held], dtype=object)
        return {"labels": names}
    if labels == "numbers":
        return {"labels": [f"{value:.3f}" for value in number]}
    return {"labels": np.where(hidden[:, 0] > 0, "high", "low").astype(object), "target": number}
