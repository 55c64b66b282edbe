from __future__ import annotations

import numpy as np
import pytest

from fusion.errors import DataError, ModelError
from fusion.estimators.native import NativeBooster, NativeEstimator
from fusion.estimators.xgboost import FunctaClassifier


@pytest.mark.parametrize("booster", ["gbtree", "gblinear", "stacked"])
def test_it_says_what_the_python_package_says(booster):
    random = np.random.default_rng(0)
    rows = random.normal(size=(90, 6)).astype(np.float32)
    labels = np.array(["a", "b", "c"])[rows[:, :3].argmax(axis=1)]
    trained = FunctaClassifier(booster=booster, n_estimators=5, n_jobs=1).fit(rows, labels, np.arange(90) % 9)
    rows[::7, 2] = np.nan
    boosters = {name: NativeBooster(bytes(one.save_raw("ubj"))) for name, one in trained.boosters_.items()}
    native = NativeEstimator(booster, boosters, np.array(["a", "b", "c"], dtype=object), 3)
    np.testing.assert_allclose(native.outputs(rows), trained.predict_proba(rows), rtol=1e-6)
    assert (native.n_features_in_, native.n_rounds_) == (6, boosters["model"].rounds)
    with pytest.raises(DataError, match=r"expected \(n, 6\)"):
        native.outputs(rows[:, :5])
    with pytest.raises(ModelError, match="lists 2 classes"):
        NativeEstimator(booster, boosters, np.array(["a", "b"], dtype=object), 2)


def test_a_file_that_is_no_booster():
    with pytest.raises(ModelError):
        NativeBooster(b"{nothing}")
