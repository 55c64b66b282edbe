from __future__ import annotations

import io
import json
import zipfile

import numpy as np
import pytest
from helpers.made_functas import functa_rows
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression

from fusion.comparing.compare import compare
from fusion.errors import ConfigError, ModelError
from fusion.estimators.presets import training_settings
from fusion.linking.linker import link
from fusion.models import skops_files
from fusion.models.evaluating import evaluate
from fusion.models.folder import load_model
from fusion.models.training import train

skops_io = pytest.importorskip("skops.io")


class Own(ClassifierMixin, BaseEstimator):
    """A classifier that is no part of scikit-learn."""

    def fit(self, X, y):  # noqa: N803
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):  # noqa: N803
        return np.full((len(X), len(self.classes_)), 1 / len(self.classes_))


def test_a_model_of_an_estimator_is_saved_loaded_and_evaluated(make_store, tmp_path):
    store = make_store()
    trained = train(store, tmp_path / "model", estimator=LogisticRegression())
    assert sorted(path.name for path in (tmp_path / "model").glob("model*")) == ["model.json", "model.skops"]
    assert trained.accuracy > 0.8
    assert trained.rounds == 0
    again = evaluate(tmp_path / "model", store)
    assert again.accuracy == trained.accuracy
    functas = functa_rows().functas
    for only_predict in (False, True):
        loaded = load_model(tmp_path / "model", only_predict=only_predict)
        np.testing.assert_array_equal(loaded.predict_proba(functas), trained.model.predict_proba(functas))
    settings = json.loads((tmp_path / "model" / "run.json").read_text())["runs"][0]["settings"]
    assert settings["estimator"].startswith("LogisticRegression(")
    assert settings["preset"] is None


@pytest.mark.parametrize("fusion", ["early", "late", "stacked"])
def test_every_fusion_takes_it(make_store, tmp_path, fusion):
    table = link({name: make_store(functa_rows(seed=seed), name) for seed, name in enumerate("ab")}, on="id")
    trained = train(table, tmp_path / "model", estimator=LogisticRegression(), fusion=fusion)
    assert trained.accuracy > 0.9
    assert evaluate(tmp_path / "model", table).accuracy == trained.accuracy


def test_it_stands_beside_presets_in_a_comparison(make_store):
    presets = {"fast": training_settings("fast", n_estimators=4, n_jobs=1), "logistic": LogisticRegression()}
    found = compare(make_store(functa_rows(12)), presets=presets, folds=3)
    assert {place.preset for place in found.places} == {"fast", "logistic"}


def test_what_skops_does_not_trust_is_not_saved_and_trains_without_a_folder(make_store, tmp_path):
    store = make_store()
    with pytest.raises(ModelError, match=r"Own cannot be saved: it holds .*Own, which skops would not load again"):
        train(store, tmp_path / "model", estimator=Own())
    assert not (tmp_path / "model").exists()
    assert train(store, estimator=Own()).accuracy < 0.5


def test_without_skops_nothing_is_saved(make_store, tmp_path, monkeypatch):
    monkeypatch.setattr(skops_files, "find_spec", lambda name: None)
    with pytest.raises(ModelError, match=r"saving LogisticRegression needs skops.*functa-fusion\[skops\]"):
        train(make_store(), tmp_path / "model", estimator=LogisticRegression())


def test_foreign_types_are_never_loaded():
    content = skops_io.dumps(Own())
    with pytest.raises(ModelError, match=r"holds .*Own, which skops does not trust and which is not loaded"):
        skops_files.read_estimator("folder", "model.skops", content)


@pytest.mark.parametrize("damage", ["cut", "other", "schema"])
def test_damaged_files_are_one_line(damage):
    content = skops_io.dumps(LogisticRegression().fit([[0.0], [1.0]], ["a", "b"]))
    if damage == "schema":
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("schema.json", "{}")
        content = buffer.getvalue()
    content = {"cut": content[: len(content) // 2], "other": b"no archive", "schema": content}[damage]
    with pytest.raises(ModelError, match="is not an estimator that skops wrote"):
        skops_files.read_estimator("folder", "model.skops", content)


def test_an_estimator_of_another_model_is_refused(make_store, tmp_path):
    train(make_store(), tmp_path / "model", estimator=LogisticRegression())
    other = skops_io.dumps(LogisticRegression().fit([[0.0], [1.0]], ["a", "b"]))
    _put(tmp_path / "model", other)
    with pytest.raises(ModelError, match=r"model\.skops.*train again|Train again"):
        load_model(tmp_path / "model")


def _put(folder, content):
    import hashlib

    (folder / "model.skops").write_bytes(content)
    card = json.loads((folder / "model.json").read_text())
    card["sha256"]["model.skops"] = hashlib.sha256(content).hexdigest()
    (folder / "model.json").write_text(json.dumps(card))


def test_parameters_of_trees_beside_an_estimator_are_refused():
    with pytest.raises(ConfigError, match="max_depth"):
        training_settings(estimator=LogisticRegression(), max_depth=3)
    with pytest.raises(ConfigError, match="preset"):
        training_settings("fast", estimator=LogisticRegression())
    with pytest.raises(ConfigError, match="tune"):
        training_settings(estimator=LogisticRegression(), tune=True)
