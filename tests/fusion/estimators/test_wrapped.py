from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from fusion.errors import ConfigError, DataError, ModelError
from fusion.estimators.trainers import LocalTrainer
from fusion.estimators.wrapped import WrappedEstimator, require_wrappable

RANDOM = np.random.default_rng(0)
ROWS = RANDOM.normal(size=(60, 5)).astype(np.float32)
LABELS = np.where(ROWS[:, 0] > 0, "up", "down").astype(object)


def test_it_says_what_the_estimator_says():
    alone = LogisticRegression().fit(ROWS, LABELS)
    wrapped = WrappedEstimator(LogisticRegression()).fit_rows(ROWS, LABELS)
    np.testing.assert_allclose(wrapped.outputs(ROWS), alone.predict_proba(ROWS), atol=1e-6)
    assert wrapped.predict(ROWS).tolist() == alone.predict(ROWS).tolist()
    assert wrapped.classes_.tolist() == ["down", "up"]


def test_a_regressor_gives_one_number():
    wrapped = WrappedEstimator(Ridge()).fit_rows(ROWS, ROWS[:, 1] * 2)
    assert wrapped.outputs(ROWS).shape == (60, 1)
    np.testing.assert_allclose(wrapped.predict(ROWS), Ridge().fit(ROWS, ROWS[:, 1] * 2).predict(ROWS), atol=1e-5)


@pytest.mark.parametrize(
    ("estimator", "seen"),
    [(LogisticRegression(), np.nan_to_num), (HistGradientBoostingClassifier(max_iter=5, random_state=0), np.copy)],
)
def test_missing_values_are_filled_unless_they_are_taken(estimator, seen):
    rows = ROWS.copy()
    rows[::3, 0] = np.nan
    given = rows.copy()
    wrapped = WrappedEstimator(estimator).fit_rows(given, LABELS)
    alone = estimator.fit(seen(rows), LABELS)
    np.testing.assert_allclose(wrapped.outputs(given), alone.predict_proba(seen(rows)), atol=1e-6)
    np.testing.assert_array_equal(given, rows)


def test_open_seeds_are_set_and_others_stay():
    forest = make_pipeline(StandardScaler(), RandomForestClassifier(5))
    first, again, other = (
        WrappedEstimator(forest, seed=seed).fit_rows(ROWS, LABELS).outputs(ROWS) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    fixed = RandomForestClassifier(5, random_state=3)
    assert WrappedEstimator(fixed, seed=1).fit_rows(ROWS, LABELS).estimator_.random_state == 3


@pytest.mark.parametrize(
    ("estimator", "task", "message"),
    [
        (LogisticRegression, "classification", "the class LogisticRegression; expected an object"),
        (Ridge(), "classification", "a Ridge; expected an object of scikit-learn that does classification"),
        (LogisticRegression(), "regression", "a LogisticRegression; expected"),
        ("forest", "classification", "estimator is a str"),
        (LinearSVC(), "classification", r"gives no probabilities.*CalibratedClassifierCV\(LinearSVC\(\)\)"),
        (LogisticRegression(), "multilabel", "the task is 'multilabel'"),
    ],
)
def test_what_cannot_stand_in_is_refused(estimator, task, message):
    with pytest.raises(ConfigError, match=message):
        require_wrappable(estimator, task)


def test_what_the_estimator_refuses_is_one_line():
    with pytest.raises(DataError, match="LogisticRegression cannot be trained on these 60 rows: "):
        WrappedEstimator(LogisticRegression(C=-1.0)).fit_rows(ROWS, LABELS)
    with pytest.raises(DataError, match="one class only"):
        WrappedEstimator(LogisticRegression()).fit_rows(ROWS, np.full(60, "up", dtype=object))
    with pytest.raises(ConfigError, match="in memory"):
        WrappedEstimator(LogisticRegression()).fit_rows(ROWS, LABELS, trainer=LocalTrainer(external_memory=True))
    with pytest.raises(ModelError, match="XGBoost's models only"):
        WrappedEstimator(LogisticRegression()).fit_rows(ROWS, LABELS).contributions(ROWS)
