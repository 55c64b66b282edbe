"""Functas made up for tests: classes that two weights tell apart, subjects as groups, a split by subject."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from store import FunctaStore, Rows, create_store, open_store

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


def stored(path: Path, rows: Rows, **settings: Any) -> FunctaStore:
    """Write the rows to a new store and open it for reading."""
    options: dict[str, Any] = {
        "modality": "sensor",
        "layout": [("dense/kernel", (rows.k,), 0)],
        "encoder": {"kind": "functa", "steps": 10},
        "state": {"start": np.full(rows.k, 0.5, np.float32), "low": np.zeros(9), "high": np.ones(9)},
        "block_rows": 16,
    }
    with create_store(path, **options | settings) as store:
        store.append(rows)
    return open_store(path)


def rebuilt(rows: Rows, **columns: Any) -> Rows:
    """Give the same rows with other columns."""
    kept = {name: getattr(rows, name) for name in ("labels", "splits", "groups")}
    return Rows.build(rows.ids, columns.pop("functas", rows.functas), **kept | columns)
