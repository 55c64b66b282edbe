"""Write a few trials in the layouts of UTD-MHAD."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.io import savemat

TRIALS = ("a1_s1_t1", "a2_s2_t1", "a10_s3_t4", "a27_s8_t2")


def write_inertial(root: Path, trials: tuple[str, ...] = TRIALS) -> Path:
    (root / "Inertial").mkdir(parents=True)
    for number, trial in enumerate(trials):
        readings = np.random.default_rng(number).normal(size=(100 + 30 * number, 6))
        savemat(root / "Inertial" / f"{trial}_inertial.mat", {"d_iner": readings}, do_compression=number % 2 == 0)
    return root


def write_skeleton(root: Path, trials: tuple[str, ...] = TRIALS) -> Path:
    (root / "Skeleton").mkdir(parents=True)
    np.savez(root / "Skeleton" / "skeleton.npz", **{trial: joints_of(number) for number, trial in enumerate(trials)})
    return root


def joints_of(number: int) -> NDArray[np.float32]:
    """Positions of shape (frames, 20, 3)."""
    return np.random.default_rng(number).normal(size=(40 + number, 20, 3)).astype(np.float32)


def write_depth(root: Path, trials: tuple[str, ...] = TRIALS) -> Path:
    (root / "Depth60x80").mkdir(parents=True)
    for number, trial in enumerate(trials):
        np.savez_compressed(root / "Depth60x80" / f"{trial}_depth60x80.npz", depth=person(top=10 + number % 16))
    return root


def person(frames: int = 30, top: int = 20, left: int = 30) -> NDArray[np.uint8]:
    """Draw a person of 30 x 12 pixels whose arm comes nearer, and one pixel of noise."""
    depth = np.zeros((frames, 60, 80), np.uint8)
    depth[:, top : top + 30, left : left + 12] = 170
    for index in range(frames):
        depth[index, top + 5 : top + 8, left : left + 4] = 170 - index // 2
    depth[0, 0, 0] = 90
    return depth
