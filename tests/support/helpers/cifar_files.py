"""Write a few images in the layouts of CIFAR-10."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


def cifar_rows(count: int, seed: int) -> tuple[NDArray[np.uint8], list[int]]:
    rng = np.random.default_rng(seed)
    labels = (np.arange(count) % 10).tolist()
    smooth = rng.integers(0, 200, (count, 3, 4, 4), np.uint8).repeat(8, 2).repeat(8, 3)
    return (smooth.reshape(count, 3072) + np.array(labels, np.uint8)[:, None] * 5), labels


def write_cifar(folder: Path, *, layout: str = "py", count: int = 20, protocol: int = 2) -> Path:
    root = folder / f"cifar-10-batches-{layout}"
    root.mkdir(parents=True)
    for seed, name in enumerate(("data_batch_1", "data_batch_3", "test_batch")):
        data, labels = cifar_rows(count, seed)
        if layout == "py":
            batch = {"data": data, "labels": labels, "batch_label": name, "filenames": ["x.png"] * count}
            (root / name).write_bytes(pickle.dumps(batch, protocol))
        else:
            rows = np.column_stack([np.array(labels, np.uint8), data])
            (root / f"{name}.bin").write_bytes(rows.tobytes())
    return root
