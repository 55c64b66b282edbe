from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fusion.errors import DataError
from fusion.splits import (
    classes_of_one_group,
    cross_validation_folds,
    group_codes,
    group_folds,
    hold_out,
    left_out_together,
    require_disjoint,
    seeded_hash,
    stratified_folds,
)


@pytest.mark.parametrize("seed", range(5))
def test_held_out_groups_are_whole_and_even(seed):
    random = np.random.default_rng(seed)
    groups = random.integers(0, 20, 600).astype(str)
    codes = random.integers(0, 4, 600)
    held = hold_out(codes, groups, fraction=0.2, seed=seed)
    assert not set(groups[held]) & set(groups[~held])
    for code in range(4):
        assert 0.1 < held[codes == code].mean() < 0.3


def test_a_class_of_one_group_stays_in_training():
    groups = np.repeat(["a", "b", "c", "d", "e"], 20)
    codes = np.where(groups == "c", 2, np.arange(100) % 2)
    for seed in range(20):
        assert not hold_out(codes, groups, fraction=0.2, seed=seed)[groups == "c"].any()


@pytest.mark.parametrize("groups", [None, ["only"] * 50, [None] * 50], ids=["none", "single", "unknown"])
def test_without_groups_rows_are_held_out_by_class(groups):
    codes = np.repeat([0, 1], [40, 10])
    held = hold_out(codes, groups, fraction=0.2, seed=0)
    assert held[codes == 0].sum() == 8
    assert held[codes == 1].sum() == 2


def test_a_class_of_one_row_is_not_held_out():
    held = hold_out(np.array([0] * 10 + [1]), fraction=0.5, seed=0)
    assert held.sum() == 5
    assert not held[-1]


@pytest.mark.parametrize("groups", [None, np.repeat(np.arange(20), 5)])
def test_folds_keep_groups_whole(groups):
    codes = np.arange(100) % 3
    folds = stratified_folds(codes, groups, most=4, seed=0)
    assert np.bincount(folds).tolist() == [25] * 4
    if groups is not None:
        assert all(len(set(folds[groups == group])) == 1 for group in range(20))
    assert not stratified_folds(codes, np.zeros(100, int), most=4, seed=0).any()


def test_folds_of_groups_are_whole_and_as_even_as_can_be():
    groups = np.array(["a"] * 4 + ["b"] * 3 + ["c"] * 2 + [None] * 3, dtype=object)
    folds = group_folds(groups, most=3)
    assert sorted(np.bincount(folds)) == [4, 4, 4]
    assert all(len(set(folds[groups == name])) == 1 for name in "abc")
    assert not group_folds(["only"] * 5).any()


def test_a_group_on_both_sides_is_refused_of_any_kind_and_no_group_is_none():
    require_disjoint((["a", None], ["b", None]), (["x"], ["y"]))
    with pytest.raises(DataError, match="1 groups are on both sides of the split, first 'x'"):
        require_disjoint((["a"], ["b"]), (["x", "z"], ["x", "y"]))


def test_a_seeded_hash_depends_on_name_and_seed_alone():
    assert seeded_hash("walk-1", 3) == seeded_hash("walk-1", 3)
    assert len({seeded_hash(name, seed) for name in ("walk-1", "walk-2") for seed in (3, 4)}) == 4


def test_dealt_folds_keep_groups_whole_and_classes_even():
    groups = np.repeat([f"g{number}" for number in range(12)], 10)
    codes = np.tile([0, 0, 0, 0, 1, 1, 1, 2, 2, 2], 12)
    folds = cross_validation_folds(codes, groups, 4, seed=0)
    assert sorted(np.bincount(folds)) == [30, 30, 30, 30]
    assert all(len(set(folds[groups == group])) == 1 for group in groups)


def test_folds_without_groups_hold_as_many_rows_of_each_class():
    codes = np.repeat([0, 1], [50, 10])
    folds = cross_validation_folds(codes, np.full(60, None), 5, seed=1)
    assert [np.bincount(codes[folds == number]).tolist() for number in range(5)] == [[10, 2]] * 5
    assert not np.array_equal(folds, cross_validation_folds(codes, np.full(60, None), 5, seed=2))


def test_more_folds_than_rows_of_any_class_are_refused():
    with pytest.raises(DataError, match="5 folds has 2 rows of the largest class"):
        cross_validation_folds(np.array([0, 0, 1, 1, 2, 2]), np.full(6, None), 5, seed=1)


def test_a_group_that_alone_has_its_classes_is_left_out_row_by_row():
    codes = np.repeat([0, 1, 2, 2], 10)
    groups = np.repeat([0, 1, 2, 3], 10)
    together = left_out_together(codes, groups)
    assert len(set(together[:20])) == 20
    assert [set(together[rows]) for rows in (slice(20, 30), slice(30, 40))] == [{0}, {1}]
    someone_else = np.concatenate([groups, [0]])  # whose other class others have too
    assert len(set(left_out_together(np.append(codes, 2), someone_else)[:10])) == 1
    assert not left_out_together(codes, np.zeros(40, int)).any()


def test_recordings_of_one_class_are_held_out_whole_though_few_classes_are_watched():
    codes, groups = np.repeat(np.arange(10), 20), np.repeat(np.arange(20), 10)
    held = hold_out(codes, groups, fraction=0.1, seed=3)
    assert np.flatnonzero(held).tolist() == list(range(170, 190))
    assert not set(groups[held]) & set(groups[~held])


@pytest.mark.parametrize("lone", [5, 4], ids=["every class", "all but one class"])
def test_classes_of_one_group_each_stay_in_training_and_are_watched(lone):
    codes = np.repeat(np.arange(5), 20)
    groups = np.where(codes < lone, codes, 10 + np.arange(100) % 4)
    held = hold_out(codes, groups, fraction=0.2, seed=0)
    folds = stratified_folds(codes, groups, most=5, seed=0)
    for code in range(lone):
        assert 0 < held[codes == code].sum() < 20
        assert len(set(folds[codes == code])) > 1
    assert not set(groups[held & (codes >= lone)]) & set(groups[~held & (codes >= lone)])
    assert not classes_of_one_group(codes, group_folds(groups, codes=codes)).size
    assert classes_of_one_group(codes, group_folds(groups)).size >= lone


def test_rows_without_a_group_are_apart_however_that_is_written():
    nan = float("nan")
    groups = np.array(["ann", nan, nan, None, "ann", "", pd.NA, pd.NaT], dtype=object)
    assert group_codes(groups).tolist() == [0, 1, 2, 3, 0, 4, 5, 6]
