"""XGBoost as a regressor on functas."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import RegressorMixin
from sklearn.utils.validation import column_or_1d

from fusion.errors import DataError
from fusion.estimators.boosted import FunctaBooster
from fusion.estimators.objectives import Squares
from fusion.estimators.targets import Targets
from fusion.estimators.trainers import RowSource, Trainer
from fusion.estimators.units import Units

__all__ = ["FunctaRegressor"]


class FunctaRegressor(RegressorMixin, FunctaBooster):
    """XGBoost that predicts a number: the squared error is minimised, trained and chosen as `FunctaClassifier` is.

    Parameters
    ----------
    booster : {"gbtree", "gblinear", "stacked"}
        Trees, the linear booster, or trees that start from half the linear booster's predictions, which for training
        rows are out of fold.
        Functas hold a number that changes steadily in many weights at once, which a line reads better than the steps of
        trees do.
    n_estimators, max_depth, max_bin, seed : int
    early_stopping_rounds, n_jobs, tree_columns : int or None
    eta, validation_fraction : float
    refit : bool
    parameters, linear : mapping of str to object or None
        As of `FunctaClassifier`; early stopping watches the root mean squared error.

    Attributes
    ----------
    n_rounds_ : int
    boosters_ : dict of str to xgboost.Booster
    booster_ : xgboost.Booster
    penalty_ : float
        As of `FunctaClassifier`.

    Notes
    -----
    The boosters give the number itself, in its own units, and are the same for any: they learn it counted from the mean
    in about deviations, as parameters such as ``gamma`` are then, and are brought back; see `Units`. With an objective
    of your own in `parameters` they learn the numbers as they are. Missing values are as for `FunctaClassifier`.
    """

    def fit_rows(
        self,
        rows: RowSource,
        y: ArrayLike,
        groups: ArrayLike | None = None,
        *,
        trainer: Trainer | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Self:
        """Train on rows that are read when they are wanted; see `FunctaClassifier.fit_rows`.

        Raises
        ------
        DataError
            Also where single precision cannot tell the numbers apart.
        """
        numbers = column_or_1d(y, dtype=np.float64)
        if not np.isfinite(numbers).all():
            row = int(np.argmin(np.isfinite(numbers)))
            raise DataError(f"the target of row {row} is {numbers[row]}; expected finite numbers. Leave such rows out.")
        units = Units() if "objective" in (self.parameters or {}) else Units.of(numbers)
        super().fit_rows(rows, units.standard(numbers), groups, trainer=trainer, progress=progress)
        if units != Units():
            centred = "linear" if "linear" in self.boosters_ else "model"
            self._take({name: units.booster(one, centred=name == centred) for name, one in self.boosters_.items()})
            held = getattr(self, "held_out_", None)
            if held is not None:
                self.held_out_ = held[0], units.restored(held[1])
        return self

    def predict(self, X: ArrayLike) -> NDArray[np.float64]:  # noqa: N803
        """Return the number of each row of `X`, shape (n,)."""
        return self.outputs(X)[:, 0].astype(np.float64)

    @property
    def _checks(self) -> Mapping[str, Any]:
        return {"y_numeric": True}

    @property
    def _objective(self) -> Squares:
        return Squares()

    def _targets(self, labels: NDArray[Any]) -> Targets:
        self.classes_ = np.zeros(0, dtype=object)
        return Targets(labels)
