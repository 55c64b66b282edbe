from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from helpers.made_functas import functa_rows, rebuilt

import fusion
from fusion.errors import ConfigError
from fusion.estimators import FunctaClassifier, training_settings


def recall(result, name="fall"):
    return next(figures.recall for figures in result.per_class if figures.label == name)


SETTINGS = {
    "trees": {"max_depth": 1, "eta": 0.1, "n_estimators": 40},
    "linear": {"booster": "gblinear"},
}


@pytest.mark.parametrize("booster", SETTINGS)
@pytest.mark.parametrize("weight", ["balanced", {"fall": 19, "walk": 1}], ids=["balanced", "mapping"])
def test_a_rare_class_is_found_with_weights_and_not_without(rare, booster, weight):
    settings = training_settings("paper", n_jobs=1, **SETTINGS[booster])
    plain = fusion.train(rare, preset=settings)
    weighted = fusion.train(rare, preset=settings, class_weight=weight)
    assert recall(plain) == 0
    assert recall(weighted) >= 0.5
    assert weighted.evaluation.balanced_accuracy > plain.evaluation.balanced_accuracy + 0.2
    assert plain.evaluation.balanced_accuracy == 0.5
    assert weighted.to_dict()["balanced_accuracy"] == weighted.evaluation.balanced_accuracy


def test_weights_are_kept_with_the_model_and_its_command(rare, tmp_path):
    result = fusion.train(rare, tmp_path / "model", preset="fast", class_weight={"fall": 5.0})
    loaded = fusion.load_model(result.folder)
    assert loaded.classifier.class_weight == {"fall": 5.0}
    assert "--class-weight fall=5" in (result.folder / "metrics.json").read_text()


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        ("heavy", "class_weight is 'heavy'; expected 'balanced', or a mapping"),
        ({"fall": -1}, "expected 'balanced', or a mapping of classes to numbers of at least 0"),
        ({"run": 2}, "class_weight names 'run'; the classes of the labelled rows are 'fall', 'walk'. Correct the name"),
    ],
)
def test_wrong_weights_are_refused(rare, weight, message):
    with pytest.raises(ConfigError, match=message):
        fusion.train(rare, preset="fast", class_weight=weight)


@pytest.fixture
def of_one_person(make_store):
    """Three classes, of which one person alone has the third."""
    rows = functa_rows(8, 6)
    labels = np.where(np.arange(len(rows)) % 2, "walk", "sit").astype(object)
    labels[:6:2] = "jump"
    return make_store(rebuilt(rows, labels=labels))


PLAIN = training_settings("linear", n_jobs=1)
WEIGHTED = training_settings("linear", n_jobs=1, class_weight={"jump": 3.0})
EVERYWHERE = {
    "cv": lambda store, settings: fusion.train(store, preset=settings, cv=4).accuracy,
    "thresholds": lambda store, settings: fusion.train(store, preset=settings, thresholds=True).accuracy,
    "auto": lambda store, settings: fusion.train(store, preset=replace(settings, choices=("fast", "linear"))).accuracy,
    "compare": lambda store, settings: fusion.compare(store, presets={"linear": settings}, folds=3).best.mean,
}


@pytest.mark.parametrize("way", EVERYWHERE)
def test_a_class_that_a_fold_lacks_may_be_named(of_one_person, way):
    assert 0 <= EVERYWHERE[way](of_one_person, WEIGHTED) <= 1


@pytest.mark.parametrize("way", EVERYWHERE)
def test_a_class_that_no_row_has_is_refused_before_anything_is_trained(of_one_person, way):
    with pytest.raises(ConfigError, match="class_weight names 'jmup'; the classes of the labelled rows are 'jump', "):
        EVERYWHERE[way](of_one_person, replace(PLAIN, parameters={**PLAIN.parameters, "class_weight": {"jmup": 3}}))


def test_a_classifier_on_its_own_warns_of_a_class_that_it_does_not_meet(rare):
    rows = rare.read()
    weights = {"run": 2, "fall": 3}
    with pytest.warns(UserWarning, match="class_weight names 'run', which no row has: without effect here"):
        warned = FunctaClassifier(n_estimators=2, n_jobs=1, class_weight=weights).fit(rows.functas, rows.labels)
    known = FunctaClassifier(n_estimators=2, n_jobs=1, class_weight={"fall": 3}).fit(rows.functas, rows.labels)
    np.testing.assert_array_equal(warned.predict_proba(rows.functas), known.predict_proba(rows.functas))


def test_equal_weights_change_nothing(rare):
    rows = rare.read()
    plain, equal = (
        FunctaClassifier(n_estimators=5, n_jobs=1, class_weight=weight).fit(rows.functas, rows.labels, rows.groups)
        for weight in (None, {"walk": 1, "fall": 1})
    )
    np.testing.assert_allclose(plain.predict_proba(rows.functas), equal.predict_proba(rows.functas), atol=1e-5)
