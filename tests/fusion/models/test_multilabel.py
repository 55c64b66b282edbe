from __future__ import annotations

import numpy as np
import pytest
from helpers.made_tasks import linked_tasks

import fusion
from fusion.errors import ConfigError, DataError
from fusion.estimators import task_of, training_settings
from fusion.models.folder import load_model
from store import open_store

QUICK = training_settings("linear", n_jobs=1)


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    return linked_tasks(tmp_path_factory.mktemp("sets") / "pair", labels="sets", lacking=6)


@pytest.fixture(scope="module", params=["early", "late", "stacked"])
def fused(request, pair, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / request.param
    return fusion.train(pair, folder, preset=QUICK, task="multilabel", fusion=request.param)


@pytest.mark.parametrize("preset", ["fast", "linear", "stacked"])
def test_each_label_is_learned_by_itself(pair, preset):
    settings = training_settings(preset, n_jobs=1, n_estimators=40)
    figures = fusion.train(pair.stores["sensor"].path, preset=settings, task="multilabel").to_dict()
    assert figures["labels"] == ["cat", "dog"]
    cat, dog = figures["per_label"]
    assert dog["f1"] > 0.8
    assert dog["average_precision"] > cat["average_precision"] > 0.5
    assert figures["micro_f1"] > figures["baselines"]["most frequent"]
    assert {"macro_f1", "map", "exact", "micro_f1_interval"} <= set(figures)


def test_a_fusion_knows_both_labels(fused):
    alone = {name: figures.score for name, figures in fused.modalities.items()}
    assert fused.score > max(alone.values()) + 0.03
    assert {"micro_f1", "micro_f1_without"} <= set(fused.to_dict()["modalities"]["sensor"])
    assert set(fused.predictions["predicted"]) == {"cat", "dog", "cat;dog", ";"}


def test_a_saved_model_says_the_same(fused, pair):
    functas = {}
    for name, store in pair.stores.items():
        with open_store(store.path) as opened:
            functas[name] = opened.read(list(pair.column("camera")[1:5])).functas
    expected = fused.model.predict(functas)
    assert fused.model.classes == ("cat", "dog")
    for only_predict in (False, True):
        loaded = load_model(fused.folder, only_predict=only_predict)
        assert list(loaded.predict(functas)) == list(expected)
        np.testing.assert_allclose(loaded.predict_proba(functas), fused.model.predict_proba(functas), rtol=1e-5)
    again = fusion.evaluate(fused.folder, pair)
    assert again.to_dict()["map"] == pytest.approx(fused.to_dict()["map"])


def test_the_report_lists_the_labels(fused):
    page = fusion.report(fused.folder).read_text()
    assert "Each label" in page
    assert "mean average precision" in page


def test_another_separator_is_kept_with_the_model(pair, tmp_path):
    store = pair.stores["sensor"].path
    settings = training_settings(QUICK, task=task_of("multilabel", label_separator="|"))
    result = fusion.train(store, tmp_path / "model", preset=settings)
    assert set(result.model.classes) == {"cat", "dog", "dog;cat", ";"}
    assert load_model(tmp_path / "model").task == task_of("multilabel", label_separator="|")
    with pytest.raises(ConfigError, match="label_separator is '' and task 'multilabel'"):
        task_of("multilabel", label_separator="")


def test_rows_that_all_have_the_same_labels_are_refused(tmp_path):
    pair = linked_tasks(tmp_path / "pair")
    settings = training_settings(QUICK, task=task_of("multilabel", label_separator="w"))
    assert settings.task.names(np.array(["low", "high"], dtype=object)).tolist() == ["high", "lo"]
    with pytest.raises(DataError, match="training rows have the labels 'low'"):
        settings.task.require_learnable(np.array(["low", "low"], dtype=object))
    assert len(pair)
