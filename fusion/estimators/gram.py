"""Standardised rows and their Gram matrix, added up block by block: what a linear fit needs of its rows.

The matrix is kept for each fold, so that the fit without a fold costs no second reading. One Cholesky factor for each
penalty and fold is cheaper than one eigendecomposition for all penalties: a twentieth of its time at 2,000 unknowns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, cho_factor, cho_solve, solve_triangular
from scipy.linalg.blas import get_blas_funcs
from sklearn.preprocessing import StandardScaler

from fusion.estimators.partitions import LearnedRows, OnePartition, Partitions
from fusion.estimators.trainers import RowSource, chunks

__all__ = ["EXACT", "Gram", "RotatedRows", "StandardRows", "filled", "precision", "standard_rows"]

_CHUNK_BYTES = 64 << 20
EXACT = 4096
_EXACT_STEPS = 512
"""Unknowns up to which sums and factors are float64, of one step and of several: those that follow a step mend what it
lost by rounding. Float32 takes half the time and memory."""


class StandardRows(Protocol):
    """Rows of standardised columns, or of as many numbers that say the same."""

    width: int

    def __iter__(self) -> Iterator[tuple[NDArray[np.intp], NDArray[np.float32]]]:
        """Yield positions, and their rows."""


Unscale = Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]]
"""Makes of coefficients, shape (width, c), and an intercept, (c,), those of the columns as they were given, (p + 1, c);
the intercept is last."""


def precision(unknowns: int, *, once: bool) -> type[np.floating[Any]]:
    """Return the type of sums and factors, of a fit of one step or of several."""
    return np.float64 if unknowns <= (EXACT if once else _EXACT_STEPS) else np.float32


def standard_rows(
    rows: Partitions[LearnedRows[RowSource]],
    scales: NDArray[np.float64] | None = None,
    *,
    wide: bool,
    kind: type[np.floating[Any]] = np.float64,
) -> tuple[Partitions[LearnedRows[StandardRows]], Unscale]:
    """Standardise rows, each counting as often as its weight; a missing value counts as 0.

    The deviation of each column is 1, or its part of `scales`, shape (p,). `wide` rows, fewer than their columns, stand
    in one partition; they become n numbers each, by products of type `kind`.
    """
    scaler = rows.map(_Moments.of).total().scaler
    if scales is not None:
        scaler.scale_ = scaler.scale_ / scales
    if not wide:
        return rows.map(_standard, scaler), partial(_unscaled, scaler)
    learned = next(iter(rows))
    made = _Wide(learned.rows, scaler, kind)
    return OnePartition(learned.having(made)), made.of_given_columns


@dataclass(frozen=True, eq=False)
class _Moments:
    """Mean and deviation of some rows' columns, which add up to those of all rows."""

    scaler: StandardScaler

    @classmethod
    def of(cls, learned: LearnedRows[RowSource]) -> _Moments:
        scaler = StandardScaler()
        alike = bool(np.all(learned.weights == 1))
        for part in _parts(learned.rows):
            if learned.weights[part].any():
                scaler.partial_fit(filled(learned.rows[part]), sample_weight=None if alike else learned.weights[part])
        return cls(scaler)

    def __add__(self, other: _Moments) -> _Moments:
        counted = [each for each in (self, other) if hasattr(each.scaler, "mean_")]
        if len(counted) < 2:
            return counted[0] if counted else self
        # two rows that weigh as much as all others, a deviation below their mean and above it, have their moments
        both = [each.scaler for each in counted]
        rows = [each.mean_ + side * np.sqrt(each.var_) for each in both for side in (-1, 1)]
        halves = np.repeat([float(each.n_samples_seen_) / 2 for each in both], 2)
        return _Moments(StandardScaler().fit(np.stack(rows), sample_weight=halves))


def _standard(learned: LearnedRows[RowSource], scaler: StandardScaler) -> LearnedRows[StandardRows]:
    return learned.having(_Columns(learned.rows, scaler, learned.kept_bytes))


class _Columns:
    """All columns, kept in memory where they fit."""

    def __init__(self, rows: RowSource, scaler: StandardScaler, kept_bytes: int) -> None:
        self.width = rows.shape[1]
        self._rows, self._scaler = rows, scaler
        self._kept: list[tuple[NDArray[np.intp], NDArray[np.float32]]] = []
        if 4 * rows.shape[0] * rows.shape[1] <= kept_bytes:
            self._kept = list(_standardised(rows, scaler))

    def __iter__(self) -> Iterator[tuple[NDArray[np.intp], NDArray[np.float32]]]:
        return iter(self._kept) if self._kept else _standardised(self._rows, self._scaler)


class RotatedRows:
    """The Cholesky factor of rows' products, shape (n, n): n columns with the same distances and products."""

    def __init__(self, products: NDArray[Any]) -> None:
        self.width = len(products)
        self.factor = np.tril(_factor(products, 0.0))
        self._short = self.factor.astype(np.float32, copy=False)

    def __iter__(self) -> Iterator[tuple[NDArray[np.intp], NDArray[np.float32]]]:
        """Yield positions, and their rows."""
        for part in chunks(np.arange(self.width), self.width, at_most=_CHUNK_BYTES):
            yield part, self._short[part]


class _Wide:
    """Fewer rows than columns, rotated."""

    def __init__(self, rows: RowSource, scaler: StandardScaler, kind: type[np.floating[Any]]) -> None:
        self.width = rows.shape[0]
        self._scaler = scaler
        self._whole = np.empty(rows.shape, np.float32)
        for part, block in _standardised(rows, scaler):
            self._whole[part] = block
        wide = self._whole.astype(kind, copy=False)
        self._rotated = RotatedRows(wide @ wide.T)

    def __iter__(self) -> Iterator[tuple[NDArray[np.intp], NDArray[np.float32]]]:
        return iter(self._rotated)

    def of_given_columns(
        self, coefficients: NDArray[np.float64], intercept: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        shares = solve_triangular(self._rotated.factor, coefficients, lower=True, trans="T", check_finite=False)
        return _unscaled(self._scaler, (self._whole.T @ shares.astype(np.float32)).astype(float), intercept)


@dataclass(frozen=True, eq=False)
class _GramSums:
    """Gram matrix and sum of the rows in each fold, which add up to those of all rows."""

    parts: list[NDArray[Any]]
    sums: NDArray[np.float64]

    @classmethod
    def of(cls, learned: LearnedRows[StandardRows], count: int, kind: type[np.floating[Any]]) -> _GramSums:
        rows, folds, weights = learned.rows, learned.folds, learned.weights
        parts = [np.zeros((rows.width, rows.width), kind, order="F") for _ in range(count)]
        sums = np.zeros((count, rows.width))
        (syrk,) = get_blas_funcs(("syrk",), (parts[0],))
        for part, block in rows:
            for fold in np.unique(folds[part]):
                inside = folds[part] == fold
                here, share = block[inside].astype(kind), weights[part[inside]]
                sums[fold] += share @ here
                here *= np.sqrt(share)[:, None].astype(kind)
                parts[fold] = syrk(1.0, here.T, beta=1.0, c=parts[fold], overwrite_c=True, lower=True)
        return cls(parts, sums)

    def __add__(self, other: _GramSums) -> _GramSums:
        return _GramSums([one + two for one, two in zip(self.parts, other.parts, strict=True)], self.sums + other.sums)


class Gram:
    """The Gram matrix of the rows outside each fold.

    Parameters
    ----------
    rows : Partitions of LearnedRows
        Standardised.
    totals : NDArray of float64, shape=(folds,)
        How often the rows of each fold count together.
    kind : type
        Of the sums.
    """

    def __init__(
        self,
        rows: Partitions[LearnedRows[StandardRows]],
        totals: NDArray[np.float64],
        kind: type[np.floating[Any]] = np.float64,
    ) -> None:
        found = rows.map(_GramSums.of, len(totals), kind).total()
        self._parts, self._sums, self._weights = found.parts, found.sums, totals
        self._whole = self._parts[0].copy(order="F") if len(totals) > 1 else self._parts[0]
        for gram in self._parts[1:]:
            self._whole += gram

    def solver(
        self, without: int | None, penalty: float
    ) -> tuple[Callable[[NDArray[np.float64]], NDArray[np.float64]], NDArray[np.float64]]:
        """Return what solves (centred Gram matrix + penalty) x = b, of the rows outside a fold, and their mean."""
        used = np.arange(len(self._parts)) != without
        total, sums = self._weights[used].sum(), self._sums[used].sum(axis=0)
        gram = self._whole.copy(order="F") if without is None else self._whole - self._parts[without]
        (syr,) = get_blas_funcs(("syr",), (gram,))
        gram = syr(-1.0 / total, sums.astype(gram.dtype), a=gram, lower=True, overwrite_a=True)
        factor = _factor(gram, penalty)

        def solve(right: NDArray[np.float64]) -> NDArray[np.float64]:
            return np.asarray(cho_solve((factor, True), right.astype(factor.dtype), check_finite=False), np.float64)

        return solve, sums / total


def _factor(gram: NDArray[Any], penalty: float) -> NDArray[Any]:
    """Return the lower Cholesky factor of the matrix, its diagonal raised by the penalty or by what rounding leaves."""
    raised = max(penalty, float(np.finfo(gram.dtype).eps * np.trace(gram)), float(np.finfo(np.float32).tiny))
    while True:
        padded = gram.copy(order="F")
        padded[np.diag_indices_from(padded)] += raised
        try:
            return np.asarray(cho_factor(padded, lower=True, overwrite_a=True, check_finite=False)[0])
        except LinAlgError:
            raised *= 4


def _parts(rows: RowSource) -> Iterator[NDArray[np.intp]]:
    return chunks(np.arange(rows.shape[0]), rows.shape[1], at_most=_CHUNK_BYTES)


def _standardised(rows: RowSource, scaler: StandardScaler) -> Iterator[tuple[NDArray[np.intp], NDArray[np.float32]]]:
    for part in _parts(rows):
        yield part, scaler.transform(filled(rows[part]))


def _unscaled(
    scaler: StandardScaler, coefficients: NDArray[np.float64], intercept: NDArray[np.float64]
) -> NDArray[np.float64]:
    weights = coefficients / scaler.scale_[:, None]
    return np.vstack([weights, intercept - scaler.mean_ @ weights])


def filled(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the rows with 0 for what is missing; themselves if nothing is."""
    return rows if np.isfinite(rows).all() else np.nan_to_num(rows, nan=0.0)
