from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from helpers.made_tasks import linked_tasks

import fusion
from fusion.errors import ConfigError, DataError, ModelError
from fusion.estimators import training_settings
from fusion.models.folder import load_model
from store import open_store

QUICK = training_settings("linear", n_jobs=1)


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    return linked_tasks(tmp_path_factory.mktemp("numbers") / "pair", lacking=6)


@pytest.fixture(scope="module", params=["early", "late", "stacked"])
def fused(request, pair, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / request.param
    return fusion.train(pair, folder, preset=QUICK, task="regression", fusion=request.param)


def sensor(pair):
    return pair.stores["sensor"].path


@pytest.mark.parametrize("preset", ["fast", "linear"])
def test_a_number_is_learned_with_trees_and_with_the_linear_booster(pair, preset):
    result = fusion.train(sensor(pair), preset=training_settings(preset, n_jobs=1), task="regression")
    figures = result.to_dict()
    assert (figures["task"], figures["r2"]) == ("regression", result.score)
    assert result.score > 0.5
    assert {"mae", "rmse", "r2_interval", "mae_interval", "rmse_interval"} <= set(figures)
    assert "accuracy" not in figures
    assert set(figures["r2_intervals"]) == {"groups", "rows"}
    assert figures["mae_interval"][0] < figures["mae"] < figures["mae_interval"][1]
    assert figures["baselines"]["mean"] == pytest.approx(0, abs=0.2)
    assert not hasattr(result, "accuracy")


def test_a_fusion_is_better_than_its_members(fused):
    alone = {name: figures.score for name, figures in fused.modalities.items()}
    assert fused.score > max(alone.values()) + 0.01
    document = fused.to_dict()
    assert {"r2", "mae", "rmse", "r2_without"} <= set(document["modalities"]["sensor"])
    assert document["r2_complete"]["fusion"] > document["r2_complete"]["sensor"]
    assert 0 < document["modalities"]["camera"]["contribution"] < 1


def test_a_missing_modality_leaves_what_the_other_says(fused):
    table = fused.predictions
    lone = table[table["camera:predicted"].isna()]
    assert len(lone)
    np.testing.assert_allclose(lone["predicted"].astype(float), lone["sensor:predicted"].astype(float))


def test_a_saved_model_gives_the_same_numbers(fused, pair):
    functas = {}
    for name, store in pair.stores.items():
        with open_store(store.path) as opened:
            functas[name] = opened.read(list(pair.column("camera")[1:5])).functas
    expected = fused.model.predict(functas)
    assert expected.dtype == np.float64
    for only_predict in (False, True):
        loaded = load_model(fused.folder, only_predict=only_predict)
        assert loaded.task.name == "regression"
        np.testing.assert_allclose(loaded.predict(functas), expected, rtol=1e-6)
    with pytest.raises(ModelError, match="has no probabilities"):
        fused.model.predict_proba(functas)


def test_evaluating_gives_the_same_figures(fused, pair):
    again = fusion.evaluate(fused.folder, pair)
    assert again.score == pytest.approx(fused.score, abs=1e-6)


def test_the_folder_keeps_figures_and_a_report(fused):
    assert json.loads((fused.folder / "metrics.json").read_text())["r2"] == fused.score
    assert pd.read_parquet(fused.folder / "predictions.parquet")["predicted"].dtype == np.float64
    page = fusion.report(fused.folder).read_text()
    assert "Predicted and true numbers" in page
    assert "mean absolute error" in page
    assert "Confusion" not in page


def test_folds_are_of_whole_groups_and_have_a_figure_each(pair):
    result = fusion.train(sensor(pair), preset=QUICK, task="regression", cv=3)
    assert len(result.folds) == 3
    assert result.score == pytest.approx(np.mean(result.folds))
    assert all(part["group"].nunique() == 4 for _, part in result.predictions.groupby("fold"))


def test_tuning_compares_by_r2(pair):
    settings = training_settings("fast", n_jobs=1, n_estimators=5, tune=True)
    tuning = fusion.train(sensor(pair), preset=settings, task="regression").to_dict()["tuning"]
    assert all("r2" in tried for tried in tuning["tried"])
    best = max(tuning["tried"], key=lambda tried: tried["r2"])
    assert tuning["chosen"] == best["name"] == "linear"


def test_labels_that_are_numbers_are_targets_of_stores_that_have_none(tmp_path):
    pair = linked_tasks(tmp_path / "pair", labels="numbers")
    assert pair.targets is None
    with pytest.raises(DataError, match="--task regression"):
        fusion.train(pair, preset=QUICK)
    assert fusion.train(pair, preset=QUICK, task="regression").score > 0.9


def test_labels_that_are_no_numbers_are_refused(tmp_path):
    pair = linked_tasks(tmp_path / "pair", labels="sets")
    with pytest.raises(DataError, match="288 of 288 labels are no numbers, such as ';', 'cat'"):
        fusion.train(pair, preset=QUICK, task="regression")


def test_a_task_that_does_not_exist_and_weights_of_classes_are_refused(pair):
    with pytest.raises(ConfigError, match="task is 'ranking'; expected one of classification, regression, multilabel"):
        fusion.train(pair, task="ranking")
    with pytest.raises(ConfigError, match="class_weight is given for the task 'regression'"):
        fusion.train(pair, task="regression", class_weight="balanced")
