"""What earlier versions made: functas are made again bit for bit, and model folders they saved say the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from llvmlite import binding

from fusion.datasets import FigureConfig, FigureDataset
from fusion.encoders import EncodeOptions, encode, encoder_config
from fusion.models import load_model
from store import open_store

GOLDEN = Path(__file__).parent / "fusion" / "models" / "golden" / "v0.1"
PEOPLE = FigureConfig(subjects=6, test_subjects=2, windows=1, seed=7)
SENSOR_OF_0_1 = {"windows": [[16]], "strides": [[2]], "cells": [], "pools": ["mean", "std"], "compressed_apart": False}
KINDS = {
    "sensor": ("sensor", {"architecture": "paper-half"}),
    "camera": ("camera", {"architecture": "paper-half"}),
    "local": ("sensor", {"kind": "local", "centres": 16, "patches": 400, "samples": 30, **SENSOR_OF_0_1}),
}


@pytest.fixture(scope="module")
def golden() -> dict[str, np.ndarray]:
    with np.load(GOLDEN / "golden.npz") as archive:
        return dict(archive)


@pytest.mark.parametrize("kind", KINDS)
def test_functas_are_those_of_the_first_version(kind: str, golden: dict[str, np.ndarray], tmp_path: Path) -> None:
    view, options = KINDS[kind]
    dataset = FigureDataset(PEOPLE, view)  # type: ignore[arg-type]
    encode(dataset, tmp_path / "s.zarr", encoder_config(dataset, options=options), EncodeOptions(workers=1))
    with open_store(tmp_path / "s.zarr") as store:
        found = store.read(golden["ids"].tolist()).functas
    if binding.get_host_cpu_name() == str(golden["cpu"]):
        np.testing.assert_array_equal(found, golden[kind])
    else:  # another processor has other instructions, which round differently
        np.testing.assert_allclose(found, golden[kind], rtol=1e-3, atol=1e-4)


def test_a_fusion_saved_by_the_first_version_predicts_the_same(golden: dict[str, np.ndarray]) -> None:
    model = load_model(GOLDEN / "fused")
    both = model.predict_proba({name: golden[name] for name in ("sensor", "camera")})
    np.testing.assert_allclose(both, golden["probabilities"], rtol=1e-6)
    np.testing.assert_allclose(model.predict_proba({"sensor": golden["sensor"]}), golden["alone"], rtol=1e-6)


V02 = GOLDEN.with_name("v0.2")


def test_thresholds_saved_by_version_0_2_name_the_same_classes() -> None:
    model = load_model(V02 / "thresholds")
    with np.load(V02 / "golden.npz") as golden:
        functas = golden["thresholds:sensor"]
        np.testing.assert_allclose(model.predict_proba(functas), golden["thresholds:outputs"], rtol=1e-5)
        assert model.at_thresholds().predict(functas).tolist() == golden["thresholds:named"].tolist()
        assert model.predict(functas).tolist() != golden["thresholds:named"].tolist()


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.InconsistentVersionWarning")
def test_an_estimator_of_scikit_learn_saved_by_version_0_2_says_the_same() -> None:
    pytest.importorskip("skops.io")
    model = load_model(V02 / "estimator")
    with np.load(V02 / "golden.npz") as golden:
        found = model.predict_proba({name: golden[f"estimator:{name}"] for name in ("sensor", "camera")})
        np.testing.assert_allclose(found, golden["estimator:outputs"], rtol=1e-5)
    assert {path.suffix for path in (V02 / "estimator").glob("block-*")} == {".skops"}


@pytest.mark.parametrize("task", ["classification", "regression", "multilabel"])
def test_a_fusion_of_each_task_saved_by_version_0_2_says_the_same(task: str) -> None:
    folder = V02
    model = load_model(folder / task)
    with np.load(folder / "golden.npz") as golden:
        functas = {name: golden[f"{task}:{name}"] for name in ("sensor", "camera")}
        np.testing.assert_allclose(model.outputs(functas), golden[f"{task}:outputs"], rtol=1e-5)
    assert model.task.name == task
