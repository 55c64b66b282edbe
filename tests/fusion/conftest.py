from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.har_files import har_windows
from helpers.made_functas import functa_rows, stored
from helpers.made_samples import MadeSamples, given

from fusion.datasets.base import Sample
from fusion.encoders.config import FunctaConfig
from fusion.inr.settings import FitSettings
from fusion.modalities.sensor import SensorModality
from store import FunctaStore, Rows


@pytest.fixture
def make_store(tmp_path: Path) -> Callable[..., FunctaStore]:
    def make(rows: Rows | None = None, name: str = "functas", **settings: Any) -> FunctaStore:
        return stored(tmp_path / f"{name}.zarr", functa_rows() if rows is None else rows, **settings)

    return make


@pytest.fixture
def made() -> MadeSamples:
    labels = np.tile(np.arange(1, 4), 12)
    windows = har_windows(labels, seed=5)[:, :32]
    return MadeSamples(
        [
            Sample(f"w{i:02d}", f"class-{label}", "train" if i < 24 else "test", f"p{i % 4}", partial(given, window))
            for i, (label, window) in enumerate(zip(labels, windows, strict=True))
        ]
    )


@pytest.fixture
def config() -> FunctaConfig:
    return FunctaConfig(SensorModality(), architecture="paper-half", fit=FitSettings(steps=3))
