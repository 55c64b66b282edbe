"""One scale for each modality's columns: what is chosen, and that a modality of noise does not cost."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from fusion.estimators.block_scales import block_scales
from fusion.estimators.glm import SQUARED
from fusion.estimators.xgboost import FunctaClassifier

BLOCKS = (10, 600)


class Blocked:
    """Rows that say which columns belong together."""

    def __init__(self, matrix: NDArray[np.float32], blocks: tuple[int, ...]) -> None:
        self.matrix, self.blocks, self.shape = matrix, blocks, matrix.shape

    def __getitem__(self, places: NDArray[np.intp]) -> NDArray[np.float32]:
        return self.matrix[places]


@pytest.fixture(scope="module")
def rows() -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Ten columns that tell a number, beside 600 that tell nothing."""
    random = np.random.default_rng(0)
    matrix = random.normal(size=(300, sum(BLOCKS))).astype(np.float32)
    return matrix, matrix[:, :10] @ random.normal(size=(10, 3))


def scales(
    matrix: NDArray[np.float32], y: NDArray[np.float64], blocks: tuple[int, ...], folds: object = None
) -> object:
    def losses(places: NDArray[np.intp]) -> object:
        return lambda values: (float(np.square(values - y[places]).mean()), 0.0)

    dealt = np.arange(len(y)) % 3 if folds is None else folds
    return block_scales(matrix, y, dealt, SQUARED, blocks=blocks, penalties=[0.01, 0.1, 1.0], losses=losses)  # type: ignore[arg-type]


def test_the_block_that_tells_something_weighs_more_than_the_one_with_more_columns(
    rows: tuple[NDArray[np.float32], NDArray[np.float64]],
) -> None:
    small, large = scales(*rows, BLOCKS)  # type: ignore[misc]
    assert small > 5 * large
    assert np.average([small**2, large**2], weights=BLOCKS) == pytest.approx(1)


def test_columns_alike_are_left_alike(rows: tuple[NDArray[np.float32], NDArray[np.float64]]) -> None:
    matrix, _ = rows
    y = matrix[:, :100] @ np.random.default_rng(1).normal(size=(100, 3))
    np.testing.assert_array_equal(scales(matrix[:, :100], y, (50, 50)), [1, 1])


@pytest.mark.parametrize(("blocks", "folds"), [((610,), None), (BLOCKS, np.zeros(300, int))], ids=["block", "fold"])
def test_with_one_block_or_fold_nothing_is_chosen(
    rows: tuple[NDArray[np.float32], NDArray[np.float64]], blocks: tuple[int, ...], folds: object
) -> None:
    np.testing.assert_array_equal(scales(*rows, blocks, folds), np.ones(len(blocks)))


@pytest.mark.parametrize("booster", ["gblinear", "stacked"])
def test_a_wide_modality_that_tells_nothing_costs_little(
    rows: tuple[NDArray[np.float32], NDArray[np.float64]], booster: str
) -> None:
    matrix, y = rows
    labels, groups = y.argmax(axis=1), np.arange(300) // 10
    learn, test = np.arange(200), np.arange(200, 300)
    reached = {}
    for name, blocks in {"blocks": BLOCKS, "columns": (610,)}.items():
        classifier = FunctaClassifier(booster=booster, n_estimators=10, n_jobs=1)
        classifier.fit_rows(Blocked(matrix[learn], blocks), labels[learn], groups[learn])
        reached[name] = np.mean(classifier.predict(matrix[test]) == labels[test])
    assert reached["blocks"] > reached["columns"] + 0.05
