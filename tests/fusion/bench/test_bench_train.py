from __future__ import annotations

import pytest

from fusion.bench.train import bench_train
from fusion.estimators.presets import Preset

KEYS = {"seconds_paper", "seconds_fast", "accuracy_paper", "accuracy_fast", "ratio", "columns_fast", "rounds_paper"}


def test_both_presets_train_on_the_same_store(make_store, monkeypatch):
    quick = {"n_estimators": 5}
    made = {"paper": Preset(parameters=quick), "fast": Preset(max_columns=4, parameters=quick)}
    monkeypatch.setattr("fusion.estimators.presets.TRAINING_PRESETS", made)
    monkeypatch.setattr("fusion.bench.train.TRAINING_PRESETS", made)
    found = bench_train(make_store().path, threads=1)
    assert set(found) >= KEYS
    assert (found["columns_paper"], found["columns_fast"]) == (11, 4)
    assert found["ratio"] == pytest.approx(found["seconds_paper"] / found["seconds_fast"])
    assert (found["rows_train"], found["rows_test"]) == (36, 12)
