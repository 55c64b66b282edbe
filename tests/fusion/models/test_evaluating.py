from __future__ import annotations

import pytest
from helpers.made_functas import functa_rows, rebuilt

from fusion.errors import DataError
from fusion.estimators.xgboost import FunctaClassifier
from fusion.models.evaluating import evaluate
from fusion.models.training import train

QUICK = FunctaClassifier(n_estimators=15, n_jobs=1)


def test_evaluating_the_saved_model_repeats_the_figures(make_store, tmp_path):
    store = make_store(functa_rows(16, 6, seed=3))
    trained = train(store, tmp_path / "model", classifier=QUICK).to_dict()
    again = evaluate(tmp_path / "model", store).to_dict()
    assert {**again, "seconds": 0} == {**trained, "seconds": 0}


def test_of_another_store_without_splits_all_labelled_rows_are_evaluated(make_store, tmp_path):
    rows = functa_rows()
    train(make_store(rows, "first"), tmp_path / "model", classifier=QUICK)
    plain = rebuilt(rows, splits=[None] * len(rows), labels=[None, *rows.labels[1:]])
    assert evaluate(tmp_path / "model", make_store(plain, "other", dataset="other")).rows_test == len(rows) - 1


def test_a_split_that_no_row_has_is_refused(make_store, tmp_path):
    store = make_store(functa_rows())
    train(store, tmp_path / "model", classifier=QUICK)
    with pytest.raises(DataError, match="no labelled"):
        evaluate(tmp_path / "model", store, splits=["holdout"])
