from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from fusion.comparing.statistics import corrected_interval, corrected_t_test, mcnemar_test


def test_without_training_rows_in_common_the_test_is_the_paired_t():
    first, second = np.random.default_rng(0).normal([[0.0], [0.1]], size=(2, 8))
    assert corrected_t_test(first - second, ratio=0.0) == pytest.approx(stats.ttest_rel(first, second).pvalue)


def test_the_correction_holds_the_level_where_the_plain_test_does_not():
    """Two equal classifiers whose scores share half their luck across the folds of a repetition."""
    random = np.random.default_rng(1)
    plain = corrected = 0
    for _ in range(400):
        differences = random.normal() * 0.01 * np.sqrt(0.25) + random.normal(scale=0.01 * np.sqrt(0.75), size=10)
        plain += stats.ttest_1samp(differences, 0).pvalue < 0.05
        corrected += corrected_t_test(differences, ratio=0.25) < 0.05
    assert corrected < 40 < plain


def test_the_interval_excludes_zero_where_the_test_is_sure():
    differences = np.array([0.03, 0.02, 0.04, 0.03, 0.02])
    low, _ = corrected_interval(differences, 0.25)
    assert (low > 0) == (corrected_t_test(differences, 0.25) < 0.05)


def test_equal_scores_differ_by_chance_and_constant_ones_surely():
    assert corrected_t_test([0.1 + 0.2 - 0.3, 0.0, 0.0], 0.5) == 1.0
    assert corrected_t_test([0.1, 0.1, 0.1], 0.5) == 0.0


def test_mcnemar_looks_at_rows_where_one_is_right():
    first, second = np.array([True] * 10 + [False] * 2 + [True] * 50), np.array([False] * 10 + [True] * 52)
    assert mcnemar_test(first, second) == pytest.approx(stats.binomtest(10, 12).pvalue)
    assert mcnemar_test(first, first) == 1.0
