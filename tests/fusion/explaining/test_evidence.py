"""Places of evidence, in the terms of the modality."""

from __future__ import annotations

import pytest

from fusion.explaining.evidence import BranchEvidence
from fusion.modalities import AudioModality, ImageModality, Modality
from fusion.modalities.sensor import SensorModality


@pytest.mark.parametrize(
    ("modality", "window", "expected"),
    [
        (SensorModality(channels=("x",), length=100, rate=50.0), {"start": [10], "size": [20]}, "0.20 to 0.60 s"),
        (SensorModality(channels=("x",), length=100), {"start": [10], "size": [20]}, "reading 10-29"),
        (
            AudioModality(transform="log-mel", rate=8000.0, seconds=2.0, hop=160, fft=512),
            {"start": [50, 3], "size": [10, 6]},
            "1.00 to 1.20 s, band 3-8",
        ),
        (ImageModality(size=(16, 16)), {"start": [0, 4], "size": [6, 6]}, "row 0-5, column 4-9"),
    ],
)
def test_places_are_told_in_the_terms_of_the_modality(
    modality: Modality, window: dict[str, list[int]], expected: str
) -> None:
    assert BranchEvidence("one", modality, 0.0, {}).place(window) == expected
