"""XGBoost that gives each row any number of labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin

from fusion.errors import DataError
from fusion.estimators.boosted import FunctaBooster
from fusion.estimators.objectives import Logistic
from fusion.estimators.targets import Targets

__all__ = ["FunctaLabeller"]


class FunctaLabeller(ClassifierMixin, FunctaBooster):
    """XGBoost that tells of each label whether a row has it; trained and chosen as `FunctaClassifier` is.

    `y` is what scikit-learn calls an indicator matrix, shape (n, labels): 1 where a row has a label, else 0.

    Parameters
    ----------
    booster : {"gbtree", "gblinear", "stacked"}
        Trees, the linear booster, or trees that start from half the linear booster's predictions, which for training
        rows are out of fold.
    n_estimators, max_depth, max_bin, seed : int
    early_stopping_rounds, n_jobs, tree_columns : int or None
    eta, validation_fraction : float
    refit : bool
    parameters, linear : mapping of str to object or None
        As of `FunctaClassifier`; early stopping watches the log loss of all labels.

    Attributes
    ----------
    classes_ : array of int, shape (labels,)
        Numbers of the labels, in the order of the columns of `predict_proba`.
    n_rounds_ : int
    boosters_ : dict of str to xgboost.Booster
    booster_ : xgboost.Booster
    penalty_ : float
        As of `FunctaClassifier`.
    """

    def predict(self, X: ArrayLike) -> NDArray[np.intp]:  # noqa: N803
        """Return for each row of `X` and each label whether it is more probable than not, shape (n, labels)."""
        return np.asarray(self.outputs(X) > 0.5, dtype=np.intp)

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float32]:  # noqa: N803
        """Return the probability of each label, shape (n, labels); they need not sum to 1."""
        return self.outputs(X)

    @property
    def _checks(self) -> Mapping[str, Any]:
        return {"multi_output": True}

    @property
    def _objective(self) -> Logistic:
        return Logistic(len(self.classes_))

    def _targets(self, labels: NDArray[Any]) -> Targets:
        if labels.ndim != 2 or not labels.shape[1] or not np.isin(labels, (0, 1)).all():
            raise DataError(
                f"labels of shape {labels.shape}; expected 0 or 1 for each row and label, of shape (n, labels)."
            )
        self.classes_ = np.arange(labels.shape[1])
        return Targets(labels.astype(np.float64))
