from __future__ import annotations

import numpy as np
import pytest
from helpers.made_functas import functa_rows

from fusion.errors import ConfigError, DataError
from fusion.estimators.tasks import task_of
from fusion.features.items import Items
from fusion.features.sampling import Drawn, Sampling, require_share
from fusion.features.source import opened_source
from fusion.models.training import train


def items_of(groups: list[str | None], tested: int = 1) -> Items:
    """Training items of these groups, and behind them some that are tested."""
    count = len(groups) + tested
    ids = np.array([f"id-{i}" for i in range(count)], dtype=object)
    splits = np.array(["train"] * len(groups) + ["test"] * tested, dtype=object)
    own = np.array([*groups, *[None] * tested], dtype=object)
    return Items(ids, np.full(count, "a", dtype=object), splits, own, {"sensor": ids})


def drawn_of(items: Items, share: float, seed: int = 1, pieces: int = 1) -> Drawn:
    sampling = Sampling(share, seed, ("train",), ("test",), task_of("classification").answers)
    found = sampling.draw(items.take(part) for part in np.array_split(np.arange(len(items)), pieces))
    assert found is not None
    return found


def ids_of(items: Items, drawn: Drawn) -> set[str]:
    return set(items.ids[drawn.keeps(items) & (items.splits == "train")])


def test_whole_groups_are_drawn_whatever_their_order_and_the_pieces_they_come_in() -> None:
    items = items_of([f"person-{i % 20}" for i in range(200)])
    drawn = drawn_of(items, 0.1)
    chosen = ids_of(items, drawn)
    assert len({items.groups[int(name[3:])] for name in chosen}) == 2
    assert len(chosen) == 20
    told = "trained on a sample: 2 of 20 groups, 20 of 200 training rows (share 0.1, seed 1)."
    assert drawn.told(20) == told
    shuffled = items.take(np.random.default_rng(0).permutation(len(items)))
    assert ids_of(shuffled, drawn_of(shuffled, 0.1, pieces=7)) == chosen


def test_all_test_rows_are_kept() -> None:
    items = items_of(["ann", "bob", "cleo"], tested=5)
    assert drawn_of(items, 0.4).keeps(items)[3:].all()


def test_another_seed_draws_others_and_a_larger_share_holds_the_smaller() -> None:
    items = items_of([f"person-{i}" for i in range(50)])
    small = ids_of(items, drawn_of(items, 0.2))
    assert small != ids_of(items, drawn_of(items, 0.2, seed=2))
    assert small < ids_of(items, drawn_of(items, 0.4))


def test_rows_without_groups_are_drawn_by_id() -> None:
    assert "5 of 10 IDs" in drawn_of(items_of([None] * 10), 0.5, pieces=3).told(5)
    mixed = items_of([None] * 6 + ["id-0"] * 4)
    drawn = drawn_of(mixed, 1.0, pieces=3)
    assert len(ids_of(mixed, drawn)) == 10
    assert "7 of 7 groups" in drawn.told(10)


def test_what_is_drawn_of_made_rows_stays_what_it_was() -> None:
    items = items_of([f"person-{i}" for i in range(40)] + [None] * 10)
    assert sorted(ids_of(items, drawn_of(items, 0.1, seed=42))) == KNOWN


KNOWN = ["id-15", "id-16", "id-29", "id-3", "id-35"]
"""Drawn by the first version that could."""


def test_a_group_on_both_sides_is_refused_though_it_is_not_drawn() -> None:
    items = items_of([f"person-{i}" for i in range(50)])
    items.groups[50] = "person-3"
    with pytest.raises(DataError, match="1 groups are on both sides of the split, first 'person-3'"):
        drawn_of(items, 0.02)


def test_a_source_keeps_what_is_drawn_and_tested_and_knows_all_labels(make_store) -> None:
    with opened_source(make_store()) as whole:
        items = whole.items
    sampling = Sampling(0.01, 3, ("train",), ("test",), task_of("classification").answers)
    with opened_source(make_store(name="other"), sampling) as source:
        assert source.drawn is not None
        assert set(source.items.splits) == {"train", "test"}
        assert (source.items.splits == "test").sum() == (items.splits == "test").sum()
        assert (source.items.splits == "train").sum() < (items.splits == "train").sum()
        assert source.drawn.all_labels.tolist() == sorted(set(functa_rows().labels) - {None})


def test_what_cannot_be_trained_or_tested_on_is_told_as_without_a_sample(make_store) -> None:
    store = make_store()
    for wrong in ({"train_splits": ("no",)}, {"test_splits": ("no",)}, {"task": "regression"}):
        told = []
        for sample in (None, 0.5):
            with pytest.raises(DataError) as error:
                train(store, sample=sample, **wrong)
            told.append(str(error.value))
        assert told[0] == told[1]


@pytest.mark.parametrize("share", [0.0, -1.0, 1.5, float("nan")])
def test_what_is_no_share_is_refused(share: float) -> None:
    with pytest.raises(ConfigError, match="expected a share of the training groups"):
        require_share(share)
