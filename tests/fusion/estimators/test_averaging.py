from __future__ import annotations

import numpy as np
import pytest

from fusion.estimators.averaging import LEAST, Pool, centred_logs, learn_pool

NAN = np.nan


def voices(*of_modalities):
    return np.array(of_modalities, dtype=np.float32)


@pytest.mark.parametrize("mean", ["arithmetic", "geometric"])
def test_equal_voices_stay_as_they_are(mean):
    own = voices([[0.7, 0.2, 0.1]], [[0.7, 0.2, 0.1]])
    np.testing.assert_allclose(Pool(mean, np.array([0.5, 0.5]))(own), own[0], atol=1e-6)


@pytest.mark.parametrize("mean", ["arithmetic", "geometric"])
def test_a_missing_modality_leaves_what_the_others_say(mean):
    own = voices([[0.7, 0.3]], [[NAN, NAN]])
    found = Pool(mean, np.array([0.25, 0.75]))(own)
    assert found.sum() == pytest.approx(1)
    assert found.argmax() == 0
    if mean == "arithmetic":
        np.testing.assert_allclose(found, own[0], atol=1e-6)


def test_means_are_those_of_the_textbook():
    own = voices([[0.9, 0.1]], [[0.2, 0.8]])
    np.testing.assert_allclose(Pool("arithmetic", np.array([0.75, 0.25]))(own), [[0.725, 0.275]], atol=1e-6)
    odds = np.sqrt(0.9 / 0.1 * 0.2 / 0.8)
    np.testing.assert_allclose(
        Pool("geometric", np.array([0.5, 0.5]))(own), [[odds / (1 + odds), 1 / (1 + odds)]], 1e-5
    )


def test_a_class_that_one_modality_never_saw_can_still_win():
    found = Pool("geometric", np.array([0.5, 0.5]))(voices([[0.0, 1.0]], [[0.9999999, 0.0]]))
    assert np.isfinite(found).all()
    assert np.isfinite(centred_logs(voices([[0.0, 1.0]]))).all()
    assert centred_logs(voices([[0.0, 1.0]]))[0, 0, 0] == pytest.approx(np.log(LEAST) / 2, rel=1e-5)


def test_the_better_modality_gets_the_larger_weight():
    random = np.random.default_rng(3)
    codes = random.integers(0, 3, 200)
    good = np.eye(3)[codes] * 0.6 + random.dirichlet(np.ones(3), 200) * 0.4
    guess = random.dirichlet(np.ones(3), 200)
    pool = learn_pool(voices(good, guess), codes)
    assert pool.weights[0] > 2 * pool.weights[1]
    assert (pool(voices(good, guess)).argmax(axis=1) == codes).mean() >= (good.argmax(axis=1) == codes).mean() - 0.01


def test_rows_of_one_modality_have_no_say():
    lone = voices([[0.9, 0.1]] * 4, [[NAN, NAN]] * 4)
    pool = learn_pool(lone, np.zeros(4, np.intp))
    assert (pool.mean, pool.weights.tolist()) == ("arithmetic", [0.5, 0.5])
