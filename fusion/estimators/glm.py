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

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit, softmax
from threadpoolctl import threadpool_limits

from fusion.estimators.gram import EXACT, Gram, StandardRows, precision, standard_rows
from fusion.estimators.trainers import RowSource

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
    """
    counts = np.ones(len(targets)) if weights is None else weights
    ordered = sorted(penalties)
    with threadpool_limits(threads if min(rows.shape) > EXACT else 1, user_api="blas"):
        kind = precision(min(rows.shape), once=family.steps == 1)
        made = standard_rows(rows, counts, scales, kind=kind)
        problem = _Problem(made, Gram(made, folds, counts, kind), targets, folds, counts, family)
        if folds.any():
            found = _chosen(problem, ordered, losses)
        else:
            found = _Tried(0.0, 0.0, ordered[len(ordered) // 2], family.steps, np.zeros(targets.shape, np.float32))
        fit = problem.fitted(found.penalty, found.steps)
        coefficients = made.of_given_columns(fit.coefficients, fit.intercept)
        return GlmFit(coefficients, found.values, found.penalty, found.steps)


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
    gram = Gram(rows, folds, weights, precision(rows.width, once=family.steps == 1))
    problem = _Problem(rows, gram, targets, folds, weights, family)
    return _chosen(problem, sorted(penalties), losses, near=0.0).first


@dataclass(frozen=True, eq=False)
class _Problem:
    rows: StandardRows
    gram: Gram
    targets: Array
    folds: NDArray[np.intp]
    weights: Array
    family: Family

    def out_of_fold(self, penalty: float) -> Iterator[NDArray[np.float32]]:
        """Yield the out-of-fold predictors after each step, shape (n, c)."""
        fits = [_Descent(self, penalty, fold) for fold in range(int(self.folds.max()) + 1)]
        for _ in _steps(self, fits):
            values = np.empty(self.targets.shape, np.float32)
            for fold, fit in enumerate(fits):
                values[self.folds == fold] = fit.values[self.folds == fold]
            yield values

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
        self.weights = (
            np.where(problem.folds == without, 0.0, problem.weights) if without is not None else problem.weights
        )
        self._total = self.weights.sum()
        self._penalty, self._bound = penalty * self._total, problem.family.bound
        self._solve, self._mean = problem.gram.solver(without, self._penalty / self._bound)
        mean = self.weights @ problem.targets / self._total
        self._level = problem.family.intercept(mean)
        self.coefficients = np.zeros((len(self._mean), len(mean)))
        self._before = self.coefficients, self._level
        self.values = np.broadcast_to(self._level, problem.targets.shape).astype(np.float32)

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


def _steps(problem: _Problem, fits: Sequence[_Descent]) -> Iterator[None]:
    """Take the steps of all fits; after each, the values of every fit are those of its coefficients."""
    ahead, momentum = 1.0, 0.0
    for done in range(problem.family.steps + 1):
        gradients, sums = _pass(problem, fits, momentum)
        if done:
            yield
        for fit, gradient, total in zip(fits, gradients, sums, strict=True):
            fit.step(gradient, total, momentum)
        after = (1 + np.sqrt(1 + 4 * ahead**2)) / 2
        ahead, momentum = after, (ahead - 1) / after


def _pass(problem: _Problem, fits: Sequence[_Descent], momentum: float) -> tuple[list[Array], list[Array]]:
    """Read the rows once: predict them, and return the gradients of coefficients and intercept ahead of them."""
    beside = np.hstack([fit.coefficients for fit in fits]).astype(np.float32)
    gradient, sums = np.zeros(beside.shape), np.zeros((len(fits), problem.targets.shape[1]))
    for part, block in problem.rows:
        residuals = []
        for number, (fit, found) in enumerate(zip(fits, np.split(block @ beside, len(fits), axis=1), strict=True)):
            values = found + fit.intercept
            before, fit.values[part] = fit.values[part], values
            residual = problem.family.residual(values + momentum * (values - before), problem.targets[part])
            residuals.append(residual * fit.weights[part, None])
            sums[number] += residuals[-1].sum(axis=0)
        gradient += block.T @ np.hstack(residuals).astype(np.float32)
    return np.split(gradient, len(fits), axis=1), list(sums)


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
