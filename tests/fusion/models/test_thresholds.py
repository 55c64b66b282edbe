from __future__ import annotations

import json

import numpy as np
import pytest
from helpers.made_functas import stored
from helpers.made_tasks import linked_tasks

import fusion
from fusion.errors import ConfigError, DataError, ModelError
from fusion.estimators import training_settings
from fusion.models import thresholds as module
from fusion.models.folder import load_model, save_model

LINEAR = training_settings("linear", n_jobs=1, thresholds=True)


@pytest.fixture(scope="module")
def trained(rare, tmp_path_factory):
    return fusion.train(rare, tmp_path_factory.mktemp("models") / "rare", preset=LINEAR)


def recall(figures, name):
    return next(one.recall for one in figures.per_class if one.label == name)


def test_a_rare_class_is_found_by_the_threshold_that_is_right(trained):
    """One row in twenty is a fall, so 0.05 has the highest mean recall, if the probabilities are right."""
    assert recall(trained, "fall") == 0
    assert 0.025 < trained.model.thresholds["fall"] < 0.1
    assert recall(trained.at_thresholds, "fall") >= 0.5
    assert trained.at_thresholds.balanced_accuracy > trained.evaluation.balanced_accuracy + 0.2
    told = json.loads(json.dumps(trained.to_dict()))
    assert told["thresholds"] == trained.model.thresholds
    assert told["at_thresholds"]["balanced_accuracy"] == trained.at_thresholds.balanced_accuracy


def test_they_are_kept_for_those_who_ask_for_them(trained, rare):
    functas = rare.read().functas
    for only_predict in (False, True):
        loaded = load_model(trained.folder, only_predict=only_predict)
        assert loaded.thresholds == trained.model.thresholds
        likely = loaded.predict_proba(functas)[:, 0]
        np.testing.assert_array_equal(loaded.predict(functas) == "fall", likely > 0.5)
        named = loaded.at_thresholds().predict(functas)
        np.testing.assert_array_equal(named == "fall", likely > loaded.thresholds["fall"])
    again = fusion.evaluate(trained.folder, rare)
    assert again.at_thresholds.to_dict() == trained.at_thresholds.to_dict()
    assert "--thresholds" in json.loads((trained.folder / "metrics.json").read_text())["command"]


def test_they_are_chosen_on_training_rows_of_other_groups(rare, monkeypatch):
    seen, tested = [], []
    fit, predict = module.fit_model, module.predict_items
    monkeypatch.setattr(module, "fit_model", lambda *given: seen.append(given[1]) or fit(*given))
    monkeypatch.setattr(module, "predict_items", lambda *given: tested.append(given[2]) or predict(*given))
    fusion.train(rare, preset=LINEAR)
    assert len(seen) == len(tested) == 5
    for training, held in zip(seen, tested, strict=True):
        assert not set(training.groups) & set(held.groups)
    every = np.concatenate([held.ids for held in tested])
    assert len(set(every)) == len(every) == 800
    assert all(str(group).startswith("s-") for held in tested for group in held.groups)


@pytest.mark.parametrize(
    "kind", ["early", *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("late", "stacked"))]
)
def test_labels_of_a_fusion_have_theirs(tmp_path, kind):
    pair = linked_tasks(tmp_path / "pair", labels="sets", lacking=6)
    result = fusion.train(pair, tmp_path / "model", preset=LINEAR, task="multilabel", fusion=kind)
    assert set(result.model.thresholds) == {"cat", "dog"}
    assert result.at_thresholds.macro_f1 > result.evaluation.macro_f1 - 0.05
    by_hand = result.predictions["probability:dog"] > result.model.thresholds["dog"]
    assert [("dog" in text) for text in result.predictions["predicted_at_thresholds"]] == by_hand.tolist()
    page = fusion.report(tmp_path / "model").read_text()
    assert "By thresholds" in page
    assert f"{result.model.thresholds['dog']:.3f}" in page


def test_of_a_cross_validation_each_fold_chooses_its_own(rare):
    rows = rare.read()
    result = fusion.train(rare, preset=LINEAR, cv=2)
    assert len(result.predictions) == len(rows.ids)
    assert recall(result.at_thresholds, "fall") >= 0.5


def test_what_has_none_is_refused(rare, trained, tmp_path):
    with pytest.raises(ConfigError, match="thresholds are asked for of numbers"):
        training_settings(task="regression", thresholds=True)
    with pytest.raises(ModelError, match="this model has no thresholds; expected one that was trained with"):
        fusion.train(rare, preset="linear").model.at_thresholds()
    alone = rare.read().take(np.arange(800))
    groups = np.where(np.arange(800) < 700, "one", "two").astype(object)
    columns = {name: getattr(alone, name) for name in ("labels",)}
    rows = type(alone).build(list(alone.ids), alone.functas, groups=groups, **columns)
    rows.splits[:] = np.where(groups == "one", "train", "test")
    with pytest.raises(DataError, match="thresholds are chosen on groups left out, but the 700 training rows"):
        fusion.train(stored(tmp_path / "alone.zarr", rows), preset=LINEAR)


@pytest.mark.parametrize("change", [{"fall": 0.1}, {"fall": 0.0, "walk": 1.0}, {"fall": "half", "walk": 0.5}])
def test_damaged_thresholds_are_refused(trained, tmp_path, change):
    folder = save_model(trained.model, tmp_path / "model")
    card = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps(card | {"thresholds": change}))
    with pytest.raises(ModelError, match="damaged at 'thresholds"):
        load_model(folder)
