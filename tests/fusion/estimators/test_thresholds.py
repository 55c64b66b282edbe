from __future__ import annotations

import numpy as np
import pytest

from fusion.estimators.thresholds import class_thresholds, label_thresholds

RANDOM = np.random.default_rng(0)


def calibrated(shares, count):
    """Probabilities of classes that lie beside each other, as they are: of two numbers with normal noise."""
    codes = RANDOM.choice(len(shares), count, p=shares)
    middles = np.array([[0, 0], [2, 0], [0, 2.0]])[: len(shares)]
    numbers = middles[codes] + RANDOM.normal(size=(count, 2))
    likely = np.exp(numbers @ middles.T - (middles**2).sum(axis=1) / 2) * shares
    return likely / likely.sum(axis=1, keepdims=True), codes


def mean_recall(probabilities, codes, thresholds):
    named = (probabilities / thresholds).argmax(axis=1)
    return np.mean([(named[codes == code] == code).mean() for code in np.unique(codes)])


@pytest.mark.parametrize("shares", [(0.95, 0.05), (0.7, 0.25, 0.05)])
def test_of_right_probabilities_the_thresholds_are_the_shares_of_the_classes(shares):
    probabilities, codes = calibrated(shares, 4000)
    found = class_thresholds(probabilities, codes)
    assert found.sum() == pytest.approx(1)
    np.testing.assert_allclose(np.log(found), np.log(shares), atol=0.35)
    assert mean_recall(probabilities, codes, found) >= mean_recall(probabilities, codes, np.array(shares))


def test_of_two_classes_no_other_threshold_is_better():
    probabilities, codes = calibrated((0.8, 0.2), 300)
    best = max(mean_recall(probabilities, codes, np.array([1 - t, t])) for t in np.linspace(0.001, 0.999, 999))
    assert mean_recall(probabilities, codes, class_thresholds(probabilities, codes)) >= best


def test_classes_that_are_told_apart_or_are_not_there_have_thresholds_too():
    np.testing.assert_allclose(class_thresholds(np.eye(3), np.arange(3)), 1 / 3)
    lacking = class_thresholds(np.array([[0.6, 0.3, 0.1], [0.3, 0.6, 0.1]]), np.array([0, 1]))
    assert np.all((lacking > 0) & (lacking < 1))


def test_a_label_s_threshold_is_half_of_the_best_f1():
    """Lipton, Elkan and Naryanaswamy, "Optimal Thresholding of Classifiers to Maximize F1 Measure", 2014."""
    probability = RANDOM.beta(0.4, 2.0, 20_000)
    held = RANDOM.random(20_000) < probability
    (found,) = label_thresholds(probability[:, None], held[:, None])
    named = probability > found
    f1 = 2 * (named & held).sum() / (named.sum() + held.sum())
    assert found == pytest.approx(f1 / 2, abs=0.05)
    assert 0.2 < found < 0.4


def test_a_label_that_no_row_has_or_all_have_keeps_one_half():
    held = np.array([[True, False], [True, False]])
    np.testing.assert_array_equal(label_thresholds(np.array([[0.2, 0.1], [0.3, 0.2]]), held), [0.5, 0.5])


def test_equal_probabilities_are_not_told_apart():
    (found,) = label_thresholds(np.array([[0.3], [0.3], [0.3], [0.1]]), np.array([[True], [True], [False], [False]]))
    assert 0.1 <= found < 0.3
