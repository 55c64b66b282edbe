from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, f1_score

from fusion.errors import DataError
from fusion.metrics import evaluate_labels


@pytest.fixture
def labelled():
    random = np.random.default_rng(0)
    truth = random.random((200, 3)) < [0.5, 0.2, 0.8]
    likely = np.clip(0.6 * truth + random.random((200, 3)) * 0.6, 0, 1)
    return truth, likely > 0.5, likely


def test_figures_are_those_of_scikit_learn(labelled):
    truth, predicted, likely = labelled
    found = evaluate_labels(truth, predicted, list("abc"), probabilities=likely)
    assert found.micro_f1 == pytest.approx(f1_score(truth, predicted, average="micro"))
    assert found.macro_f1 == pytest.approx(f1_score(truth, predicted, average="macro"))
    assert found.mean_average_precision == pytest.approx(average_precision_score(truth, likely, average="macro"))
    assert [each.f1 for each in found.per_label] == pytest.approx(f1_score(truth, predicted, average=None).tolist())
    assert found.exact == (truth == predicted).all(axis=1).mean()


def test_intervals_are_over_groups_where_there_are_such(labelled):
    truth, predicted, _ = labelled
    document = evaluate_labels(truth, predicted, list("abc"), groups=np.arange(200) // 20).to_dict()
    low, high = document["micro_f1_interval"]
    assert low < document["micro_f1"] < high
    assert set(document["micro_f1_intervals"]) == {"groups", "rows"}
    assert document["map"] is None


def test_a_label_that_no_row_has_has_no_average_precision():
    truth = np.array([[1, 0], [0, 0]], dtype=bool)
    found = evaluate_labels(truth, truth, ["a", "b"], probabilities=np.array([[0.9, 0.1], [0.2, 0.3]]))
    assert np.isnan(found.per_label[1].average_precision)
    assert (found.mean_average_precision, found.macro_f1, found.micro_f1) == (1, 1, 1)


def test_nothing_named_where_there_is_nothing_is_right():
    nothing = np.zeros((3, 2), dtype=bool)
    assert evaluate_labels(nothing, nothing, ["a", "b"]).micro_f1 == 1


def test_other_shapes_are_refused(labelled):
    truth, predicted, _ = labelled
    with pytest.raises(DataError, match="expected as many of both"):
        evaluate_labels(truth, predicted[:-1], list("abc"))
    with pytest.raises(DataError, match="and 2 labels"):
        evaluate_labels(truth, predicted, ["a", "b"])
