"""A table of readings as people bring them: who walks, sits or runs, with a class, a person and a time in each row."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from fusion.datasets.base import Sample
from fusion.datasets.sensor_table import SensorTable

CHANNELS = ("ax", "ay", "az")
EPOCH = 1_714_564_800


def walks(
    people: Sequence[str] = "abcdef", labels: Sequence[str] = ("walk", "sit"), rate: float = 50, seconds: float = 6
) -> pd.DataFrame:
    random = np.random.default_rng(0)
    count = int(rate * seconds)
    parts = []
    for person in people:
        for label in labels:
            values = random.normal(size=(count, 3)).round(4)
            facts = {"id": f"{person}-{label}", "time": (np.arange(count) / rate).round(3)}
            parts.append(
                pd.DataFrame(facts | dict(zip(CHANNELS, values.T, strict=True)) | {"label": label, "group": person})
            )
    return pd.concat(parts, ignore_index=True)


def written(path: Path, table: pd.DataFrame, **how: object) -> Path:
    if path.suffix == ".parquet":
        table.to_parquet(path, index=False)
    elif path.suffix == ".npz":
        np.savez(path, **{name: np.array(table[name].tolist()) for name in table})
    else:
        table.to_csv(path, index=False, **({"sep": "\t"} if path.suffix == ".tsv" else {}), **how)
    return path


def samples(path: Path, **options: object) -> list[Sample]:
    return list(SensorTable(path, **({"window": 2.56} | options)))  # type: ignore[arg-type]


def told(found: Sequence[Sample]) -> list[tuple[object, ...]]:
    """All that is known of samples but their readings."""
    return [(sample.id, sample.label, sample.split, sample.group) for sample in found]


def require_same(found: Sequence[Sample], expected: Sequence[Sample]) -> None:
    """Require the same samples, with the same readings."""
    assert told(found) == told(expected)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one.raw, other.raw)
