from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone

from fusion.errors import DataError
from fusion.estimators.tuning import CANDIDATES, tune_classifier
from fusion.estimators.xgboost import FunctaClassifier

QUICK = FunctaClassifier(n_estimators=8, n_jobs=1, seed=3)
TWO = {"trees": {}, "linear": {"booster": "gblinear", "linear": {"penalties": [0.01]}}}


def plane(rows=160, columns=60, seed=0):
    """Classes that only the sum of many columns tells: a linear reader's case."""
    random = np.random.default_rng(seed)
    X = random.normal(size=(rows, columns)).astype(np.float32)  # noqa: N806
    return X, np.where(X.sum(axis=1) > 0, "up", "down"), np.repeat(np.arange(rows // 10), 10)


def islands(rows=160, seed=0):
    """Classes that no plane can part: a tree's case."""
    random = np.random.default_rng(seed)
    X = random.normal(size=(rows, 2)).astype(np.float32)  # noqa: N806
    return X, np.where(np.abs(X[:, 0]) > 0.7, "out", "in"), np.repeat(np.arange(rows // 10), 10)


@pytest.mark.parametrize(("made", "chosen"), [(plane, "linear"), (islands, "trees")])
def test_the_booster_that_suits_the_data_is_chosen(made, chosen):
    tuning = tune_classifier(QUICK, *made(), candidates=TWO)
    assert tuning.chosen.name == tuning.to_dict()["chosen"] == chosen
    assert tuning.classifier.get_params() == QUICK.get_params() | TWO[chosen]
    assert [tried.name for tried in tuning.tried] == list(TWO)
    assert tuning.chosen.score > min(tried.score for tried in tuning.tried) + 0.05
    assert not hasattr(tuning.classifier, "classes_")


def test_groups_stay_whole_and_progress_is_told():
    X, y, groups = plane()  # noqa: N806
    seen, told = [], []

    class Watched:
        shape = X.shape

        def __getitem__(self, positions):
            seen.append(set(groups[positions]))
            return X[positions]

    tune_classifier(
        clone(QUICK).set_params(early_stopping_rounds=None),
        Watched(),
        y,
        groups,
        candidates={"linear": TWO["linear"]},
        progress=lambda done, most: told.append((done, most)),
    )
    assert told == [(1, 3), (2, 3), (3, 3)]
    training, validation = seen[0], seen[2]
    assert not training & validation
    assert training | validation == set(groups)


def test_every_candidate_is_one_that_trains():
    X, y, groups = plane(60, 6)  # noqa: N806
    tuning = tune_classifier(QUICK, X, y, groups)
    assert [tried.name for tried in tuning.tried] == list(CANDIDATES)
    assert all(0.3 < tried.score <= 1 for tried in tuning.tried)


def test_one_group_cannot_be_tuned_on():
    X, y, _ = plane()  # noqa: N806
    with pytest.raises(DataError, match="tuning needs at least two groups of training rows, got one of 160 rows"):
        tune_classifier(QUICK, X, y, np.zeros(160))


def test_one_row_of_each_class_is_refused():
    with pytest.raises(DataError, match="needs two training rows of some class, got one of each of 4 classes"):
        tune_classifier(FunctaClassifier(), np.eye(4, dtype=np.float32), list("abcd"))
