from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
import pytest
from har_files import har_windows
from numpy.typing import NDArray

from fusion.datasets.base import Sample
from fusion.encoders.config import FunctaConfig
from fusion.inr.settings import FitSettings
from fusion.modalities import SensorModality


def _given(window: NDArray[np.float32]) -> NDArray[np.float32]:
    return window


def _broken(message: str) -> NDArray[np.float32]:
    raise OSError(message)


@dataclass
class MadeSamples:
    """A data set in memory whose samples tests may replace, break, shuffle or repeat."""

    samples: list[Sample] = field(default_factory=list)
    name: str = "made"
    modality: str = "sensor"

    def __iter__(self) -> Iterator[Sample]:
        return iter(self.samples)

    def with_window(self, index: int, window: NDArray[np.float32]) -> MadeSamples:
        return self._replaced(index, replace(self.samples[index], load=partial(_given, window)))

    def broken(self, index: int) -> MadeSamples:
        return self._replaced(index, replace(self.samples[index], load=partial(_broken, "disk on fire")))

    def _replaced(self, index: int, sample: Sample) -> MadeSamples:
        return MadeSamples([*self.samples[:index], sample, *self.samples[index + 1 :]])


@pytest.fixture
def made() -> MadeSamples:
    labels = np.tile(np.arange(1, 4), 12)
    windows = har_windows(labels, seed=5)[:, :32]
    return MadeSamples(
        [
            Sample(f"w{i:02d}", f"class-{label}", "train" if i < 24 else "test", f"p{i % 4}", partial(_given, window))
            for i, (label, window) in enumerate(zip(labels, windows, strict=True))
        ]
    )


@pytest.fixture
def config() -> FunctaConfig:
    return FunctaConfig(SensorModality(), architecture="paper-half", fit=FitSettings(steps=3))
