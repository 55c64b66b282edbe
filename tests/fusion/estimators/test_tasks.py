from __future__ import annotations

import numpy as np
import pytest

from fusion.errors import ConfigError, DataError
from fusion.estimators.tasks import TASKS, task_of
from fusion.features.items import Items

NAN = np.nan
NUMBERS, SETS = TASKS["regression"], TASKS["multilabel"]


def items(labels, targets=None):
    labels = np.array(labels, dtype=object)
    nothing = np.full(len(labels), None, dtype=object)
    ids = np.array([f"r{row}" for row in range(len(labels))], dtype=object)
    found = None if targets is None else np.array(targets, dtype=np.float64)
    return Items(ids, labels, nothing, nothing, {"sensor": ids}, targets=found)


def test_targets_are_predicted_where_there_are_any_and_rows_without_are_unlabelled():
    assert NUMBERS.answers(items(["walk", "7", None], [1.5, NAN, NAN])).labels.tolist() == [1.5, None, None]


def test_labels_are_numbers_where_there_are_no_targets():
    assert NUMBERS.answers(items(["0.5", "7", None])).labels.tolist() == [0.5, 7.0, None]
    with pytest.raises(DataError, match="1 of 2 labels are no numbers, such as 'walk'; --task regression expects"):
        NUMBERS.answers(items(["0.5", "walk"]))


def test_a_part_without_targets_of_a_source_that_has_some_is_unlabelled():
    assert NUMBERS.answers(items(["0.5", "7"], [NAN] * 2)).labels.tolist() == [None, None]


def test_equal_numbers_teach_nothing():
    with pytest.raises(DataError, match="all 2 training targets are 3; expected numbers that differ"):
        NUMBERS.require_learnable(np.array([3.0, 3.0], dtype=object))


def test_sets_of_labels_are_written_in_one_way():
    found = SETS.answers(items(["dog; cat", "cat;dog;", ";", None])).labels
    assert found.tolist() == ["cat;dog", "cat;dog", ";", None]
    assert SETS.names(found[:3]).tolist() == ["cat", "dog"]
    assert SETS.learned(found[:3], SETS.names(found[:3])).tolist() == [[1, 1], [1, 1], [0, 0]]
    assert SETS.counts(found[:3]) == {"cat": 2, "dog": 2}


def test_what_is_decided():
    names = np.array(["cat", "dog"], dtype=object)
    outputs = np.array([[0.9, 0.6], [0.2, 0.3], [NAN, NAN]])
    assert TASKS["classification"].decided(outputs, names).tolist() == ["cat", "dog", None]
    assert SETS.decided(outputs, names).tolist() == ["cat;dog", ";", None]
    np.testing.assert_array_equal(NUMBERS.decided(outputs[:, :1], names), [0.9, 0.2, NAN])


def test_a_missing_modality_says_to_a_stacked_head_what_the_others_say():
    own = np.array([[[1.0]], [[NAN]], [[3.0]]], np.float32)
    np.testing.assert_array_equal(NUMBERS.head_rows(own), [[1, 2, 3]])
    np.testing.assert_array_equal(SETS.head_rows(np.array([[[0.5]], [[NAN]]], np.float32)), [[0, 0]])


def test_the_better_modality_gets_the_larger_weight():
    random = np.random.default_rng(0)
    truth = random.normal(size=200)
    own = np.stack([truth + 0.1 * random.normal(size=200), truth + random.normal(size=200)])[:, :, None]
    pool = NUMBERS.learn_pool(own.astype(np.float32), truth)
    assert pool.weights.sum() == pytest.approx(1)
    assert pool.weights[0] > 0.9
    lone = own.copy()
    lone[1] = NAN
    assert NUMBERS.learn_pool(lone.astype(np.float32), truth).weights.tolist() == [0.5, 0.5]


@pytest.mark.parametrize(
    ("name", "separator", "message"),
    [("ranking", None, "expected one of classification, regression, multilabel"), ("regression", "|", "only")],
)
def test_tasks_that_there_are_not(name, separator, message):
    with pytest.raises(ConfigError, match=message):
        task_of(name, label_separator=separator)
