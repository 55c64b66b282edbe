"""A data set in memory that tests may break."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from fusion.datasets.base import Sample


def given(window: NDArray[np.float32]) -> NDArray[np.float32]:
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
        return self._replaced(index, replace(self.samples[index], load=partial(given, window)))

    def broken(self, index: int) -> MadeSamples:
        return self._replaced(index, replace(self.samples[index], load=partial(_broken, "disk on fire")))

    def _replaced(self, index: int, sample: Sample) -> MadeSamples:
        return MadeSamples([*self.samples[:index], sample, *self.samples[index + 1 :]])
