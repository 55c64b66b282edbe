"""XGBoost's linear booster with the weights of a generalised linear model, fitted on all rows and columns.

Coordinate descent, XGBoost's own way, goes slowly where columns are correlated, as weights of functas and dictionary
codes are, and one class after the other; `glm.py` needs one factor of the Gram matrix for all of them.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import xgboost
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from fusion.errors import ConfigError
from fusion.estimators.block_scales import block_scales
from fusion.estimators.booster_weights import linear_booster
from fusion.estimators.glm import Losses, fit_glm
from fusion.estimators.objectives import Objective
from fusion.estimators.partitions import OnePartition
from fusion.estimators.targets import Targets
from fusion.estimators.trainers import Partitioner, RowSource
from fusion.settings import or_none, require

__all__ = ["LinearFit", "LinearSettings", "calibrate", "train_linear"]

_SURENESS = 5.0
"""Margins are multiplied by exp(-5) to exp(5): those of ridge regression lie between 0 and 1."""
_ROUGH = 0.1
_FORMER = {"eta", "rounds", "components"}


@dataclass(frozen=True)
class LinearSettings:
    """How the linear booster is trained.

    Parameters
    ----------
    penalties : tuple of float > 0
        To choose from by cross-validation; each is multiplied by the number of rows, as XGBoost does with `lambda`.
    """

    penalties: tuple[float, ...] = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)

    @classmethod
    def of(cls, given: Mapping[str, Any] | None) -> Self:
        """Read settings by name; ConfigError for an unknown name or a value out of range."""
        require("linear", given, or_none(lambda one: isinstance(one, Mapping)), "a mapping of penalties to numbers")
        values, known = dict(given or {}), ", ".join(cls.__dataclass_fields__)
        if unknown := sorted(map(str, set(values) - set(cls.__dataclass_fields__) - _FORMER)):
            raise ConfigError(f"linear names {', '.join(map(repr, unknown))}; expected {known}. Correct the name.")
        if former := sorted(_FORMER & set(values)):
            warnings.warn(
                f"linear: {', '.join(former)} are not used any more, the fit is exact; they go in 0.3",
                DeprecationWarning,
                stacklevel=2,
            )
        try:
            made = cls(**{name: tuple(value) for name, value in values.items() if name not in _FORMER})
            good = len(made.penalties) > 0 and 0 < min(made.penalties) <= max(made.penalties) < np.inf
        except TypeError as error:
            raise ConfigError(f"linear is {values}; expected a mapping of {known} to numbers.") from error
        if not good:
            raise ConfigError(f"linear is {values}; expected penalties greater than 0.")
        return made

    def middle(self) -> Self:
        """Return settings that leave no choice."""
        return type(self)((self.penalties[len(self.penalties) // 2],))


@dataclass(frozen=True, eq=False)
class LinearFit:
    """A linear booster and what its rows get without it.

    Attributes
    ----------
    booster : xgboost.Booster
    margins : NDArray of float32, shape=(n, outputs)
        Of each row, by a fit that never saw its fold; what they are counted from where there is one fold.
    penalty : float
        That was chosen.
    """

    booster: xgboost.Booster
    margins: NDArray[np.float32]
    penalty: float


def train_linear(
    rows: RowSource,
    targets: Targets,
    folds: NDArray[np.intp],
    settings: LinearSettings,
    objective: Objective,
    *,
    blocks: Sequence[int] = (),
    share: float = 1.0,
    threads: int | None = None,
    partitioned: Partitioner = OnePartition,
) -> LinearFit:
    """Train the linear booster; margins of classes and labels are as sure as they are right out of fold.

    Parameters
    ----------
    rows : RowSource
        Training rows, shape (n, p).
    targets : Targets
        What is to be learned of them.
    folds : NDArray of intp, shape=(n,)
        Fold of each row: no group in two of them. With one fold only, a middle penalty and margins as they come.
    settings : LinearSettings
    objective : Objective
        What is minimised.
    blocks : sequence of int
        Columns of each modality, where there are several; see `block_scales`.
    share : float
        Factor for the margins.
    threads : int, optional
        Of the linear algebra.
    partitioned : callable
        Says where the rows are read; see `fit_glm`.

    Notes
    -----
    Of the fits with nearly the lowest loss out of fold, each at the confidence that suits it, the one with the fewest
    errors is taken.
    """
    offset = objective.offset(targets)
    centred = replace(targets, values=targets.values - offset) if offset else targets
    columns, family = objective.columns(centred), objective.family
    how: dict[str, Any] = {"penalties": settings.penalties, "weights": targets.weights}
    scales = None
    if len(blocks) > 1:
        chosen = block_scales(
            rows,
            columns,
            folds,
            family,
            blocks=blocks,
            losses=lambda places: _losses_of(centred.take(places), objective),
            **how,
        )
        scales = np.repeat(chosen, blocks)
    losses = _losses_of(centred, objective)
    how |= {"losses": losses, "scales": scales, "threads": threads, "partitioned": partitioned}
    fit = fit_glm(rows, columns, folds, family, **how)
    confidence = share * (calibrate(fit.out_of_fold, centred, objective) if folds.any() else 1.0)
    coefficients = confidence * fit.coefficients
    coefficients[-1] += offset
    booster = linear_booster(coefficients, {**objective.parameters(), "base_score": objective.base_score})
    return LinearFit(booster, np.float32(confidence) * fit.out_of_fold + np.float32(offset), fit.penalty)


def calibrate(margins: NDArray[np.float32], targets: Targets, objective: Objective, *, accuracy: float = 1e-5) -> float:
    """Return the factor for margins, shape (n, outputs), that lowers the loss most; what is predicted stays.

    Notes
    -----
    Temperature scaling: Guo et al., "On Calibration of Modern Neural Networks", 2017. What starts from margins, or
    averages their probabilities, has to know how sure they are. `accuracy` is that of the factor's logarithm.
    """
    if not objective.is_sure:
        return 1.0

    def loss(exponent: float) -> float:
        return objective.loss(np.float32(np.exp(exponent)) * margins, targets)

    return float(
        np.exp(minimize_scalar(loss, bounds=(-_SURENESS, _SURENESS), method="bounded", options={"xatol": accuracy}).x)
    )


def _losses_of(targets: Targets, objective: Objective) -> Losses:
    return lambda margins: _losses(margins, targets, objective)


def _losses(margins: NDArray[np.float32], targets: Targets, objective: Objective) -> tuple[float, float]:
    factor = np.float32(calibrate(margins, targets, objective, accuracy=_ROUGH))
    return objective.loss(factor * margins, targets), objective.errors(margins, targets)
