from __future__ import annotations

from pathlib import Path

import pytest
from helpers.image_files import SOUND, write_picture
from helpers.mutants import require_mutants_are_read

MANY = [pytest.mark.slow, pytest.mark.timeout(1800)]


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("plain.png", 50),
        ("plain.jpg", 50),
        ("plain.tif", 50),
        *(pytest.param(name, 5000, marks=MANY) for name in SOUND),
    ],
)
def test_mutated_images_are_read_or_refused(tmp_path: Path, name: str, count: int) -> None:
    require_mutants_are_read("image", write_picture(tmp_path / name, **SOUND[name]), count)
