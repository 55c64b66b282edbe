from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from fusion.inr.architecture import Architecture
from fusion.modalities import coordinate_grid

Problem = tuple[NDArray[np.float32], NDArray[np.float32]]


@pytest.fixture
def smooth_problem() -> Callable[..., Problem]:
    """Return a maker of a grid and of smooth random values in [0, 1] on it."""

    def make(architecture: Architecture, grid: tuple[int, ...], samples: int, seed: int = 0) -> Problem:
        rng = np.random.default_rng(seed)
        coordinates = coordinate_grid(grid)
        waves = rng.normal(0, 3, (samples, architecture.d_in, architecture.d_out))
        phases = rng.uniform(0, 6, (samples, 1, architecture.d_out))
        values = 0.5 + 0.4 * np.sin(np.einsum("nd,bdc->bnc", coordinates, waves) + phases)
        return coordinates, values.astype(np.float32)

    return make
