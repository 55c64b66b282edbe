from __future__ import annotations

import numpy as np
import pytest

from fusion.errors import ConfigError
from fusion.estimators.averaging import Pool
from fusion.estimators.fused import FusedEstimator, check_fusion
from fusion.estimators.tasks import Classification
from fusion.estimators.xgboost import FunctaClassifier

CLASSIFICATION = Classification()

CLASSES = np.array(["a", "b", "c"], dtype=object)


@pytest.fixture(scope="module")
def late():
    """Members that know two of three classes each."""
    random = np.random.default_rng(0)
    members = {}
    for name, known in (("x", "ab"), ("y", "bc")):
        labels = np.array(list(known) * 20)
        rows = random.normal(size=(40, 2)) + 4 * (labels == known[1])[:, None]
        members[name] = FunctaClassifier(n_estimators=5, n_jobs=1).fit(rows.astype(np.float32), labels)
    return FusedEstimator("late", {"x": 2, "y": 2}, members, CLASSES, pool=Pool("arithmetic", np.array([0.5, 0.5])))


def test_each_member_reads_its_own_columns_and_knows_its_own_classes(late):
    matrix = np.array([[0, 0, 4, 4]], np.float32)
    own = late.member_outputs(matrix)
    assert own.shape == (2, 1, 3)
    assert (own[0, 0].argmax(), own[0, 0, 2]) == (0, 0)
    assert (own[1, 0].argmax(), own[1, 0, 0]) == (2, 0)
    np.testing.assert_allclose(late.outputs(matrix), own.mean(axis=0), atol=1e-6)


def test_one_modality_left_is_what_its_member_says_and_none_left_is_no_answer(late):
    matrix = np.array([[0, 0, np.nan, np.nan], [np.nan] * 4], np.float32)
    found = late.outputs(matrix)
    np.testing.assert_array_equal(found[0], late.member_outputs(matrix)[0, 0])
    np.testing.assert_allclose(found[1], 1 / 3)


def test_its_size_is_that_of_its_members(late):
    assert (late.n_features_in_, late.n_rounds_) == (4, max(member.n_rounds_ for member in late.members.values()))
    assert late.slices == {"x": slice(0, 2), "y": slice(2, 4)}


def test_a_missing_modality_is_nothing_to_the_stacked_head():
    own = np.array([[[0.7, 0.2, 0.1]], [[np.nan] * 3]], np.float32)
    features = CLASSIFICATION.head_rows(own)
    assert features.shape == (1, 6)
    assert features[0, :3].sum() == pytest.approx(0, abs=1e-5)
    assert not features[0, 3:].any()


def test_classes_that_a_classifier_does_not_know_have_probability_0(late):
    found = CLASSIFICATION.spread(np.array([[0.25, 0.75]], np.float32), late.members["y"].classes_, CLASSES)
    np.testing.assert_array_equal(found, [[0, 0.25, 0.75]])


def test_what_there_is_no_fusion_of_is_refused(late):
    with pytest.raises(ConfigError, match="fusion is 'middle'; expected one of early, late, stacked"):
        check_fusion("middle")
    headless = FusedEstimator("early", late.columns, late.members, CLASSES)
    with pytest.raises(ConfigError, match="an estimator of early fusion needs a head or a pool"):
        headless.predict(np.zeros((1, 4), np.float32))
