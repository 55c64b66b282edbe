from __future__ import annotations

import json

import numpy as np
import pytest
from helpers.made_functas import functa_rows, rebuilt

from fusion.errors import ConfigError
from fusion.estimators.presets import TRAINING_PRESETS, training_settings
from fusion.features.items import labelled_items, read_items
from fusion.features.source import opened_source
from fusion.models import choosing
from fusion.models.choosing import choose_preset
from fusion.models.training import train

AUTO = training_settings("auto", n_estimators=8, n_jobs=1)


def sums(k: int = 60):
    """Rows whose class is the sign of a sum of many weights, which trees find hard."""
    rows = functa_rows(24, 8, k=k)
    functas = np.random.default_rng(0).normal(size=(len(rows), k)).astype(np.float32)
    codes = np.where(functas.sum(axis=1) > 0, "up", "down")
    return rebuilt(rows, functas=functas, labels=codes.astype(object))


def band():
    """Rows whose class no linear model tells, and each split of a tree does."""
    rows = functa_rows(60, 8)
    functas = np.random.default_rng(0).normal(size=(len(rows), rows.k)).astype(np.float32)
    codes = np.where(np.abs(functas[:, 0]) < 0.67, "inside", "outside")
    return rebuilt(rows, functas=functas, labels=codes.astype(object))


@pytest.mark.parametrize(("made", "expected"), [(sums, "linear"), (band, "fast")])
def test_auto_takes_what_is_right_on_groups_left_out(make_store, tmp_path, made, expected):
    store = make_store(made())
    auto = training_settings("auto", n_jobs=1)
    result = train(store, tmp_path / "model", preset=auto)
    assert result.tuning.chosen.name == expected
    assert [tried.name for tried in result.tuning.tried] == ["fast", "linear"]
    same = train(store, preset=training_settings(expected, n_jobs=1))
    assert result.accuracy == same.accuracy
    (run,) = json.loads((tmp_path / "model" / "run.json").read_text())["runs"]
    assert (run["settings"]["preset"], run["settings"]["chosen"]) == ("auto", expected)
    assert "--preset auto" in run["command"]


def test_test_rows_have_no_say(make_store):
    rows = band()
    wrong = np.where(rows.splits == "test", "outside", rows.labels)
    first, second = (
        train(make_store(content, name), preset=AUTO)
        for name, content in (("a", rows), ("b", rebuilt(rows, labels=wrong)))
    )
    assert [one.score for one in first.tuning.tried] == [one.score for one in second.tuning.tried]


def test_given_parameters_stay(make_store):
    with make_store(band()) as store:
        items = labelled_items(read_items(store), ("train",), "training")
        settings, tried = choose_preset({"sensor": store}, items, training_settings("auto", seed=7, max_depth=2))
    assert settings.choices == ()
    assert (settings.classifier().seed, settings.classifier().max_depth) == (7, 2)
    assert settings.max_columns == TRAINING_PRESETS[tried.chosen.name].max_columns


def test_one_group_is_chosen_by_rows_and_many_rows_are_drawn(make_store, monkeypatch):
    monkeypatch.setattr(choosing, "_MOST_ROWS", 50)
    rows = band()
    with make_store(rebuilt(rows, groups=["one"] * len(rows), splits=["train"] * len(rows))) as store:
        _, tried = choose_preset({"sensor": store}, read_items(store), AUTO)
    assert len(tried.tried) == 2


@pytest.mark.parametrize(("told", "fits"), [(True, 2), (False, 4)])
def test_a_clear_choice_is_made_on_one_half_and_another_on_both(make_store, told, fits):
    rows = sums()
    labels = rows.labels if told else np.random.default_rng(5).permutation(rows.labels)
    seen = []
    with make_store(rebuilt(rows, labels=labels)) as store:
        choose_preset({"sensor": store}, read_items(store), AUTO, progress=lambda *at: seen.append(at))
    assert [(done, most) for _, done, most in seen] == [(done, 4) for done in range(fits)]


def test_modalities_are_tried_side_by_side_though_some_are_missing(wide_pair):
    with opened_source(wide_pair) as opened:
        name, *_ = opened.stores
        some = np.arange(len(opened.items)) % 3 == 0
        _, tried = choose_preset(opened.stores, opened.items.without(name, some), AUTO)
    assert tried.chosen.score > 0.6


def test_a_linear_model_of_too_many_rows_and_columns_is_left_out(make_store, monkeypatch):
    monkeypatch.setattr(choosing, "_MOST_UNKNOWNS", 10)
    with make_store(sums()) as store:
        settings, tried = choose_preset({"sensor": store}, read_items(store), AUTO)
    assert [one.name for one in tried.tried] == ["fast"]
    assert settings.classifier().booster == "gbtree"


def test_a_cluster_is_refused_before_anything_is_tried(make_store):
    with make_store() as store, pytest.raises(ConfigError, match="tries models that train in one process; expected 'f"):
        choose_preset({"sensor": store}, read_items(store), AUTO, trainer=object())


def test_two_ways_of_choosing_are_refused():
    with pytest.raises(ConfigError, match="'auto' and tune both choose"):
        training_settings("auto", tune=True)


def test_one_row_of_each_class_takes_the_linear_model_and_says_that_nothing_was_compared(make_store):
    rows = functa_rows(12, 6)
    first = [rows.labels.tolist().index(name) for name in dict.fromkeys(rows.labels)]
    splits = np.where(np.isin(np.arange(len(rows)), first), "train", "test")
    store = make_store(rebuilt(rows, splits=splits, groups=[None] * len(rows)))
    result = train(store, preset=AUTO)
    assert result.tuning.chosen.name == "linear"
    assert [one.score for one in result.tuning.tried] == [None, None]
    assert result.accuracy == train(store, preset=training_settings("linear", n_jobs=1)).accuracy > 0.4
    json.dumps(result.to_dict(), allow_nan=False)
    assert any(line.startswith("linear was taken without a comparison: no part of") for line in result.advice)
    told = train(store, preset=training_settings("fast", n_jobs=1), advise=True).advice
    assert "3 training rows are too few for trees, which do not split them: try --preset linear" in told
