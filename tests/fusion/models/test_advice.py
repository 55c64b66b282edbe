from __future__ import annotations

import re
from types import SimpleNamespace

import numpy as np
import pytest
from helpers.made_functas import CLASSES, functa_rows, rebuilt

from fusion.estimators.presets import training_settings
from fusion.estimators.tasks import task_of
from fusion.models import advice
from fusion.models.training import train

QUICK = training_settings("fast", n_estimators=8, n_jobs=1)


def sums():
    """Rows whose class is the sign of a sum of many weights, which trees find hard."""
    rows = functa_rows(24, 8, k=60)
    functas = np.random.default_rng(0).normal(size=(len(rows), 60)).astype(np.float32)
    return rebuilt(rows, functas=functas, labels=np.where(functas.sum(axis=1) > 0, "up", "down").astype(object))


def test_trees_on_few_rows_are_told_of_a_better_linear_model(make_store):
    result = train(make_store(sums()), preset=QUICK, advise=True)
    (line,) = result.advice
    told = r"144 training rows: try --preset linear, which reaches (\S+) on (\d+) of them that were left out, .* (\S+)"
    linear, rows, trees = map(float, re.fullmatch(told, line).groups())
    assert linear > trees
    assert 20 < rows < 40
    assert result.to_dict()["advice"] == [line]


def test_of_folds_fast_trees_are_tried_beside(make_store):
    (line,) = train(make_store(sums()), preset=QUICK, cv=2, advise=True).advice
    assert line.startswith("192 training rows: try --preset linear, which cross-validates at 0.")


@pytest.mark.parametrize("settings", [training_settings("linear"), training_settings("auto", n_jobs=1)])
def test_who_trains_a_linear_model_or_lets_choose_is_told_nothing(make_store, settings):
    assert train(make_store(sums()), preset=settings, advise=True).advice == ()


def test_many_rows_are_not_tried(make_store, monkeypatch):
    monkeypatch.setattr(advice, "FEW_ROWS", 100)
    assert train(make_store(sums()), preset=QUICK, advise=True).advice == ()


def test_nothing_is_tried_unless_asked(make_store):
    assert train(make_store(sums()), preset=QUICK).advice == ()


def test_a_class_that_is_never_predicted_and_missing_groups_are_told(make_store):
    rows = functa_rows(12, 6)
    labels = rows.labels.copy()
    labels[[0, 1, -1, -2]] = "rare"
    found = train(make_store(rebuilt(rows, labels=labels, groups=[None] * len(rows))), preset=QUICK).advice
    assert any("no training row has a group" in line for line in found)
    assert any("1 of 4 classes are never predicted, such as 'rare' (2 test rows)" in line for line in found)
    assert "rare" not in CLASSES


def test_labels_without_their_separator_are_told():
    labels = np.array(["['a', 'b']", "['a']"], dtype=object)
    items = SimpleNamespace(labels=labels)
    (told,) = advice.advice_on_separator(items, task_of("multilabel"))
    assert told.startswith(
        "no training row holds the separator ';': each has one label, such as \"['a', 'b']\"; if it is"
    )
    assert not advice.advice_on_separator(items, task_of("multilabel", label_separator=","))
    assert not advice.advice_on_separator(items, task_of("classification"))
