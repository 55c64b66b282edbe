"""Linear fits against scikit-learn: tall and wide rows, weights, folds, and the penalty and steps that are chosen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import log_softmax
from sklearn.linear_model import LogisticRegression, Ridge

from fusion.estimators import gram
from fusion.estimators.glm import SOFTMAX, SQUARED, Family, fit_glm

fit_squared = partial(fit_glm, family=SQUARED)
SHAPES = {"tall": (90, 20), "wide": (40, 120)}


def made(rows: int, columns: int, targets: int = 3) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Columns of different means and scales, and noisy linear targets of them."""
    random = np.random.default_rng(0)
    x = (random.normal(size=(rows, columns)) * np.geomspace(0.1, 10, columns) + 5).astype(np.float32)
    y = x[:, :4] @ random.normal(size=(4, targets)) + random.normal(size=(rows, targets))
    return x, y


def squared(y: NDArray[np.float64]) -> Callable[[NDArray[np.float32]], tuple[float, float]]:
    def losses(values: NDArray[np.float32]) -> tuple[float, float]:
        loss = float(np.square(values - y).mean())
        return loss, loss

    return losses


def reference(
    x: NDArray[np.float32], y: NDArray[np.float64], penalty: float, scale: NDArray[np.float64], weights: object = None
) -> Ridge:
    total = len(x) if weights is None else np.sum(weights)
    return Ridge(alpha=penalty * total).fit(x / scale, y, sample_weight=weights)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("weighted", [False, True])
def test_coefficients_and_out_of_fold_values_are_those_of_scikit_learn(
    shape: tuple[int, int], weighted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gram, "_CHUNK_BYTES", 4 * shape[1] * 7)
    x, y = made(*shape)
    folds = np.arange(len(x)) % 3
    weights = np.random.default_rng(1).integers(0, 4, len(x)).astype(float) if weighted else None
    fit = fit_squared(x, y, folds, penalties=[0.1], losses=squared(y), weights=weights)
    mean = np.average(x, axis=0, weights=weights)
    scale = np.sqrt(np.average(np.square(x - mean), axis=0, weights=weights))
    np.testing.assert_allclose(
        x @ fit.coefficients[:-1] + fit.coefficients[-1],
        reference(x, y, 0.1, scale, weights).predict(x / scale),
        atol=1e-3,
    )
    for fold in range(3):
        used = folds != fold
        held = reference(x[used], y[used], 0.1, scale, None if weights is None else weights[used])
        np.testing.assert_allclose(fit.out_of_fold[~used], held.predict(x[~used] / scale), atol=1e-3)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_a_weight_counts_a_row_as_often(shape: tuple[int, int]) -> None:
    x, y = made(*shape)
    often = np.random.default_rng(1).integers(0, 4, len(x))
    one = np.zeros(len(x), int)
    weighed = fit_squared(x, y, one, penalties=[0.1], losses=squared(y), weights=often.astype(float))
    repeated = fit_squared(
        np.repeat(x, often, axis=0),
        np.repeat(y, often, axis=0),
        np.repeat(one, often),
        penalties=[0.1],
        losses=squared(y),
    )
    np.testing.assert_allclose(weighed.coefficients, repeated.coefficients, atol=1e-3)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize(("limit", "family"), [("EXACT", SQUARED), ("_EXACT_STEPS", SOFTMAX)])
def test_large_systems_in_single_precision_say_the_same(
    limit: str, family: Family, shape: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    x, y = made(*shape)
    y = np.eye(y.shape[1])[y.argmax(axis=1)] if family is SOFTMAX else y
    fit = partial(fit_glm, x, y, np.arange(len(x)) % 2, family, penalties=[0.1], losses=squared(y))
    exact = fit()
    monkeypatch.setattr(gram, limit, 1)
    single = fit()
    assert not np.array_equal(single.coefficients, exact.coefficients)
    np.testing.assert_allclose(single.out_of_fold, exact.out_of_fold, atol=0.01)
    np.testing.assert_allclose(single.coefficients, exact.coefficients, rtol=0.01, atol=0.01)


def test_the_penalty_with_the_least_loss_is_found_and_few_are_tried() -> None:
    x, y = made(60, 50)
    seen: list[float] = []
    grid = [0.001, 0.01, 0.1, 1.0, 10.0, 100.0, 1000.0]
    folds = np.arange(60) % 4

    def losses(values: NDArray[np.float32]) -> tuple[float, float]:
        seen.append(squared(y)(values)[0])
        return seen[-1], seen[-1]

    fit = fit_squared(x, y, folds, penalties=grid, losses=losses)
    alone = {one: fit_squared(x, y, folds, penalties=[one], losses=squared(y)) for one in grid}
    least = {one: squared(y)(found.out_of_fold)[0] for one, found in alone.items()}
    assert fit.penalty == min(least, key=lambda one: least[one])
    assert len(seen) < len(grid)
    np.testing.assert_array_equal(fit.out_of_fold, alone[fit.penalty].out_of_fold)


def test_near_the_lowest_first_loss_the_second_decides() -> None:
    x, y = made(60, 20)
    told = iter([(1.0, 5.0), (1.1, 1.0), (1.001, 4.0)])
    fit = fit_squared(x, y, np.arange(60) % 2, penalties=[0.1, 1.0, 10.0], losses=lambda _: next(told))
    assert fit.penalty == 10.0


@pytest.fixture(scope="module")
def classes() -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Four classes in a row, of which squared errors cannot tell the middle ones, as numbers and 1 of 4."""
    x, _ = made(400, 12)
    place = (x[:, 0] - x[:, 0].mean()) / x[:, 0].std() + 0.1 * np.random.default_rng(3).normal(size=400)
    return x, np.eye(4)[np.digitize(place, [-0.7, 0.0, 0.7])]


def log_loss(y: NDArray[np.float64]) -> Callable[[NDArray[np.float32]], tuple[float, float]]:
    def losses(values: NDArray[np.float32]) -> tuple[float, float]:
        return (loss := -float((y * log_softmax(values, axis=1)).sum(axis=1).mean())), loss

    return losses


@pytest.mark.parametrize("wide", [False, True])
def test_many_steps_are_multinomial_logistic_regression(
    classes: tuple[NDArray[np.float32], NDArray[np.float64]], wide: bool
) -> None:
    x, y = classes
    x, y = (np.hstack([x, np.random.default_rng(4).normal(size=(400, 500)).astype(np.float32)]), y) if wide else (x, y)
    far = replace(SOFTMAX, steps=400)
    fit = fit_glm(x, y, np.zeros(400, int), far, penalties=[0.01], losses=log_loss(y))
    columns = (x - x.mean(axis=0)) / x.std(axis=0)
    other = LogisticRegression(C=1 / (0.01 * 400), tol=1e-6, max_iter=1000).fit(columns, y.argmax(axis=1))
    found = x @ fit.coefficients[:-1] + fit.coefficients[-1]
    np.testing.assert_allclose(log_softmax(found, axis=1), other.predict_log_proba(columns), atol=0.02)


def test_steps_part_classes_that_squared_errors_mask(
    classes: tuple[NDArray[np.float32], NDArray[np.float64]],
) -> None:
    x, y = classes
    folds = np.arange(400) % 4
    steps = fit_glm(x, y, folds, SOFTMAX, penalties=[0.001, 0.01, 0.1], losses=log_loss(y))
    squares = fit_glm(x, y, folds, SQUARED, penalties=[0.001, 0.01, 0.1], losses=squared(y))
    right = {
        one: np.mean(fit.out_of_fold.argmax(axis=1) == y.argmax(axis=1)) for one, fit in ((1, steps), (2, squares))
    }
    assert right[1] > right[2] + 0.1
    assert 1 <= steps.steps <= SOFTMAX.steps


def test_steps_end_when_rows_left_out_are_told_worse() -> None:
    random = np.random.default_rng(5)
    x, y = random.normal(size=(60, 80)).astype(np.float32), np.eye(3)[random.integers(0, 3, 60)]
    seen: list[float] = []

    def losses(values: NDArray[np.float32]) -> tuple[float, float]:
        seen.append(log_loss(y)(values)[0])
        return seen[-1], seen[-1]

    fit = fit_glm(x, y, np.arange(60) % 3, SOFTMAX, penalties=[0.01], losses=losses)
    assert fit.steps == np.argmin(seen) + 1 == 1
    assert len(seen) < SOFTMAX.steps


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_copied_and_constant_columns_and_missing_values_do_no_harm(shape: tuple[int, int]) -> None:
    x, y = made(*shape)
    x[:, 1], x[:, 2], x[::4, 3] = x[:, 0], 7.0, np.nan
    fit = fit_squared(x, y, np.arange(len(x)) % 2, penalties=[1e-12], losses=squared(y))
    assert np.isfinite(fit.coefficients).all()
    assert np.abs(fit.coefficients[2]).max() < 1e-6
    zero = fit_squared(np.nan_to_num(x), y, np.arange(len(x)) % 2, penalties=[1e-12], losses=squared(y))
    np.testing.assert_array_equal(fit.coefficients, zero.coefficients)


def test_one_fold_leaves_no_choice() -> None:
    x, y = made(30, 10)
    fit = fit_squared(x, y, np.zeros(30, int), penalties=[0.1, 1.0, 10.0], losses=squared(y))
    assert fit.penalty == 1.0
    assert not fit.out_of_fold.any()


def test_columns_that_are_copies_of_a_few_are_solved() -> None:
    x = np.tile(np.random.default_rng(6).normal(size=(30, 4)).astype(np.float32), (1, 400))
    y = np.eye(2)[(x[:, 0] > 0).astype(int)]
    fit = fit_glm(x, y, np.arange(30) % 3, SOFTMAX, penalties=[1e-6], losses=log_loss(y))
    assert np.mean(fit.out_of_fold.argmax(axis=1) == y.argmax(axis=1)) > 0.8
