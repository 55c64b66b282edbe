from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

from fusion.errors import DataError
from fusion.metrics import evaluate_numbers


@pytest.fixture
def numbers():
    random = np.random.default_rng(0)
    groups = np.repeat(np.arange(20), 15)
    truth = 1e4 + random.normal(size=300)
    shared = random.normal(scale=0.5, size=20)[groups]
    return truth, truth + shared + random.normal(scale=0.1, size=300), groups


def test_figures_are_those_of_scikit_learn(numbers):
    truth, predicted, _ = numbers
    found = evaluate_numbers(truth, predicted)
    assert found.r2 == pytest.approx(r2_score(truth, predicted), rel=1e-6)
    assert found.mae == pytest.approx(mean_absolute_error(truth, predicted))
    assert found.rmse == pytest.approx(root_mean_squared_error(truth, predicted))
    assert (found.score, found.rows) == (found.r2, 300)


def test_errors_that_groups_share_widen_the_interval_over_groups(numbers):
    truth, predicted, groups = numbers
    intervals = evaluate_numbers(truth, predicted, groups=groups).interval_of["mae"]
    widths = {kind: high - low for kind, (low, high) in intervals.items()}
    assert widths["groups"] > 2 * widths["rows"]


def test_intervals_hold_the_figures_and_groups_come_first(numbers):
    truth, predicted, groups = numbers
    document = evaluate_numbers(truth, predicted, groups=groups).to_dict()
    for name in ("r2", "mae", "rmse"):
        low, high = document[f"{name}_interval"]
        assert low < document[name] < high
        assert document[f"{name}_interval"] == document[f"{name}_intervals"]["groups"]


def test_over_folds_it_is_the_mean():
    found = evaluate_numbers([1.0, 2.0, 3.0], [1.0, 2.0, 2.5]).over_folds([0.2, 0.4])
    assert (found.score, found.mae) == (pytest.approx(0.3), pytest.approx(1 / 6))
    assert found.interval == found.intervals["folds"]


def test_equal_numbers_are_met_or_not():
    assert evaluate_numbers([2.0, 2.0], [2.0, 2.0]).r2 == 1
    assert evaluate_numbers([2.0, 2.0], [2.0, 3.0]).r2 == 0


@pytest.mark.parametrize(("truth", "predicted"), [([1.0], [1.0, 2.0]), ([], []), ([[1.0]], [[1.0]])])
def test_other_shapes_are_refused(truth, predicted):
    with pytest.raises(DataError, match="expected as many of both"):
        evaluate_numbers(truth, predicted)


def test_what_is_no_number_is_refused():
    with pytest.raises(DataError, match="not finite"):
        evaluate_numbers([1.0, 2.0], [1.0, np.nan])
