from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_functas import functa_rows

from store import FunctaStore, Rows, create_store, open_store


@pytest.fixture
def make_store(tmp_path: Path) -> Callable[..., FunctaStore]:
    def make(rows: Rows | None = None, name: str = "functas", **settings: Any) -> FunctaStore:
        rows = functa_rows() if rows is None else rows
        path = tmp_path / f"{name}.zarr"
        options: dict[str, Any] = {
            "modality": "sensor",
            "layout": [("dense/kernel", (rows.k,), 0)],
            "encoder": {"kind": "functa", "steps": 10},
            "state": {"start": np.full(rows.k, 0.5, np.float32), "low": np.zeros(9), "high": np.ones(9)},
            "block_rows": 16,
        }
        with create_store(path, **options | settings) as store:
            store.append(rows)
        return open_store(path)

    return make
