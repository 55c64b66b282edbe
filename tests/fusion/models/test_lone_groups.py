"""Classes that one group alone has in training, and classes of one row: nothing can be left out to choose by."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.made_functas import functa_rows, rebuilt
from helpers.made_pairs import linked

from fusion.errors import DataError
from fusion.estimators.presets import training_settings
from fusion.models.training import train


def recorded_once():
    """Each class of one recording for training and another one for the test."""
    rows = functa_rows(16, 6)
    return rebuilt(rows, groups=np.char.add(np.char.add(rows.labels.astype(str), "-"), rows.splits.astype(str)))


@pytest.mark.parametrize("preset", ["auto", "fast", "stacked"])
def test_a_class_of_one_recording_is_learned_and_told(make_store, preset):
    settings = training_settings(preset, n_jobs=1)
    result = train(make_store(recorded_once()), preset=settings)
    by_rows = train(make_store(rebuilt(recorded_once(), groups=[None] * 96), "rows"), preset=settings)
    assert result.accuracy >= by_rows.accuracy - 0.1 > 0.6
    assert any(line.startswith("3 of 3 classes have one training group each, such as") for line in result.advice)


def test_a_cross_validation_says_why_it_fails_on_such_a_class(make_store):
    rows = recorded_once()
    store = make_store(rebuilt(rows, groups=rows.labels))
    result = train(store, preset=training_settings("linear", n_jobs=1), cv="group")
    assert result.accuracy == 0
    assert any("'<b>lie</b>' (<b>lie</b>): the fold that tests it has not learned it" in line for line in result.advice)


@pytest.fixture
def one_each(tmp_path):
    """A link table whose training rows are one of each class."""
    table = linked(tmp_path / "pair", subjects=40, each=1, noise=0.1)
    frame = table.frame.copy()
    frame["split"] = np.where(frame["label"].duplicated(), "test", "train")
    return type(table)(frame, table.stores, table.summary)


def test_late_fusion_of_one_row_of_each_class_averages_alike(one_each):
    result = train(one_each, fusion="late", preset=training_settings("linear", n_jobs=1))
    assert result.model.classifier.pool.weights.tolist() == [0.5, 0.5]
    assert result.accuracy > 0.4


def test_stacked_fusion_of_one_row_of_each_class_is_refused(one_each):
    with pytest.raises(DataError, match=r"of 4 classes in 4 training rows 0 have such rows; expected two.*fuse late"):
        train(one_each, fusion="stacked", preset=training_settings("linear", n_jobs=1))
