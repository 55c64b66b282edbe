"""Small stores for tests of linking: samples by ID with label, split and group."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from store import FunctaStore, Rows, create_store, open_store

Sample = tuple[str, str | None, str | None, str | None]
"""ID, label, split, group."""


def samples(subjects: int = 4, each: int = 5, *, form: str = "{subject}-{number}") -> list[Sample]:
    """Samples of two classes by subject; the last subject is the test split."""
    return [
        (
            form.format(subject=subject, number=number),
            ("walk", "sit")[number % 2],
            "test" if subject == subjects - 1 else "train",
            f"subject-{subject}",
        )
        for subject in range(subjects)
        for number in range(each)
    ]


def write_store(
    path: Path, rows: list[Sample], *, modality: str = "sensor", shuffle: int | None = None, extra: str | None = None
) -> FunctaStore:
    """Write a store, its rows in a random order if asked, and `extra` as a column that holds each ID's last part."""
    order = np.random.default_rng(shuffle).permutation(len(rows)) if shuffle is not None else np.arange(len(rows))
    ids, labels, splits, groups = ([rows[row][part] for row in order] for part in range(4))
    values = np.random.default_rng(0).normal(size=(len(ids), 3)).astype(np.float32)
    with create_store(
        path, modality=modality, layout=[("w", (3,), 0)], encoder={"kind": "functa"}, state={"start": np.zeros(3)}
    ) as store:
        store.append(Rows.build(ids, values, labels=labels, splits=splits, groups=groups))
        if extra is not None:
            store.add_column(extra, {name: name.rpartition("-")[2] for name in ids})
    return open_store(path)
