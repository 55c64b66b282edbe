from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from helpers.reference import loss_and_gradient
from numpy.typing import NDArray

from fusion.errors import ConfigError
from fusion.inr.architecture import Architecture, unflatten
from fusion.inr.bilevel import Gradients
from fusion.inr.forward import forward
from fusion.inr.initialisation import random_start
from fusion.inr.meta_settings import MetaSettings
from fusion.inr.metrics import psnr
from fusion.inr.modulation import SharedNetwork, fit_modulations, hidden_biases, learn_shared, slopes_of_shared
from fusion.inr.settings import FitSettings

ARCHITECTURE = Architecture(1, 2, (16, 12), (6.0, 2.0), initialiser="siren")


@pytest.fixture
def shared() -> SharedNetwork:
    rng = np.random.default_rng(0)
    directions = rng.uniform(-0.5, 0.5, (28, 5)).astype(np.float32)
    return SharedNetwork(ARCHITECTURE, random_start(ARCHITECTURE, 0), directions, np.full(5, 0.4, np.float32))


def reference(shared: SharedNetwork, x: NDArray[Any], y: NDArray[Any], steps: int) -> tuple[NDArray[Any], float]:
    biases, modulation = hidden_biases(shared.architecture), np.zeros(len(shared.step_sizes))
    for step in range(steps + 1):
        theta = shared.weights.astype(float)
        theta[biases] += shared.directions.astype(float) @ modulation
        mse, gradient = loss_and_gradient(shared.architecture, theta, x, y)
        if step < steps:
            modulation = modulation - shared.step_sizes * (shared.directions.T.astype(float) @ gradient[biases])
    return modulation, mse


def test_a_fit_equals_a_float64_reference(shared: SharedNetwork, smooth_problem: Callable[..., Any]) -> None:
    x, y = smooth_problem(ARCHITECTURE, (40,), 3)
    result = fit_modulations(shared, x, y, FitSettings(steps=6))
    for index in range(3):
        modulation, mse = reference(shared, x.astype(float), y[index].astype(float), 6)
        assert np.linalg.norm(result.weights[index] - modulation) < 1e-3 * np.linalg.norm(modulation)
        assert result.mse[index] == pytest.approx(mse, rel=1e-3)
    assert result.steps.tolist() == [6, 6, 6]


def test_a_modulation_shifts_the_biases_of_hidden_layers_only(shared: SharedNetwork) -> None:
    moved = unflatten(shared.modulated(np.ones(5)) - shared.weights, ARCHITECTURE.layout)
    shifts = shared.directions.sum(axis=1)
    np.testing.assert_allclose(moved.pop("dense_0/bias"), shifts[:16], atol=1e-6)
    np.testing.assert_allclose(moved.pop("dense_1/bias"), shifts[16:], atol=1e-6)
    assert not any(array.any() for array in moved.values())


def test_order_and_batch_do_not_change_a_modulation(shared: SharedNetwork, smooth_problem: Callable[..., Any]) -> None:
    x, y = smooth_problem(ARCHITECTURE, (40,), 5)
    settings = FitSettings(steps=4, coordinates_per_step=16)
    whole = fit_modulations(shared, x, y, settings).weights
    alone = np.concatenate([fit_modulations(shared, x, y[i : i + 1], settings).weights for i in (4, 3, 2, 1, 0)])
    np.testing.assert_array_equal(whole[::-1], alone)
    assert fit_modulations(shared, x, y[:0], settings).weights.shape == (0, 5)


def test_a_sample_stops_at_its_psnr_target(shared: SharedNetwork, smooth_problem: Callable[..., Any]) -> None:
    x, y = smooth_problem(ARCHITECTURE, (40,), 3)
    long = fit_modulations(shared, x, y, FitSettings(steps=30))
    target = float(psnr(long.mse).min()) - 0.5
    stopped = fit_modulations(shared, x, y, FitSettings(steps=30, psnr_target=target))
    assert (psnr(stopped.mse) >= target).all()
    assert (stopped.steps < 30).all()


def test_the_slopes_go_through_the_inner_steps(shared: SharedNetwork, smooth_problem: Callable[..., Any]) -> None:
    x, y = smooth_problem(ARCHITECTURE, (40,), 1)
    slopes = slopes_of_shared(Gradients(ARCHITECTURE, x), shared, y[0], 3)
    rng = np.random.default_rng(1)
    ways = [rng.normal(size=slope.shape) for slope in slopes]
    for part in range(3):
        log_errors = []
        for sign in (1e-4, -1e-4):
            changed = replace(
                shared,
                weights=shared.weights + (sign * ways[0] if part == 0 else 0.0),
                directions=shared.directions + (sign * ways[1] if part == 1 else 0.0),
                step_sizes=shared.step_sizes * np.exp(sign * ways[2] if part == 2 else np.zeros(5)),
            )
            log_errors.append(np.log(reference(changed, x.astype(float), y[0].astype(float), 3)[1]))
        rise = (log_errors[0] - log_errors[1]) / 2e-4
        assert np.sum(slopes[part] * ways[part]) == pytest.approx(rise, rel=2e-2, abs=1e-3)


def test_few_numbers_learned_for_a_kind_of_signal_reproduce_new_ones() -> None:
    x = np.linspace(-1, 1, 40, dtype=np.float32)[:, None]
    rng = np.random.default_rng(3)
    height, phase = rng.uniform(0.1, 0.45, (40, 1, 1)), rng.uniform(0, 6, (40, 1, 1))
    y = (0.5 + height * np.sin(3 * x + phase)).astype(np.float32)
    wide = Architecture(1, 1, (32, 32), (10.0, 10.0), initialiser="siren")
    learned = learn_shared(wide, 8, x, y[:32], MetaSettings(steps=200, batch=4), seed=0)
    again = learn_shared(wide, 8, x, y[:32], MetaSettings(steps=200, batch=4), seed=0)
    np.testing.assert_array_equal(learned.weights, again.weights)
    result = fit_modulations(learned, x, y[32:], FitSettings(steps=3))
    assert psnr(result.mse).min() > 25
    decoded = forward(wide, learned.modulated(result.weights[0]), x)
    assert np.mean((decoded - y[32]) ** 2) == pytest.approx(result.mse[0], rel=1e-3)


def test_a_fit_that_diverges_gives_nan_and_shapes_are_checked(
    shared: SharedNetwork, smooth_problem: Callable[..., Any]
) -> None:
    x, y = smooth_problem(ARCHITECTURE, (40,), 2)
    y[0, 3] = np.nan
    result = fit_modulations(shared, x, y, FitSettings(steps=3))
    assert np.isfinite(result.mse).tolist() == [False, True]
    with pytest.raises(ConfigError, match=r"directions of shape \(28, 4\): this network needs \(28, 5\)"):
        replace(shared, directions=shared.directions[:, :4])
