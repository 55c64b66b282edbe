"""A number is learned as well in any unit: in metres, micrometres, or seconds since 1970."""

from __future__ import annotations

import numpy as np
import pytest
import xgboost

from fusion.errors import DataError
from fusion.estimators.boosted import BOOSTERS
from fusion.estimators.booster_weights import in_other_unit
from fusion.estimators.regressor import FunctaRegressor

RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(300, 10)).astype(np.float32)
NUMBERS = ROWS[:, 0] + 0.5 * np.sin(3 * ROWS[:, 1]) + 0.1 * RNG.normal(size=300)
GROUPS = np.arange(300) % 30


def fitted(booster: str, numbers: np.ndarray, **parameters: object) -> FunctaRegressor:
    made = FunctaRegressor(booster=booster, n_estimators=60, n_jobs=1, **parameters)
    return made.fit(ROWS[:200], numbers[:200], GROUPS[:200])


@pytest.mark.parametrize("booster", BOOSTERS)
@pytest.mark.parametrize(("scale", "offset"), [(1e-5, 0.0), (2.0**-40, 0.0), (1e9, 0.0), (1.0, 1e4), (2.6e6, 1.7e9)])
def test_predictions_are_those_of_another_unit(booster: str, scale: float, offset: float) -> None:
    plain, other = fitted(booster, NUMBERS), fitted(booster, NUMBERS * scale + offset)
    assert plain.score(ROWS[200:], NUMBERS[200:]) > 0.75
    back = (other.predict(ROWS[200:]) - offset) / scale
    np.testing.assert_allclose(back, plain.predict(ROWS[200:]), atol=0.05)
    assert other.n_rounds_ == pytest.approx(plain.n_rounds_, abs=3)


@pytest.mark.parametrize("booster", BOOSTERS)
def test_contributions_sum_to_the_number_in_its_unit(booster: str) -> None:
    model = fitted(booster, NUMBERS * 1e-5 + 3e-4)
    summed = model.contributions(ROWS[200:]).sum(axis=2)[:, 0]
    np.testing.assert_allclose(summed, model.predict(ROWS[200:]), rtol=1e-3, atol=1e-8)


def test_what_was_held_out_is_in_the_user_s_unit() -> None:
    numbers = NUMBERS * 1e-5 + 2e-5
    held, outputs = fitted("gbtree", numbers).held_out_
    assert np.corrcoef(outputs[:, 0], numbers[:200][held])[0, 1] > 0.8
    assert abs(outputs.mean() - numbers[:200][held].mean()) < 5e-6


def test_numbers_that_single_precision_cannot_tell_apart_are_refused() -> None:
    with pytest.raises(DataError, match=r"differ by 1.* around 1e\+09.*steps of 64.*Subtract a constant"):
        fitted("gbtree", NUMBERS + 1e9)
    with pytest.raises(DataError, match="single precision"):
        fitted("gblinear", NUMBERS * 1e300)


def test_an_objective_of_one_s_own_sees_the_numbers_as_they_are() -> None:
    model = fitted("gbtree", np.exp(NUMBERS), parameters={"objective": "reg:gamma"}, early_stopping_rounds=None)
    assert (model.predict(ROWS) > 0).all()


@pytest.mark.parametrize("booster", ["gbtree", "gblinear"])
def test_margins_are_multiplied_and_shifted(booster: str) -> None:
    data = xgboost.DMatrix(ROWS, NUMBERS + 2)
    trained = xgboost.train({"booster": booster, "nthread": 1}, data, 5)
    moved = in_other_unit(trained, factor=1e-3, offset=-7.0)
    np.testing.assert_allclose(moved.predict(data), trained.predict(data) * 1e-3 - 7, rtol=1e-5)
    np.testing.assert_allclose(moved.predict(data, pred_contribs=True).sum(axis=1), moved.predict(data), rtol=1e-5)
