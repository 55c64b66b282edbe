from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers.made_samples import MadeSamples

from fusion.encoders.config import FunctaConfig
from fusion.encoders.encoding import encode
from fusion.encoders.options import EncodeOptions
from fusion.errors import ConfigError
from fusion.inr.settings import FitSettings
from store import open_store


def test_the_start_is_drawn_as_asked_and_the_store_remembers(
    made: MadeSamples, config: FunctaConfig, tmp_path: Path
) -> None:
    asked = replace(config, initialisation="random", initialiser="siren", fit=FitSettings(steps=3, schedule="cosine"))
    encode(made, tmp_path / "s.zarr", asked, EncodeOptions(workers=1))
    with open_store(tmp_path / "s.zarr") as opened:
        assert opened.header.encoder["initialiser"] == "siren"
        network = FunctaConfig.from_dict(opened.header.encoder).network()
        first = opened.state["start"][: network.hidden[0]]
    assert network.initialiser == "siren"
    assert 0.9 < np.abs(first).max() <= 1.0


def test_stores_from_before_the_option_keep_their_configuration(config: FunctaConfig) -> None:
    assert "initialiser" not in config.to_dict()
    with pytest.raises(ConfigError, match="initialiser 'glorot': expected 'keras' or 'siren'"):
        replace(config, initialiser="glorot")
