from __future__ import annotations

import numpy as np
import pytest
from helpers.made_functas import CLASSES, functa_rows, rebuilt

from fusion.errors import ConfigError, DataError, ModelError
from fusion.estimators.xgboost import FunctaClassifier
from fusion.models.evaluating import evaluate
from fusion.models.folder import load_model
from fusion.models.training import train

QUICK = FunctaClassifier(n_estimators=15, n_jobs=1)


def quick(store, *args, **options):
    return train(store, *args, classifier=QUICK, **options)


def test_training_learns_evaluates_and_saves(make_store, tmp_path):
    result = quick(make_store(), tmp_path / "model")
    assert result.accuracy == 1
    assert (result.rows_train, result.rows_test, result.columns) == (36, 12, 11)
    assert result.classes == tuple(sorted(CLASSES))
    assert result.confusion.sum() == 12
    assert result.folder == tmp_path / "model"
    assert load_model(result.folder).training.train_splits == ("train",)


def test_a_path_is_as_good_as_an_open_store(make_store):
    store = make_store()
    assert quick(store.path).accuracy == quick(store).accuracy


def test_the_order_of_the_rows_changes_nothing(make_store):
    rows = functa_rows()
    shuffled = rows.take(np.random.default_rng(2).permutation(len(rows)))
    first, second = (quick(make_store(content, name)) for name, content in (("a", rows), ("b", shuffled)))
    functas = rows.functas
    np.testing.assert_allclose(first.model.predict_proba(functas), second.model.predict_proba(functas), atol=1e-6)


def test_test_rows_never_reach_the_model(make_store):
    rows = functa_rows()
    test = rows.splits == "test"
    functas, labels = rows.functas.copy(), rows.labels.copy()
    functas[test] = np.random.default_rng(1).normal(size=functas[test].shape) * 1e3
    labels[test] = np.roll(labels[test], 1)
    honest = quick(make_store(rows, "honest")).model
    other = quick(make_store(rebuilt(rows, functas=functas, labels=labels), "other")).model
    assert honest.classifier.booster_.save_raw() == other.classifier.booster_.save_raw()
    np.testing.assert_array_equal(honest.branches[0].features.mean_, other.branches[0].features.mean_)
    np.testing.assert_array_equal(honest.branches[0].features.keep_, other.branches[0].features.keep_)


def test_rows_without_a_label_are_left_out(make_store):
    rows = functa_rows()
    labels = rows.labels.copy()
    labels[[0, 1, 40]] = None
    result = quick(make_store(rebuilt(rows, labels=labels)))
    assert (result.rows_train, result.rows_test) == (34, 11)


def test_features_can_be_the_weights(make_store):
    result = quick(make_store(), features="weights")
    assert result.model.branches[0].features.features == "weights"
    with pytest.raises(ConfigError, match="features is 'both'; expected one of delta, weights"):
        quick(make_store(name="again"), features="both")


def test_other_splits_can_be_named(make_store):
    rows = functa_rows()
    splits = np.where(rows.splits == "test", "val", "part-1")
    result = quick(make_store(rebuilt(rows, splits=splits)), train_splits=["part-1"], test_splits=["val"])
    assert (result.rows_train, result.rows_test) == (36, 12)


def test_no_training_rows_is_explained(make_store):
    rows = functa_rows()
    store = make_store(rebuilt(rows, splits=["test"] * len(rows)))
    message = (
        r"no labelled training rows; expected rows of split 'train' with a label, got 48 rows of 'test', 0 of them"
    )
    with pytest.raises(DataError, match=message):
        quick(store)


def test_no_test_rows_is_explained(make_store):
    rows = functa_rows()
    labels = np.where(rows.splits == "test", None, rows.labels)
    with pytest.raises(DataError, match=r"no labelled test rows; .* 12 of them without a label"):
        quick(make_store(rebuilt(rows, labels=labels)))


def test_a_store_of_folds_points_to_cross_validation(make_store):
    rows = functa_rows()
    with pytest.raises(DataError, match="The rows carry folds: cross-validate over them"):
        quick(make_store(rebuilt(rows, splits=["fold-1", "fold-2"] * 24)))


def test_a_group_on_both_sides_is_refused(make_store):
    rows = functa_rows()
    splits = ["train", "test"] * (len(rows) // 2)
    message = "8 groups are on both sides of the split, first 'subject-0', .*'subject-4'; expected each subject"
    with pytest.raises(DataError, match=message):
        quick(make_store(rebuilt(rows, splits=splits)))


def test_one_class_is_refused(make_store):
    rows = functa_rows()
    with pytest.raises(DataError, match="the 36 training rows hold one class only, 'walk'"):
        quick(make_store(rebuilt(rows, labels=["walk"] * len(rows))))


def test_a_path_that_is_no_model_is_refused_before_training(make_store, tmp_path):
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "x.txt").write_text("x")
    stages = []
    with pytest.raises(ModelError, match="is not a model folder"):
        quick(make_store(), tmp_path / "notes", progress=lambda *seen: stages.append(seen))
    assert not stages


def test_progress_goes_through_the_stages(make_store):
    seen = []
    quick(make_store(), progress=lambda stage, done, most: seen.append(stage))
    assert list(dict.fromkeys(seen)) == ["read", "train", "evaluate"]


def folds_of(rows):
    return [f"fold-{int(group[-1]) // 2 + 1}" for group in rows.groups]


def test_folds_are_each_tested_once(make_store, tmp_path):
    rows = functa_rows()
    store = make_store(rebuilt(rows, splits=folds_of(rows)))
    result = quick(store, tmp_path / "model", cv="folds")
    assert len(result.folds) == 4
    assert result.accuracy == pytest.approx(np.mean(result.folds))
    assert result.confusion.sum() == result.rows_test == result.rows_train == 48
    assert result.accuracy_interval[0] <= result.accuracy <= result.accuracy_interval[1]
    assert result.to_dict()["folds"] == list(result.folds)
    assert load_model(tmp_path / "model").training.rows == 48
    with pytest.raises(DataError, match=r"was trained on all labelled rows of store .*, so none is left"):
        evaluate(tmp_path / "model", store)


def test_groups_make_folds(make_store):
    result = quick(make_store(), cv="group")
    assert len(result.folds) == 5
    assert result.rows_test == 48


def test_a_group_in_two_folds_is_refused(make_store):
    rows = functa_rows()
    with pytest.raises(DataError, match="8 groups are on both sides of the split"):
        quick(make_store(rebuilt(rows, splits=["fold-1", "fold-2"] * 24)), cv="folds")


@pytest.mark.parametrize(
    ("cv", "message"),
    [
        ("folds", "needs rows of at least two splits named 'fold-...', got 12 rows of 'test', 36 rows of 'train'"),
        ("group", "needs at least two groups, got 0 in 48 labelled rows"),
        ("leave-one-out", "on 'leave-one-out'; expected 'folds', 'group' or a number of folds"),
    ],
)
def test_what_cannot_be_cross_validated_is_explained(make_store, cv, message):
    rows = functa_rows()
    with pytest.raises((DataError, ConfigError), match=message):
        quick(make_store(rebuilt(rows, groups=[None] * len(rows))), cv=cv)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"seeds": 1.5}, "seeds is 1.5; expected how often to train, 1 or more"),
        ({"sample": "x"}, "sample is 'x'; expected a share of the training groups"),
        ({"classifier": "x"}, "classifier is 'x'; expected a FunctaClassifier, FunctaRegressor or FunctaLabeller"),
        ({"cv": 2.5}, "cross-validation on 2.5; expected 'folds', 'group' or a number of folds"),
    ],
)
def test_settings_of_another_type_are_refused_in_one_line(make_store, how, message):
    with pytest.raises(ConfigError, match=message):
        train(make_store(), **{"classifier": QUICK} | how)


@pytest.mark.parametrize("read", [train, load_model, lambda what: evaluate(what, what)])
def test_no_path_is_refused_in_one_line(read):
    with pytest.raises(ConfigError, match=r"is None; expected .*the path of"):
        read(None)


def test_a_number_of_folds_or_seeds_may_be_of_numpy(make_store, tmp_path):
    result = quick(make_store(), tmp_path / "model", cv=np.int64(2), seeds=np.int64(2))
    assert len(result.folds) == len(result.repeats.seeds) == 2
    assert load_model(tmp_path / "model").training.cv == "2"
