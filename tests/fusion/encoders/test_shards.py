from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from helpers.made_samples import MadeSamples, require_same_functas

from fusion.encoders.config import FunctaConfig
from fusion.encoders.encoding import encode
from fusion.encoders.options import EncodeOptions
from fusion.errors import ConfigError
from store import StoreMismatchError, merge, open_store

HERE = EncodeOptions(workers=1)


@pytest.fixture
def whole(made: MadeSamples, config: FunctaConfig, tmp_path: Path) -> Path:
    encode(made, tmp_path / "whole.zarr", config, HERE)
    return tmp_path / "whole.zarr"


def test_shards_merge_into_the_whole(made: MadeSamples, config: FunctaConfig, tmp_path: Path, whole: Path) -> None:
    parts = [tmp_path / f"{number}.zarr" for number in (1, 2, 3)]
    for number, part in enumerate(parts, 1):
        encode(made, part, config, EncodeOptions(workers=1, shard=(number, 3)))
    report = merge(parts, tmp_path / "merged.zarr")
    assert (report.rows, report.duplicates) == (36, 0)
    assert all(report.sources.values())
    require_same_functas(tmp_path / "merged.zarr", whole)


def test_a_shard_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError, match="shard is 4/3; expected a number from 1 to the count"):
        EncodeOptions(shard=(4, 3))


def test_a_new_store_can_take_over_a_state(
    made: MadeSamples, config: FunctaConfig, tmp_path: Path, whole: Path
) -> None:
    unlabelled = MadeSamples([sample for sample in made if sample.split == "test"])
    encode(unlabelled, tmp_path / "new.zarr", config, HERE, like=whole)
    with open_store(tmp_path / "new.zarr") as new, open_store(whole) as old:
        np.testing.assert_array_equal(new.state["start"], old.state["start"])
        np.testing.assert_allclose(new.read(["w30"]).functas, old.read(["w30"]).functas, atol=1e-5)
    other = FunctaConfig(config.modality, architecture="siren-half")
    with pytest.raises(StoreMismatchError, match="architecture"):
        encode(unlabelled, tmp_path / "other.zarr", other, HERE, like=whole)
