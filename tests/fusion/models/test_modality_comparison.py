from __future__ import annotations

import json
import shlex

import numpy as np
import pandas as pd
import pytest
from helpers.made_pairs import CLASSES, linked

from fusion import evaluate, train
from fusion.estimators.presets import training_settings
from fusion.estimators.tasks import TASKS
from fusion.estimators.xgboost import FunctaClassifier
from fusion.models.figures import Judge
from fusion.models.modality_comparison import FUSED, compared
from fusion.models.repeating import train_command

QUICK = FunctaClassifier(n_estimators=8, max_depth=3, n_jobs=1)


def table(**columns):
    """Ten rows; where a modality says None it is missing."""
    base = {"label": ["a", "b"] * 5, "group": [f"g{row % 3}" for row in range(10)]}
    return pd.DataFrame({name: np.array(values, dtype=object) for name, values in (base | columns).items()})


def test_all_are_compared_on_the_rows_that_have_all():
    right = ["a", "b"] * 5
    rows = table(**{"predicted": right, "x:predicted": [*right[:8], None, None], "y:predicted": ["a", None] * 5})
    found = compared(rows, ["x", "y"], Judge(TASKS["classification"], ["a", "b"]), fusion="late")
    assert (found.rows, dict(found.missing), found.missing_in_words) == (4, {"x": 2, "y": 5}, "x 2, y 5")
    assert {name: each.rows for name, each in found.evaluations.items()} == {FUSED: 4, "x": 4, "y": 4}
    assert found.notes == ()


def test_a_fusion_that_loses_says_so_and_what_to_try():
    right = ["a", "b"] * 5
    rows = table(**{"predicted": ["a"] * 10, "x:predicted": right, "y:predicted": ["b"] * 10})
    (note,) = compared(rows, ["x", "y"], Judge(TASKS["classification"], ["a", "b"]), fusion="early").notes
    assert "the fusion (0.500) is right less often than x alone (1.000)" in note
    assert "10 test rows of 3 held-out groups" in note
    assert "--fusion late or stacked" in note
    assert "train on x alone" in note


def test_no_row_has_all():
    rows = table(**{"predicted": ["a"] * 10, "x:predicted": ["a", None] * 5, "y:predicted": [None, "b"] * 5})
    found = compared(rows, ["x", "y"], Judge(TASKS["classification"], ["a", "b"]), fusion="late")
    assert (found.rows, dict(found.evaluations), found.missing_in_words) == (0, {}, "x 5, y 5")


def test_training_and_evaluating_tell_it(tmp_path):
    pair = linked(tmp_path / "pair", seed=2, lacking=4, how="left")
    result = train(pair, tmp_path / "m", classifier=QUICK)
    assert result.comparison.missing == {"sensor": 0, "camera": 12}
    assert result.comparison.rows == 36
    assert result.rows_test == 48
    assert result.baselines == {"majority": 0.25, "chance": 1 / len(CLASSES)}
    saved = json.loads((tmp_path / "m" / "metrics.json").read_text())
    assert saved["rows_complete"] == 36
    assert saved["missing_rows"] == {"sensor": 0, "camera": 12}
    again = evaluate(tmp_path / "m", pair)
    assert again.to_dict()["accuracy_complete"] == result.to_dict()["accuracy_complete"] == saved["accuracy_complete"]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, "functa train s --model m --preset paper --seed 42"),
        ({"preset": "fast", "seed": 7}, "functa train s --model m --preset fast --seed 7"),
        (
            {"preset": "paper", "fusion": "late", "max_depth": 4, "features": "weights", "tune": True},
            "functa train s --model m --preset paper --fusion late --max-depth 4 --seed 42 --features weights --tune",
        ),
        ({"preset": "slow", "max_bin": 7}, None),
    ],
)
def test_the_command_that_does_it_again(settings, expected):
    assert train_command("s", "m", training_settings(**settings), train_splits=["train"]) == expected


def test_splits_and_folds_are_in_the_command():
    found = train_command("s", "m", training_settings(), train_splits=["fold-1"], test_splits=["test"], cv="group")
    assert shlex.split(found)[-4:] == ["--cv", "group", "--train-split", "fold-1"]
    assert train_command("a b.zarr", "m", training_settings()).startswith("functa train 'a b.zarr' --model m")
    assert train_command(None, "m", training_settings()) is None
