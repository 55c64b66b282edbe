from __future__ import annotations

import json

import numpy as np
import pytest

from fusion.errors import ConfigError, DataError
from fusion.metrics import (
    accuracy_interval,
    evaluate_labels,
    evaluate_numbers,
    evaluate_predictions,
    mean_interval,
)

TRUTH = ["a", "a", "a", "b", "b", "c"]
GUESS = ["a", "a", "b", "b", "b", "a"]


def test_figures_by_hand():
    found = evaluate_predictions(TRUTH, GUESS)
    assert found.accuracy == pytest.approx(4 / 6)
    assert found.confusion.tolist() == [[2, 1, 0], [0, 2, 0], [1, 0, 0]]
    assert [figures.support for figures in found.per_class] == [3, 2, 1]
    assert found.per_class[0].precision == pytest.approx(2 / 3)
    assert found.per_class[1].recall == 1
    assert found.macro_f1 == pytest.approx((2 / 3 + 4 / 5 + 0) / 3)
    assert found.rows == 6


def test_classes_of_the_model_come_first_then_unknown_ones():
    found = evaluate_predictions(["b", "new"], ["b", "b"], classes=["c", "b"])
    assert found.classes == ("c", "b", "new")
    assert found.accuracy == 0.5
    assert found.confusion.tolist() == [[0, 0, 0], [0, 1, 0], [0, 1, 0]]
    assert found.macro_f1 == pytest.approx((2 / 3 + 0) / 2)


def test_row_interval_is_that_of_a_bootstrap_by_hand():
    random = np.random.default_rng(7)
    correct = random.random(400) < 0.8
    low, high = accuracy_interval(correct, resamples=20_000)["rows"]
    drawn = random.choice(correct, size=(20_000, 400)).mean(axis=1)
    assert [low, high] == pytest.approx(np.quantile(drawn, [0.025, 0.975]), abs=0.006)


def test_group_interval_is_that_of_a_bootstrap_by_hand():
    random = np.random.default_rng(8)
    groups = random.integers(0, 25, 500)
    correct = random.random(500) < 0.5 + groups / 60
    low, high = accuracy_interval(correct, groups, resamples=10_000)["groups"]
    members = [correct[groups == group] for group in range(25)]
    drawn = [np.concatenate([members[i] for i in random.integers(0, 25, 25)]).mean() for _ in range(4000)]
    assert [low, high] == pytest.approx(np.quantile(drawn, [0.025, 0.975]), abs=0.01)


def test_alike_rows_of_a_group_widen_the_interval():
    groups = np.repeat(np.arange(10), 50)
    correct = groups < 8
    found = evaluate_predictions(np.where(correct, "a", "b"), ["a"] * 500, groups=groups)
    rows, whole = found.accuracy_intervals["rows"], found.accuracy_intervals["groups"]
    assert found.accuracy_interval == whole
    assert whole[1] - whole[0] > 4 * (rows[1] - rows[0])


@pytest.mark.parametrize("groups", [None, ["only"] * 6], ids=["none", "single"])
def test_rows_decide_where_there_are_no_groups(groups):
    found = evaluate_predictions(TRUTH, GUESS, groups=groups)
    assert found.accuracy_interval == found.accuracy_intervals["rows"]
    assert "groups" not in found.accuracy_intervals


def test_a_row_without_group_stands_for_itself():
    random = np.random.default_rng(0)
    correct = random.random(300) < 0.7
    nobody = np.full(300, None)
    found = accuracy_interval(correct, nobody, resamples=5000)
    assert found["groups"] == pytest.approx(found["rows"], abs=0.01)


def test_the_seed_fixes_the_interval():
    correct = np.arange(100) % 3 > 0
    assert accuracy_interval(correct, seed=1) == accuracy_interval(correct, seed=1)
    assert accuracy_interval(correct, seed=1) != accuracy_interval(correct, seed=2)


def test_everything_goes_to_json():
    found = json.loads(json.dumps(evaluate_predictions(TRUTH, GUESS, groups=list("112233")).to_dict()))
    assert found["per_class"][0]["label"] == "a"
    assert len(found["accuracy_interval"]) == 2
    assert found["confusion"][0] == [2, 1, 0]


@pytest.mark.parametrize(("truth", "guess"), [([], []), (["a"], ["a", "b"])])
def test_nothing_to_compare_is_refused(truth, guess):
    with pytest.raises(DataError, match=r"\d labels and \d predictions; expected as many of both, at least one"):
        evaluate_predictions(truth, guess)


@pytest.mark.parametrize(
    "truth", [[0.0, 1.0, 1.0], np.float32([0, 1, 1]), ["0", "1", "1"]], ids=["float", "f4", "text"]
)
def test_numbers_are_called_as_data_sets_call_them(truth):
    found = evaluate_predictions(truth, [0, 1, 1], classes=[0.0, 1.0])
    assert found.accuracy == 1
    assert found.classes == ("0", "1")


SAME = ["a", "b", "a", "b"]
ROWS = [[1, 0], [0, 1]]


@pytest.mark.parametrize(
    ("measure", "message"),
    [
        (lambda: evaluate_predictions(SAME, SAME, groups=["x"]), "1 groups for 4 rows; expected one for each row"),
        (lambda: evaluate_predictions(SAME, SAME, groups=list("abcde")), "5 groups for 4 rows"),
        (lambda: evaluate_numbers([1, 2, 3], [1, 2, 4], groups=["x"]), "1 groups for 3 rows"),
        (lambda: evaluate_numbers([1, 2, 3], [1, 2, 4], groups=list("uvwxyz")), "6 groups for 3 rows"),
        (lambda: evaluate_numbers(["a"], [1]), "not all numbers: could not convert string to float: 'a'"),
        (lambda: evaluate_labels(ROWS, ROWS, ["a", "b"], groups=["x"]), "1 groups for 2 rows"),
        (lambda: evaluate_labels([[1, 0], [1]], ROWS, ["a", "b"]), "not all numbers"),
        (lambda: evaluate_labels([[1, 2], [0, 1]], ROWS, ["a", "b"]), "other values than 0 and 1"),
        (lambda: evaluate_labels(ROWS, ROWS, ["a", "b"], probabilities=[[1, 0]]), "probabilities of shape"),
        (lambda: accuracy_interval([]), "no rows to measure; expected at least one"),
        (lambda: mean_interval([]), "no values to take the mean of; expected two or more"),
    ],
)
def test_rows_that_cannot_be_measured_are_refused(measure, message):
    with pytest.raises(DataError, match=message) as refused:
        measure()
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"resamples": 0}, "resamples is 0; expected how often to draw, 1 or more"),
        ({"resamples": 2.5}, "resamples is 2.5"),
        ({"seed": -1}, "seed is -1; expected a whole number, 0 or more"),
    ],
)
def test_a_bootstrap_that_cannot_be_drawn_is_refused(how, message):
    for measure, rows in ((evaluate_predictions, SAME), (evaluate_numbers, [1.0, 2.0])):
        with pytest.raises(ConfigError, match=message):
            measure(rows, rows, **how)


def test_labels_are_measured_from_lists_too():
    assert evaluate_labels([[True, False]], [[True, False]], ["a", "b"]).micro_f1 == 1
