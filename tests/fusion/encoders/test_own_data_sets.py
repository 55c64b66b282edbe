"""Data sets of a caller's own are looked at before anything is encoded, their targets before anything is trained."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from fusion.datasets import Sample
from fusion.encoders import EncodeOptions
from fusion.encoders.survey import survey_samples
from fusion.errors import DataError
from fusion.estimators import FunctaRegressor
from fusion.estimators.regression import Regression
from fusion.features.items import Items

ONE = EncodeOptions(workers=1)


class Own:
    """Gives what it is given."""

    name, modality = "own", "sensor"

    def __init__(self, samples: Any) -> None:
        self.samples = samples

    def __iter__(self) -> Iterator[Any]:
        return iter(self.samples)


def samples(**given: Any) -> Iterator[Sample]:
    for number in range(4):
        yield Sample(**{"id": number, "label": "a", "split": "train", "group": None, "load": np.empty, **given})


def test_what_is_no_sample_is_named_by_its_number() -> None:
    with pytest.raises(DataError, match=r"own: sample 2 is of type tuple; expected a fusion\.datasets\.Sample"):
        survey_samples(Own([next(samples()), ("s1", "a")]), ONE, seed=0)


def test_a_data_set_that_can_be_iterated_only_once_is_told_so() -> None:
    with pytest.raises(
        DataError, match="own: it can be iterated only once, and encoding goes through it several times"
    ):
        survey_samples(Own(samples()), ONE, seed=0)
    assert survey_samples(Own(list(samples())), ONE, seed=0).wanted == 4


def test_empty_labels_of_an_own_data_set_are_no_class() -> None:
    assert survey_samples(Own(list(samples(label=""))), ONE, seed=0).classes == {"none": 4}


def test_training_refuses_targets_that_are_infinite() -> None:
    names = np.array(["a", "b"], dtype=object)
    items = Items(names, names, names, names, {"sensor": names}, targets=np.array([1.0, np.inf]))
    with pytest.raises(DataError, match="1 of 2 targets are infinite, such as that of 'b'; expected finite numbers"):
        Regression().answers(items)
    with pytest.raises(DataError, match="the target of row 1 is inf; expected finite numbers"):
        FunctaRegressor().fit_rows(np.ones((2, 3), np.float32), [1.0, np.inf])
