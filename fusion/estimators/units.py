"""Numbers to learn, counted from their mean in a unit of their own, and boosters brought back to the user's unit.

XGBoost keeps no split that gains less than 1e-6, and reads numbers in single precision: targets in metres that differ
by micrometres would be learned as one number, and dates in seconds without their last digits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import xgboost
from numpy.typing import NDArray

from fusion.errors import DataError
from fusion.estimators.booster_weights import in_other_unit

__all__ = ["Units"]

_COARSE = 1 / 20
"""Of the deviation: numbers that single precision rounds by more are not worth learning."""


@dataclass(frozen=True)
class Units:
    """What targets are counted from, and in.

    Parameters
    ----------
    centre : float
    size : float
        A power of two, so that nothing is rounded.

    Examples
    --------
    >>> units = Units.of(np.array([1000.0, 1004.0, 1008.0]))
    >>> units, units.standard(np.array([1000.0, 1008.0]))
    (Units(centre=1004.0, size=4.0), array([-1.,  1.]))
    """

    centre: float = 0.0
    size: float = 1.0

    @classmethod
    def of(cls, values: NDArray[np.float64]) -> Self:
        """Choose the unit of some numbers, shape (n,).

        Raises
        ------
        DataError
            Single precision, in which XGBoost predicts, cannot tell them apart.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            centre, deviation = float(np.mean(values)), float(np.std(values))
            step = float(np.spacing(np.float32(np.abs(values).max(initial=0.0))))
        if deviation > 0 and not step <= _COARSE * deviation:
            raise DataError(
                f"the targets differ by {deviation:.3g} around {centre:.6g}, where single precision, which XGBoost "
                f"predicts in, has steps of {step:.3g}; expected steps of a 20th at most. Subtract a constant from "
                "them, or use another unit."
            )
        size = 2.0 ** round(float(np.log2(deviation))) if deviation > 0 else 1.0
        return cls(centre, size)

    def standard(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Count numbers from the centre, in this unit."""
        return (values - self.centre) / self.size

    def restored(self, standard: NDArray[Any]) -> NDArray[np.float32]:
        """Give the numbers back."""
        return np.asarray(standard * self.size + self.centre, dtype=np.float32)

    def booster(self, booster: xgboost.Booster, *, centred: bool) -> xgboost.Booster:
        """Bring a booster of standard numbers to the user's unit; `centred` where it adds the centre."""
        return in_other_unit(booster, factor=self.size, offset=self.centre if centred else 0.0)
