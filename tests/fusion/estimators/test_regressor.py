from __future__ import annotations

import numpy as np
import pytest
import xgboost
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from fusion.datasets import FigureConfig, FigureDataset
from fusion.encoders import FunctaEncoder
from fusion.errors import DataError, ModelError
from fusion.estimators.boosted import BOOSTERS
from fusion.estimators.regressor import FunctaRegressor
from fusion.features import FunctaFeatures

QUICK = {"penalties": [0.01]}


@parametrize_with_checks(
    [
        FunctaRegressor(n_estimators=20, n_jobs=1),
        FunctaRegressor(booster="gblinear", linear=QUICK, n_jobs=1),
        FunctaRegressor(booster="stacked", linear=QUICK, n_estimators=10, n_jobs=1),
    ]
)
def test_follows_scikit_learn(estimator, check):
    check(estimator)


def small(booster, **parameters):
    return FunctaRegressor(**{"booster": booster, "n_estimators": 30, "n_jobs": 1} | parameters)


@pytest.fixture(scope="module")
def wide():
    """Few rows of correlated columns, a number that is linear in what lies behind them, far from 0, and groups."""
    random = np.random.default_rng(0)
    hidden = random.normal(size=(300, 10))
    X = (hidden @ random.normal(size=(10, 200)) + random.normal(size=(300, 200))).astype(np.float32)  # noqa: N806
    y = 1000 + hidden @ random.normal(size=10)
    return X[:200], y[:200], np.arange(200) // 10, X[200:], y[200:]


def r2(truth, found):
    return 1 - np.square(truth - found).sum() / np.square(truth - truth.mean()).sum()


def test_the_linear_booster_reads_a_line_as_well_as_ridge_and_better_than_trees(wide):
    X, y, groups, held, truth = wide  # noqa: N806
    reached = {name: r2(truth, small(name).fit(X, y, groups).predict(held)) for name in BOOSTERS}
    ridge = r2(truth, Ridge(alpha=100).fit(X, y).predict(held))
    assert reached["gblinear"] >= ridge - 0.03
    assert reached["gblinear"] > reached["gbtree"] + 0.1
    assert reached["stacked"] > reached["gbtree"] + 0.1


@pytest.mark.parametrize("booster", BOOSTERS)
def test_saved_boosters_give_the_same_numbers(wide, booster):
    X, y, groups, held, _ = wide  # noqa: N806
    regressor = small(booster).fit(X, y, groups)
    read = {}
    for name, model in regressor.boosters_.items():
        read[name] = xgboost.Booster()
        read[name].load_model(bytearray(model.save_raw("ubj")))
    np.testing.assert_array_equal(small(booster).restore(read).predict(held), regressor.predict(held))


@pytest.mark.parametrize("booster", BOOSTERS)
def test_contributions_sum_to_the_number(wide, booster):
    X, y, groups, held, _ = wide  # noqa: N806
    regressor = small(booster).fit(X, y, groups)
    parts = regressor.contributions(held)
    assert parts.shape == (len(held), 1, held.shape[1] + 1)
    np.testing.assert_allclose(parts.sum(axis=(1, 2)), regressor.predict(held), rtol=1e-4)


def test_unit_and_origin_of_the_number_do_not_matter(wide):
    X, y, groups, held, _ = wide  # noqa: N806
    plain = small("gblinear").fit(X, y, groups).predict(held)
    other = small("gblinear").fit(X, 1e3 * (y - 1000), groups).predict(held)
    np.testing.assert_allclose(other / 1e3 + 1000, plain, rtol=1e-4)


def test_the_same_seed_gives_the_same_numbers(wide):
    X, y, groups, held, _ = wide  # noqa: N806
    first = small("stacked").fit(X, y, groups)
    np.testing.assert_array_equal(clone(first).fit(X, y, groups).predict(held), first.predict(held))


def test_groups_and_boosters_of_another_number_are_refused(wide):
    X, y, *_ = wide  # noqa: N806
    with pytest.raises(DataError, match="199 groups for 200 rows"):
        small("gbtree").fit(X, y, [1] * 199)
    with pytest.raises(ModelError, match="expected"):
        small("stacked").restore(small("gbtree").fit(X, y).boosters_)


def test_a_grid_is_searched_over_a_pipeline_from_windows():
    samples = list(FigureDataset(FigureConfig(subjects=3, test_subjects=1, windows=1)))
    windows, speeds = np.stack([sample.raw for sample in samples]), [sample.target for sample in samples]
    people = [sample.group for sample in samples]
    pipeline = make_pipeline(
        FunctaEncoder("sensor", architecture="paper-half", steps=2), FunctaFeatures(), FunctaRegressor(n_jobs=1)
    )
    grid = {"functaregressor__booster": ["gblinear", "gbtree"], "functaregressor__n_estimators": [5]}
    search = GridSearchCV(pipeline, grid, cv=GroupKFold(3), scoring="r2").fit(windows, speeds, groups=people)
    assert search.best_params_["functaregressor__booster"] in ("gblinear", "gbtree")
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.predict(windows).shape == (len(windows),)
