from __future__ import annotations

from pathlib import Path

import pytest

from fusion.bench.scale import bench_scale
from fusion.errors import ConfigError


def test_every_step_is_measured_and_nothing_is_left(tmp_path: Path) -> None:
    found = bench_scale([10_000], k=4, sample=0.5, part_rows=4_000, folder=tmp_path)
    steps = found["sizes"][10_000]
    assert list(steps) == ["write", "open", "find", "scan", "link", "train"]
    assert all(step["seconds"] > 0 for step in steps.values())
    assert found["growth"]["scan"] == 1
    assert found["bytes_per_row"] > 4 * 4
    assert list(tmp_path.iterdir()) == []


def test_a_size_that_is_too_small_is_refused() -> None:
    with pytest.raises(ConfigError, match="rows is 10; expected 1,000 or more"):
        bench_scale([10])
