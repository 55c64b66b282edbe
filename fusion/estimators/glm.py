"""Generalised linear models with a quadratic penalty, on rows that are read when they are wanted.

The second derivative of the softmax's log loss is nowhere more than half the Gram matrix of the columns. So one
Cholesky factor of that matrix serves all classes and all steps, each of which lowers the loss. The first step is ridge
regression of the classes; more go on towards the multinomial fit, and how many is chosen with the penalty. For the
squared error the Gram matrix itself is the second derivative, and one step is exact.

References
----------
Böhning, "Multinomial logistic regression algorithm", 1992 (the bound). Nesterov, "A method of solving a convex
programming problem with convergence rate O(1/k^2)", 1983 (the momentum between steps).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit, softmax
from threadpoolctl import threadpool_limits

from fusion.estimators.gram import EXACT, Gram, StandardRows, precision, standard_rows
from fusion.estimators.partitions import LearnedRows, OnePartition, Partitions
from fusion.estimators.trainers import Partitioner, RowSource

__all__ = ["LOGISTIC", "SOFTMAX", "SQUARED", "Array", "Family", "GlmFit", "Losses", "fit_glm", "least_loss"]

_PATIENCE = 4
_NEAR = 0.01

Array = NDArray[np.float64]
Losses = Callable[[NDArray[np.float32]], tuple[float, float]]
"""Tells how bad out-of-fold values, shape (n, c), are: by a smooth measure, and by the one that is wanted."""


@dataclass(frozen=True)
class Family:
    """A loss of linear predictors, by what its steps need.

    Attributes
    ----------
    residual : callable
        Of predictors and targets, both of shape (b, c): the targets less what is expected of them.
    intercept : callable
        Of the targets' mean, shape (c,): where the intercept starts.
    bound : float > 0
        Of the loss's second derivative in the predictors.
    steps : int > 0
        Most steps.
    """

    residual: Callable[[Array, Array], Array]
    intercept: Callable[[Array], Array]
    bound: float
    steps: int


SQUARED = Family(lambda values, targets: targets - values, np.zeros_like, bound=1.0, steps=1)
SOFTMAX = Family(
    lambda values, targets: targets - softmax(values, axis=1),
    lambda mean: np.log(np.maximum(mean, 1e-4)),
    bound=0.5,
    steps=12,
)
LOGISTIC = Family(
    lambda values, targets: targets - expit(values),
    lambda mean: logit(np.clip(mean, 1e-4, 1 - 1e-4)),
    bound=0.25,
    steps=12,
)


@dataclass(frozen=True, eq=False)
class GlmFit:
    """A generalised linear model.

    Attributes
    ----------
    coefficients : NDArray of float64, shape=(p + 1, c)
        Of the columns as they are given; the last row is the intercept.
    out_of_fold : NDArray of float32, shape=(n, c)
        The predictor of each row by a fit that never saw its fold.
    penalty : float
    steps : int
        That were chosen.
    """

    coefficients: Array
    out_of_fold: NDArray[np.float32]
    penalty: float
    steps: int


def fit_glm(
    rows: RowSource,
    targets: Array,
    folds: NDArray[np.intp],
    family: Family,
    *,
    penalties: Sequence[float],
    losses: Losses,
    weights: Array | None = None,
    scales: Array | None = None,
    threads: int | None = None,
    partitioned: Partitioner = OnePartition,
) -> GlmFit:
    """Fit on standardised columns, penalty and steps chosen by cross-validation; a missing value counts as 0.

    Parameters
    ----------
    rows : RowSource
        Float32, shape (n, p).
    targets : NDArray of float64, shape=(n, c)
        Numbers for `SQUARED`; for `SOFTMAX` and `LOGISTIC` 1 at the class or the labels of the row, otherwise 0.
    folds : NDArray of intp, shape=(n,)
        Fold of each row, no group in two of them. With one fold only, the middle penalty, all steps, and out-of-fold
        values of 0.
    family : Family
    penalties : sequence of float > 0
        To choose from; each is multiplied by the number of rows, or by the sum of their weights. From the middle on
        they are tried until the loss rises on both sides.
    losses : callable
        Of out-of-fold values, shape (n, c). The first loss is followed, over penalties and steps. Of what is within a
        hundredth of its minimum the fit with the least second loss is chosen, which may be a number of errors.
    weights : NDArray of float64, shape=(n,), optional
        How often each row counts; None = once.
    scales : NDArray of float64, shape=(p,), optional
        Deviation of each standardised column: the penalty weighs less on larger ones. None = 1.
    threads : int, optional
        Of the linear algebra, where there are more than 4,096 unknowns; fewer are solved by one thread, which is as
        fast where others use the processor too. None = as many as it takes by itself.
    partitioned : callable
        Says where the rows are read and summed; in one partition here, if it says nothing. Fewer rows than columns are
        not asked for.
    """
    learned = LearnedRows(rows, targets, folds, np.ones(len(targets)) if weights is None else weights)
    wide = rows.shape[0] < rows.shape[1]
    ordered = sorted(penalties)
    with threadpool_limits(threads if min(rows.shape) > EXACT else 1, user_api="blas"):
        kind = precision(min(rows.shape), once=family.steps == 1)
        made, unscaled = standard_rows(
            OnePartition(learned) if wide else partitioned(learned), scales, wide=wide, kind=kind
        )
        problem = _Problem.of(made, learned, family, kind)
        if folds.any():
            found = _chosen(problem, ordered, losses)
        else:
            found = _Tried(0.0, 0.0, ordered[len(ordered) // 2], family.steps, np.zeros(targets.shape, np.float32))
        fit = problem.fitted(found.penalty, found.steps)
        return GlmFit(unscaled(fit.coefficients, fit.intercept), found.values, found.penalty, found.steps)


def least_loss(
    rows: StandardRows,
    targets: Array,
    folds: NDArray[np.intp],
    family: Family,
    *,
    penalties: Sequence[float],
    losses: Losses,
    weights: Array,
) -> float:
    """Return the least first loss over penalties and steps, of rows as they are; see `fit_glm`."""
    learned = LearnedRows(rows, targets, folds, weights)
    problem = _Problem.of(OnePartition(learned), learned, family, precision(rows.width, once=family.steps == 1))
    return _chosen(problem, sorted(penalties), losses, near=0.0).first


@dataclass(frozen=True, eq=False)
class _Problem:
    """Standardised rows and what is learned of them, which alone is here as a whole."""

    rows: Partitions[LearnedRows[StandardRows]]
    gram: Gram
    targets: Array
    folds: NDArray[np.intp]
    weights: Array
    family: Family

    @classmethod
    def of(
        cls,
        rows: Partitions[LearnedRows[StandardRows]],
        learned: LearnedRows[Any],
        family: Family,
        kind: type[np.floating[Any]],
    ) -> _Problem:
        totals: Array = np.bincount(learned.folds, learned.weights).astype(float)
        gram = Gram(rows, totals, kind)
        return cls(rows, gram, learned.targets, learned.folds, learned.weights, family)

    def out_of_fold(self, penalty: float) -> Iterator[NDArray[np.float32]]:
        """Yield the out-of-fold predictors after each step, shape (n, c)."""
        fits = [_Descent(self, penalty, fold) for fold in range(int(self.folds.max()) + 1)]
        for passed in _steps(self, fits):
            yield np.concatenate(list(self.rows.map(_of_own_fold, passed)))

    def fitted(self, penalty: float, steps: int) -> _Descent:
        """Return the fit to all rows after so many steps."""
        fit = _Descent(self, penalty, None)
        for done, _ in enumerate(_steps(self, [fit]), 1):
            if done == steps:
                break
        return fit


class _Descent:
    """One fit on its way: to the rows outside a fold, or to all of them."""

    def __init__(self, problem: _Problem, penalty: float, without: int | None) -> None:
        self.without = without
        weights = _outside(problem.folds, problem.weights, without)
        self._total = weights.sum()
        self._penalty, self._bound = penalty * self._total, problem.family.bound
        self._solve, self._mean = problem.gram.solver(without, self._penalty / self._bound)
        mean = weights @ problem.targets / self._total
        self._level = problem.family.intercept(mean)
        self.coefficients = np.zeros((len(self._mean), len(mean)))
        self._before = self.coefficients, self._level

    @property
    def intercept(self) -> Array:
        """Shape (c,)."""
        return self._level - self._mean @ self.coefficients

    def step(self, gradient: Array, sums: Array, momentum: float) -> None:
        """Take a step from ahead of here, where these gradients of coefficients and intercept were had."""
        coefficients = self.coefficients + momentum * (self.coefficients - self._before[0])
        level = self._level + momentum * (self._level - self._before[1])
        self._before = self.coefficients, self._level
        centred = gradient - np.outer(self._mean, sums)
        self.coefficients = coefficients + self._solve(centred - self._penalty * coefficients) / self._bound
        self._level = level + sums / (self._total * self._bound)


def _outside(folds: NDArray[np.intp], weights: Array, without: int | None) -> Array:
    return weights if without is None else np.where(folds == without, 0.0, weights)


def _steps(problem: _Problem, fits: Sequence[_Descent]) -> Iterator[Partitions[_Passed]]:
    """Take the steps of all fits; after each, yield what a pass over the rows with its coefficients found."""
    ahead, momentum = 1.0, 0.0
    passed: Partitions[_Passed] | None = None
    for done in range(problem.family.steps + 1):
        passed = problem.rows.map(_pass, passed, _Sent.of(fits, momentum, problem.family))
        if done:
            yield passed
        gradients = np.split(passed.map(_gradient_of).total(), len(fits), axis=1)
        for fit, gradient in zip(fits, gradients, strict=True):
            fit.step(gradient[:-1], gradient[-1], momentum)
        after = (1 + np.sqrt(1 + 4 * ahead**2)) / 2
        ahead, momentum = after, (ahead - 1) / after


@dataclass(frozen=True, eq=False)
class _Sent:
    """What the rows have to know of fits for a pass over them."""

    coefficients: NDArray[np.float32]
    intercepts: Array
    without: tuple[int | None, ...]
    momentum: float
    residual: Callable[[Array, Array], Array]

    @classmethod
    def of(cls, fits: Sequence[_Descent], momentum: float, family: Family) -> _Sent:
        beside = np.hstack([fit.coefficients for fit in fits]).astype(np.float32)
        intercepts = np.stack([fit.intercept for fit in fits])
        return cls(beside, intercepts, tuple(fit.without for fit in fits), momentum, family.residual)


@dataclass(frozen=True, eq=False)
class _Passed:
    """Values of each fit, shape (fits, b, c), and gradients of coefficients and, last, intercept, (p + 1, fits * c)."""

    values: NDArray[np.float32]
    gradient: Array


def _pass(learned: LearnedRows[StandardRows], before: _Passed | None, sent: _Sent) -> _Passed:
    """Read the rows once: predict them, and add up the gradients ahead of where the values before lead."""
    weights = [_outside(learned.folds, learned.weights, fold)[:, None] for fold in sent.without]
    after = np.empty((len(weights), *learned.targets.shape), np.float32)
    gradient, sums = np.zeros(sent.coefficients.shape), np.zeros(sent.intercepts.shape)
    for part, block in learned.rows:
        residuals = []
        for number, found in enumerate(np.split(block @ sent.coefficients, len(weights), axis=1)):
            values = found + sent.intercepts[number]
            after[number, part] = values
            further = values if before is None else values + sent.momentum * (values - before.values[number, part])
            residuals.append(sent.residual(further, learned.targets[part]) * weights[number][part])
            sums[number] += residuals[-1].sum(axis=0)
        gradient += block.T @ np.hstack(residuals).astype(np.float32)
    return _Passed(after, np.vstack([gradient, sums.ravel()]))


def _gradient_of(passed: _Passed) -> Array:
    return passed.gradient


def _of_own_fold(learned: LearnedRows[StandardRows], passed: _Passed) -> NDArray[np.float32]:
    found: NDArray[np.float32] = passed.values[learned.folds, np.arange(len(learned.folds))]
    return found


@dataclass(frozen=True, eq=False)
class _Tried:
    first: float
    second: float
    penalty: float
    steps: int
    values: NDArray[np.float32]


def _chosen(problem: _Problem, penalties: Sequence[float], losses: Losses, near: float = _NEAR) -> _Tried:
    ahead, lowest, kept = [len(penalties) // 2], dict[int, float](), list[_Tried]()
    while ahead:
        for place in ahead:
            path = list(_followed(problem, penalties[place], losses, kept, near))
            lowest[place] = min(path)
        best = min(lowest, key=lambda place: lowest[place])
        ahead = [place for place in (best - 1, best + 1) if place not in lowest and 0 <= place < len(penalties)]
    return min(kept, key=lambda tried: (tried.second, tried.first))


def _followed(problem: _Problem, penalty: float, losses: Losses, kept: list[_Tried], near: float) -> Iterator[float]:
    """Yield the loss after each step until it does not fall any more; `kept` has what is near the least of all."""
    path: list[float] = []
    for steps, values in enumerate(problem.out_of_fold(penalty), 1):
        tried = _Tried(*losses(values), penalty, steps, values)
        path.append(tried.first)
        limit = (1 + near) * min(tried.first, *(one.first for one in kept), np.inf)
        kept[:] = [one for one in (*kept, tried) if one.first <= limit]
        yield tried.first
        if min(path) < min(path[-_PATIENCE:]):
            return
