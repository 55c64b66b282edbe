from __future__ import annotations

import numpy as np
import pytest

from fusion.errors import ConfigError
from fusion.features.items import Items
from fusion.features.sampling import require_share, sampled_items


def items_of(groups: list[str | None]) -> Items:
    ids = np.array([f"id-{i}" for i in range(len(groups))], dtype=object)
    same = np.full(len(groups), "a", dtype=object)
    return Items(ids, same, same, np.array(groups, dtype=object), {"sensor": ids})


def test_whole_groups_are_drawn_whatever_their_order() -> None:
    items = items_of([f"person-{i % 20}" for i in range(200)])
    chosen, told = sampled_items(items, 0.1, seed=1)
    assert len(set(chosen.groups)) == 2
    assert len(chosen) == 20
    assert told.startswith("trained on a sample: 2 of 20 groups, 20 of 200 training rows (share 0.1, seed 1)")
    shuffled = items.take(np.random.default_rng(0).permutation(200))
    assert set(sampled_items(shuffled, 0.1, seed=1)[0].ids) == set(chosen.ids)


def test_another_seed_draws_others_and_a_larger_share_holds_the_smaller() -> None:
    items = items_of([f"person-{i}" for i in range(50)])
    small = set(sampled_items(items, 0.2, seed=1)[0].ids)
    assert small != set(sampled_items(items, 0.2, seed=2)[0].ids)
    assert small < set(sampled_items(items, 0.4, seed=1)[0].ids)


def test_rows_without_groups_are_drawn_by_id() -> None:
    assert "5 of 10 IDs" in sampled_items(items_of([None] * 10), 0.5, seed=1)[1]
    chosen, told = sampled_items(items_of([None] * 6 + ["id-0"] * 4), 1.0, seed=1)
    assert len(chosen) == 10
    assert "7 of 7 groups" in told


@pytest.mark.parametrize("share", [0.0, -1.0, 1.5, float("nan")])
def test_what_is_no_share_is_refused(share: float) -> None:
    with pytest.raises(ConfigError, match="expected a share of the training groups"):
        require_share(share)
