from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fusion.datasets.base import Sample
from fusion.datasets.file_table import FileTable
from fusion.encoders.config import FunctaConfig
from fusion.encoders.encoder import EncoderConfig
from fusion.encoders.learning import learn_encoder
from fusion.encoders.local.config import LocalConfig
from fusion.encoders.modulation import ModulationConfig
from fusion.encoders.options import EncodeOptions
from fusion.encoders.planning import _Pace, plan
from fusion.encoders.survey import Survey
from fusion.errors import DataError
from fusion.inr.meta_settings import MetaSettings
from fusion.inr.settings import FitSettings
from fusion.modalities.sensor import SensorModality

CONFIG = FunctaConfig(SensorModality(), architecture="paper-half", fit=FitSettings(steps=4))


@dataclass(frozen=True)
class Made:
    """Windows of which every third cannot be used."""

    count: int = 30
    name: str = "made"
    modality: str = "sensor"
    broken: int = 3

    def __iter__(self) -> Any:
        for number in range(self.count):
            split = "test" if number % 5 == 4 else "train"
            load = partial(window, number, number % 3 < self.broken - 2)
            yield Sample(f"w{number}", f"c{number % 2}", split, f"g{number % 4}", load)


def window(seed: int, broken: bool) -> np.ndarray:
    values = np.random.default_rng(seed).normal(size=(32, 3))
    return np.full_like(values, np.nan) if broken else values


def test_time_is_measured_on_samples_that_can_be_used() -> None:
    found = plan(Made(), CONFIG, EncodeOptions(workers=1))
    assert (found.samples, found.grid, len(found.channels), found.groups) == (30, (32,), 3, 4)
    assert (found.splits, found.classes) == ({"train": 24, "test": 6}, {"c0": 15, "c1": 15})
    assert 1 <= found.measured <= 16
    assert found.seconds is not None
    assert found.seconds > 0
    assert found.source_bytes is None


def test_the_estimate_grows_with_the_samples() -> None:
    few, many = (plan(Made(count), CONFIG, EncodeOptions(workers=1)) for count in (60, 6000))
    assert few.seconds is not None
    assert many.seconds is not None
    assert many.seconds > 10 * few.seconds


def test_time_is_not_made_up_where_a_few_samples_are_not_enough_to_learn_from() -> None:
    found = plan(Made(), LocalConfig(SensorModality(), centres=4096), EncodeOptions(workers=2))
    assert (found.seconds, found.measured, found.workers) == (None, 0, 2)


def test_samples_that_cannot_be_used_are_an_error_here_too() -> None:
    with pytest.raises(DataError, match="none of 24 training samples can be used"):
        plan(Made(broken=5), CONFIG)


_META = MetaSettings(steps=120, samples=16)


@pytest.mark.parametrize(
    "config",
    [
        FunctaConfig(SensorModality(), architecture="paper-half", initialisation="meta", meta=_META),
        ModulationConfig(SensorModality(), hidden=(32, 32), size=16, meta=_META),
        LocalConfig(SensorModality(), centres=64, iterations=40),
    ],
)
def test_learning_the_start_counts(config: EncoderConfig) -> None:
    found = plan(Made(), config, EncodeOptions(workers=1))
    begin = time.perf_counter()
    learn_encoder(found_config(config), [sample for sample in Made() if sample.split == "train"])
    taken = time.perf_counter() - begin
    assert found.seconds is not None
    assert found.seconds >= found.learning_seconds
    assert taken / 4 < found.learning_seconds < 4 * taken


def found_config(config: EncoderConfig) -> EncoderConfig:
    return config.with_modality(SensorModality(32, ("a", "b", "c")))


def test_a_sample_that_will_fail_is_named() -> None:
    found = plan(Made(), CONFIG, EncodeOptions(workers=1))
    assert any(note.startswith("w0: prepare: nan at reading 0") for note in found.notes)


def test_the_files_that_a_list_names_count(tmp_path: Path) -> None:
    for number in range(4):
        np.save(tmp_path / f"{number}.npy", window(number, broken=False))
    np.save(tmp_path / "unlisted.npy", np.zeros(10_000))
    listed = tmp_path / "list.csv"
    listed.write_text("path,split\n" + "".join(f"{number}.npy,train\n" for number in range(4)) + "gone.npy,train\n")
    found = plan(FileTable(listed, modality="sensor"), CONFIG, EncodeOptions(workers=1), source=listed)
    each = (tmp_path / "0.npy").stat().st_size
    assert found.source_bytes == 4 * each + listed.stat().st_size


def test_a_plan_for_a_device_counts_the_slower_of_reading_and_fitting() -> None:
    survey, config = Survey(100, None), FunctaConfig(SensorModality(), initialisation="random")
    paces = [_Pace(reading=0.4, whole=whole, samples=9, on_device=True) for whole in (0.45, 0.9)]
    seconds = [pace.seconds(survey, EncodeOptions(), config, workers=4) for pace in paces]
    assert seconds == pytest.approx([10.0, 50.0])
