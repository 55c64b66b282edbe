"""A canary: the form in which XGBoost writes its linear booster, which is rewritten where nothing else would do."""

from __future__ import annotations

import json

import numpy as np
import pytest
import xgboost

from fusion.errors import ModelError
from fusion.estimators.booster_weights import linear_booster, linear_weights, with_linear_weights

ADVICE = f"XGBoost {xgboost.__version__} is another than fusion/estimators/booster_weights.py was written for: "


@pytest.fixture(scope="module")
def booster() -> xgboost.Booster:
    random = np.random.default_rng(0)
    rows, codes = random.normal(size=(60, 4)).astype(np.float32), np.arange(60) % 3
    parameters = {"booster": "gblinear", "objective": "multi:softprob", "num_class": 3, "base_score": 0.5, "nthread": 1}
    return xgboost.train(parameters, xgboost.DMatrix(rows, codes), 3)


def margins(booster: xgboost.Booster, rows: np.ndarray) -> np.ndarray:
    return booster.predict(xgboost.DMatrix(rows), output_margin=True)


def expected(weights: np.ndarray, rows: np.ndarray) -> np.ndarray:
    return rows @ weights[:-1] + weights[-1] + 0.5


def test_the_weights_that_are_read_are_those_it_predicts_with(booster: xgboost.Booster) -> None:
    rows = np.random.default_rng(1).normal(size=(7, 4)).astype(np.float32)
    weights = linear_weights(booster)
    assert weights.shape == (5, 3), f"{ADVICE}weights of shape {weights.shape} for 4 columns and 3 classes"
    np.testing.assert_allclose(
        margins(booster, rows), expected(weights, rows), atol=1e-5, err_msg=f"{ADVICE}other margins than its weights'"
    )


def test_it_predicts_with_other_weights_and_more_columns(booster: xgboost.Booster) -> None:
    random = np.random.default_rng(2)
    weights, rows = random.normal(size=(10, 3)), random.normal(size=(7, 9)).astype(np.float32)
    before = linear_weights(booster)
    made = with_linear_weights(booster, weights)
    assert made.num_features() == 9, f"{ADVICE}the number of columns stands elsewhere"
    np.testing.assert_allclose(
        margins(made, rows), expected(weights, rows), atol=1e-5, err_msg=f"{ADVICE}weights are read from elsewhere"
    )
    np.testing.assert_array_equal(linear_weights(booster), before)


def test_a_booster_is_made_of_weights_alone() -> None:
    weights = np.random.default_rng(2).normal(size=(10, 3))
    rows = np.random.default_rng(3).normal(size=(7, 9)).astype(np.float32)
    made = linear_booster(weights, {"objective": "multi:softprob", "num_class": 3})
    np.testing.assert_allclose(margins(made, rows), expected(weights, rows), atol=1e-5)
    line = linear_booster(weights[:, :1], {"objective": "reg:squarederror", "base_score": 0.0})
    np.testing.assert_allclose(line.predict(xgboost.DMatrix(rows)), rows @ weights[:-1, 0] + weights[-1, 0], atol=1e-5)


class Moved:
    """A booster whose weights stand elsewhere in its JSON."""

    def __init__(self, booster: xgboost.Booster) -> None:
        self.document = json.loads(bytes(booster.save_raw("json")))
        model = self.document["learner"]["gradient_booster"]["model"]
        model["coefficients"] = model.pop("weights")

    def save_raw(self, _: str) -> bytes:
        return json.dumps(self.document).encode()


def test_another_form_is_told_with_the_version(booster: xgboost.Booster) -> None:
    with pytest.raises(ModelError, match=rf"XGBoost {xgboost.__version__} writes a linear booster otherwise .*weights"):
        with_linear_weights(Moved(booster), np.zeros((5, 3)))


def test_trees_are_no_linear_booster() -> None:
    rows = np.random.default_rng(0).normal(size=(20, 2))
    trees = xgboost.train({"nthread": 1}, xgboost.DMatrix(rows, rows[:, 0]), 1)
    with pytest.raises(ModelError, match="writes a linear booster otherwise than expected"):
        linear_weights(trees)
