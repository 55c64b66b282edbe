from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.reference import reference_fit

from fusion.inr import cpu_engine
from fusion.inr.architecture import Architecture, paper, siren
from fusion.inr.engine import fit
from fusion.inr.initialisation import random_start
from fusion.inr.kernel import fit_network, sine_and_slope
from fusion.inr.settings import FitSettings

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("reach", [1.0, 30.0, 700.0, 5e4])
def test_sine_and_slope_over_the_range_of_angles(reach: float) -> None:
    angles = np.random.default_rng(0).uniform(-reach, reach, 100_003).astype(np.float32)
    sines, slopes = angles.copy(), np.empty_like(angles)
    sine_and_slope(sines, slopes, np.float32(0.0), np.float32(1.0))
    # What float32 keeps of an angle after the multiple of pi is taken away.
    kept = 3e-7 + reach * 2e-10
    np.testing.assert_allclose(sines, np.sin(angles.astype(float)), atol=kept)
    np.testing.assert_allclose(slopes, np.cos(angles.astype(float)), atol=kept)


def test_sine_and_slope_have_bias_and_frequency() -> None:
    z = np.linspace(-2, 2, 77, dtype=np.float32)
    sines, slopes = z.copy(), np.empty_like(z)
    sine_and_slope(sines, slopes, np.float32(0.25), np.float32(3.0))
    np.testing.assert_allclose(sines, np.sin(3 * (z.astype(float) + 0.25)), atol=1e-6)
    np.testing.assert_allclose(slopes, 3 * np.cos(3 * (z.astype(float) + 0.25)), atol=3e-6)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_the_sine_of_what_is_no_number_is_nan(bad: float) -> None:
    sines, slopes = np.full(40, bad, np.float32), np.zeros(40, np.float32)
    sine_and_slope(sines, slopes, np.float32(0.0), np.float32(30.0))
    assert np.isnan(sines).all()
    assert np.isnan(slopes).all()


ODD = {
    "one-unit": Architecture(1, 1, (1,), (1.0,)),
    "widths-that-fill-no-tile": Architecture(2, 5, (7, 33, 13), (20.0, 2.0, 1.0)),
    "four-inputs-many-outputs": Architecture(4, 37, (19, 6), (5.0, 1.0), output="linear"),
    "siren": siren(2, 3),
}


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("points", [1, 15, 64, 130])
def test_any_architecture_and_length_equals_the_reference(name: str, points: int) -> None:
    architecture = ODD[name]
    rng = np.random.default_rng(3)
    x = rng.uniform(-1, 1, (points, architecture.d_in)).astype(np.float32)
    y = rng.uniform(0, 1, (1, points, architecture.d_out)).astype(np.float32)
    start, settings = random_start(architecture, 1), FitSettings(steps=5, schedule="cosine")
    result = fit(architecture, start, x, y, settings, backend="cpu")
    weights, mse, _ = reference_fit(architecture, start, x.astype(float), y[0].astype(float), settings)
    assert np.linalg.norm(result.weights[0] - weights) < 1e-3 * np.linalg.norm(weights - start)
    assert result.mse[0] == pytest.approx(mse, rel=1e-3)


@pytest.mark.parametrize("points", [511, 512, 513, 1500])
@pytest.mark.parametrize("per_step", [None, 300, 700])
def test_chunks_of_a_signal_make_one_gradient(
    points: int, per_step: int | None, smooth_problem: Callable[..., Any]
) -> None:
    architecture = paper(1, 2)
    x, y = smooth_problem(architecture, (points,), 1)
    start, settings = random_start(architecture, 0), FitSettings(steps=4, coordinates_per_step=per_step)
    result = fit(architecture, start, x, y, settings, backend="cpu")
    weights, mse, _ = reference_fit(architecture, start, x.astype(float), y[0].astype(float), settings)
    assert np.linalg.norm(result.weights[0] - weights) < 1e-3 * np.linalg.norm(weights - start)
    assert result.mse[0] == pytest.approx(mse, rel=1e-3)


def test_chunks_stay_in_the_cache_and_are_about_equal() -> None:
    assert cpu_engine.chunk_size(paper(1, 9), 128) == 128
    assert cpu_engine.chunk_size(paper(2, 3), 1024) == 512
    assert cpu_engine.chunk_size(paper(2, 3), 1100) == 384
    assert cpu_engine.chunk_size(Architecture(1, 1, (4096,), (1.0,)), 80_000) == 64


def test_a_functa_is_the_same_to_the_bit_in_any_batch(smooth_problem: Callable[..., Any]) -> None:
    architecture = paper(2, 3, omegas=(30.0, 30.0))
    x, y = smooth_problem(architecture, (25, 21), 5)
    start, settings = random_start(architecture, 0), FitSettings(steps=12, learning_rate=5e-3)
    together = fit(architecture, start, x, y, settings, backend="cpu").weights
    backwards = fit(architecture, start, x, y[::-1], settings, batch=2, backend="cpu").weights
    np.testing.assert_array_equal(together, backwards[::-1])


def test_arrays_of_any_kind_use_the_same_code(smooth_problem: Callable[..., Any]) -> None:
    architecture = paper(2, 3)
    x, y = smooth_problem(architecture, (8, 8), 2)
    start, settings = random_start(architecture, 0), FitSettings(steps=3)
    expected = fit(architecture, start, x, y, settings, backend="cpu").weights
    compiled = len(fit_network.signatures)
    x.flags.writeable = y.flags.writeable = start.flags.writeable = False
    reordered = np.asfortranarray(y.astype(float))
    for values in (y, reordered):
        result = fit(architecture, start, np.asfortranarray(x), values, settings, backend="cpu")
        np.testing.assert_array_equal(result.weights, expected)
    assert len(fit_network.signatures) == compiled


def test_the_kernel_works_where_its_code_cannot_be_kept(tmp_path: Path) -> None:
    nowhere = tmp_path / "file"
    nowhere.touch()
    code = (
        "import numba.core.caching as caching\n"
        "caching.CacheImpl._locator_classes = []\n"
        "import fusion.inr.kernel as kernel\n"
        "print(type(kernel.fit_network._cache).__name__)\n"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT), "HOME": str(nowhere)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "NullCache", done.stderr


FIT = """
import hashlib
import numpy as np
from fusion.inr.architecture import paper
from fusion.inr.engine import fit
from fusion.inr.initialisation import random_start
from fusion.inr.settings import FitSettings
network, values = paper(1, 3).half(), np.random.default_rng(0).random((2, 50, 3))
result = fit(network, random_start(network, 0), np.linspace(-1, 1, 50)[:, None], values, FitSettings())
print(hashlib.sha256(result.weights.tobytes()).hexdigest())
"""


@pytest.mark.slow
def test_code_just_compiled_and_code_from_the_cache_give_the_same_bits(tmp_path: Path) -> None:
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    compiled, loaded = (
        subprocess.run([sys.executable, "-c", FIT], env=environment, check=True, capture_output=True).stdout
        for _ in range(2)
    )
    assert list(tmp_path.rglob("*.nbc"))
    assert compiled == loaded


def test_kept_code_is_compiled_anew_when_a_file_that_it_was_built_from_changes(tmp_path: Path) -> None:
    part = "from fusion.inr.compiling import part\n\n\n@part(())\ndef more(x):\n    return x + {more}\n"
    (tmp_path / "whole.py").write_text(
        "import parts\nfrom fusion.inr.compiling import kept\n\n\n"
        "@kept((), parts)\ndef twice(x):\n    return parts.more(parts.more(x))\n"
    )
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)]),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    code = "import whole; print(whole.twice(0), sum(whole.twice.stats.cache_hits.values()))"
    told = []
    for more in (1, 1, 5):
        (tmp_path / "parts.py").write_text(part.format(more=more))
        done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
        told.append(done.stdout.split())
    assert told == [["2", "0"], ["2", "1"], ["10", "0"]]
