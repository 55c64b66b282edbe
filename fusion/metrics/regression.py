"""How good predicted numbers are: R2, mean absolute and root mean squared error, each with an honest interval."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fusion.errors import DataError
from fusion.metrics.intervals import Figures, Interval, bootstrap_intervals, numbers_of, preferred

__all__ = ["NumberEvaluation", "evaluate_numbers", "r2_score"]

_MEASURES = ("r2", "mae", "rmse")


@dataclass(frozen=True, eq=False)
class NumberEvaluation(Figures):
    """What `evaluate_numbers` measured.

    Attributes
    ----------
    r2 : float, at most 1
        Part of the variance of the numbers that is explained; 0 is what their mean reaches, 1 is without error.
    mae, rmse : float
        Mean absolute and root mean squared error, in the unit of the numbers.
    interval_of : mapping of str to mapping of str to tuple of 2 float
        95 % bootstrap intervals of "r2", "mae" and "rmse" of either kind: "groups" (where there are two or more) and
        "rows"; of a cross-validation that of R2 over "folds" too.
    mean, deviation : float
        Of the true numbers.
    rows : int
        Number of rows evaluated.
    """

    measure: ClassVar[str] = "r2"
    least: ClassVar[float] = -math.inf

    r2: float
    mae: float
    rmse: float
    interval_of: Mapping[str, Mapping[str, Interval]]
    mean: float
    deviation: float
    rows: int

    @property
    def intervals(self) -> Mapping[str, Interval]:
        """Of R2."""
        return self.interval_of["r2"]

    def with_score(self, score: float, intervals: Mapping[str, Interval]) -> Self:
        """Return the same figures with another R2 and its intervals."""
        return replace(self, r2=score, interval_of={**self.interval_of, "r2": intervals})

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain numbers, strings, lists and dictionaries."""
        figures: dict[str, Any] = {}
        for name in _MEASURES:
            found = self.interval_of[name]
            figures[name] = getattr(self, name)
            figures[f"{name}_interval"] = list(preferred(found))
            figures[f"{name}_intervals"] = {kind: list(interval) for kind, interval in found.items()}
        return figures | {"target_mean": self.mean, "target_deviation": self.deviation, "rows": self.rows}


def evaluate_numbers(
    truth: ArrayLike,
    predicted: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    resamples: int = 2000,
    seed: int = 42,
) -> NumberEvaluation:
    """Compare predicted numbers with the true ones.

    Parameters
    ----------
    truth, predicted : array_like
        Finite numbers, shape (n,), n > 0.
    groups : array_like, optional
        Subject, film or recording of each row, shape (n,), or None; a row whose group is None stands for itself.
    resamples, seed : int
        Of the bootstrap.

    Raises
    ------
    DataError
        No rows, lengths that differ, or what is no number.
    ConfigError
        Nothing to draw.

    Examples
    --------
    >>> found = evaluate_numbers([1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 5.0])
    >>> found.r2, found.mae, found.rmse
    (0.8, 0.25, 0.5)
    """
    true, guess = numbers_of(truth), numbers_of(predicted)
    if true.shape != guess.shape or true.ndim != 1 or not len(true):
        raise DataError(
            f"numbers of shape {true.shape} and predictions of shape {guess.shape}; expected as many of both, at least "
            "one."
        )
    if not (np.isfinite(true).all() and np.isfinite(guess).all()):
        raise DataError("numbers or predictions are not finite; expected a number for each row. Leave such rows out.")
    error, centred = guess - true, true - true.mean()
    sums = np.stack([np.ones(len(true)), np.square(error), np.abs(error), centred, np.square(centred)], axis=1)
    found = bootstrap_intervals(sums, _figures, groups, resamples=resamples, seed=seed)
    r2, mae, rmse = (float(figure) for figure in _figures(sums.sum(axis=0, keepdims=True))[0])
    intervals = {
        name: {kind: (float(low), float(high)) for kind, limits in found.items() for low, high in [limits[number]]}
        for number, name in enumerate(_MEASURES)
    }
    return NumberEvaluation(r2, mae, rmse, intervals, float(true.mean()), float(true.std()), len(true))


def r2_score(truth: NDArray[np.float64], predicted: NDArray[np.float64]) -> float:
    """Return R2 of numbers, shape (n,), n > 0; of equal numbers 1 where they are met and 0 elsewhere."""
    total = float(np.square(truth - truth.mean()).sum())
    left = float(np.square(predicted - truth).sum())
    return 1 - left / total if total > 0 else float(left == 0)


def _figures(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give R2, MAE and RMSE of sums of 1, squared and absolute errors, numbers and squared numbers, shape (b, 3)."""
    rows, squared, absolute, first, second = sums.T
    total = second - first**2 / rows
    spread = total > 1e-12 * np.maximum(second, np.finfo(np.float64).tiny)
    r2 = np.where(spread, 1 - squared / np.where(spread, total, 1.0), (squared == 0).astype(np.float64))
    return np.stack([r2, absolute / rows, np.sqrt(squared / rows)], axis=1)
