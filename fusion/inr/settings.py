"""How a fit runs: steps, rate, schedule, stopping and subsampling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from fusion.errors import ConfigError
from fusion.settings import STRICT

if TYPE_CHECKING:
    from numpy.typing import NDArray

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-7


MOST_STEPS = 10_000_000


@dataclass(frozen=True)
class FitSettings:
    """Settings of a fit with Adam (beta 0.9 and 0.999, epsilon 1e-7: Keras' defaults).

    Parameters
    ----------
    steps : int >= 0
        Gradient steps, each over all coordinates unless `coordinates_per_step` says otherwise.
    learning_rate : float > 0
    schedule : {"constant", "cosine"}
        ``cosine`` lowers the rate to zero over the steps.
    psnr_target : float or None
        A sample whose PSNR reaches this many dB is not changed any more.
    coordinates_per_step : int or None
        Size of a seeded random subset of the coordinates, drawn anew for each step and the same for every sample.
    seed : int
        Seed of that subset.
    """

    __pydantic_config__ = STRICT

    steps: int = 10
    learning_rate: float = 1e-3
    schedule: Literal["constant", "cosine"] = "constant"
    psnr_target: float | None = None
    coordinates_per_step: int | None = None
    seed: int = 42

    def __post_init__(self) -> None:
        _require(0 <= self.steps <= MOST_STEPS, "steps", self.steps, f"0 to {MOST_STEPS:,}")
        _require(
            np.isfinite(self.learning_rate) and self.learning_rate > 0, "learning_rate", self.learning_rate, "above 0"
        )
        _require(self.schedule in ("constant", "cosine"), "schedule", self.schedule, "'constant' or 'cosine'")
        target = self.psnr_target
        _require(target is None or 0 < target < np.inf, "psnr_target", target, "above 0 dB, or none")
        subset = self.coordinates_per_step
        _require(self.seed >= 0, "seed", self.seed, "0 or more")
        _require(subset is None or subset >= 1, "coordinates_per_step", subset, "1 or more, or none")

    def rates(self) -> NDArray[np.float32]:
        """Adam's step size of each step, bias correction included, shape (steps,)."""
        step = np.arange(1, self.steps + 1, dtype=np.float64)
        corrected = self.learning_rate * self._factors() * np.sqrt(1.0 - BETA_2**step) / (1.0 - BETA_1**step)
        return corrected.astype(np.float32)

    def decay(self) -> NDArray[np.float32]:
        """Give what the schedule makes of a rate of 1 at each step, shape (steps,)."""
        return self._factors().astype(np.float32)

    def _factors(self) -> NDArray[np.float64]:
        if self.schedule == "constant":
            return np.ones(self.steps)
        step: NDArray[np.float64] = np.arange(self.steps, dtype=np.float64)
        return 0.5 * (1.0 + np.cos(np.pi * step / max(1, self.steps)))

    def subsets(self, coordinates: int) -> NDArray[np.int32] | None:
        """Draw the indices of each step's coordinates, shape (steps, coordinates_per_step), or None for all of them."""
        if self.coordinates_per_step is None or self.coordinates_per_step >= coordinates:
            return None
        rng = np.random.default_rng(self.seed)
        return np.stack(
            [rng.permutation(coordinates)[: self.coordinates_per_step] for _ in range(max(1, self.steps))]
        ).astype(np.int32)


def _require(holds: bool, name: str, got: object, expected: str) -> None:  # noqa: FBT001
    if not holds:
        raise ConfigError(f"{name} is {got}; expected {expected}")
