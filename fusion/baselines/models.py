"""The models that stand beside functas in a table: one interface, one evaluation, the same rows."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, Protocol, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from fusion.baselines.augmentation import Augmentation
from fusion.baselines.kernels import RandomKernels
from fusion.baselines.lstm import LstmSettings, lstm_functas, lstm_start
from fusion.baselines.networks import ConvNet
from fusion.baselines.prepared import Prepared
from fusion.baselines.statistics import simple_statistics
from fusion.errors import ConfigError, DataError
from fusion.estimators.trainers import chunks
from fusion.estimators.xgboost import FunctaClassifier
from fusion.metrics import Evaluation, evaluate_predictions
from fusion.splits import require_disjoint

__all__ = ["BASELINES", "Baseline", "BaselineResult", "baseline", "measure_baseline"]


class Baseline(Protocol):
    """A model of raw values."""

    @property
    def weights(self) -> int | None:
        """Numbers that were learned; None of trees."""

    def fit(self, prepared: Prepared, rows: NDArray[np.intp]) -> Self:
        """Train on some rows; early stopping holds out whole groups of them."""

    def predict(self, prepared: Prepared, rows: NDArray[np.intp]) -> NDArray[Any]:
        """Return the class of some rows, shape (r,)."""


class _Network:
    def __init__(self, *, augmented: bool = False, **parameters: Any) -> None:
        self._augmented, self._parameters = augmented, parameters

    def fit(self, prepared: Prepared, rows: NDArray[np.intp]) -> Self:
        own: dict[str, Any] = {}
        if self._augmented:
            own = {"annealed": True, "augmentation": Augmentation.of(prepared.modality)}
        self._network = ConvNet(**own | self._parameters)
        self._network.fit(prepared.values, rows, prepared.labels[rows], prepared.groups[rows])
        return self

    @property
    def weights(self) -> int:
        return self._network.weights_

    def predict(self, prepared: Prepared, rows: NDArray[np.intp]) -> NDArray[Any]:
        return self._network.predict(prepared.values, rows)


class _Logistic:
    """Logistic regression on all values: scikit-learn's defaults, as the paper names no others, or at its best."""

    def __init__(self, *, seed: int = 42, converged: bool = False, **parameters: Any) -> None:
        steps = (StandardScaler(),) if converged else ()
        given = {"random_state": seed, **({"max_iter": 1000} if converged else {}), **parameters}
        self._model = make_pipeline(*steps, LogisticRegression(**given))

    def fit(self, prepared: Prepared, rows: NDArray[np.intp]) -> Self:
        with warnings.catch_warnings():
            # The default of 100 iterations is part of what is measured.
            warnings.simplefilter("ignore", ConvergenceWarning)
            self._model.fit(_flat(prepared)[rows], prepared.labels[rows].astype(str))
        return self

    @property
    def weights(self) -> int:
        learned = self._model[-1]
        return int(learned.coef_.size + learned.intercept_.size)

    def predict(self, prepared: Prepared, rows: NDArray[np.intp]) -> NDArray[Any]:
        return np.asarray(self._model.predict(_flat(prepared)[rows]))


class _Boosted:
    """XGBoost with the paper's parameters on some columns of each sample."""

    weights: int | None = None

    def __init__(self, columns: Callable[[Prepared, NDArray[np.intp]], NDArray[np.float32]], **parameters: Any) -> None:
        self._columns = columns
        self._classifier = FunctaClassifier(**parameters)

    def fit(self, prepared: Prepared, rows: NDArray[np.intp]) -> Self:
        source = _Rows(prepared, rows, self._columns)
        self._classifier.fit_rows(source, prepared.labels[rows].astype(str), prepared.groups[rows])
        return self

    def predict(self, prepared: Prepared, rows: NDArray[np.intp]) -> NDArray[Any]:
        parts = chunks(rows, int(np.prod(prepared.values.shape[1:])))
        return np.concatenate([self._classifier.predict(self._columns(prepared, part)) for part in parts])


class _Lstm:
    """XGBoost on the weights of autoregressive LSTMs, minus their start."""

    weights: int | None = None

    def __init__(self, *, seed: int = 42, settings: LstmSettings | None = None, **parameters: Any) -> None:
        self._settings = settings or LstmSettings()
        self._classifier = FunctaClassifier(seed=seed, **parameters)
        self._seed = seed

    def fit(self, prepared: Prepared, rows: NDArray[np.intp]) -> Self:
        labels = prepared.labels[rows].astype(str)
        self._start = lstm_start(prepared.values[rows], labels, self._settings, seed=self._seed)
        self._classifier.fit(self._functas(prepared, rows), labels, prepared.groups[rows])
        return self

    def predict(self, prepared: Prepared, rows: NDArray[np.intp]) -> NDArray[Any]:
        return self._classifier.predict(self._functas(prepared, rows))

    def _functas(self, prepared: Prepared, rows: NDArray[np.intp]) -> NDArray[np.float32]:
        return lstm_functas(prepared.values[rows], self._start, self._settings) - self._start


class _Rows:
    """Some rows of prepared samples as columns that are computed when they are wanted."""

    def __init__(
        self,
        prepared: Prepared,
        rows: NDArray[np.intp],
        columns: Callable[[Prepared, NDArray[np.intp]], NDArray[np.float32]],
    ) -> None:
        self._prepared, self._rows, self._columns = prepared, rows, columns
        self.shape = (len(rows), columns(prepared, rows[:1]).shape[1])

    def __getitem__(self, positions: NDArray[np.intp]) -> NDArray[np.float32]:
        return self._columns(self._prepared, self._rows[positions])


def _flat(prepared: Prepared) -> NDArray[np.float32]:
    return prepared.values.reshape(len(prepared), -1)


def _raw(prepared: Prepared, rows: NDArray[np.intp]) -> NDArray[np.float32]:
    return np.asarray(_flat(prepared)[rows])


def _statistics(prepared: Prepared, rows: NDArray[np.intp]) -> NDArray[np.float32]:
    return simple_statistics(prepared.values[rows], prepared.modality)


BASELINES: Mapping[str, Callable[..., Baseline]] = {
    "convolution": _Network,
    "convolution-augmented": partial(_Network, augmented=True),
    "logistic-regression": _Logistic,
    "logistic-regression-converged": partial(_Logistic, converged=True),
    "raw-xgboost": lambda **parameters: _Boosted(_raw, **parameters),
    "statistics-xgboost": lambda **parameters: _Boosted(_statistics, **parameters),
    "lstm-functa": _Lstm,
    "minirocket": partial(RandomKernels, "minirocket"),
    "multirocket-hydra": partial(RandomKernels, "multirocket-hydra"),
}
"""By name; "convolution" is Conv1D, Conv2D or Conv3D, as the grid has axes, stopped early; "augmented" sees changed
copies of the training samples at a learning rate that falls to 0; "converged" is on standardised values."""


def baseline(name: str, **parameters: Any) -> Baseline:
    """Return an untrained baseline.

    Parameters
    ----------
    name : str
        One of `BASELINES`.
    **parameters
        ``seed`` of all; those of `ConvNet`, scikit-learn's `LogisticRegression`, `FunctaClassifier`, aeon's classes;
        ``settings`` of the LSTM.

    Raises
    ------
    ConfigError
        There is none of that name, or the package that it needs is not installed.
    """
    if name not in BASELINES:
        raise ConfigError(f"baseline is {name!r}; expected one of {', '.join(BASELINES)}.")
    return BASELINES[name](**parameters)


@dataclass(frozen=True, eq=False)
class BaselineResult:
    """What a baseline reached.

    Attributes
    ----------
    name : str
        Of the baseline.
    evaluation : Evaluation
        Of all test rows together; of folds, each predicted by the model that saw none of its fold.
    seconds : float
        Training and prediction, of all folds.
    rows_train, rows_test : int
        Rows used; of folds all of them as both.
    ids : NDArray of object
        Test rows, shape (n,).
    predicted : NDArray of object
        Their predicted classes, shape (n,).
    folds : tuple of float
        Accuracy of each fold.
    weights : int or None
        Numbers that were learned, of folds by the last model; None of trees.
    """

    name: str
    evaluation: Evaluation
    seconds: float
    rows_train: int
    rows_test: int
    ids: NDArray[np.object_] = field(repr=False)
    predicted: NDArray[Any] = field(repr=False)
    folds: tuple[float, ...] = ()
    weights: int | None = None


def measure_baseline(
    name: str,
    prepared: Prepared,
    *,
    train_splits: Collection[str] = ("train",),
    test_splits: Collection[str] = ("test",),
    cv: Literal["folds"] | None = None,
    shared_groups: bool = False,
    **parameters: Any,
) -> BaselineResult:
    """Train a baseline on the training rows and evaluate it on the test rows.

    Parameters
    ----------
    name : str
        See `baseline`.
    prepared : Prepared
        From `raw_matrix`.
    train_splits, test_splits : collection of str
        Which splits count as what.
    cv : {"folds"}, optional
        "folds" = each split is the test set once.
    shared_groups : bool
        Take splits with a group on both sides as they are.
    **parameters
        See `baseline`.

    Raises
    ------
    DataError
        No rows of one of the splits, or a group on both sides.
    """
    begin = time.perf_counter()
    if cv is None:
        sides = [(_rows_of(prepared, train_splits), _rows_of(prepared, test_splits))]
    else:
        names = sorted({str(split) for split in prepared.splits if split is not None})
        sides = [(_rows_of(prepared, set(names) - {one}), _rows_of(prepared, {one})) for one in names]
    predicted = np.full(len(prepared), None, dtype=object)
    accuracies = []
    for training, test in sides:
        if not shared_groups:
            require_disjoint((prepared.groups[training], prepared.groups[test]))
        model = baseline(name, **parameters).fit(prepared, training)
        predicted[test] = model.predict(prepared, test)
        accuracies.append(float(np.mean(predicted[test] == prepared.labels[test])))
    tested = np.sort(np.concatenate([test for _, test in sides]))
    evaluation = evaluate_predictions(prepared.labels[tested], predicted[tested], groups=prepared.groups[tested])
    return BaselineResult(
        name=name,
        evaluation=evaluation,
        seconds=time.perf_counter() - begin,
        rows_train=len(np.unique(np.concatenate([training for training, _ in sides]))),
        rows_test=len(tested),
        ids=prepared.ids[tested],
        predicted=predicted[tested],
        folds=() if cv is None else tuple(accuracies),
        weights=model.weights,
    )


def _rows_of(prepared: Prepared, splits: Collection[str]) -> NDArray[np.intp]:
    rows = np.flatnonzero([split in splits for split in prepared.splits])
    if not len(rows):
        found = sorted({str(split) for split in prepared.splits})
        raise DataError(f"no rows of the splits {sorted(splits)}; the data set has {found}. Name those.")
    return rows
