"""What is no reading - masked, complex, a date, a duration, text - is refused by every modality in one line."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from fusion.datasets import ArrayDataset
from fusion.errors import DataError, SampleError
from fusion.modalities import AudioModality, ColumnsModality, Modality, Recording, modality_from_dict
from fusion.modalities.cells import numbers_in
from fusion.modalities.columns import TableRow

SHAPES = {
    "sensor": (8, 2),
    "array": (4, 4, 4),
    "image": (4, 4),
    "video": (4, 4, 4),
    "vectors": (5,),
}
EVERY = pytest.mark.parametrize("name", [*SHAPES, "audio"])


def plain(name: str) -> Any:
    """Return a sample that is all right."""
    return np.full(SHAPES.get(name, (1000,)), 9.0 if name in ("image", "video") else 1.0, np.float32)


def refused(name: str, raw: Any) -> str:
    modality: Modality = AudioModality(rate=1000.0) if name == "audio" else modality_from_dict({"name": name})
    known = modality.resolved(plain(name))
    for step in (known.prepare, modality.resolved):
        with pytest.raises(SampleError) as error:
            step(raw)
    assert "\n" not in str(error.value)
    return str(error.value)


@EVERY
def test_masked_readings_are_not_what_stands_below_the_mask(name: str) -> None:
    values = np.full(SHAPES.get(name, (1000,)), 1.0)
    masked = np.ma.masked_array(values, mask=values < 0)
    masked[-1] = np.ma.masked
    assert "masked values, the first at (" in refused(name, masked)
    if name != "audio":
        assert "masked values" in refused(name, list(masked)) or values.ndim == 1


@EVERY
@pytest.mark.parametrize("kind", [np.complex64, "datetime64[s]", "timedelta64[s]", "U3"])
def test_what_is_no_real_number_is_refused(name: str, kind: Any) -> None:
    raw = np.ones(SHAPES.get(name, (1000,)), np.int64).astype(kind)
    assert f"type {raw.dtype}; expected numbers" in refused(name, raw)


@EVERY
def test_a_mask_that_hides_nothing_is_of_no_effect(name: str) -> None:
    values = plain(name)
    modality = AudioModality(rate=1000.0) if name == "audio" else modality_from_dict({"name": name})
    known = modality.resolved(values)
    assert np.array_equal(known.prepare(np.ma.masked_array(values)), known.prepare(values))


def test_a_recording_s_samples_are_looked_at_too() -> None:
    known = AudioModality(rate=1000.0, seconds=0.1)
    sound = Recording(np.linspace(-1, 1, 100, dtype=np.float32), 1000.0)
    for samples in (sound.samples * 1j, np.ma.masked_array(sound.samples, sound.samples > 0)):
        with pytest.raises(SampleError, match="sound"):
            known.prepare(replace(sound, samples=samples))
    assert np.array_equal(known.prepare(replace(sound, samples=sound.samples.astype(np.float64))), known.prepare(sound))


def test_masked_sounds_with_their_rate_are_refused() -> None:
    masked = np.ma.masked_array(np.zeros(100), mask=[True] + [False] * 99)
    data = ArrayDataset([{"array": masked, "sampling_rate": 1000}], modality="audio")
    with pytest.raises(SampleError, match=r"sound with 1 masked values, the first at \(0\)"):
        next(iter(data)).raw  # noqa: B018 - it is read there


def test_masked_cells_of_plain_columns_are_empty_ones() -> None:
    ages = np.ma.masked_array([30.0, 1e20], mask=[False, True])
    rows = [{"age": age, "sex": sex} for age, sex in zip(ages, ("f", np.datetime64("NaT", "s")), strict=True)]
    known = ColumnsModality(numbers=("age",), categories=(("sex", ("f", "m")),))
    assert known.prepare(rows[0]).tolist() == [30.0, 1.0, 0.0]
    assert (TableRow.of(rows[1]).texts["age"], TableRow.of(rows[1]).texts["sex"]) == (None, None)
    with pytest.raises(SampleError, match=r"column 'age' holds list<item: int64>; expected one number or text"):
        TableRow.of({"age": [1, 2]})


def test_whole_objects_that_are_numbers_are_numbers() -> None:
    assert numbers_in(np.array([1, 2.5], dtype=object), "vector").tolist() == [1.0, 2.5]
    assert numbers_in(pd.array([1, 2], dtype="Int64"), "vector").tolist() == [1.0, 2.0]
    for other in ([1, None], [1, np.timedelta64(1, "s")], [1, 1j], [1, pd.NA]):
        with pytest.raises(SampleError, match=r"vector of shape .* and type object; expected numbers"):
            numbers_in(np.array(other, dtype=object), "vector")


def test_one_row_that_is_no_row_does_not_stop_the_others() -> None:
    rows = [{"age": [1, 2]}, *({"age": age} for age in (3, 5))]
    assert ColumnsModality().resolved_from(rows).numbers == ("age",)
    with pytest.raises(DataError, match="no training row can be used; the first: prepare: column 'age' holds list"):
        ColumnsModality().resolved_from(rows[:1])


def test_rows_of_a_frame_are_rows_of_plain_columns() -> None:
    frame = pd.DataFrame({"age": [3, 5], "sex": ["f", None]}, index=[1, 0])
    rows = [sample.raw for sample in ArrayDataset(frame, modality="columns")]
    assert [TableRow.of(row).texts for row in rows] == [{"age": "3", "sex": "f"}, {"age": "5", "sex": None}]
