from __future__ import annotations

import json

import numpy as np
import pytest
from helpers.made_functas import functa_rows, rebuilt

from fusion.errors import ConfigError, DataError
from fusion.estimators.presets import training_settings
from fusion.models.training import train

QUICK = training_settings(n_estimators=8, n_jobs=1)
NOISY = functa_rows(12, 6, seed=3)


@pytest.fixture
def noisy(make_store):
    functas = NOISY.functas + np.random.default_rng(0).normal(size=NOISY.functas.shape).astype(np.float32)
    return make_store(rebuilt(NOISY, functas=functas))


def test_seeds_on_one_split_give_the_figures_of_each_and_the_model_of_the_first(noisy, tmp_path):
    result = train(noisy, tmp_path / "model", preset=QUICK, seeds=3)
    alone = [train(noisy, preset=training_settings(QUICK, seed=seed)).accuracy for seed in (42, 43, 44)]
    assert [each.seed for each in result.repeats.seeds] == [42, 43, 44]
    assert [each.score for each in result.repeats.seeds] == alone
    assert result.accuracy == alone[0]
    assert result.mean == pytest.approx(np.mean(alone))
    assert result.sd == pytest.approx(np.std(alone, ddof=1))
    kept = json.loads((tmp_path / "model" / "metrics.json").read_text())
    assert (kept["mean"], len(kept["seeds"])) == (result.mean, 3)
    assert result.to_dict()["seeds"] == kept["seeds"]
    assert "--seeds 3" in kept["command"]


def test_a_number_of_folds_is_cross_validated_by_whole_groups(noisy, tmp_path):
    result = train(noisy, tmp_path / "model", preset=QUICK, cv=4)
    table = result.predictions
    assert len(table) == result.rows_train == 72
    assert len(result.folds) == 4
    assert table.groupby("group")["fold"].nunique().eq(1).all()
    assert result.mean == pytest.approx(np.mean(result.folds))
    assert result.model.training.cv == "4"
    assert "seeds" not in result.to_dict()


def test_seeds_deal_the_folds_anew(noisy):
    result = train(noisy, preset=QUICK, cv=3, seeds=2)
    first, second = result.repeats.seeds
    assert first.folds != second.folds
    assert result.sd == pytest.approx(np.std([first.score, second.score], ddof=1))
    assert result.to_dict()["folds"] == list(first.folds)


def test_one_split_and_one_seed_have_no_deviation(noisy):
    result = train(noisy, preset=QUICK)
    assert np.isnan(result.sd)
    assert result.mean == result.accuracy
    assert not {"mean", "sd", "seeds"} & result.to_dict().keys()


def test_what_cannot_be_repeated_is_refused(noisy):
    with pytest.raises(ConfigError, match="seeds is 0"):
        train(noisy, preset=QUICK, seeds=0)
    with pytest.raises(ConfigError, match="cross-validation on 1; expected"):
        train(noisy, preset=QUICK, cv=1)
    with pytest.raises(DataError, match=r"13 folds has 12 groups among 72 labelled rows.*Use fewer folds"):
        train(noisy, preset=QUICK, cv=13)
