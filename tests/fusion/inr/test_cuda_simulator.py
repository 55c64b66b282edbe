"""The CUDA kernel in Numba's simulator: every feature gives what the CPU engine and the float64 reference give."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.reference import reference_fit
from helpers.simulated_fits import CASES, SLOW_CASES, Case

from fusion.inr import cpu_engine
from fusion.inr.forward import forward

Found = dict[str, Any]


def simulate(folder: Path, *options: str) -> Found:
    file = folder / "fits.npz"
    environment = os.environ | {"NUMBA_ENABLE_CUDASIM": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "helpers.simulated_fits", str(file), *options]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=250, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return dict(np.load(file))


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Found:
    return simulate(tmp_path_factory.mktemp("simulated"))


@pytest.fixture(scope="module")
def slowly_found(tmp_path_factory: pytest.TempPathFactory) -> Found:
    return simulate(tmp_path_factory.mktemp("simulated"), "slow")


def compare(case: Case, name: str, found: Found) -> None:
    x, y = case.problem()
    weights, mse, steps = (found[f"{name}/{part}"] for part in ("weights", "mse", "steps"))
    cpu = cpu_engine.fit(case.architecture, case.start(), x, y, case.settings, case.sizes())
    assert steps.tolist() == cpu[2].tolist()
    for index in range(1 if case.spoilt else 0, case.samples):
        values = x.astype(float), y[index].astype(float)
        theta, error, taken = reference_fit(case.architecture, case.start(), *values, case.settings, case.sizes())
        assert np.linalg.norm(weights[index] - theta) < case.tolerance * np.linalg.norm(theta)
        assert np.linalg.norm(weights[index] - cpu[0][index]) < case.tolerance * np.linalg.norm(theta)
        assert mse[index] == pytest.approx(error, rel=10 * case.tolerance)
        assert steps[index] == taken


@pytest.mark.parametrize("name", CASES)
def test_a_fit_equals_the_cpu_engine_and_the_reference(name: str, found: Found) -> None:
    compare(CASES[name], name, found)


@pytest.mark.slow
@pytest.mark.parametrize("name", SLOW_CASES)
def test_a_larger_fit_equals_the_cpu_engine_and_the_reference(name: str, slowly_found: Found) -> None:
    compare(SLOW_CASES[name], name, slowly_found)


def test_a_sample_with_no_number_spoils_itself_only(found: Found) -> None:
    assert not np.isfinite(found["no number/mse"][0])
    assert np.isfinite(found["no number/weights"][1]).all()


def test_each_sample_stops_at_its_own_step(found: Found) -> None:
    steps = found["PSNR target/steps"].tolist()
    assert len(set(steps)) == len(steps)
    assert max(steps) < CASES["PSNR target"].settings.steps


def test_blocks_and_order_change_nothing(found: Found) -> None:
    np.testing.assert_array_equal(found["backwards/weights"], found["two layers, sigmoid/weights"])


def test_networks_are_evaluated(found: Found) -> None:
    case = CASES["two layers, sigmoid"]
    x, _ = case.problem()
    expected = [forward(case.architecture, row, x) for row in found["two layers, sigmoid/weights"]]
    np.testing.assert_allclose(found["decoded"], expected, atol=1e-6)
