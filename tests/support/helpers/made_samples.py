"""A data set in memory that tests may break."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fusion.datasets.base import Sample
from store import open_store


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


def require_same_functas(path: Path, whole: Path) -> None:
    with open_store(path) as a, open_store(whole) as b:
        assert sorted(a.ids) == sorted(b.ids)
        assert a.n_rows == len(a)
        np.testing.assert_allclose(a.read(sorted(a.ids)).functas, b.read(sorted(b.ids)).functas, atol=1e-5)
