"""Evidence over signals of one to three axes, and bars where there are no places."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fusion.explaining.evidence import BranchEvidence
from fusion.explaining.pictures import draw_strips
from fusion.modalities import AudioModality, ImageModality, Modality, VideoModality
from fusion.modalities.sensor import SensorModality

RANDOM = np.random.default_rng(0)


def evidence(modality: Modality, shape: tuple[int, ...]) -> BranchEvidence:
    values = RANDOM.random(shape, dtype=np.float32)
    heat = np.zeros(shape[:-1])
    heat[tuple(slice(0, size // 2) for size in shape[:-1])] = 1.0
    return BranchEvidence("one", modality, 0.5, {"a $b$": 0.5}, heat, values)


@pytest.mark.parametrize(
    ("modality", "shape"),
    [
        (SensorModality(channels=tuple("abcdefgh"), length=40, rate=20.0), (40, 8)),
        (ImageModality(size=(16, 16)), (16, 16, 3)),
        (AudioModality(), (20, 30, 1)),
        (VideoModality(), (9, 12, 12, 3)),
    ],
)
def test_red_is_where_the_evidence_is(modality: Modality, shape: tuple[int, ...], tmp_path: Path) -> None:
    drawn = draw_strips([evidence(modality, shape)], "a <title> $x$", tmp_path / "a.png")
    with Image.open(drawn) as picture:
        pixels = np.asarray(picture.convert("RGB")).astype(int)
    red = (pixels[..., 0] - pixels[..., 2]) > 40
    assert red.mean() > 0.02


def test_two_modalities_are_two_strips(tmp_path: Path) -> None:
    bars = BranchEvidence(
        "people", ImageModality(), -0.3, {f"column {number}": number / 10 - 0.5 for number in range(20)}
    )
    one = draw_strips([bars], "bars", tmp_path / "one.png")
    signal = evidence(SensorModality(channels=("x", "y"), length=30), (30, 2))
    two = draw_strips([bars, signal], "both", tmp_path / "two.png")
    with Image.open(one) as first, Image.open(two) as second:
        assert second.size[1] > first.size[1] + 100
