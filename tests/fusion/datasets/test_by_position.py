"""What is handed over side by side is taken by position, whatever index it carries."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from fusion.datasets import ArrayDataset
from fusion.encoders import FunctaEncoder
from fusion.errors import DataError
from fusion.metrics import evaluate_labels


def shuffled() -> pd.DataFrame:
    """Four samples, each filled with the number that its label ends in, in the order 2, 0, 3, 1."""
    frame = pd.DataFrame({"w": [np.full((3, 1), k) for k in range(4)], "label": [f"is {k}" for k in range(4)]})
    return frame.loc[[2, 0, 3, 1]].assign(group=list("abcd"), split="train", target=[2.0, 0.0, 3.0, 1.0])


def test_a_shuffled_frame_s_columns_keep_each_sample_beside_its_own_label() -> None:
    frame = shuffled()
    beside = {f"{name}s": frame[name] for name in ("label", "group", "split", "target")}
    data = ArrayDataset(frame["w"], ids=frame.index.to_series(), **beside)
    found = [(s.id, float(s.raw[0, 0]), s.label, s.group, s.split, s.target) for s in data]
    assert found == [
        (f"{k}", float(k), f"is {k}", group, "train", float(k)) for k, group in zip((2, 0, 3, 1), "abcd", strict=True)
    ]


def test_a_filtered_column_has_no_failing_rows() -> None:
    frame = shuffled()
    kept = frame[frame["label"] != "is 0"]
    assert [sample.raw[0, 0] for sample in ArrayDataset(kept["w"], labels=kept["label"])] == [2, 3, 1]


def test_rows_of_a_frame_with_numbers_for_names_are_its_rows() -> None:
    frame = pd.DataFrame(np.arange(6).reshape(3, 2), index=[2, 0, 1])
    data = ArrayDataset(frame, modality="vectors")
    assert [data.default_modality().resolved(sample.raw).dimensions for sample in data] == [2, 2, 2]  # type: ignore[attr-defined]
    assert [np.asarray(sample.raw).tolist() for sample in data] == [[0, 1], [2, 3], [4, 5]]


def test_an_encoder_learns_and_transforms_columns_by_position() -> None:
    random = np.random.default_rng(0)
    windows = [random.normal(size=(8, 1)) for _ in range(4)]
    column = pd.Series(windows, index=[3, 1, 0, 2])
    plain, indexed = (FunctaEncoder(architecture="paper-half", steps=1) for _ in range(2))
    plain.fit(windows, list("abab"))
    indexed.fit(column, pd.Series(list("abab"), index=[9, 8, 7, 6]))
    assert np.array_equal(indexed.transform(column), plain.transform(windows))


def test_labels_of_several_columns_are_compared_by_position() -> None:
    truth = pd.DataFrame([[True, False], [False, True], [True, True]])
    found = evaluate_labels(truth, truth.set_axis([2, 0, 1]), ["cat", "dog"])  # type: ignore[arg-type]
    assert found.exact == 1.0


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"labels": {"a": 1, "b": 2}}, "labels are of type dict; expected a list with one for each sample"),
        ({"labels": {"a", "b"}}, "labels are of type set; expected a list"),
        ({"ids": pd.DataFrame({"x": list("ab"), "y": list("cd")})}, r"ids have the shape \(2, 2\); expected one axis"),
        ({"targets": np.ones((2, 2))}, r"targets have the shape \(2, 2\); expected one axis"),
        ({"targets": [[1, 2], [3, 4]]}, r"the target of 'sensor:1' is \[1, 2\]; expected a finite number"),
        ({"labels": [["dog", "cat"], "dog"]}, "the label of array 1 is of type list; expected text or a number"),
    ],
)
def test_what_has_no_order_or_several_axes_is_refused(given: Any, said: str) -> None:
    with pytest.raises(DataError, match=said):
        ArrayDataset([np.ones((4, 1))] * 2, **given)


@pytest.mark.parametrize("arrays", [{0: np.ones(2)}, "folder", 3, (np.ones(2) for _ in range(2))])
def test_samples_without_places_are_refused(arrays: Any) -> None:
    with pytest.raises(DataError, match=r"samples are of type \w+; expected a list or an array with one in each place"):
        ArrayDataset(arrays)
