"""Random tables: the samples read are those that were written, or the run refuses; nothing is lost silently."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from helpers.random_tables import Made, tables, write
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from fusion.datasets import Sample, SensorTable
from fusion.errors import FusionError

HOW = {"deadline": None, "suppress_health_check": list(HealthCheck), "derandomize": True, "database": None}


def require_the_same_or_a_refusal(made: Made, window: float | None) -> None:
    with tempfile.TemporaryDirectory() as folder, patch("fusion.modalities.tables.PART_BYTES", made.part_bytes):
        path = write(made, Path(folder))
        try:
            dataset = SensorTable(path, window=window)
            samples = list(dataset)
        except FusionError as error:
            refused = str(error)
        else:
            event("read")
            require_the_same(made, dataset, samples)
            return
    event("refused")
    assert "\n" not in refused
    # A decimal comma is told where most columns have it. A table of few readings may have no window.
    plain = made.damage is None and made.decimal == "." and window is None
    assert not plain, refused


def require_the_same(made: Made, dataset: SensorTable, samples: Sequence[Sample]) -> None:
    assert made.damage is None or made.writer in ("parquet", "npz")
    assert set(dataset.reading.channels) == set(made.channels)
    expected = written_samples(made, dataset)
    assert [(sample.label, sample.group) for sample in samples] == [facts for facts, _ in expected]
    for sample, (_, values) in zip(samples, expected, strict=True):
        np.testing.assert_array_equal(sample.raw, values)
    if max(len(recording.values) for recording in made.recordings) > 20:
        assert dataset.rate == pytest.approx(made.rate, rel=0.05)
    assert len({sample.id for sample in samples}) == len(samples)
    assert dataset.reading.dropped["readings without a time"] == 0


def written_samples(made: Made, dataset: SensorTable) -> list[tuple[tuple[str | None, str], np.ndarray]]:
    """Cut what was written by counting; give label and group, and readings."""
    order = [made.channels.index(name) for name in dataset.reading.channels]
    found = []
    for recording in made.recordings:
        values = recording.values[:, order].astype(np.float32)
        cut = dataset.cut
        begins = [0] if cut is None else range(0, len(values) - cut.readings + 1, cut.step)
        facts = (recording.label or None, recording.group or recording.name)
        found += [(facts, values if cut is None else values[begin : begin + cut.readings]) for begin in begins]
    return found


windows = st.sampled_from([None, None, 0.1, 0.25])


@given(tables(), windows)
@settings(max_examples=50, **HOW)
def test_random_tables_are_read_as_written_or_refused(made: Made, window: float | None) -> None:
    require_the_same_or_a_refusal(made, window)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@given(tables(), windows)
@settings(max_examples=10_000, **HOW)
def test_many_random_tables_are_read_as_written_or_refused(made: Made, window: float | None) -> None:
    require_the_same_or_a_refusal(made, window)
