"""What the compiled pass promises: equal to fitting every window by itself with the engine."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from fusion.encoders.learning import learn_encoder
from fusion.encoders.local.coding import compiled_book, compiled_reader, pooled, whitened
from fusion.encoders.local.config import LocalConfig
from fusion.encoders.local.dictionary import conditioned, mode_of
from fusion.encoders.local.folding import folded_step
from fusion.encoders.local.local import LocalFunctas
from fusion.encoders.local.windows import Scale, compressed, windows_of, with_differences
from fusion.inr.engine import fit
from fusion.inr.initialisation import random_start
from fusion.inr.settings import FitSettings
from fusion.modalities import coordinate_grid
from fusion.modalities.sensor import SensorModality

CONFIG = LocalConfig(SensorModality(length=40, channels=("x", "y")), windows=((8,),), strides=((3,),), centres=16)


def learned(config: LocalConfig, values: np.ndarray) -> LocalFunctas:
    from functools import partial

    from fusion.datasets.base import Sample

    samples = [Sample(f"s{i}", None, "train", None, partial(values.__getitem__, i)) for i in range(len(values))]
    return learn_encoder(config, samples)


@pytest.fixture
def values() -> np.ndarray:
    return np.random.default_rng(0).uniform(size=(30, 40, 2)).astype(np.float32)


@pytest.mark.parametrize(
    "options", [{}, {"contrast": True}, {"centred": True}, {"differences": (1,), "compressed": 0.01, "balanced": True}]
)
def test_the_folded_pass_equals_fitting_window_by_window(values: np.ndarray, options: dict[str, object]) -> None:
    config = replace(CONFIG, dimensions=14, patches=200, **options)
    encoder = learned(config, values)
    scale, windows = encoder.scales[0], config.all_windows()[0]
    sample = config.seen(encoder.scaling.normalise(values[0])) * encoder.gains
    cut = conditioned(windows.cut(sample), mode_of(config), config.channels, float(scale.floor[0]))
    coordinates = coordinate_grid(windows.size)
    result = fit(
        config.network(),
        scale.start,
        coordinates,
        cut.reshape(len(cut), 8, config.channels),
        FitSettings(steps=1),
        step_sizes=np.full(len(scale.start), scale.step_size[0], np.float32),
    )
    by_steps = (result.weights.astype(np.float64) - scale.start - scale.delta_mean) @ scale.whitening
    how = compiled_reader(mode_of(config), config.channels, float(scale.floor[0]), scale.mean, scale.projection)
    z, error = whitened(np.ascontiguousarray(sample).reshape(-1), windows.origins, windows.offsets, how)
    np.testing.assert_allclose(z[:, : by_steps.shape[1]], by_steps, atol=1e-4)
    assert 0 <= error < cut.var()


def test_codes_and_pools_are_those_of_the_definition() -> None:
    rng = np.random.default_rng(1)
    z, centres = np.zeros((70, 16), np.float32), rng.normal(size=(37, 10)).astype(np.float32)
    z[:, :10] = rng.normal(size=(70, 10))
    members = np.stack([np.zeros(70, np.int64), 1 + np.arange(70) // 35], axis=1)
    out = [np.empty((4, len(compiled_book(centres).squares)), np.float32) for _ in range(3)]
    pooled(z, members, np.array([70, 35, 35, 0]), compiled_book(centres), *out)
    distances = np.linalg.norm(z[:, None, :10] - centres, axis=2)
    codes = np.maximum(distances.mean(axis=1, keepdims=True) - distances, 0)
    for cell, part in enumerate((codes, codes[:35], codes[35:], 0 * codes)):
        expected = (part.mean(axis=0), part.max(axis=0), part.std(axis=0))
        for got, wanted in zip(out, expected, strict=True):
            np.testing.assert_allclose(got[cell, :37], wanted, atol=2e-5)


def test_a_step_of_the_largest_stable_size_lowers_the_error() -> None:
    network, size = CONFIG.network(), (8,)
    start = random_start(network, 3)
    windows = np.random.default_rng(2).uniform(size=(5, 8, 2)).astype(np.float32)
    step = folded_step(network, start, size, 1.0)
    settings = [FitSettings(steps=count) for count in (0, 1, 20)]
    sizes = np.full(network.size, step.size, np.float32)
    mse = [fit(network, start, coordinate_grid(size), windows, s, step_sizes=sizes).mse.mean() for s in settings]
    assert mse[0] > mse[1] > mse[2]


def test_windows_cut_what_slices_cut() -> None:
    values = np.random.default_rng(3).normal(size=(6, 7, 9, 2)).astype(np.float32)
    windows = windows_of(Scale((2, 3, 4), (2, 2, 3)), (6, 7, 9), 2, ((1, 1, 1), (3, 1, 2)))
    cut = windows.cut(values.reshape(-1, 2))
    assert cut.shape == (3 * 3 * 2, 2 * 3 * 4 * 2)
    np.testing.assert_array_equal(cut[-1], values[4:6, 4:7, 3:7].ravel())
    assert windows.cells == 7
    np.testing.assert_array_equal(windows.counts, [18, 3, 3, 3, 3, 3, 3])
    assert windows.members[-1].tolist() == [0, 6]


def test_differences_are_taken_along_time() -> None:
    film = np.arange(24, dtype=np.float32).reshape(3, 4, 2) ** 2
    seen = with_differences(film.reshape(12, 2), (3, 4), (1,)).reshape(3, 4, 4)
    np.testing.assert_array_equal(seen[0, :, 2:], 0)
    np.testing.assert_array_equal(seen[1:, :, 2:], film[1:] - film[:-1])


def test_compression_shows_small_movement_beside_large() -> None:
    wave = np.sin(np.arange(400, dtype=np.float32))[:, None]
    small, large = (0.7 + size * wave for size in (0.001, 0.25))
    seen = [compressed(np.float32(part), 0.003) for part in (small, large)]
    assert large.std() / small.std() == pytest.approx(250, rel=0.01)
    assert 10 < seen[1].std() / seen[0].std() < 20
    assert np.corrcoef(seen[0].ravel(), wave.ravel())[0, 1] > 0.99
    assert max(abs(part.mean()) for part in seen) < 0.01
    assert np.abs(seen).max() <= 0.5


def test_memory_does_not_grow_with_the_number_of_windows() -> None:
    film = SensorModality(length=200_000, channels=("x", "y"))
    config = replace(CONFIG, modality=film, windows=((64,),), strides=((4,),), samples=2, patches=400, centres=256)
    values = np.random.default_rng(4).uniform(size=(2, 200_000, 2)).astype(np.float32)
    encoder = learned(config, values)
    encoder.fit(values[:1, :, :])
    tracemalloc.start()
    encoder.fit(values[:1])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    every_code, every_window = 49_985 * 256 * 4, 49_985 * 128 * 4
    assert peak < min(every_code, every_window)
