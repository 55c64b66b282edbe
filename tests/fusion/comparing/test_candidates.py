from __future__ import annotations

import pytest

from fusion.comparing.candidates import named_sources, sides_of, sources_of
from fusion.errors import ConfigError


def test_stores_of_one_data_set_are_alternatives_and_others_modalities(noisy_store):
    stores = [noisy_store(name, 1, dataset=name[:3]) for name in ("arm-a", "arm-b", "leg-a")]
    sides = sides_of(stores)
    assert {side: list(found) for side, found in sides.items()} == {"arm": ["arm-a", "arm-b"], "leg": ["functa"]}


def test_a_single_store_goes_with_every_encoder(noisy_store, tmp_path):
    stores = [noisy_store(name, 1, dataset=name[:3]) for name in ("arm-a", "arm-b", "leg-a")]
    assert list(sources_of(sides_of(stores), tmp_path)) == ["arm-a", "arm-b"]


def test_modalities_with_other_encoders_are_refused(noisy_store, tmp_path):
    stores = [noisy_store(name, 1, dataset=name[:3]) for name in ("arm-a", "arm-b", "leg-a", "leg-b")]
    with pytest.raises(ConfigError, match=r"arm: arm-a, arm-b; leg: leg-a, leg-b.*name=path"):
        named_sources(stores, tmp_path)
    named = [f"{path.stem[-1]}={path}" for path in stores]
    assert list(named_sources(named, tmp_path)) == ["a", "b"]


def test_two_alternatives_of_one_name_are_refused(noisy_store, tmp_path):
    with pytest.raises(ConfigError, match="two stores of sensor are called 'x'"):
        named_sources([f"x={noisy_store(name, 1)}" for name in "ab"], tmp_path)


def test_stores_beside_link_tables_are_refused(noisy_store, tmp_path):
    with pytest.raises(ConfigError, match="1 of them link tables"):
        named_sources([noisy_store("a", 1), tmp_path / "b.parquet"], tmp_path)
