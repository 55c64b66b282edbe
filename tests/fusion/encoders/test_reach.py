"""What is said of values that lie elsewhere than those of training rows, in every way that they come in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from helpers.made_samples import MadeSamples
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from fusion.datasets import FrameDataset
from fusion.encoders import EncodeOptions, FunctaEncoder, encode, encoder_config
from fusion.encoders.config import FunctaConfig
from fusion.encoders.part_writing import PartWriter
from fusion.encoders.reach import Reach, reach_together
from fusion.modalities import Scaling
from fusion.models import train
from fusion.models.prediction import Predicting

HERE = EncodeOptions(workers=1)
LIMITS = Scaling(np.array([-1, 0, 5], np.float32), np.array([1, 10, 5], np.float32))
NAMES = ("ax", "heat", "still")


def reach(*samples: NDArray[Any]) -> Reach:
    found = Reach()
    for number, sample in enumerate(samples):
        found = found.and_more(Reach.of(f"s{number}", sample, LIMITS, NAMES))
    return found


def inside(count: int = 8) -> NDArray[Any]:
    return np.stack([np.linspace(-1, 1, count), np.linspace(0, 10, count), np.full(count, 5.0)], axis=-1)


def scaled(made: MadeSamples, splits: Sequence[str], factor: float) -> MadeSamples:
    """Give the windows of some splits in another unit."""
    return MadeSamples(
        [
            replace(sample, load=partial(np.multiply, sample.raw, np.float32(factor)))
            if sample.split in splits
            else sample
            for sample in made.samples
        ]
    )


def test_values_at_their_limits_are_inside() -> None:
    found = reach(inside(), inside())
    assert (found.samples, found.outside) == (2, 0)
    assert found.low == (0.0, 0.0, 0.0)
    assert found.high == (1.0, 1.0, 0.0)
    assert list(found.told("", "lie outside")) == []


def test_a_sample_is_outside_where_most_values_of_one_channel_are() -> None:
    half, most = inside(), inside()
    half[:4, 1] = 200
    most[:5, 1] = 200
    assert reach(half).outside == 0
    (told,) = reach(half, most, most).told(" of the split test", "lie outside")
    assert told == (
        "2 of 3 samples of the split test lie outside, first 's1': heat 7.143 to 200, expected 0 to 10. "
        "Check their unit"
    )


def test_a_constant_channel_has_a_little_room() -> None:
    nearly, other = inside(), inside()
    nearly[:, 2] += 0.004
    other[:, 2] = 6
    assert [reach(sample).outside for sample in (nearly, other)] == [0, 1]


def test_what_is_missing_is_not_outside() -> None:
    lacking = inside()
    lacking[:, 0] = np.nan
    assert reach(lacking).outside == 0


def test_many_samples_in_a_corner_of_the_range_are_told_and_few_are_not() -> None:
    small = [inside() * [0.02, 0.02, 1] for _ in range(32)]
    (told,) = reach(*small).told("", "lie outside")
    assert told.startswith("the values of all 32 samples fill at most 2.0% of the range that was learned from training")
    assert list(reach(*small[1:]).told("", "lie outside")) == []
    assert list(reach(inside(), *small).told("", "lie outside")) == []


@given(st.lists(st.sampled_from(["a", "b", ""]), max_size=12), st.integers(0, 12))
def test_parts_add_up_in_any_grouping(splits: list[str], cut: int) -> None:
    random = np.random.default_rng(len(splits))
    parts = [{split: reach(random.normal(0, 20, size=(6, 3)))} for split in splits]
    whole = reach_together(parts)
    assert whole == reach_together((reach_together(parts[:cut]), reach_together(parts[cut:])))
    assert {split: found.samples for split, found in whole.items()} == {
        split: splits.count(split) for split in dict.fromkeys(splits)
    }


@pytest.mark.parametrize("workers", [1, 2])
def test_a_split_in_another_unit_is_told(workers: int, made: MadeSamples, config: FunctaConfig, tmp_path: Path) -> None:
    options = EncodeOptions(workers=workers)
    plain = encode(made, tmp_path / "plain.zarr", config, options)
    assert not [note for note in plain.notes if "training rows" in note]
    report = encode(scaled(made, ("test",), 981), tmp_path / "s.zarr", config, options)
    (told,) = [note for note in report.notes if "training rows" in note]
    count = sum(sample.split == "test" for sample in made.samples)
    assert told.startswith(
        f"{count} of {count} samples of the split test lie mostly outside the range that was learned"
    )
    again = encode(scaled(made, ("test",), 981), tmp_path / "s.zarr", config, options)
    assert not [note for note in again.notes if "training rows" in note]


def test_workers_that_write_parts_measure_it_too(made: MadeSamples, config: FunctaConfig, tmp_path: Path) -> None:
    encode(made, tmp_path / "s.functas", config, EncodeOptions(workers=1, limit=12))
    other = [sample for sample in scaled(made, ("test",), 981).samples if sample.split == "test"]
    written = PartWriter(str(tmp_path / "s.functas"), task_size=2, reencode=True)(other)
    assert written.reach["test"].samples == written.reach["test"].outside == len(other)


def test_prediction_in_another_unit_is_told(made: MadeSamples, config: FunctaConfig, tmp_path: Path) -> None:
    encode(made, tmp_path / "s.zarr", config, HERE)
    train(tmp_path / "s.zarr", tmp_path / "model", preset="fast", shared_groups=True)
    for name, factor in (("same", 1), ("other", 981)):
        np.save(tmp_path / f"{name}.npy", made.samples[0].raw * factor)
    predicting = Predicting.of(tmp_path / "model", [tmp_path / "other.npy"])
    list(predicting.run())
    (told,) = predicting.remarks
    assert told.startswith(
        "1 of 1 samples lie mostly outside the range that was learned from training rows, and are cut"
    )
    predicting = Predicting.of(tmp_path / "model", [tmp_path / "same.npy"])
    list(predicting.run())
    assert predicting.remarks == ()


def test_a_transformer_warns(made: MadeSamples) -> None:
    windows = [sample.raw for sample in made.samples[:6]]
    encoder = FunctaEncoder("sensor", architecture="paper-half", steps=3).fit(windows)
    encoder.transform(windows)
    encoder.transform([*windows[:2], windows[1] * 981])
    with pytest.warns(
        UserWarning, match=r"2 of 3 samples lie mostly outside the range .* first '1': .* Check their unit"
    ):
        encoder.transform([windows[0], windows[1] * 981, windows[2] * 981])


def test_columns_tell_numbers_that_are_far_from_those_of_training_rows(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    metres = random.normal(1.7, 0.1, size=60)
    frame = pd.DataFrame({"height": metres, "size": np.where(metres > 1.7, "tall", "small")})
    frame["split"] = ["train"] * 40 + ["test"] * 20
    found = []
    for changed in (slice(45, 46), slice(45, 60)):
        other = frame.copy()
        other.loc[other.index[changed], "height"] *= 100
        data = FrameDataset(other, label="size", split="split")
        report = encode(data, tmp_path / f"{len(found)}.zarr", encoder_config(data), HERE)
        found.append([note for note in report.notes if "training rows" in note])
    assert found[0] == []
    (told,) = found[1]
    assert told.startswith("15 of 20 samples of the split test have a number more than 6 deviations from the mean of")
    assert ": height 1" in told
