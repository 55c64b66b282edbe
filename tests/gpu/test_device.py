"""Everything that runs on a CUDA device, on one; skipped where there is none."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.made_samples import MadeSamples, given
from helpers.reference import reference_fit
from helpers.simulated_fits import CASES, SLOW_CASES, Case

from fusion.datasets.base import Sample
from fusion.encoders.config import FunctaConfig
from fusion.encoders.encoding import encode
from fusion.encoders.learning import learn_encoder
from fusion.encoders.local.config import LocalConfig
from fusion.encoders.options import EncodeOptions
from fusion.encoders.pool import serially
from fusion.errors import FusionError
from fusion.estimators import FunctaClassifier, LocalTrainer
from fusion.inr import cpu_engine, cuda_engine
from fusion.inr.architecture import paper, siren
from fusion.inr.cuda.errors import CudaMemoryError
from fusion.inr.engine import evaluate, fit, use_device
from fusion.inr.forward import forward
from fusion.inr.initialisation import random_start
from fusion.inr.settings import FitSettings
from fusion.modalities.sensor import SensorModality
from store import Status, open_store


def _usable() -> bool:
    try:
        cuda_engine.require(0)
    except FusionError:
        return False
    return True


pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not _usable(), reason="needs a CUDA device")]

NETWORKS = {
    "image": Case(paper(2, 3), 1024, 2, FitSettings(steps=10)),
    "sensor": Case(paper(1, 9), 128, 2, FitSettings(steps=10)),
    "video": Case(paper(3, 3), 3000, 2, FitSettings(steps=10)),
    "sound": Case(paper(1, 1), 4000, 2, FitSettings(steps=10)),
    "siren": Case(siren(2, 3), 1000, 2, FitSettings(steps=10)),
}


@pytest.fixture
def _on_device() -> Iterator[None]:
    use_device("cuda")
    yield
    use_device("auto")


@pytest.mark.parametrize("name", [*CASES, *SLOW_CASES, *NETWORKS])
def test_a_fit_equals_the_cpu_engine_and_the_reference(name: str) -> None:
    case = (CASES | SLOW_CASES | NETWORKS)[name]
    x, y = case.problem()
    weights, mse, steps = cuda_engine.fit(case.architecture, case.start(), x, y, case.settings, case.sizes())
    cpu = cpu_engine.fit(case.architecture, case.start(), x, y, case.settings, case.sizes())
    assert steps.tolist() == cpu[2].tolist()
    for index in range(1 if case.spoilt else 0, case.samples):
        values = x.astype(float), y[index].astype(float)
        theta, error, _ = reference_fit(case.architecture, case.start(), *values, case.settings, case.sizes())
        length = np.linalg.norm(theta)
        assert np.linalg.norm(weights[index] - theta) < case.tolerance * length
        assert np.linalg.norm(weights[index] - cpu[0][index]) < case.tolerance * length
        assert mse[index] == pytest.approx(error, rel=10 * case.tolerance)


def waves(samples: int) -> tuple[Any, Any]:
    case = Case(paper(2, 3), 1024, samples, FitSettings(steps=10))
    return case.problem()


def test_blocks_and_order_change_no_bit() -> None:
    x, y = waves(300)
    start, settings = random_start(paper(2, 3), 1), FitSettings(steps=10)
    whole = fit(paper(2, 3), start, x, y, settings, backend="cuda")
    order = np.random.default_rng(0).permutation(len(y))
    other = fit(paper(2, 3), start, x, y[order], settings, batch=37, backend="cuda")
    np.testing.assert_array_equal(other.weights, whole.weights[order])
    np.testing.assert_array_equal(other.mse, whole.mse[order])


def test_networks_are_evaluated_there() -> None:
    x, _ = waves(1)
    rows = np.stack([random_start(paper(2, 3), seed) for seed in range(5)])
    expected = [forward(paper(2, 3), row, x) for row in rows]
    np.testing.assert_allclose(evaluate(paper(2, 3), rows, x, backend="cuda"), expected, atol=2e-6)


def test_memory_that_runs_out_halves_the_block(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = waves(64)
    device = cuda_engine.open_device(0)
    send = device.send

    def crowded(name: str, array: Any) -> int:
        if name == "values" and len(array) > 20:
            raise CudaMemoryError("full")
        return send(name, array)

    start, settings = random_start(paper(2, 3), 1), FitSettings(steps=3)
    expected = cuda_engine.fit(paper(2, 3), start, x, y, settings)
    monkeypatch.setattr(device, "send", crowded)
    got = cuda_engine.fit(paper(2, 3), start, x, y, settings)
    np.testing.assert_array_equal(got[0], expected[0])


def test_more_memory_than_there_is_is_one_line() -> None:
    device = cuda_engine.open_device(0)
    with pytest.raises(CudaMemoryError, match="CUDA_ERROR_OUT_OF_MEMORY while cuMemAlloc on device 0"):
        device.buffer("too much", 1 << 50)


def made(samples: int) -> MadeSamples:
    rng = np.random.default_rng(0)
    t = np.linspace(0, 1, 32)[:, None]
    windows = [np.sin(rng.uniform(2, 9, 3) * t + rng.uniform(0, 6, 3)).astype(np.float32) for _ in range(samples)]
    return MadeSamples(
        [
            Sample(f"w{number:04d}", str(number % 3), "train", f"p{number % 4}", partial(given, window))
            for number, window in enumerate(windows)
        ]
    )


def test_encode_streams_to_the_device(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    data, here = made(100).broken(7), EncodeOptions(workers=1)
    config = FunctaConfig(SensorModality(), fit=FitSettings(steps=5), initialisation="random")
    use_device("cpu")
    encode(data, tmp_path / "cpu.zarr", config, here)
    request.getfixturevalue("_on_device")
    report = encode(data, tmp_path / "cuda.zarr", config, EncodeOptions(workers=2))
    assert (report.fitted_on, report.rows, report.failed) == ("cuda:0", 99, 1)
    with open_store(tmp_path / "cpu.zarr") as cpu, open_store(tmp_path / "cuda.zarr") as cuda:
        a, b = cpu.read(), cuda.read()
    assert a.ids.tolist() == b.ids.tolist()
    np.testing.assert_array_equal(a.status, b.status)
    usable = a.status == Status.OK
    assert usable.sum() == 99
    assert np.linalg.norm(a.functas[usable] - b.functas[usable]) < 1e-6 * np.linalg.norm(a.functas[usable])


@pytest.mark.skipif(find_spec("cupy") is None, reason="needs CuPy")
def test_local_functas_are_coded_there(request: pytest.FixtureRequest) -> None:
    config = LocalConfig(SensorModality(), windows=((8,),), strides=((2,),), centres=20, dimensions=24, patches=300)
    data = made(200)
    encoder = learn_encoder(config, list(data), serially)
    values = encoder.values([encoder.config.modality.prepare(sample.raw) for sample in data])
    use_device("cpu")
    expected = encoder.fit(values)
    request.getfixturevalue("_on_device")
    assert encoder.device == "cuda:0"
    got = encoder.fit(values)
    np.testing.assert_allclose(got[0], expected[0], atol=2e-3 * np.abs(expected[0]).max())
    np.testing.assert_allclose(got[1], expected[1], rtol=1e-2)
    np.testing.assert_array_equal(encoder.fit(values[5:6])[0], got[0][5:6])


def test_trees_grow_there() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 600)
    rows = (rng.normal(size=(600, 20)) + labels[:, None]).astype(np.float32)
    accuracies = []
    for device in ("cpu", "cuda"):
        classifier = FunctaClassifier(n_estimators=10, early_stopping_rounds=None)
        classifier.fit_rows(rows[:400], labels[:400], trainer=LocalTrainer(device=device))
        accuracies.append(np.mean(classifier.predict(rows[400:]) == labels[400:]))
    assert abs(accuracies[0] - accuracies[1]) < 0.05
    assert accuracies[1] > 0.8
