from __future__ import annotations

import json
import time

import numpy as np
import pytest
from helpers.made_functas import functa_rows, rebuilt

from fusion import train
from fusion.estimators.xgboost import FunctaClassifier
from fusion.metrics import evaluate_predictions
from fusion.models.results import result_of

QUICK = FunctaClassifier(n_estimators=15, n_jobs=1)


def test_a_result_says_what_the_model_and_its_evaluation_say(model, rows):
    labels = rows.labels.copy()
    labels[:6] = np.roll(labels[:6], 1)
    evaluation = evaluate_predictions(labels, model.predict(rows.functas), groups=rows.groups)
    result = result_of(model, evaluation, time.perf_counter(), warnings=["told"])
    assert (result.accuracy, result.macro_f1) == (evaluation.accuracy, evaluation.macro_f1)
    assert (result.rows_train, result.rows_test, result.columns) == (48, 48, 11)
    assert (result.folder, result.fusion, dict(result.modalities), result.folds) == (None, None, {}, ())
    assert result.warnings == ("told",)
    assert result.confusion.sum() == 48
    assert 0 <= result.seconds < 60


def test_the_document_has_the_promised_keys(make_store, tmp_path):
    document = json.loads(json.dumps(train(make_store(), tmp_path / "model", classifier=QUICK).to_dict()))
    promised = {"accuracy", "accuracy_interval", "macro_f1", "rows_train", "rows_test", "seconds", "model"}
    assert promised <= set(document)
    assert document["model"] == str(tmp_path / "model")
    assert "folds" not in document


def test_the_document_of_a_fusion_has_its_modalities_too(fused):
    document = json.loads(json.dumps(fused.to_dict()))
    assert document["fusion"] == fused.fusion
    for figures in document["modalities"].values():
        assert {"accuracy", "accuracy_without", "contribution", "accuracy_interval"} <= set(figures)
    assert {"rows", "groups"} <= set(document["accuracy_intervals"])


def test_a_class_that_training_lacks_is_a_warning(make_store):
    rows = functa_rows()
    labels = rows.labels.copy()
    labels[-3:] = "swim"
    result = train(make_store(rebuilt(rows, labels=labels)), classifier=QUICK)
    assert result.warnings == ("training lacks 1 classes of the test rows, first 'swim': their 3 rows count as wrong.",)
    assert result.accuracy == pytest.approx(9 / 12)
