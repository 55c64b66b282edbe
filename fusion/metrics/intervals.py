"""Intervals of figures: over rows, over whole groups, over folds; and what every set of figures can say."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit

from fusion.errors import DataError
from fusion.settings import at_least, require
from fusion.splits import group_codes

__all__ = ["Figures", "Interval", "bootstrap_intervals", "mean_accuracy_interval", "mean_interval"]

Interval = tuple[float, float]
_DRAWS_AT_ONCE = 4_000_000


class Figures(ABC):
    """How good answers are, whatever was asked: frozen dataclasses with a field called as `measure` says.

    Attributes
    ----------
    measure : str
        Name of the figure that models are compared by; the higher the better, 1 at most.
    least : float
        The lowest that it can be.
    rows : int
        Number of rows evaluated.
    """

    measure: ClassVar[str]
    least: ClassVar[float] = 0.0
    rows: int

    @property
    def score(self) -> float:
        """The figure called `measure`."""
        return float(getattr(self, self.measure))

    @property
    def interval(self) -> Interval:
        """Its 95 % interval: over folds or groups, where there are such, else over rows."""
        return preferred(self.intervals)

    @property
    @abstractmethod
    def intervals(self) -> Mapping[str, Interval]:
        """Its interval of each kind: "rows", and, where there are such, "groups" and "folds"."""

    @abstractmethod
    def with_score(self, score: float, intervals: Mapping[str, Interval]) -> Self:
        """Return the same figures with another score and its intervals."""

    def over_folds(self, scores: Sequence[float]) -> Self:
        """Return the same figures with the mean of the folds' scores in place of the score, the others of all rows.

        Of two folds or more it has Student's interval, within what the score can be.
        """
        mean, intervals = float(np.mean(scores)), self.intervals
        if len(scores) > 1:
            low, high = mean_interval(scores)
            intervals = {**intervals, "folds": (max(low, self.least), min(high, 1.0))}
        return self.with_score(mean, intervals)

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain numbers, strings, lists and dictionaries."""


def preferred(intervals: Mapping[str, Interval]) -> Interval:
    """Give the interval that says most: over folds, else over groups, else over rows."""
    return intervals.get("folds") or intervals.get("groups") or intervals["rows"]


def bootstrap_intervals(
    sums: NDArray[np.float64],
    statistic: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    groups: ArrayLike | None = None,
    *,
    resamples: int = 2000,
    seed: int = 42,
) -> dict[str, NDArray[np.float64]]:
    """Return the 95 % bootstrap intervals of figures that follow from sums over rows.

    Parameters
    ----------
    sums : float64 array, shape (n, s)
        What each row adds.
    statistic : callable
        Takes sums of rows, shape (resamples, s), to figures, shape (resamples, m).
    groups : array_like, optional
        Group of each row, shape (n,), or None.
    resamples, seed : int
        Of the bootstrap.

    Returns
    -------
    dict of str to float64 array, shape (m, 2)
        By "rows" and, for two or more groups, by "groups"; see `accuracy_interval` for what they say.

    Raises
    ------
    DataError
        No rows, or not one group for each.
    ConfigError
        Nothing to draw.

    Examples
    --------
    >>> found = bootstrap_intervals(np.ones((5, 1)), lambda sums: 2 * sums)
    >>> found["rows"].tolist()
    [[10.0, 10.0]]
    """
    members, random = members_of(groups, len(sums)), generator(resamples, seed)
    found = {"rows": _percentiles(statistic(_drawn(sums, resamples, random)))}
    if members is not None:
        whole = np.zeros((members.max() + 1, sums.shape[1]))
        np.add.at(whole, members, sums)
        found["groups"] = _percentiles(statistic(_drawn(whole, resamples, random)))
    return found


def mean_interval(values: ArrayLike, level: float = 0.95) -> Interval:
    """Return Student's interval of the mean of two or more independent values, such as accuracies of folds.

    Raises
    ------
    DataError
        No values, or what is no number.
    """
    found = numbers_of(values)
    if not len(found):
        raise DataError("no values to take the mean of; expected two or more.")
    reach = float(stdtrit(len(found) - 1, (1 + level) / 2)) * float(np.std(found, ddof=1)) / len(found) ** 0.5
    return float(np.mean(found)) - reach, float(np.mean(found)) + reach


def mean_accuracy_interval(accuracies: ArrayLike) -> Interval:
    """Return `mean_interval` of accuracies, within what an accuracy can be."""
    low, high = mean_interval(accuracies)
    return max(low, 0.0), min(high, 1.0)


def members_of(groups: ArrayLike | None, rows: int) -> NDArray[np.intp] | None:
    """Return the group of each row as a number, shape (rows,); None where there are fewer than two groups.

    Raises
    ------
    DataError
        No rows, or not one group for each.
    """
    if not rows:
        raise DataError("no rows to measure; expected at least one.")
    if groups is None:
        return None
    members = group_codes(groups)
    if len(members) != rows:
        raise DataError(f"{len(members)} groups for {rows} rows; expected one for each row, None where it has none.")
    return members if members.max() > 0 else None


def generator(resamples: int, seed: int) -> np.random.Generator:
    """Give the random numbers of a bootstrap; ConfigError where nothing is drawn, or the seed is no whole number."""
    require("resamples", resamples, at_least(1), "how often to draw, 1 or more")
    require("seed", seed, at_least(0), "a whole number, 0 or more")
    return np.random.default_rng(seed)


def numbers_of(values: ArrayLike) -> NDArray[np.float64]:
    """Return an array of float64; DataError where a value is no number, or rows are of different lengths."""
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"the values are not all numbers: {error}. Leave such rows out.") from error


def multinomial_draws(count: int, resamples: int, random: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    """Give how often each of `count` is drawn with replacement, as parts of an array of shape (resamples, count)."""
    step = max(1, _DRAWS_AT_ONCE // count)
    shares = np.full(count, 1 / count)
    for first in range(0, resamples, step):
        yield random.multinomial(count, shares, size=min(step, resamples - first))


def _drawn(sums: NDArray[np.float64], resamples: int, random: np.random.Generator) -> NDArray[np.float64]:
    return np.concatenate([draw @ sums for draw in multinomial_draws(len(sums), resamples, random)])


def _percentiles(figures: NDArray[np.float64]) -> NDArray[np.float64]:
    found: NDArray[np.float64] = np.quantile(figures, [0.025, 0.975], axis=0).T
    return found
