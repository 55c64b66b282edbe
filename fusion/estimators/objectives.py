"""What is minimised for each task, by XGBoost and by the linear fit, and how good margins are on rows left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_expit, log_softmax

from fusion.estimators.glm import LOGISTIC, SOFTMAX, SQUARED, Family
from fusion.estimators.targets import Targets

__all__ = ["Logistic", "Objective", "Softmax", "Squares"]


class Objective(Protocol):
    """What is minimised.

    Attributes
    ----------
    family : Family
        Of the linear fit.
    base_score : float
        Of XGBoost's boosters that start from margins: what adds nothing to them.
    is_sure : bool
        Margins have a scale of their own: how sure they are.
    """

    family: ClassVar[Family]
    base_score: ClassVar[float]
    is_sure: ClassVar[bool]

    @property
    def outputs(self) -> int:
        """Numbers that are given for each row."""

    def parameters(self) -> Mapping[str, Any]:
        """Of XGBoost."""

    def columns(self, targets: Targets) -> NDArray[np.float64]:
        """Return what the linear fit learns, shape (n, outputs)."""

    def offset(self, targets: Targets) -> float:
        """Give what the linear fit's targets are counted from; a share of its margins is, too."""

    def errors(self, margins: NDArray[np.float32], targets: Targets) -> float:
        """Say how wrong margins of shape (n, outputs) are, in the mean over rows."""

    def loss(self, margins: NDArray[np.float32], targets: Targets) -> float:
        """Give the loss of margins of shape (n, outputs), in the mean over rows."""


@dataclass(frozen=True)
class Softmax:
    """One of several classes.

    Attributes
    ----------
    outputs : int
        Classes; each gets a probability.
    """

    family: ClassVar[Family] = SOFTMAX
    base_score: ClassVar[float] = 0.5
    is_sure: ClassVar[bool] = True
    outputs: int

    def parameters(self) -> Mapping[str, Any]:
        """Of XGBoost."""
        return {"objective": "multi:softprob", "eval_metric": "mlogloss", "num_class": self.outputs}

    def columns(self, targets: Targets) -> NDArray[np.float64]:
        """Give 1 at the class of the row, otherwise 0."""
        return np.asarray(np.eye(self.outputs)[targets.values], dtype=np.float64)

    def offset(self, targets: Targets) -> float:  # noqa: ARG002
        """Nothing: margins of classes are counted from each other."""
        return 0.0

    def errors(self, margins: NDArray[np.float32], targets: Targets) -> float:
        """Part of the rows that get another class."""
        return targets.mean(margins.argmax(axis=1) != targets.values)

    def loss(self, margins: NDArray[np.float32], targets: Targets) -> float:
        """Log loss."""
        likely = np.take_along_axis(log_softmax(margins, axis=1), targets.values[:, None], axis=1)[:, 0]
        return -targets.mean(likely)


@dataclass(frozen=True)
class Squares:
    """A number."""

    family: ClassVar[Family] = SQUARED
    base_score: ClassVar[float] = 0.0
    is_sure: ClassVar[bool] = False
    outputs: ClassVar[int] = 1

    def parameters(self) -> Mapping[str, Any]:
        """Of XGBoost."""
        return {"objective": "reg:squarederror", "eval_metric": "rmse"}

    def columns(self, targets: Targets) -> NDArray[np.float64]:
        """Give the number."""
        return np.asarray(targets.values, dtype=np.float64)[:, None]

    def offset(self, targets: Targets) -> float:
        """Give the mean."""
        return targets.mean(targets.values)

    def errors(self, margins: NDArray[np.float32], targets: Targets) -> float:
        """Mean squared error."""
        return targets.mean(np.square(margins[:, 0] - targets.values))

    def loss(self, margins: NDArray[np.float32], targets: Targets) -> float:
        """Mean squared error."""
        return self.errors(margins, targets)


@dataclass(frozen=True)
class Logistic:
    """Any number of labels, each there or not.

    Attributes
    ----------
    outputs : int
        Labels; each gets a probability of its own.
    """

    family: ClassVar[Family] = LOGISTIC
    base_score: ClassVar[float] = 0.5
    is_sure: ClassVar[bool] = True
    outputs: int

    def parameters(self) -> Mapping[str, Any]:
        """Of XGBoost."""
        return {"objective": "binary:logistic", "eval_metric": "logloss"}

    def columns(self, targets: Targets) -> NDArray[np.float64]:
        """Give 1 at the labels of the row, otherwise 0."""
        return np.asarray(targets.values, dtype=np.float64)

    def offset(self, targets: Targets) -> float:  # noqa: ARG002
        """Nothing: a margin of 0 is a probability of one half."""
        return 0.0

    def errors(self, margins: NDArray[np.float32], targets: Targets) -> float:
        """Wrong labels of a row."""
        return targets.mean(np.sum((margins > 0) != (targets.values > 0), axis=1))

    def loss(self, margins: NDArray[np.float32], targets: Targets) -> float:
        """Log loss of all labels of a row."""
        return -targets.mean(log_expit(np.where(targets.values > 0, margins, -margins)).sum(axis=1))
