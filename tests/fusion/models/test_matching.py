from __future__ import annotations

import numpy as np
import pytest
from helpers.made_functas import functa_rows, rebuilt

from fusion import evaluate, train
from fusion.errors import DataError, StoreMismatchError
from fusion.estimators.xgboost import FunctaClassifier
from fusion.features.items import read_items
from fusion.features.source import Source
from fusion.models.matching import matched

QUICK = FunctaClassifier(n_estimators=5, n_jobs=1)


def source_of(**stores):
    """A source that names each store so, with the items of the first."""
    return Source(stores, read_items(next(iter(stores.values()))).renamed({"sensor": next(iter(stores))}, stores))


def test_a_store_is_known_by_its_encoder_whatever_it_is_called(make_store):
    store = make_store()
    found = matched(train(store, classifier=QUICK).model, source_of(worn=store))
    assert list(found.stores) == list(found.items.rows) == ["sensor"]
    assert found.trained_on == store.path


def test_a_store_that_was_not_trained_on_is_told_from_one_that_was(model, make_store):
    fresh = make_store(functa_rows(seed=4), "fresh", dataset="new people")
    assert matched(model, source_of(sensor=fresh)).trained_on is None


def test_two_stores_for_one_branch_are_refused(model, make_store):
    with pytest.raises(DataError, match=r"two stores of the source are 'sensor' of the model; .* Leave one out"):
        matched(model, source_of(left=make_store(), right=make_store(name="right")))


def test_another_encoder_is_refused(make_store, tmp_path):
    train(make_store(), tmp_path / "model", classifier=QUICK)
    other = make_store(name="other", encoder={"kind": "functa", "steps": 30})
    with pytest.raises(StoreMismatchError, match="steps"):
        evaluate(tmp_path / "model", other)
    moved = make_store(name="moved", state={"start": np.zeros(12, np.float32), "low": np.zeros(9), "high": np.ones(9)})
    with pytest.raises(StoreMismatchError, match="start"):
        evaluate(tmp_path / "model", moved)


def test_another_modality_is_refused(make_store):
    model = train(make_store(), classifier=QUICK).model
    with pytest.raises(DataError, match=r"the store holds video functas; expected stores for sensor \(sensor\)"):
        evaluate(model, make_store(name="video", modality="video"))


def test_new_rows_without_splits_are_all_evaluated(make_store):
    model = train(make_store(), classifier=QUICK).model
    rows = functa_rows(4, 6, seed=8)
    fresh = make_store(rebuilt(rows, splits=[None] * len(rows)), "fresh", dataset="new people")
    assert evaluate(model, fresh).rows_test == 24


def test_a_fusion_evaluates_a_store_of_one_modality(fusions, pair):
    alone = evaluate(fusions["stacked"].folder, pair.stores["camera"].path)
    assert alone.accuracy == fusions["stacked"].modalities["camera"].accuracy
    assert list(alone.modalities) == ["camera"]
    assert alone.to_dict()["modalities"]["camera"]["accuracy_without"] is None
