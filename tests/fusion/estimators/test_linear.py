from __future__ import annotations

import numpy as np
import pytest
import xgboost
from helpers.made_functas import functa_rows
from scipy.special import softmax
from sklearn.base import clone
from sklearn.linear_model import RidgeClassifier
from sklearn.utils.estimator_checks import parametrize_with_checks

from fusion.errors import ConfigError, ModelError
from fusion.estimators.boosted import BOOSTERS
from fusion.estimators.linear import calibrate
from fusion.estimators.objectives import Softmax
from fusion.estimators.targets import Targets
from fusion.estimators.trainers import LocalTrainer
from fusion.estimators.xgboost import FunctaClassifier
from fusion.models.folder import load_model
from fusion.models.training import train

QUICK = {"penalties": [0.01]}


@parametrize_with_checks(
    [
        FunctaClassifier(booster="gblinear", linear=QUICK, n_jobs=1),
        FunctaClassifier(booster="stacked", linear=QUICK, n_estimators=2, n_jobs=1),
    ]
)
def test_linear_boosters_follow_scikit_learn(estimator, check):
    check(estimator)


def small(booster, **parameters):
    return FunctaClassifier(**{"booster": booster, "n_estimators": 10, "n_jobs": 1} | parameters)


@pytest.fixture
def rows():
    return functa_rows(12, 9)


@pytest.fixture(scope="module")
def wide():
    """Few rows of many correlated columns, five classes that a plane tells apart, and groups of ten rows."""
    random = np.random.default_rng(0)
    hidden = random.normal(size=(300, 20))
    X = (hidden @ random.normal(size=(20, 400)) + random.normal(size=(300, 400))).astype(np.float32)  # noqa: N806
    y = np.array(list("abcde"))[(hidden @ random.normal(size=(20, 5))).argmax(axis=1)]
    return X[:200], y[:200], np.arange(200) // 10, X[200:], y[200:]


@pytest.mark.parametrize("booster", BOOSTERS)
def test_contributions_sum_to_the_margins(rows, booster):
    classifier = small(booster).fit(rows.functas, rows.labels, rows.groups)
    parts = classifier.contributions(rows.functas)
    assert parts.shape == (len(rows), 3, rows.functas.shape[1] + 1)
    np.testing.assert_allclose(
        softmax(parts.sum(axis=2), axis=1), classifier.predict_proba(rows.functas), rtol=1e-4, atol=1e-6
    )
    assert parts[:, :, 0].std(axis=0).mean() > 2 * parts[:, :, 4].std(axis=0).mean()


def test_stacked_trees_split_on_the_drawn_columns_only(wide):
    X, y, groups, *_ = wide  # noqa: N806
    some = small("stacked", linear=QUICK, tree_columns=5, seed=3).fit(X, y, groups)
    other = small("stacked", linear=QUICK, tree_columns=5, seed=4).fit(X, y, groups)
    of_all = small("stacked", linear=QUICK, tree_columns=400).fit(X, y, groups)
    assert of_all.booster_.save_raw() == small("stacked", linear=QUICK).fit(X, y, groups).booster_.save_raw()
    split_on, elsewhere = (set(made.booster_.get_fscore()) for made in (some, other))
    assert 0 < len(split_on) <= 5
    assert split_on != elsewhere
    read_all = (np.abs(some.contributions(X)[:, :, :-1]) > 0).any(axis=(0, 1))
    assert read_all.all()
    with pytest.raises(ConfigError, match=r"tree_columns is 0; expected at least 1, or None for all"):
        small("stacked", tree_columns=0).fit(X, y, groups)


@pytest.mark.parametrize("booster", BOOSTERS)
def test_same_seed_gives_the_same_boosters(rows, booster):
    first = small(booster).fit(rows.functas, rows.labels, rows.groups)
    second = clone(first).fit(rows.functas, rows.labels, rows.groups)
    assert set(first.boosters_) == set(BOOSTERS[booster])
    for name, model in first.boosters_.items():
        assert model.save_raw() == second.boosters_[name].save_raw()


@pytest.mark.parametrize("booster", BOOSTERS)
def test_saved_boosters_predict_the_same(rows, booster):
    classifier = small(booster).fit(rows.functas, rows.labels, rows.groups)
    read = {}
    for name, model in classifier.boosters_.items():
        read[name] = xgboost.Booster()
        read[name].load_model(bytearray(model.save_raw("ubj")))
    restored = small(booster).restore(read, classifier.classes_)
    np.testing.assert_array_equal(restored.predict_proba(rows.functas), classifier.predict_proba(rows.functas))
    assert restored.n_rounds_ == classifier.n_rounds_


def test_restoring_wants_all_boosters(rows):
    classifier = small("stacked").fit(rows.functas, rows.labels, rows.groups)
    with pytest.raises(ModelError, match=r"'stacked' was given as \['model'\]; expected \['linear', 'model'\]"):
        small("stacked").restore(classifier.booster_, classifier.classes_)
    narrow = small("gblinear").fit(rows.functas[:, :4], rows.labels).booster_
    with pytest.raises(ModelError, match="the boosters read 12 and 4 columns"):
        small("stacked").restore({"model": classifier.booster_, "linear": narrow}, classifier.classes_)


def test_the_linear_booster_reads_wide_data_as_well_as_ridge_and_better_than_trees(wide):
    X, y, groups, held, truth = wide  # noqa: N806
    reached = {name: np.mean(small(name).fit(X, y, groups).predict(held) == truth) for name in BOOSTERS}
    ridge = np.mean(RidgeClassifier(alpha=100).fit(X, y).predict(held) == truth)
    assert reached["gblinear"] >= ridge - 0.03
    assert reached["gblinear"] > reached["gbtree"] + 0.1
    assert reached["stacked"] > reached["gbtree"] + 0.1


def test_the_linear_booster_counts_missing_values_as_zero(rows):
    missing, zero = rows.functas.copy(), rows.functas.copy()
    missing[::3, :6], zero[::3, :6] = np.nan, 0
    one, other = (small("gblinear").fit(functas, rows.labels, rows.groups) for functas in (missing, zero))
    np.testing.assert_array_equal(one.predict_proba(missing), other.predict_proba(zero))


def test_columns_that_never_vary_and_their_scale_do_not_matter(rows):
    scaled = rows.functas * np.geomspace(1e-3, 1e3, rows.functas.shape[1], dtype=np.float32)
    one = small("gblinear").fit(rows.functas, rows.labels, rows.groups).predict_proba(rows.functas)
    np.testing.assert_allclose(
        small("gblinear").fit(scaled, rows.labels, rows.groups).predict_proba(scaled), one, atol=1e-3
    )


@pytest.mark.parametrize("factor", [0.3, 1.0, 4.0])
def test_margins_become_as_sure_as_they_are_right(factor):
    random = np.random.default_rng(0)
    margins = random.normal(size=(4000, 3))
    codes = np.array([random.choice(3, p=chances) for chances in softmax(margins, axis=1)])
    assert calibrate((margins / factor).astype(np.float32), Targets(codes), Softmax(3)) == pytest.approx(
        factor, rel=0.1
    )


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"booster": "dart"}, "booster is 'dart'; expected one of gbtree, gblinear, stacked"),
        ({"linear": {"penaltis": [1]}}, "linear names 'penaltis'; expected penalties. Correct the name"),
        ({"linear": "much"}, "linear is 'much'; expected a mapping of penalties to numbers"),
        ({"linear": {"penalties": [0]}}, "expected penalties greater than 0"),
        ({"linear": {"penalties": []}}, "expected penalties greater than 0"),
        ({"linear": {"penalties": ["much"]}}, "expected a mapping of penalties to numbers"),
    ],
)
def test_wrong_linear_parameters_are_refused(rows, parameters, message):
    with pytest.raises(ConfigError, match=message):
        FunctaClassifier(**parameters).fit(rows.functas, rows.labels)


def test_settings_of_coordinate_descent_are_told_to_be_without_effect(rows):
    with pytest.warns(DeprecationWarning, match="linear: components, rounds are not used any more"):
        old = small("gblinear", linear={"rounds": 3, "components": 64}).fit(rows.functas, rows.labels)
    new = small("gblinear").fit(rows.functas, rows.labels)
    assert old.booster_.save_raw() == new.booster_.save_raw()


def test_trees_on_a_linear_booster_train_in_one_process(rows):
    class Elsewhere(LocalTrainer):
        pass

    small("stacked").fit_rows(rows.functas, rows.labels, trainer=Elsewhere())
    with pytest.raises(ConfigError, match="booster is 'stacked', which trains in one process; use 'gblinear'"):
        small("stacked").fit_rows(rows.functas, rows.labels, trainer=object())


@pytest.mark.parametrize("booster", ["gblinear", "stacked"])
@pytest.mark.parametrize("groups", [None, ["only"] * 108], ids=["none", "single"])
def test_rows_of_one_group_are_dealt_into_folds(rows, booster, groups):
    classifier = small(booster).fit(rows.functas, rows.labels, groups)
    assert np.mean(classifier.predict(rows.functas) == rows.labels) > 0.95


def test_two_rows_are_enough():
    X = np.array([[0.0, 1.0], [1.0, 0.0]], np.float32)  # noqa: N806
    assert list(small("stacked").fit(X, ["a", "b"]).classes_) == ["a", "b"]


@pytest.mark.parametrize("booster", ["gblinear", "stacked"])
def test_a_model_folder_keeps_every_booster(make_store, tmp_path, booster):
    store = make_store()
    trained = train(store, tmp_path / "model", classifier=small(booster))
    loaded = load_model(tmp_path / "model")
    assert set(loaded.classifier.boosters_) == set(BOOSTERS[booster])
    functas = functa_rows().functas
    np.testing.assert_array_equal(loaded.predict_proba(functas), trained.model.predict_proba(functas))
