"""XGBoost on functas: the paper's trees, a linear booster, or trees on top of it, all chosen by training groups."""

from __future__ import annotations

import math
import warnings
from abc import abstractmethod
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Self

import joblib
import numpy as np
import pandas as pd
import xgboost
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted, validate_data

from fusion.errors import ConfigError, DataError, ModelError
from fusion.estimators.linear import LinearSettings, train_linear
from fusion.estimators.objectives import Objective
from fusion.estimators.targets import Targets
from fusion.estimators.trainers import LocalTrainer, RowSource, SomeColumns, Trainer, blocks_of
from fusion.estimators.xgboost_parameters import require_parameters
from fusion.settings import at_least, or_none, require
from fusion.splits import GROUP_FOLDS, group_codes, hold_out, stratified_folds

__all__ = ["BOOSTERS", "FunctaBooster"]

BOOSTERS: Mapping[str, tuple[str, ...]] = {
    "gbtree": ("model",),
    "gblinear": ("model",),
    "stacked": ("model", "linear"),
}
"""Choices of `booster`, and the names of the XGBoost boosters that each is made of."""

_SHARE = 0.5
"""Of the linear booster's margins, where trees start from them."""
_MANY_ROWS, _FEW_FOLDS = 20_000, 3  # each fold holds a Gram matrix
_FEW_VALUES = 1_500_000
"""Below it one thread grows trees sooner than several, which wait for each other at every node; measured on UCI-HAR."""

_RANGES: Mapping[str, tuple[Callable[[Any], object], str]] = {
    "booster": (lambda name: name in BOOSTERS, f"one of {', '.join(BOOSTERS)}"),
    "n_estimators": (at_least(1), "at least 1"),
    "max_depth": (at_least(0), "0 (no limit) or more"),
    "eta": (lambda value: 0 < value <= 1, "in (0, 1]"),
    "max_bin": (at_least(2), "at least 2"),
    "early_stopping_rounds": (or_none(at_least(1)), "at least 1 or None"),
    "validation_fraction": (lambda value: 0 < value < 1, "in (0, 1)"),
    "seed": (lambda value: at_least(0)(value) and value < 2**32, "a whole number from 0 to 2**32 - 1"),
    "tree_columns": (or_none(at_least(1)), "at least 1, or None for all"),
    "n_jobs": (or_none(at_least(1)), "at least 1, or None for all physical cores"),
    "parameters": (
        lambda given: given is None or (isinstance(given, Mapping) and all(isinstance(name, str) for name in given)),
        "a mapping of XGBoost's names to values, or None",
    ),
}


class FunctaBooster(BaseEstimator):
    """What `FunctaClassifier`, `FunctaRegressor` and `FunctaLabeller` share: everything but what is learned.

    Parameters are those of `FunctaClassifier`, and so are the attributes.
    """

    classes_: NDArray[Any]
    n_rounds_: int
    held_out_: tuple[NDArray[np.bool_], NDArray[np.float32]] | None = None
    """Rows that early stopping watched, shape (n,), and their outputs, (h, outputs), by trees that did not see them."""

    def __init__(
        self,
        *,
        booster: str = "gbtree",
        n_estimators: int = 300,
        max_depth: int = 6,
        eta: float = 0.3,
        max_bin: int = 32,
        early_stopping_rounds: int | None = 10,
        validation_fraction: float = 0.2,
        refit: bool = True,
        seed: int = 42,
        n_jobs: int | None = None,
        parameters: Mapping[str, Any] | None = None,
        linear: Mapping[str, Any] | None = None,
        tree_columns: int | None = None,
    ) -> None:
        self.booster = booster
        self.n_estimators = n_estimators
        self.max_depth = max_depth
        self.eta = eta
        self.max_bin = max_bin
        self.early_stopping_rounds = early_stopping_rounds
        self.validation_fraction = validation_fraction
        self.refit = refit
        self.seed = seed
        self.n_jobs = n_jobs
        self.parameters = parameters
        self.linear = linear
        self.tree_columns = tree_columns

    def fit(
        self,
        X: ArrayLike,  # noqa: N803
        y: ArrayLike,
        groups: ArrayLike | None = None,
        *,
        progress: Callable[[int, int], None] | None = None,
    ) -> Self:
        """Train on features `X`, shape (n, p), and what is to be learned of each row, `y`.

        Parameters
        ----------
        X, y : array_like
            Training rows only. float32 is used as it is, without a copy.
        groups : array_like, optional
            Subject, film or recording of each row, shape (n,); early stopping holds out whole groups. A row whose group
            is None is a group of its own. None = hold out rows.
        progress : callable, optional
            Called after each boosting round with the rounds done and the most there can be.

        Raises
        ------
        DataError
            Nothing to learn, such as one class only, lengths that differ, or nothing of some row.
        ConfigError
            A parameter out of range, or one that XGBoost refuses or does not know.
        """
        self._validate()
        if y is not None and (absent := int(np.sum(pd.isna(np.asarray(y, dtype=object))))):
            raise DataError(f"y holds nothing in {absent} places; expected what to learn of each row. Leave them out.")
        try:
            matrix, learned = validate_data(self, X, y, dtype=np.float32, ensure_all_finite="allow-nan", **self._checks)
        except ValueError as error:
            raise DataError(" ".join(str(error).split())) from error
        return self.fit_rows(matrix, learned, groups, progress=progress)

    def fit_rows(
        self,
        rows: RowSource,
        y: ArrayLike,
        groups: ArrayLike | None = None,
        *,
        trainer: Trainer | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Self:
        """Train on rows that are read when they are wanted, such as `DesignRows`; the same trees as by `fit`.

        Parameters
        ----------
        rows : RowSource
            Training rows, float32 of shape (n, p).
        y : array_like
        groups : array_like, optional
        progress : callable, optional
            As for `fit`.
        trainer : Trainer, optional
            Where to train: in this process (None), in external memory, or on a cluster.

        Raises
        ------
        DataError, ConfigError
            As for `fit`.
        """
        self._validate()
        self.n_features_in_ = rows.shape[1]
        targets = self._targets(np.asarray(y))
        if self.parameters and self.booster != "gblinear":
            require_parameters(self.parameters, self._xgboost_parameters(rows.shape))
        held = self._hold_out(targets, groups)
        if self.booster == "gbtree":
            self._take({"model": self._train_trees(trainer or LocalTrainer(), rows, targets, held, progress)})
            return self
        if self.booster == "stacked" and not isinstance(trainer or LocalTrainer(), LocalTrainer):
            raise ConfigError("booster is 'stacked', which trains in one process; use 'gblinear' on a cluster.")
        self._take(self._train_on_linear(trainer or LocalTrainer(), rows, targets, groups, held, progress))
        return self

    @property
    def booster_(self) -> xgboost.Booster:
        """The booster called "model"."""
        if not hasattr(self, "boosters_"):
            raise AttributeError("booster_ is there only after training")
        return self.boosters_["model"]

    def outputs(self, X: ArrayLike) -> NDArray[np.float32]:  # noqa: N803
        """Return what is known of each row of `X`, shape (n, outputs): the probability of each class, or a number."""
        check_is_fitted(self, "boosters_")
        matrix = validate_data(self, X, reset=False, dtype=np.float32, ensure_all_finite="allow-nan")
        return np.asarray(self._predict(matrix), dtype=np.float32).reshape(len(matrix), -1)

    def contributions(self, X: ArrayLike) -> NDArray[np.float32]:  # noqa: N803
        """Return what each column adds to the margin of each output, shape (n, outputs, p + 1); the last is the bias.

        A row's contributions sum to its margins: of classes the probabilities are their softmax, of labels their
        sigmoids, and a number is its own margin. Of "stacked" they are those of the linear booster and of the trees
        together.

        Notes
        -----
        XGBoost's `pred_contribs`: SHAP values of trees (Lundberg et al., "Consistent Individualized Feature Attribution
        for Tree Ensembles", 2018), weight times value of the linear booster.
        """
        check_is_fitted(self, "boosters_")
        matrix = validate_data(self, X, reset=False, dtype=np.float32, ensure_all_finite="allow-nan")
        data = xgboost.DMatrix(matrix, nthread=self._threads())
        parts = [booster.predict(data, pred_contribs=True, strict_shape=True) for booster in self.boosters_.values()]
        return np.asarray(np.sum(parts, axis=0), dtype=np.float32)

    def restore(self, boosters: xgboost.Booster | Mapping[str, xgboost.Booster], classes: ArrayLike = ()) -> Self:
        """Take over trained boosters, by name as in `boosters_`, and their labels; return this estimator fitted.

        Raises
        ------
        ModelError
            Other boosters than `booster` is made of, or another number of outputs or columns than they should have.
        """
        given = {"model": boosters} if isinstance(boosters, xgboost.Booster) else dict(boosters)
        expected = BOOSTERS.get(self.booster, ())
        if set(given) != set(expected):
            raise ModelError(
                f"booster {self.booster!r} was given as {sorted(given)}; expected {sorted(expected)}. Train again."
            )
        self.classes_ = np.asarray(classes)
        self.n_features_in_ = given["model"].num_features()
        self._take(given)
        for booster in given.values():
            self._require_shape(booster)
        self.n_rounds_ = given["model"].num_boosted_rounds()
        return self

    def _take(self, boosters: dict[str, xgboost.Booster]) -> None:
        """Keep boosters, which predict by all threads whatever they were trained by."""
        self.boosters_ = boosters
        for booster in boosters.values():
            booster.set_param({"nthread": self._threads()})

    @property
    def _checks(self) -> Mapping[str, Any]:
        """What `y` has to be, for scikit-learn's check of both."""
        return {}

    @property
    @abstractmethod
    def _objective(self) -> Objective:
        """What is minimised; known once `_targets` has seen the labels."""

    @abstractmethod
    def _targets(self, labels: NDArray[Any]) -> Targets:
        """Learn what there is to be told apart, and return what is to be learned of each row."""

    def _strata(self, targets: Targets) -> NDArray[np.intp]:
        """Tell which rows are alike, shape (n,): parts of the rows hold as many of each kind as can be."""
        return np.zeros(len(targets), dtype=np.intp)

    def _require_shape(self, booster: xgboost.Booster) -> None:
        if booster.num_features() != self.n_features_in_:
            raise ModelError(
                f"the boosters read {self.n_features_in_} and {booster.num_features()} columns. The files belong to "
                "different models: train again."
            )
        row = np.full((1, self.n_features_in_), np.nan, dtype=np.float32)
        predicted = booster.predict(xgboost.DMatrix(row), strict_shape=True)
        if predicted.shape != (1, self._objective.outputs):
            raise ModelError(
                f"the booster returns values of shape {predicted.shape[1:]} per row but the model lists "
                f"{self._objective.outputs} classes. The files belong to different models: train again."
            )

    def _predict(self, matrix: NDArray[np.float32]) -> NDArray[np.float32]:
        if self.booster == "gbtree":
            return np.asarray(self.booster_.inplace_predict(matrix))
        data = xgboost.DMatrix(matrix, nthread=self._threads())
        if self.booster == "stacked":
            margins = self.boosters_["linear"].predict(data, output_margin=True)
            return np.asarray(self.booster_.inplace_predict(matrix, base_margin=margins))
        return np.asarray(self.booster_.predict(data))

    def _validate(self) -> None:
        LinearSettings.of(self.linear)
        for name, (holds, expected) in _RANGES.items():
            require(name, getattr(self, name), holds, expected)

    def _hold_out(self, targets: Targets, groups: ArrayLike | None) -> NDArray[np.bool_]:
        if groups is not None and len(np.asarray(groups, dtype=object)) != len(targets):
            raise DataError(
                f"{len(np.asarray(groups, dtype=object))} groups for {len(targets)} rows; expected one per row."
            )
        if self.early_stopping_rounds is None:
            return np.zeros(len(targets), dtype=bool)
        return hold_out(self._strata(targets), groups, fraction=self.validation_fraction, seed=self.seed)

    def _train_on_linear(
        self,
        trainer: Trainer,
        rows: RowSource,
        targets: Targets,
        groups: ArrayLike | None,
        held: NDArray[np.bool_],
        progress: Callable[[int, int], None] | None,
    ) -> dict[str, xgboost.Booster]:
        settings, objective = LinearSettings.of(self.linear), self._objective
        fit = train_linear(
            rows,
            targets,
            self._folds(targets, groups),
            settings if self.early_stopping_rounds is not None else settings.middle(),
            objective,
            blocks=blocks_of(rows),
            share=_SHARE if self.booster == "stacked" else 1.0,
            threads=self._threads(),
            partitioned=trainer.partitions,
        )
        self.penalty_ = fit.penalty
        if self.booster == "gblinear":
            self.n_rounds_ = 1
            if progress is not None:
                progress(self.n_rounds_, self.n_rounds_)
            return {"model": fit.booster}
        if self.tree_columns is not None and self.tree_columns < rows.shape[1]:
            drawn = np.random.default_rng(self.seed).choice(rows.shape[1], self.tree_columns, replace=False)
            rows = SomeColumns(rows, np.sort(drawn))
        return {"model": self._train_trees(trainer, rows, targets, held, progress, fit.margins), "linear": fit.booster}

    def _folds(self, targets: Targets, groups: ArrayLike | None) -> NDArray[np.intp]:
        """Deal rows into folds by whole groups, or, of one group, row by row."""
        strata = self._strata(targets)
        members = None if groups is None else group_codes(groups)
        most = GROUP_FOLDS if len(targets) <= _MANY_ROWS else _FEW_FOLDS
        folds = stratified_folds(strata, members, most=most, seed=self.seed)
        return folds if folds.any() else stratified_folds(strata, None, most=most, seed=self.seed)

    def _train_trees(
        self,
        trainer: Trainer,
        source: RowSource,
        targets: Targets,
        held: NDArray[np.bool_],
        progress: Callable[[int, int], None] | None,
        margins: NDArray[np.float32] | None = None,
    ) -> xgboost.Booster:
        parameters = self._xgboost_parameters(source.shape)
        if margins is not None:  # which stand in its place; contributions would count both
            parameters["base_score"] = self._objective.base_score
        matrix = partial(trainer.matrix, source, targets, parameters=parameters, margins=margins)
        boost = partial(trainer.boost, parameters, progress=progress)
        self.n_rounds_, self.held_out_ = self.n_estimators, None
        if held.any():
            data = matrix(rows=np.flatnonzero(~held))
            validation = matrix(rows=np.flatnonzero(held), reference=data)
            found = boost(data, self.n_estimators, validation=validation, patience=self.early_stopping_rounds)
            self.n_rounds_ = found.best_iteration + 1
            if isinstance(trainer, LocalTrainer):
                self.held_out_ = held, found.predict(validation, iteration_range=(0, self.n_rounds_), strict_shape=True)
            if not self.refit:
                return found[: self.n_rounds_]
            del data, validation, found
        return boost(matrix(rows=np.arange(len(targets))), self.n_rounds_, validation=None, patience=None)

    def _xgboost_parameters(self, shape: tuple[int, ...]) -> dict[str, Any]:
        objective = dict(self._objective.parameters())
        size = {name: objective.pop(name) for name in ("num_class",) if name in objective}
        return {
            **objective,
            "tree_method": "hist",
            "max_depth": self.max_depth,
            "eta": self.eta,
            "max_bin": self.max_bin,
            "seed": self.seed,
            "nthread": self._threads(growing=shape),
            **(self.parameters or {}),
            **size,
        }

    def _threads(self, *, growing: tuple[int, ...] | None = None) -> int:
        if self.n_jobs is None and growing is not None and math.prod(growing) <= _FEW_VALUES:
            return 1
        return self.n_jobs or _physical_cores()

    def __sklearn_tags__(self) -> Any:
        """Return the tags of scikit-learn: missing values are allowed."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def _physical_cores() -> int:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # joblib warns where it has to count logical cores instead
        return int(joblib.cpu_count(only_physical_cores=True))
