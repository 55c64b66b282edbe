from __future__ import annotations

import matplotlib.image
import numpy as np
import pytest

from fusion.metrics import evaluate_predictions
from fusion.models.plots import plot_confusion

HOSTILE = ["$a_b$ \\frac{", "<script>", "\U0001f9ff\U000f0000", "line\nbreak", "x" * 300, "%_^&"]


@pytest.mark.parametrize("names", [HOSTILE, [f"class-{n}" for n in range(51)]], ids=["hostile", "51 classes"])
def test_confusion_is_drawn(tmp_path, names):
    guess = np.roll(names, 1)
    found = evaluate_predictions([*names, *names], [*names, *guess])
    plot_confusion(found, tmp_path / "confusion.png", title="$\\hostile_")
    height, width, _ = matplotlib.image.imread(tmp_path / "confusion.png").shape
    assert min(height, width) > 400
    assert max(height, width) < 3000
