from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xgboost

from fusion.errors import ConfigError
from fusion.estimators import FunctaClassifier, LocalTrainer


def test_a_device_that_this_xgboost_lacks_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xgboost, "build_info", lambda: {"USE_CUDA": False})
    with pytest.raises(ConfigError, match="device is 'cuda:1', but this build of XGBoost has the processor only"):
        LocalTrainer(device="cuda:1")
    assert LocalTrainer().device == "cpu"


def test_trees_grow_on_the_device_and_predict_on_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    train = xgboost.train

    def trained(parameters: dict[str, Any], *arguments: Any, **options: Any) -> xgboost.Booster:
        asked.append(parameters["device"])
        return train(parameters | {"device": "cpu"}, *arguments, **options)

    monkeypatch.setattr(xgboost, "build_info", lambda: {"USE_CUDA": True})
    monkeypatch.setattr(xgboost, "train", trained)
    rng = np.random.default_rng(0)
    rows, labels = rng.normal(size=(40, 3)).astype(np.float32), np.tile(["a", "b"], 20)
    classifier = FunctaClassifier(n_estimators=2, early_stopping_rounds=None, n_jobs=1)
    classifier.fit_rows(rows, labels, trainer=LocalTrainer(device="cuda"))
    assert asked == ["cuda"]
    assert '"device":"cpu"' in classifier.booster_.save_config().replace(" ", "")
