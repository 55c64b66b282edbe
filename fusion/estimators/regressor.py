"""XGBoost as a regressor on functas."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import RegressorMixin
from sklearn.utils.validation import column_or_1d

from fusion.estimators.boosted import FunctaBooster
from fusion.estimators.objectives import Squares
from fusion.estimators.targets import Targets

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
    The boosters give the number itself, in its own units. Missing values are as for `FunctaClassifier`.
    """

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
        return Targets(column_or_1d(labels, dtype=np.float64))
