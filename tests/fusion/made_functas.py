"""Functas made up for tests: classes that two weights tell apart, subjects as groups, a split by subject."""

from __future__ import annotations

from typing import Any

import numpy as np

from store import Rows

K = 12
CLASSES = ("sit_$1$", "walk", "<b>lie</b>")


def functa_rows(subjects: int = 8, each: int = 6, *, seed: int = 0, k: int = K, **columns: Any) -> Rows:
    """Functas around a start of 0.5: two weights tell the class, one never moves; two of eight subjects are test."""
    random = np.random.default_rng(seed)
    count = subjects * each
    codes = np.arange(count) % len(CLASSES)
    functas = 0.5 + 0.1 * random.normal(size=(count, k)).astype(np.float32)
    functas[:, 0] += codes
    functas[:, 1] -= codes
    functas[:, 3] = 0.5
    subject = np.arange(count) // each
    test = subject >= subjects * 3 // 4
    filled: dict[str, Any] = {
        "labels": [CLASSES[code] for code in codes],
        "splits": ["test" if inside else "train" for inside in test],
        "groups": [f"subject-{number}" for number in subject],
    }
    return Rows.build([f"{number:04d}" for number in range(count)], functas, **filled | columns)
