from __future__ import annotations

import pytest

from fusion.bench.train import bench_train
from fusion.estimators.presets import TRAINING_PRESETS, TrainingSettings

KEYS = {"seconds_paper", "seconds_fast", "accuracy_paper", "accuracy_fast", "ratio", "columns_fast", "rounds_paper"}


def test_both_presets_train_on_the_same_store(make_store, monkeypatch):
    quick = {"n_estimators": 5}
    monkeypatch.setitem(TRAINING_PRESETS, "paper", TrainingSettings(parameters=quick))
    monkeypatch.setitem(TRAINING_PRESETS, "fast", TrainingSettings(max_columns=4, parameters=quick))
    found = bench_train(make_store().path, threads=1)
    assert set(found) >= KEYS
    assert (found["columns_paper"], found["columns_fast"]) == (11, 4)
    assert found["ratio"] == pytest.approx(found["seconds_paper"] / found["seconds_fast"])
    assert (found["rows_train"], found["rows_test"]) == (36, 12)
