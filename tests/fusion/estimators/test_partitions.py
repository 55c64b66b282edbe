"""A linear fit in several partitions is that of all rows at once, whatever a partition lacks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial, reduce
from operator import add
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import log_expit, log_softmax

from fusion.estimators.glm import LOGISTIC, SOFTMAX, SQUARED, Family, fit_glm
from fusion.estimators.partitions import LearnedRows, OnePartition, Partitions


@dataclass
class Several(Partitions[Any]):
    """Partitions in this process."""

    values: list[Any]

    def map(self, work: Callable[..., Any], *given: Any) -> Several:
        besides = [each.values if isinstance(each, Several) else [each] * len(self.values) for each in given]
        return Several(list(map(work, self.values, *besides)))

    def total(self) -> Any:
        return reduce(add, self.values)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.values)


def cut(learned: LearnedRows[Any], count: int) -> Several:
    places = np.array_split(np.arange(len(learned.folds)), count)
    return Several([learned.take(part, learned.rows[part]) for part in places])


def losses(family: Family, y: NDArray[np.float64]) -> Callable[[NDArray[np.float32]], tuple[float, float]]:
    def one(values: NDArray[np.float32]) -> tuple[float, float]:
        found = {
            SQUARED: lambda: np.square(values - y).mean(),
            SOFTMAX: lambda: -(y * log_softmax(values, axis=1)).sum(axis=1).mean(),
            LOGISTIC: lambda: -(y * log_expit(values) + (1 - y) * log_expit(-values)).mean(),
        }[family]()
        return float(found), float(found)

    return one


@pytest.fixture
def rows() -> tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.intp]]:
    """Rows sorted by class and fold, so that partitions have some of them only; columns far from 0, gaps."""
    random = np.random.default_rng(2)
    x = (random.normal(size=(240, 15)) * np.geomspace(0.1, 10, 15) + 50).astype(np.float32)
    x[:, 4] = 7
    x[::9, 5] = np.nan
    score = (x[:, 2] - 50) / x[:, 2].std() + random.normal(size=240)
    order = np.argsort(score)
    return x[order], np.eye(3)[np.repeat([0, 1, 2], 80)], np.arange(240) // 20 % 4


@pytest.mark.parametrize("count", [2, 5])
@pytest.mark.parametrize("family", [SOFTMAX, LOGISTIC, SQUARED], ids=["classes", "labels", "numbers"])
def test_partitions_give_the_fit_of_all_rows(
    rows: tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.intp]], family: Family, count: int
) -> None:
    x, y, folds = rows
    weights = 1.0 + np.arange(len(x)) % 3
    fit = partial(fit_glm, x, y, folds, family, penalties=[0.001, 0.01, 0.1, 1.0], losses=losses(family, y))
    scales = np.linspace(0.5, 2, x.shape[1])
    without_the_first = np.where(np.arange(len(x)) < 60, 0.0, 1.0)  # nor any of the first partition of five
    for more in ({}, {"weights": weights, "scales": scales}, {"weights": without_the_first}):
        whole = fit(**more)
        apart = fit(**more, partitioned=lambda learned: cut(learned, count))
        assert (apart.penalty, apart.steps) == (whole.penalty, whole.steps)
        np.testing.assert_allclose(apart.coefficients, whole.coefficients, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(apart.out_of_fold, whole.out_of_fold, rtol=1e-4, atol=1e-4)


def test_rows_that_are_read_anew_for_each_step_say_the_same(
    rows: tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.intp]],
) -> None:
    x, y, folds = rows
    fit = partial(fit_glm, x, y, folds, SOFTMAX, penalties=[0.01], losses=losses(SOFTMAX, y))
    anew = fit(partitioned=lambda learned: OnePartition(replace(learned, kept_bytes=0)))
    np.testing.assert_array_equal(anew.coefficients, fit().coefficients)


def test_fewer_rows_than_columns_are_not_cut(
    rows: tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.intp]],
) -> None:
    x, y, folds = (each[:12] for each in rows)
    fit = partial(fit_glm, x, y, folds % 2, SQUARED, penalties=[0.1], losses=losses(SQUARED, y))
    np.testing.assert_array_equal(fit(partitioned=lambda learned: cut(learned, 2)).coefficients, fit().coefficients)
