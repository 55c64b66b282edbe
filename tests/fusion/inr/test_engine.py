from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.reference import loss_and_gradient, reference_fit

from fusion.errors import ConfigError, EngineWarning
from fusion.inr import engine
from fusion.inr.architecture import Architecture, paper, siren
from fusion.inr.cuda.errors import CudaUnavailableError
from fusion.inr.engine import Backend, fit
from fusion.inr.initialisation import random_start
from fusion.inr.metrics import psnr
from fusion.inr.settings import FitSettings
from fusion.inr.tensorflow_engine import default_batch

CASES = {
    "paper-sensor": (paper(1, 9), (48,)),
    "paper-image": (paper(2, 3, omegas=(30.0, 30.0)), (9, 8)),
    "siren-video": (siren(3, 3), (4, 5, 6)),
    "half-sound": (paper(1, 1).half(), (64,)),
}


@pytest.fixture(params=["cpu", "tensorflow"])
def backend(request: pytest.FixtureRequest) -> Backend:
    return request.param


@pytest.mark.parametrize("name", CASES)
def test_a_fit_equals_a_float64_reference(name: str, backend: Backend, smooth_problem: Callable[..., Any]) -> None:
    architecture, grid = CASES[name]
    x, y = smooth_problem(architecture, grid, 3)
    start, settings = random_start(architecture, 1), FitSettings(steps=10, learning_rate=1e-3)
    result = fit(architecture, start, x, y, settings, backend=backend)
    for index in range(len(y)):
        weights, mse, _ = reference_fit(architecture, start, x.astype(float), y[index].astype(float), settings)
        moved = np.linalg.norm(weights - start)
        assert np.linalg.norm(result.weights[index] - weights) < 1e-3 * moved
        assert result.mse[index] == pytest.approx(mse, rel=1e-3)
    assert result.steps.tolist() == [10, 10, 10]


@pytest.mark.parametrize("settings", [FitSettings(steps=4), FitSettings(steps=4, schedule="cosine", psnr_target=11.0)])
@pytest.mark.parametrize("name", CASES)
def test_plain_steps_with_a_rate_for_each_weight_equal_the_reference(
    name: str, settings: FitSettings, backend: Backend, smooth_problem: Callable[..., Any]
) -> None:
    architecture, grid = CASES[name]
    x, y = smooth_problem(architecture, grid, 2)
    start = random_start(architecture, 1)
    sizes = np.random.default_rng(2).uniform(0, 0.002, architecture.size).astype(np.float32)
    result = fit(architecture, start, x, y, settings, step_sizes=sizes, backend=backend)
    for index in range(len(y)):
        weights, mse, steps = reference_fit(
            architecture, start, x.astype(float), y[index].astype(float), settings, sizes
        )
        assert np.linalg.norm(result.weights[index] - weights) <= 1e-3 * np.linalg.norm(weights - start)
        assert result.mse[index] == pytest.approx(mse, rel=1e-3)
        assert result.steps[index] == steps


def test_the_reference_gradient_is_the_slope_of_its_loss() -> None:
    architecture = Architecture(2, 2, (5, 4), (3.0, 2.0))
    rng = np.random.default_rng(0)
    theta, x, y = rng.normal(size=architecture.size), rng.uniform(-1, 1, (7, 2)), rng.uniform(0, 1, (7, 2))
    _, gradient = loss_and_gradient(architecture, theta, x, y)
    for index in range(0, architecture.size, 5):
        step = np.zeros_like(theta)
        step[index] = 1e-6
        rise = (
            loss_and_gradient(architecture, theta + step, x, y)[0]
            - loss_and_gradient(architecture, theta - step, x, y)[0]
        )
        assert gradient[index] == pytest.approx(rise / 2e-6, rel=1e-4, abs=1e-8)


@pytest.mark.parametrize("batch", [1, 3, 8])
def test_batch_and_order_do_not_change_a_functa(
    batch: int, backend: Backend, smooth_problem: Callable[..., Any]
) -> None:
    architecture = paper(1, 3)
    x, y = smooth_problem(architecture, (40,), 7)
    start, settings = random_start(architecture, 0), FitSettings(steps=15)
    whole = fit(architecture, start, x, y, settings, batch=4, backend=backend).weights
    order = np.random.default_rng(0).permutation(len(y))
    other = fit(architecture, start, x, y[order], settings, batch=batch, backend=backend).weights
    np.testing.assert_allclose(other, whole[order], atol=1e-5)


def test_nothing_is_carried_over_between_samples(backend: Backend, smooth_problem: Callable[..., Any]) -> None:
    architecture = paper(1, 3)
    x, y = smooth_problem(architecture, (40,), 4)
    start, settings = random_start(architecture, 0), FitSettings(steps=10)
    together = fit(architecture, start, x, y, settings, batch=2, backend=backend).weights
    alone = np.concatenate(
        [fit(architecture, start, x, y[i : i + 1], settings, batch=2, backend=backend).weights for i in range(4)]
    )
    np.testing.assert_array_equal(together, alone)


def test_a_sample_stops_at_its_psnr_target(backend: Backend, smooth_problem: Callable[..., Any]) -> None:
    architecture = paper(1, 2)
    x, y = smooth_problem(architecture, (32,), 3)
    start, settings = random_start(architecture, 0), FitSettings(steps=200, learning_rate=5e-3, psnr_target=25.0)
    result = fit(architecture, start, x, y, settings, backend=backend)
    assert (psnr(result.mse) >= 25.0).all()
    assert (result.steps < 200).all()
    expected = [reference_fit(architecture, start, x.astype(float), sample.astype(float), settings)[2] for sample in y]
    assert np.abs(result.steps - expected).max() <= 1


def test_a_subset_of_the_coordinates_is_seeded_and_fits_the_whole(
    backend: Backend, smooth_problem: Callable[..., Any]
) -> None:
    architecture = paper(1, 1)
    x, y = smooth_problem(architecture, (256,), 2)
    start = random_start(architecture, 0)
    settings = FitSettings(steps=60, learning_rate=5e-3, coordinates_per_step=32, seed=3)
    result = fit(architecture, start, x, y, settings, backend=backend)
    np.testing.assert_array_equal(result.weights, fit(architecture, start, x, y, settings, backend=backend).weights)
    before = fit(architecture, start, x, y, FitSettings(steps=0), backend=backend).mse
    assert (result.mse < before / 5).all()
    weights, _, _ = reference_fit(architecture, start, x.astype(float), y[0].astype(float), settings)
    assert np.linalg.norm(result.weights[0] - weights) < 1e-2 * np.linalg.norm(weights - start)


def test_no_steps_give_the_start_and_no_samples_give_no_rows(
    backend: Backend, smooth_problem: Callable[..., Any]
) -> None:
    architecture = paper(1, 2)
    x, y = smooth_problem(architecture, (16,), 2)
    start = random_start(architecture, 0)
    np.testing.assert_array_equal(
        fit(architecture, start, x, y, FitSettings(steps=0), backend=backend).weights, np.stack([start, start])
    )
    assert fit(architecture, start, x, y[:0], FitSettings(), backend=backend).weights.shape == (0, architecture.size)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"start": np.zeros(5)}, r"initial weights of shape \(5,\).*need \(9097,\)"),
        ({"x": np.zeros((16, 2))}, r"coordinates of shape \(16, 2\).*need \(16, 1\)"),
        ({"sizes": np.ones(5)}, r"step sizes of shape \(5,\).*need \(9097,\)"),
        ({"y": np.zeros((2, 15, 9))}, r"values of shape \(2, 15, 9\).*need \(2, 16, 9\)"),
    ],
)
def test_shapes_that_do_not_fit_are_named(change: dict[str, Any], message: str) -> None:
    architecture = paper(1, 9)
    given = {"start": np.zeros(architecture.size), "x": np.zeros((16, 1)), "y": np.zeros((2, 16, 9)), "sizes": None}
    given |= change
    with pytest.raises(ConfigError, match=message):
        fit(architecture, given["start"], given["x"], given["y"], FitSettings(), step_sizes=given["sizes"])


def test_batches_shrink_as_signals_grow() -> None:
    assert default_batch(paper(1, 9), 128) > default_batch(paper(2, 3), 1024) >= default_batch(paper(3, 3), 16384) == 1


def test_a_diverged_fit_is_nan_and_ends(backend: Backend, smooth_problem: Callable[..., Any]) -> None:
    architecture = paper(1, 2)
    x, y = smooth_problem(architecture, (40,), 2)
    y[0, 3, 1] = np.nan
    start = random_start(architecture, 0)
    wild = fit(architecture, start, x, y, FitSettings(steps=20, learning_rate=1e38, psnr_target=60.0), backend=backend)
    assert not np.isfinite(wild.mse[0])
    tame = fit(architecture, start, x, y, FitSettings(steps=20), backend=backend)
    assert not np.isfinite(tame.mse[0])
    assert np.isfinite(tame.weights[1]).all()


def test_a_start_at_the_target_is_left_alone(backend: Backend, smooth_problem: Callable[..., Any]) -> None:
    architecture = paper(1, 2)
    x, y = smooth_problem(architecture, (40,), 2)
    start = random_start(architecture, 0)
    result = fit(architecture, start, x, y, FitSettings(steps=20, psnr_target=0.1), backend=backend)
    assert result.steps.tolist() == [0, 0]
    np.testing.assert_array_equal(result.weights, np.stack([start, start]))


@pytest.fixture
def _no_device_yet() -> Iterator[None]:
    engine._found.cache_clear()
    yield
    engine._found.cache_clear()
    engine.use_device("auto")


@pytest.mark.usefixtures("_no_device_yet")
def test_a_cuda_device_is_looked_for_only_where_the_system_has_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(engine, "_DEVICES", tmp_path)
    monkeypatch.setattr("fusion.inr.cuda_engine.require", lambda number: None)
    assert engine.chosen_backend() == "cpu"
    (tmp_path / "nvidia0").touch()
    engine._found.cache_clear()
    assert engine.chosen_backend() == "cuda:0"
    engine.use_device("cpu")
    assert engine.chosen_backend() == "cpu"
    engine.use_device("auto")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    engine._found.cache_clear()
    assert engine.chosen_backend() == "cpu"


@pytest.mark.usefixtures("_no_device_yet")
def test_a_device_that_cannot_be_used_is_named_and_the_processor_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(number: int) -> None:
        raise CudaUnavailableError("numba-cuda is not installed")

    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(engine, "_DEVICES", tmp_path)
    monkeypatch.setattr("fusion.inr.cuda_engine.require", missing)
    (tmp_path / "nvidia0").touch()
    with pytest.warns(EngineWarning, match="numba-cuda is not installed: fits run on the processor"):
        assert engine.chosen_backend() == "cpu"
    with pytest.raises(CudaUnavailableError, match="numba-cuda is not installed"):
        engine.use_device("cuda")


@pytest.mark.parametrize("name", ["gpu", "cuda:", "cuda:x", "CUDA"])
def test_a_device_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=f"device '{name}'; expected auto, cpu, cuda, or one of several"):
        engine.use_device(name)


def test_a_network_without_a_cuda_kernel_is_fitted_on_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fusion.inr.cuda_engine.require", lambda number: None)
    four_inputs = Architecture(4, 1, (8,), (1.0,))
    with pytest.warns(EngineWarning, match="4 inputs, and the CUDA kernel has up to 3: these networks are fitted on"):
        assert engine.backend_for(four_inputs, "cuda") == "cpu"
    assert engine.backend_for(paper(2, 3), "cuda:1") == "cuda:1"
