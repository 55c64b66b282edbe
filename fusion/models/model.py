"""A trained model: how functas of each modality become features, and the estimator that reads them."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fusion.errors import ConfigError, DataError, ModelError
from fusion.estimators.fused import FusedEstimator
from fusion.estimators.tasks import TASKS, Task
from fusion.features.fitted import FittedFeatures

if TYPE_CHECKING:
    from fusion.estimators.boosted import FunctaBooster
    from fusion.features.transformer import FunctaFeatures
    from store import FunctaStore

Given = TypeVar("Given")

__all__ = ["Model", "ModelBranch", "Training", "library_versions", "now"]

_LIBRARIES = ("functa-fusion", "numpy", "scikit-learn", "xgboost")


def now() -> str:
    """Give the time as ISO 8601, UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def library_versions() -> dict[str, str]:
    """Give the versions of the libraries that train and predict."""
    return {name: _version(name) for name in _LIBRARIES}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:  # run from a checkout
        return "not installed"


@dataclass(frozen=True, eq=False)
class ModelBranch:
    """One modality of a model: how its functas become features, and how new samples become such functas.

    Attributes
    ----------
    name : str
        What the branch is called in this model.
    features : FunctaFeatures or FittedFeatures
        Fitted transformer from functas, shape (n, k), to the branch's columns; `FittedFeatures` where only predicting
        was asked for.
    header : mapping of str to object
        The header of the training store: modality, k, layout, encoder configuration, conventions.
    state : mapping of str to NDArray of numbers
        The encoder's learned arrays.
    fingerprint : str
        The training store's fingerprint.
    """

    name: str
    features: FunctaFeatures
    header: Mapping[str, Any]
    state: Mapping[str, NDArray[Any]]
    fingerprint: str

    @classmethod
    def of_store(cls, name: str, store: FunctaStore, features: FunctaFeatures) -> ModelBranch:
        """Take header and state from the store that the features were learned from."""
        header = json.loads(json.dumps(store.header.to_json()))
        return cls(name, features, header, dict(store.state), store.fingerprint)

    @property
    def modality(self) -> str:
        """Modality of the training store."""
        return str(self.header["modality"])

    @property
    def k(self) -> int:
        """Number of weights of a functa."""
        return len(self.features.keep_)

    @property
    def columns(self) -> int:
        """Number of columns after the filter."""
        return int(self.features.keep_.sum())

    def by_entry(self, values: NDArray[Any]) -> dict[str, float]:
        """Add values up, shape (k,), over each entry of the layout: an array of a network, or a plain column."""
        entries = ((str(name), int(np.prod(shape)), int(offset)) for name, shape, offset in self.header["layout"])
        return {name: float(values[at : at + size].sum()) for name, size, at in entries}

    def require_same_encoder(self, store: FunctaStore) -> None:
        """Refuse a store that another encoder filled; StoreMismatchError names what differs."""
        store.require_same(encoder=dict(self.header["encoder"]), state=dict(self.state))

    def source_among(self, sources: Mapping[str, Given]) -> Given | str | None:
        """Choose the data behind its store: given by its name, or for all by ""; built-in data need none."""
        built_in = "." if self.header.get("dataset") == "figure" else None
        return sources.get(self.name, sources.get("")) or built_in


@dataclass(frozen=True)
class Training:
    """What a model was trained on.

    Attributes
    ----------
    rows, groups : int
        Numbers of training rows and of the groups among them.
    classes : mapping of str to int
        Training rows of each class or label; empty where a number is predicted.
    seconds : float
        From reading the rows to the trained model.
    train_splits, test_splits : tuple of str
        Which splits counted as what; empty when all labelled rows were trained on.
    cv : str or None
        How the figures beside the model were cross-validated, if they were: "folds", "group" or a number of folds.
    mean : float or None
        Of the numbers trained on.
    """

    rows: int
    groups: int
    classes: Mapping[str, int]
    seconds: float
    train_splits: tuple[str, ...] = ()
    test_splits: tuple[str, ...] = ()
    cv: str | None = None
    mean: float | None = None


@dataclass(frozen=True, eq=False)
class Model:
    """A trained model: feature branches and an estimator.

    Attributes
    ----------
    branches : tuple of ModelBranch
        In the order of their columns.
    classifier : FunctaBooster, NativeEstimator or FusedEstimator
        Fitted on the branches' columns side by side: a `FunctaClassifier`, or its like of another task; of several
        branches a `FusedEstimator`. Of a model that was loaded to predict only, a `NativeEstimator` in place of each.
    training : Training
        What it was trained on.
    created : str
        ISO 8601, UTC.
    versions : mapping of str to str
        Of the libraries that trained it.
    path : Path or None
        Folder it was loaded from or saved to, if any.
    task : Task
        What it predicts.
    thresholds : mapping of str to float or None
        Of each class or label, if they were chosen; what it predicts goes by them in what `at_thresholds` returns only.
    """

    branches: tuple[ModelBranch, ...]
    classifier: FunctaBooster | FusedEstimator
    training: Training
    created: str = field(default_factory=now)
    versions: Mapping[str, str] = field(default_factory=library_versions)
    path: Path | None = None
    task: Task = TASKS["classification"]
    thresholds: Mapping[str, float] | None = None

    def at_thresholds(self) -> Self:
        """Return the model that predicts by its thresholds; ModelError where none were chosen."""
        if self.thresholds is None:
            raise ModelError(
                "this model has no thresholds; expected one that was trained with --thresholds (thresholds=True in "
                "Python). Train it so, or predict without."
            )
        return replace(self, task=self.task.with_thresholds([self.thresholds[name] for name in self.classes]))

    @property
    def classes(self) -> tuple[str, ...]:
        """Classes or labels in the order of the columns of `predict_proba`; none where a number is predicted."""
        return tuple(str(name) for name in self.classifier.classes_)

    @property
    def fusion(self) -> str | None:
        """How several modalities are fused; None of one modality."""
        return self.classifier.fusion if isinstance(self.classifier, FusedEstimator) else None

    def branch(self, name: str) -> ModelBranch:
        """Look up a branch by its name."""
        return next(branch for branch in self.branches if branch.name == name)

    def require_branches(self, names: Collection[str], given: str) -> None:
        """Refuse names that no branch has; ConfigError says what was `given` for them, such as "stores are"."""
        known = [branch.name for branch in self.branches]
        unknown = sorted(set(names) - set(known))
        if unknown:
            raise ConfigError(f"{given} given for {', '.join(unknown)}; the model has {', '.join(known)}")

    def require_whole(self) -> None:
        """Refuse a model that was loaded without what trains and explains; ModelError says how to load it."""
        if any(isinstance(branch.features, FittedFeatures) for branch in self.branches):
            raise ModelError(
                "this model was loaded to predict only; expected a whole one. Load it without only_predict=True."
            )

    def predict(self, functas: ArrayLike | Mapping[str, ArrayLike]) -> NDArray[Any]:
        """Return the most probable class of each item, its number or its labels, shape (n,).

        `functas` are as for `predict_proba`.
        """
        return self.task.decided(self.outputs(functas), self.classifier.classes_)

    def predict_proba(self, functas: ArrayLike | Mapping[str, ArrayLike]) -> NDArray[np.float32]:
        """Return the probability of each class or label, shape (n, classes).

        Parameters
        ----------
        functas : array_like or mapping of str to array_like
            float array, shape (n, k), of a model of one modality; or one such array by branch name, where a branch that
            is left out, or a row of NaN, is a missing modality.

        Raises
        ------
        DataError
            An unknown branch, no branch at all, or lengths that differ.
        ModelError
            The model predicts a number.
        """
        if not self.classes:
            raise ModelError("a model of numbers has no probabilities; expected one of classes. Use predict.")
        return self.outputs(functas)

    def outputs(self, functas: ArrayLike | Mapping[str, ArrayLike]) -> NDArray[np.float32]:
        """Return what `predict_proba` returns, or the number of each item, shape (n, 1)."""
        return self.classifier.outputs(self._matrix(functas))

    def _matrix(self, functas: ArrayLike | Mapping[str, ArrayLike]) -> NDArray[np.float32]:
        given = functas if isinstance(functas, Mapping) else {self._only_branch(): functas}
        names = [branch.name for branch in self.branches]
        lengths = {len(np.asarray(rows)) for rows in given.values()}
        if not set(given) <= set(names) or len(lengths) != 1:
            raise DataError(
                f"functas were given for {sorted(given)} with {sorted(lengths)} rows; expected one or more of {names}, "
                "all with the same number of rows."
            )
        rows = lengths.pop()
        matrix = np.full((rows, sum(branch.columns for branch in self.branches)), np.nan, dtype=np.float32)
        first = 0
        for branch in self.branches:
            if branch.name in given:
                matrix[:, first : first + branch.columns] = branch.features.transform(given[branch.name])
            first += branch.columns
        return matrix

    def _only_branch(self) -> str:
        if len(self.branches) != 1:
            names = ", ".join(branch.name for branch in self.branches)
            raise DataError(
                f"this model has {len(self.branches)} modalities; give functas as a mapping by name: {names}."
            )
        return self.branches[0].name
