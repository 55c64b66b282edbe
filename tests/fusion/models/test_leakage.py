from __future__ import annotations

import json

import pytest
from helpers.made_functas import functa_rows

from fusion import link
from fusion.errors import DataError
from fusion.estimators.xgboost import FunctaClassifier
from fusion.models.training import train
from store import Rows

QUICK = FunctaClassifier(n_estimators=5, n_jobs=1)
FOLDS = ["fold-1", "fold-2", "fold-3", "fold-4"]


def learned(make_store, *, kind="functa", splits=(), folds=True, name="functas"):
    rows = functa_rows()
    where = [FOLDS[int(group[-1]) // 2] for group in rows.groups] if folds else rows.splits
    again = Rows.build(rows.ids, rows.functas, labels=rows.labels, splits=where, groups=rows.groups)
    return make_store(again, name, encoder={"kind": kind, "name": name}, conventions={"train_splits": list(splits)})


@pytest.mark.parametrize("kind", ["local", "modulation"])
def test_a_dictionary_that_saw_the_folds_is_refused_with_the_way_out(make_store, kind):
    store = learned(make_store, kind=kind, splits=["fold-2", "fold-1"])
    with pytest.raises(DataError, match=r"learned from splits 'fold-1', 'fold-2', which each fold tests on; expected"):
        train(store, cv="folds", classifier=QUICK)
    with pytest.raises(DataError, match=r"Encode a store for each fold held out .*--train-split FOLD"):
        train(store, cv="folds", classifier=QUICK)


def test_one_store_for_each_held_out_fold_is_fine(make_store):
    store = learned(make_store, kind="local", splits=FOLDS[1:])
    result = train(store, classifier=QUICK, train_splits=FOLDS[1:], test_splits=FOLDS[:1])
    assert result.warnings == ()
    with pytest.raises(DataError, match=r"learned from split 'fold-2', which the test split tests on"):
        train(store, classifier=QUICK, train_splits=["fold-1", "fold-3"], test_splits=["fold-2"])


def test_a_start_that_saw_the_folds_is_told_in_result_document_and_model(make_store, tmp_path):
    store = learned(make_store, splits=["fold-1"])
    result = train(store, tmp_path / "model", cv="folds", classifier=QUICK)
    (note,) = result.warnings
    assert "start and scaling" in note
    assert "split 'fold-1', which each fold tests on" in note
    assert result.to_dict()["warnings"] == [note]
    assert json.loads((tmp_path / "model" / "metrics.json").read_text())["warnings"] == [note]


def test_folds_of_an_encoder_that_learned_nothing_raise_no_question(make_store):
    assert train(learned(make_store), cv="folds", classifier=QUICK).warnings == ()


def test_groups_of_the_split_that_was_learned_from_are_tested_too(make_store):
    start = learned(make_store, splits=["train"], folds=False)
    assert (
        "split 'train', which cross-validation by group tests" in train(start, cv="group", classifier=QUICK).warnings[0]
    )
    assert train(start, classifier=QUICK).warnings == ()
    codes = learned(make_store, kind="local", splits=["train"], folds=False, name="codes")
    assert train(codes, classifier=QUICK).warnings == ()
    with pytest.raises(DataError, match=r"Give the groups held out a split of their own"):
        train(codes, cv="group", classifier=QUICK)


def test_every_branch_of_a_link_table_is_asked(make_store):
    stores = {
        "sensor": learned(make_store, splits=["fold-1"], name="sensor"),
        "camera": learned(make_store, name="camera"),
        "codes": learned(make_store, kind="local", splits=["fold-3"], name="codes"),
    }
    paths = {name: store.path for name, store in stores.items()}
    pair = link({name: paths[name] for name in ("sensor", "camera")})
    (note,) = train(pair, cv="folds", classifier=QUICK).warnings
    assert "sensor" in note
    with pytest.raises(DataError, match=r"dictionary of store .*codes"):
        train(link(paths), cv="folds", classifier=QUICK)
