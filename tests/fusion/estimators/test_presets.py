from __future__ import annotations

import numpy as np
import pytest
from helpers.made_functas import functa_rows
from sklearn.linear_model import LogisticRegression

from fusion.errors import ConfigError
from fusion.estimators import FunctaClassifier
from fusion.estimators.presets import TRAINING_PRESETS, TrainingSettings, training_settings
from fusion.features.transformer import FunctaFeatures
from fusion.models.evaluating import evaluate
from fusion.models.folder import load_model
from fusion.models.training import train


def test_the_papers_preset_changes_nothing():
    assert training_settings("paper") == TrainingSettings()
    assert training_settings("paper", n_jobs=1, eta=None).classifier().get_params()["eta"] == 0.3


def test_given_parameters_win_over_the_preset():
    fast = training_settings("fast", max_depth=5, seed=1, features="weights")
    assert TRAINING_PRESETS["fast"].classifier().max_depth == 3
    assert fast.classifier().get_params()["max_depth"] == 5
    assert (fast.max_columns, fast.features) == (1500, "weights")
    assert training_settings(fast, eta=0.1).classifier().max_depth == 5


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({}, "auto"),
        ({"seed": 3, "n_jobs": 1, "class_weight": "balanced", "fusion": "late", "tune": False, "eta": None}, "auto"),
        ({"max_depth": 2}, "paper"),
        ({"tune": True}, "paper"),
        ({"classifier": FunctaClassifier(eta=0.1)}, "paper"),
        ({"estimator": LogisticRegression()}, "paper"),
    ],
)
def test_without_a_preset_it_is_chosen_unless_something_says_how_to_train(told, expected):
    made = training_settings(None, **told)
    assert made == training_settings(expected, **told)
    assert made.choices == TRAINING_PRESETS[expected].choices


def test_a_classifier_beside_a_preset_is_refused():
    with pytest.raises(ConfigError, match="a classifier and the preset 'fast' both say how to train"):
        training_settings("fast", classifier=TRAINING_PRESETS["fast"].classifier())


def test_an_unknown_preset_is_refused():
    with pytest.raises(ConfigError, match="preset is 'turbo'; expected one of paper, fast, slow, linear, stacked"):
        training_settings("turbo")


def test_a_preset_of_fewer_columns_trains_on_them_and_is_saved_with_them(make_store, tmp_path):
    preset = TrainingSettings(max_columns=5, parameters={"n_estimators": 10, "n_jobs": 1})
    store = make_store()
    result = train(store, tmp_path / "model", preset=preset)
    assert result.columns == 5
    assert load_model(tmp_path / "model").branches[0].features.max_columns == 5
    assert evaluate(tmp_path / "model", store).accuracy == result.accuracy


def test_columns_are_drawn_from_those_that_vary_and_by_seed():
    functas = functa_rows().functas
    drawn = [FunctaFeatures(max_columns=6, seed=seed).fit(functas).keep_ for seed in (1, 1, 2)]
    assert all(keep.sum() == 6 and not keep[3] for keep in drawn)
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert (drawn[0] != drawn[2]).any()
    assert FunctaFeatures(max_columns=100).fit(functas).keep_.sum() == 11


def test_no_columns_at_all_are_refused():
    with pytest.raises(ConfigError, match="max_columns is 0; expected at least 1, or None"):
        FunctaFeatures(max_columns=0).fit(functa_rows().functas)
