"""The windows with the most evidence cost more than windows drawn at random."""

from __future__ import annotations

import pytest
from helpers.made_bursts import Bursts

import fusion
from fusion.errors import ConfigError, DataError
from fusion.explaining import check_deletion


@pytest.mark.parametrize("preset", ["linear", "fast"])
def test_the_strongest_windows_cost_more_than_random_ones(
    bursts: Bursts, preset: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    model = tmp_path_factory.mktemp("model") / "m"
    fusion.train(bursts.store, model, preset=preset)
    (check,) = check_deletion(model, items=30, sources={"": bursts.data})
    assert check.passed
    assert check.items == 30
    assert check.lost_strongest > check.lost_random + 0.05
    assert check.ahead >= 0.5  # of the class without a burst there is little to take away
    assert check.to_dict()["passed"] is True


def test_the_same_seed_gives_the_same_figures(bursts: Bursts) -> None:
    one, other = (check_deletion(bursts.model, items=8, sources={"": bursts.data}, seed=3) for _ in range(2))
    assert one == other


def test_it_asks_for_windows_and_for_items(bursts: Bursts, tmp_path_factory: pytest.TempPathFactory) -> None:
    with pytest.raises(ConfigError, match="1 items"):
        check_deletion(bursts.model, items=1)
    folder = tmp_path_factory.mktemp("plain")
    fusion.encode(bursts.data, folder / "f.zarr")
    fusion.train(folder / "f.zarr", folder / "m", preset="fast")
    with pytest.raises(DataError, match="expected one encoded with --encoder local"):
        check_deletion(folder / "m", items=4)
