"""Whether one classifier is better than another on the same rows: intervals and paired tests."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtr, stdtrit
from scipy.stats import binomtest

__all__ = ["corrected_interval", "corrected_t_test", "mcnemar_test"]

_ROUNDING = 1e-12
"""Scores that are equal differ by less, in their last bits."""


def corrected_interval(scores: ArrayLike, ratio: float, level: float = 0.95) -> tuple[float, float]:
    """Return Student's interval of the mean of scores over folds and seeds, with the variance of `corrected_t_test`.

    Parameters
    ----------
    scores : array_like
        Of two or more folds, shape (j,).
    ratio : float
        Test rows over training rows of a fold.

    Examples
    --------
    >>> low, high = corrected_interval([0.8, 0.9, 0.85, 0.85], ratio=1 / 3)
    >>> round(low, 3), round(high, 3)
    (0.751, 0.949)
    """
    found = np.asarray(scores, dtype=np.float64)
    reach = float(stdtrit(len(found) - 1, (1 + level) / 2)) * _standard_error(found, ratio)
    return float(found.mean()) - reach, float(found.mean()) + reach


def corrected_t_test(differences: ArrayLike, ratio: float) -> float:
    """Return the two-sided p of differences between two classifiers on the same folds, by the corrected resampled t.

    Parameters
    ----------
    differences : array_like
        Of the scores of two or more folds, shape (j,).
    ratio : float
        Test rows over training rows of a fold.

    Notes
    -----
    Folds, and more so those of other seeds, share training rows, so their scores are not independent and the plain t is
    too sure. The variance of the mean is taken as (1 / j + ratio) times that of the differences (Nadeau and Bengio,
    "Inference for the Generalization Error", Machine Learning 52, 2003).

    Examples
    --------
    >>> round(corrected_t_test([0.02, 0.03, 0.01, 0.02], ratio=1 / 3), 3)
    0.049
    >>> corrected_t_test([0.0, 0.0], ratio=1.0)
    1.0
    """
    found = np.asarray(differences, dtype=np.float64)
    error = _standard_error(found, ratio)
    if error == 0:
        return 0.0 if abs(found.mean()) > _ROUNDING else 1.0
    return float(2 * stdtr(len(found) - 1, -abs(found.mean()) / error))


def mcnemar_test(first: ArrayLike, second: ArrayLike) -> float:
    """Return the two-sided p of two classifiers on the same rows, by McNemar's exact test.

    Parameters
    ----------
    first, second : array_like of bool
        Whether each was right, shape (n,). Only rows where one was count.

    Examples
    --------
    >>> round(mcnemar_test([1, 1, 1, 1, 1, 1, 0], [0, 0, 0, 0, 0, 0, 0]), 3)
    0.031
    """
    one, other = np.asarray(first, dtype=bool), np.asarray(second, dtype=bool)
    better, worse = int(np.sum(one & ~other)), int(np.sum(~one & other))
    return 1.0 if better == worse else float(binomtest(better, better + worse).pvalue)


def _standard_error(values: np.ndarray, ratio: float) -> float:
    spread = float(np.std(values, ddof=1))
    return 0.0 if spread < _ROUNDING else spread * float(np.sqrt(1 / len(values) + ratio))
