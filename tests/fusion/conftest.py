from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from helpers.made_functas import functa_rows, stored

from store import FunctaStore, Rows


@pytest.fixture
def make_store(tmp_path: Path) -> Callable[..., FunctaStore]:
    def make(rows: Rows | None = None, name: str = "functas", **settings: Any) -> FunctaStore:
        return stored(tmp_path / f"{name}.zarr", functa_rows() if rows is None else rows, **settings)

    return make
