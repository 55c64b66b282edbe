from __future__ import annotations

import json
import re

import numpy as np
import pytest
from helpers.made_functas import CLASSES, functa_rows
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

from fusion.errors import ConfigError, DataError
from fusion.estimators import boosted
from fusion.estimators.labeller import FunctaLabeller
from fusion.estimators.regressor import FunctaRegressor
from fusion.estimators.xgboost import FunctaClassifier


@parametrize_with_checks([FunctaClassifier(n_estimators=10, n_jobs=1)])
def test_follows_scikit_learn(estimator, check):
    check(estimator)


def small(**parameters):
    return FunctaClassifier(**{"n_estimators": 20, "n_jobs": 1} | parameters)


@pytest.fixture
def rows():
    return functa_rows(12, 9)


def test_defaults_are_the_papers():
    classifier = FunctaClassifier()
    assert (classifier.max_depth, classifier.eta, classifier.seed) == (6, 0.3, 42)
    classifier.classes_ = np.arange(3)
    used = classifier._xgboost_parameters((100, 10))
    assert (used["objective"], used["eval_metric"], used["num_class"]) == ("multi:softprob", "mlogloss", 3)


def test_string_labels_are_learned_and_kept(rows):
    classifier = small().fit(rows.functas, rows.labels, rows.groups)
    assert list(classifier.classes_) == sorted(CLASSES)
    assert np.mean(classifier.predict(rows.functas) == rows.labels) > 0.95
    probabilities = classifier.predict_proba(rows.functas)
    assert probabilities.shape == (len(rows), 3)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)


def test_two_classes_are_enough(rows):
    two = rows.labels != CLASSES[2]
    classifier = small().fit(rows.functas[two], rows.labels[two])
    assert classifier.predict_proba(rows.functas).shape == (len(rows), 2)
    assert np.mean(classifier.predict(rows.functas[two]) == rows.labels[two]) > 0.95


def test_one_class_is_refused(rows):
    with pytest.raises(
        DataError, match="the 108 training rows hold one class only, 'walk'; expected at least two classes"
    ):
        small().fit(rows.functas, ["walk"] * len(rows))


def test_missing_values_are_allowed(rows):
    functas = rows.functas.copy()
    functas[::3] = np.nan
    classifier = small().fit(functas, rows.labels, rows.groups)
    assert np.isfinite(classifier.predict_proba(functas)).all()


def test_refitting_uses_every_training_row_with_the_rounds_found(rows):
    once = small(refit=False).fit(rows.functas, rows.labels, rows.groups)
    again = small(refit=True).fit(rows.functas, rows.labels, rows.groups)
    by_hand = small(early_stopping_rounds=None, n_estimators=once.n_rounds_).fit(rows.functas, rows.labels)
    assert (
        again.n_rounds_ == once.n_rounds_ == again.booster_.num_boosted_rounds() == once.booster_.num_boosted_rounds()
    )
    assert again.booster_.save_raw() == by_hand.booster_.save_raw()
    assert once.booster_.save_raw() != by_hand.booster_.save_raw()


def test_same_seed_gives_the_same_trees(rows):
    first = small(parameters={"subsample": 0.5}).fit(rows.functas, rows.labels, rows.groups)
    second = clone(first).fit(rows.functas, rows.labels, rows.groups)
    other = clone(first).set_params(seed=1).fit(rows.functas, rows.labels, rows.groups)
    assert first.booster_.save_raw() == second.booster_.save_raw()
    assert first.booster_.save_raw() != other.booster_.save_raw()


def test_few_values_give_the_same_trees_on_any_number_of_cores(rows, monkeypatch):
    grown = []
    for cores in (1, 2, 8):
        monkeypatch.setattr(boosted, "_physical_cores", lambda cores=cores: cores)
        classifier = small(n_jobs=None).fit(rows.functas, rows.labels, rows.groups)
        grown.append(bytes(classifier.booster_.save_raw()))
    assert grown[0] == grown[1] == grown[2]


@pytest.mark.parametrize("how", [{}, {"refit": False}, {"booster": "gblinear"}], ids=["trees", "as found", "linear"])
def test_what_one_thread_trained_predicts_by_all(rows, monkeypatch, how):
    monkeypatch.setattr(boosted, "_physical_cores", lambda: 3)
    classifier = small(n_jobs=None, **how).fit(rows.functas, rows.labels, rows.groups)
    told = json.loads(classifier.booster_.save_config())["learner"]["generic_param"]
    assert told["nthread"] == "3"


def test_many_values_are_read_by_all_cores_and_as_many_threads_as_asked_for(monkeypatch):
    monkeypatch.setattr(boosted, "_physical_cores", lambda: 8)
    assert [FunctaRegressor()._xgboost_parameters(shape)["nthread"] for shape in ((1000, 1500), (1001, 1500))] == [1, 8]
    assert FunctaRegressor(n_jobs=3)._xgboost_parameters((10, 10))["nthread"] == 3


def test_further_parameters_reach_xgboost(rows):
    stump = small(parameters={"max_depth": 1}).fit(rows.functas, rows.labels)
    assert max(tree.count("leaf") for tree in stump.booster_.get_dump()) == 2


def test_progress_counts_rounds(rows):
    seen = []
    small(n_estimators=5, early_stopping_rounds=None).fit(
        rows.functas, rows.labels, progress=lambda done, most: seen.append((done, most))
    )
    assert seen == [(1, 5), (2, 5), (3, 5), (4, 5), (5, 5)]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("n_estimators", 0, "at least 1"),
        ("n_estimators", 5.5, "at least 1"),
        ("n_estimators", "5", "at least 1"),
        ("validation_fraction", 1.0, r"in \(0, 1\)"),
        ("eta", 0, r"in \(0, 1\]"),
        ("eta", "x", r"in \(0, 1\]"),
        ("seed", -1, "a whole number from 0"),
        ("parameters", 5, "a mapping of XGBoost's names"),
        ("booster", [], "one of gbtree"),
    ],
)
def test_parameters_out_of_range_are_refused(rows, name, value, expected):
    with pytest.raises(ConfigError, match=rf"{name} is {re.escape(repr(value))}; expected {expected}"):
        small(**{name: value}).fit(rows.functas, rows.labels)


@pytest.mark.parametrize("estimator", [FunctaClassifier, FunctaRegressor, FunctaLabeller])
@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([[0, 1], [1, 0]], "inconsistent numbers of samples"),
        ([None, 1, 0], "y holds nothing in 1 places; expected what to learn of each row"),
    ],
)
def test_what_is_to_be_learned_of_other_rows_is_refused(estimator, y, message):
    y = [row[0] for row in y] if estimator is not FunctaLabeller and None not in y else y
    with pytest.raises(DataError, match=message) as refused:
        estimator().fit(np.eye(3), y)
    assert "\n" not in str(refused.value)


def test_numbers_and_text_are_one_class_where_they_are_called_alike(rows):
    y = np.where(rows.labels == CLASSES[0], "walk", None)
    y[y == None] = ([1, 1.0, "1"] * len(rows))[: np.sum(y == None)]  # noqa: E711
    assert small(n_estimators=1).fit(rows.functas, y).classes_.tolist() == ["1", "walk"]


def test_groups_of_another_length_are_refused(rows):
    with pytest.raises(DataError, match="107 groups for 108 rows; expected one per row"):
        small().fit(rows.functas, rows.labels, rows.groups[1:])
