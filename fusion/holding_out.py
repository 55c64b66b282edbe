"""Which training rows early stopping watches: whole groups, every class on both sides where that can be."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fusion.items import group_codes

__all__ = ["hold_out"]

_GROUP_DRAWS = 64


def hold_out(
    codes: NDArray[np.intp],
    groups: ArrayLike | None = None,
    *,
    fraction: float,
    seed: int,
) -> NDArray[np.bool_]:
    """Choose the rows that early stopping watches, as a mask of shape (n,).

    Whole groups are held out. Of several seeded draws the one is taken that leaves every class in both parts if any
    does, and holds out the fraction most evenly over the classes. With no groups, or a single one, rows are drawn per
    class; of a class with one row none is held out.

    Parameters
    ----------
    codes
        Class of each row as 0, 1, ..., shape (n,).
    groups
        Group of each row, shape (n,), or None.
    fraction
        Part to hold out, in (0, 1).
    seed
        The same seed gives the same mask.
    """
    random = np.random.default_rng(seed)
    members = None if groups is None else group_codes(groups)
    if members is None or members.max(initial=0) == 0 or members.max() == len(members) - 1:
        return _hold_out_rows(codes, fraction, random)
    counts = np.zeros((members.max() + 1, codes.max() + 1))
    np.add.at(counts, (members, codes), 1)
    held = min(_group_draws(len(counts), fraction, random), key=lambda draw: _unevenness(counts, draw, fraction))
    return held[members]


def _hold_out_rows(codes: NDArray[np.intp], fraction: float, random: np.random.Generator) -> NDArray[np.bool_]:
    held = np.zeros(len(codes), dtype=bool)
    for code in np.unique(codes):
        rows = random.permutation(np.flatnonzero(codes == code))
        held[rows[: min(round(fraction * len(rows)), len(rows) - 1)]] = True
    return held


def _group_draws(groups: int, fraction: float, random: np.random.Generator) -> Iterator[NDArray[np.bool_]]:
    size = min(max(round(fraction * groups), 1), groups - 1)
    for _ in range(_GROUP_DRAWS):
        held = np.zeros(groups, dtype=bool)
        held[random.permutation(groups)[:size]] = True
        yield held


def _unevenness(counts: NDArray[np.float64], held: NDArray[np.bool_], fraction: float) -> tuple[int, int, float]:
    inside = counts[held].sum(axis=0)
    total = counts.sum(axis=0)
    untrained = int(np.sum(inside == total))
    unwatched = int(np.sum(inside == 0))
    return untrained, unwatched, float(np.square(inside / total - fraction).sum())
