"""From which probability on a class or a label is named: chosen on predictions out of fold."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["class_thresholds", "label_thresholds"]

_SWEEPS = 20
_LEAST = 1e-7
_GAIN = 1e-9


def label_thresholds(probabilities: NDArray[np.float64], truth: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return for each label the probability above which naming it has the highest F1.

    Parameters
    ----------
    probabilities : NDArray of float64
        Of each label, shape (n, labels).
    truth : NDArray of bool
        Whether each row has each label, shape (n, labels).

    Returns
    -------
    NDArray of float64
        Shape (labels,), within (0, 1); 0.5 of a label that no row has, or all have.

    Examples
    --------
    >>> label_thresholds(np.array([[0.1], [0.2], [0.3], [0.4]]), np.array([[False], [False], [True], [True]]))
    array([0.25])
    """
    return np.array([_f1_threshold(*column) for column in zip(probabilities.T, truth.T, strict=True)])


def class_thresholds(probabilities: NDArray[np.float64], codes: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return thresholds with which the class of the highest probability / threshold has the highest mean recall.

    Parameters
    ----------
    probabilities : NDArray of float64
        Of each class, shape (n, classes).
    codes : NDArray of intp
        Class of each row, shape (n,).

    Returns
    -------
    NDArray of float64
        Shape (classes,), positive, with the sum 1: of two classes, the probability from which on each is named.

    Notes
    -----
    One class after the other gets the best threshold given the others', until none is better: exact for two classes.
    Where a whole range is best, its middle in log odds is taken. If the probabilities are right, the mean recall is
    highest where the thresholds are the shares of the classes.
    """
    scores = np.log(np.clip(probabilities, _LEAST, 1.0))
    shifts, best = np.zeros(scores.shape[1]), -1.0
    each = 1.0 / np.bincount(codes, minlength=len(shifts)).clip(min=1)
    for _ in range(_SWEEPS):
        before = best
        for number in range(len(shifts)):
            shifts[number], best = _best_shift(scores + shifts, number, codes, each, shifts[number])
        if best < before + _GAIN:
            break
    found = np.exp(-(shifts - shifts.min()))
    return np.asarray(found / found.sum())


def _f1_threshold(probability: NDArray[np.float64], held: NDArray[np.bool_]) -> float:
    if held.all() or not held.any():
        return 0.5
    order = np.argsort(-probability, kind="stable")
    ranked, hits = probability[order], held[order].cumsum()
    f1 = 2 * hits / (np.arange(1, len(order) + 1) + held.sum())
    apart = np.append(ranked[1:] < ranked[:-1], True)
    last = int(np.flatnonzero(apart)[f1[apart].argmax()])
    below = ranked[last + 1] if last + 1 < len(ranked) else 0.0
    return float(np.clip((ranked[last] + below) / 2, _LEAST, 1 - _LEAST))


def _best_shift(
    scores: NDArray[np.float64], number: int, codes: NDArray[np.intp], each: NDArray[np.float64], now: float
) -> tuple[float, float]:
    """Return what to add to the log probability of one class, and the sum of recalls that it gives.

    A row falls to the class once the shift passes the lead that the best of the others has; each passing adds a hit of
    this class, or takes one from the class that had the row.
    """
    others = scores.copy()
    others[:, number] = -np.inf
    rival = others.argmax(axis=1)
    lead = others[np.arange(len(codes)), rival] - (scores[:, number] - now)
    order = np.argsort(lead, kind="stable")
    change = np.where(codes == number, each[number], -np.where(codes == rival, each[codes], 0.0))[order]
    reached = np.concatenate([[0.0], change.cumsum()]) + np.where((codes == rival), each[codes], 0.0).sum()
    ends = np.concatenate([[lead[order[0]] - 1.0], lead[order], [lead[order[-1]] + 1.0]])
    middles, open_ = (ends[1:] + ends[:-1]) / 2, ends[1:] > ends[:-1] + _GAIN
    best = reached[open_].max()
    equal = middles[open_ & (reached >= best - _GAIN)]
    return float(equal[np.abs(equal - now).argmin()]), float(best)
