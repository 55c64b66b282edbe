"""Any scikit-learn classifier or regressor in the place of XGBoost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, clone, is_classifier, is_regressor
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted, validate_data

from fusion.errors import ConfigError, DataError, ModelError
from fusion.estimators.trainers import LocalTrainer, RowSource, Trainer

__all__ = ["WrappedEstimator", "require_wrappable"]


class WrappedEstimator(BaseEstimator):
    """A scikit-learn estimator that trains on rows read from stores; all of them are in memory at once.

    Parameters
    ----------
    estimator : classifier with `predict_proba`, or regressor
        Untrained; it stays untouched.
    seed : int
        Of every `random_state` that is None.
    n_jobs : int > 0 or None
        Not used.

    Attributes
    ----------
    estimator_ : estimator
        Trained.
    classes_ : array, shape (classes,)
        Labels in the order of the columns of `outputs`; empty of a regressor.
    n_rounds_ : int
        0: there are no boosting rounds.

    Notes
    -----
    A missing value counts as 0, the column's mean once columns are standardised, as for the linear booster; unless the
    estimator's tags say that it takes NaN.
    """

    def __init__(self, estimator: Any, *, seed: int = 42, n_jobs: int | None = None) -> None:
        self.estimator = estimator
        self.seed = seed
        self.n_jobs = n_jobs

    @property
    def name(self) -> str:
        """Such as "LogisticRegression"."""
        return type(self.estimator).__name__

    @property
    def booster(self) -> str:
        """The same: it stands where XGBoost's models tell their kind."""
        return self.name

    def fit(self, X: ArrayLike, y: ArrayLike, groups: ArrayLike | None = None) -> Self:  # noqa: N803
        """Train on a matrix; see `fit_rows`."""
        matrix, labels = validate_data(self, X, y, dtype=np.float32, ensure_all_finite="allow-nan")
        return self.fit_rows(matrix, labels, groups)

    def fit_rows(
        self,
        rows: RowSource,
        y: ArrayLike,
        groups: ArrayLike | None = None,  # noqa: ARG002 - scikit-learn's estimators know none
        *,
        trainer: Trainer | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Self:
        """Train; see `FunctaClassifier.fit_rows`.

        Raises
        ------
        ConfigError
            Training in external memory or on a cluster is asked for.
        DataError
            The estimator refuses the rows.
        """
        if trainer is not None and (not isinstance(trainer, LocalTrainer) or trainer.external_memory):
            raise ConfigError(f"{self.name} trains in this process, in memory; expected no other trainer.")
        labels = np.asarray(y)
        if is_classifier(self.estimator) and len(np.unique(labels)) < 2:
            raise DataError(f"the {len(labels)} training rows hold one class only; expected at least two classes.")
        self.estimator_ = clone(self.estimator)
        seeds = {name for name, value in self.estimator_.get_params().items() if _is_open_seed(name, value)}
        self.estimator_.set_params(**dict.fromkeys(seeds, self.seed))
        self.n_features_in_ = rows.shape[1]
        try:
            self.estimator_.fit(self._filled(rows[np.arange(rows.shape[0])]), labels)
        except ValueError as error:
            reason = str(error).splitlines()[0]
            raise DataError(f"{self.name} cannot be trained on these {rows.shape[0]} rows: {reason}") from error
        self.classes_ = np.asarray(getattr(self.estimator_, "classes_", ()))
        self.n_rounds_ = 0
        if progress is not None:
            progress(1, 1)
        return self

    def outputs(self, X: ArrayLike) -> NDArray[np.float32]:  # noqa: N803
        """Return the probability of each class, or the number, of each row of `X`, shape (n, outputs)."""
        check_is_fitted(self, "estimator_")
        matrix = self._filled(validate_data(self, X, reset=False, dtype=np.float32, ensure_all_finite="allow-nan"))
        asked = self.estimator_.predict_proba if is_classifier(self.estimator_) else self.estimator_.predict
        return np.asarray(asked(matrix), dtype=np.float32).reshape(len(matrix), -1)

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float32]:  # noqa: N803
        """Return the probability of each class, shape (n, classes)."""
        return self.outputs(X)

    def predict(self, X: ArrayLike) -> NDArray[Any]:  # noqa: N803
        """Return the most probable class, or the number, of each row of `X`, shape (n,)."""
        found = self.outputs(X)
        return np.asarray(self.classes_[found.argmax(axis=1)]) if len(self.classes_) else found[:, 0]

    def contributions(self, X: ArrayLike) -> NDArray[np.float32]:  # noqa: N803, ARG002
        """Refuse: ModelError."""
        raise ModelError(f"what a column adds is known of XGBoost's models only, not of {self.name}.")

    def restore(self, estimator: Any, columns: int) -> Self:
        """Take over a trained estimator; return this one fitted."""
        self.estimator_ = estimator
        self.classes_ = np.asarray(getattr(estimator, "classes_", ()))
        self.n_features_in_ = columns
        self.n_rounds_ = 0
        return self

    def _filled(self, matrix: NDArray[np.float32]) -> NDArray[np.float32]:
        if get_tags(self.estimator).input_tags.allow_nan or not np.isnan(matrix).any():
            return matrix
        return np.nan_to_num(matrix)


def require_wrappable(estimator: Any, task: str = "classification") -> None:
    """Refuse what cannot stand in XGBoost's place.

    Raises
    ------
    ConfigError
        No estimator, of another task, or a classifier without probabilities.
    """
    kinds = {"classification": is_classifier, "regression": is_regressor}
    if task not in kinds:
        raise ConfigError(f"the task is {task!r}; scikit-learn's estimators are taken for {' and '.join(kinds)}.")
    if isinstance(estimator, type) or not isinstance(estimator, BaseEstimator) or not kinds[task](estimator):
        what = f"the class {estimator.__name__}" if isinstance(estimator, type) else f"a {type(estimator).__name__}"
        raise ConfigError(f"estimator is {what}; expected an object of scikit-learn that does {task}.")
    if task == "classification" and not hasattr(estimator, "predict_proba"):
        name = type(estimator).__name__
        raise ConfigError(
            f"{name} gives no probabilities; expected a classifier with predict_proba. Wrap it: "
            f"CalibratedClassifierCV({name}())."
        )


def _is_open_seed(name: str, value: Any) -> bool:
    return value is None and (name == "random_state" or name.endswith("__random_state"))
