from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fusion.datasets.figure import FigureConfig
from fusion.demo import run_demo


def test_a_small_demo_makes_stores_model_and_report(tmp_path: Path) -> None:
    data = FigureConfig(subjects=4, test_subjects=1, windows=2, seed=3)
    told: set[str] = set()
    result = run_demo(tmp_path, workers=1, data=data, progress=lambda what, done, most: told.add(what))
    assert set(result.training.modalities) == {"sensor", "camera"}
    assert result.training.rows_train + result.training.rows_test == 72
    assert {"encoding of sensor", "encoding of camera", "train"} <= told
    page = result.report.read_text(encoding="utf-8")
    assert "Stacked fusion of sensor, camera" in page
    assert page.count("<figure>") == 12
    assert [name for name, _ in result.by_class()] == sorted(name for name, _ in result.by_class())


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_fusion_wins_by_seven_points_whatever_the_seed(tmp_path: Path) -> None:
    gains = []
    for seed in (42, 1, 2, 3, 4):
        result = run_demo(tmp_path / str(seed), seed=seed).training
        gains.append(result.accuracy - max(found.accuracy for found in result.modalities.values()))
    assert np.mean(gains) > 0.07, gains
    assert min(gains) > 0.05, gains
