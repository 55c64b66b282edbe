from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from helpers.made_functas import functa_rows, rebuilt, stored


@pytest.fixture
def noisy_store(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes functas of the same samples with more or less noise, and gives the path."""

    def make(name: str, noise: float, dataset: str = "made", **columns: object) -> Path:
        rows = functa_rows(12, 6)
        functas = rows.functas + noise * np.random.default_rng(1).normal(size=rows.functas.shape).astype(np.float32)
        stored(tmp_path / f"{name}.zarr", rebuilt(rows, functas=functas, **columns), dataset=dataset).close()
        return tmp_path / f"{name}.zarr"

    return make
