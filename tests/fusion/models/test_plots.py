from __future__ import annotations

import matplotlib.image
import numpy as np
import pandas as pd
import pytest

from fusion.metrics import evaluate_labels, evaluate_numbers, evaluate_predictions
from fusion.models.plots import plot_confusion, plot_figures

HOSTILE = ["$a_b$ \\frac{", "<script>", "\U0001f9ff\U000f0000", "line\nbreak", "x" * 300, "%_^&"]


@pytest.mark.parametrize("names", [HOSTILE, [f"class-{n}" for n in range(51)]], ids=["hostile", "51 classes"])
def test_confusion_is_drawn(tmp_path, names):
    guess = np.roll(names, 1)
    found = evaluate_predictions([*names, *names], [*names, *guess])
    plot_confusion(found, tmp_path / "confusion.png", title="$\\hostile_")
    height, width, _ = matplotlib.image.imread(tmp_path / "confusion.png").shape
    assert min(height, width) > 400
    assert max(height, width) < 3000


def test_numbers_have_residuals_and_labels_no_picture(tmp_path):
    table = pd.DataFrame({"label": [1.0, 2.0, 3.0], "predicted": [1.5, 2.0, 2.5]})
    plot_figures(evaluate_numbers(table["label"], table["predicted"]), table, tmp_path)
    has = np.eye(3, 2, dtype=bool)
    plot_figures(evaluate_labels(has, has, ["cat", "dog"]), None, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["residuals.png"]
    assert (tmp_path / "residuals.png").read_bytes().startswith(b"\x89PNG")
