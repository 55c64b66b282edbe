"""Configurations, options, seeds, workers and scales that mean nothing are refused in one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.made_samples import MadeSamples

from fusion.encoders import EncodeOptions, FunctaConfig, FunctaEncoder, decode, encode, encoder_config
from fusion.encoders.encoder import EncoderConfig
from fusion.encoders.pool import worker_pool
from fusion.encoders.vectors import VectorsConfig
from fusion.errors import ConfigError, DataError
from fusion.modalities import SensorModality, VectorsModality

ONE = EncodeOptions(workers=1)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"config": {}}, "config is of type dict; expected what encoder_config"),
        ({"config": {"kind": "functa"}}, "config is of type dict"),
        ({"options": {}}, r"options are of type dict; expected EncodeOptions\(\.\.\.\), or none"),
    ],
)
def test_dicts_are_no_configuration(given: Any, said: str, made: MadeSamples, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=said):
        encode(made, tmp_path / "s.zarr", **given)


@pytest.mark.parametrize("workers", ["2", 0, 1.5, -1])
def test_workers_are_a_whole_number(workers: Any) -> None:
    with pytest.raises(ConfigError, match=r"workers is .*; expected 1 to"), worker_pool(workers):
        pass


@pytest.mark.parametrize("seed", [-1, 2**63, 2**64])
def test_a_seed_is_a_number_of_eight_bytes(seed: int, made: MadeSamples) -> None:
    kinds: list[Any] = [lambda: FunctaConfig(SensorModality(), seed=seed)]
    kinds += [
        lambda: VectorsConfig(VectorsModality(), seed=seed),
        lambda: FunctaEncoder(seed=seed).fit([np.ones((4, 1))]),
    ]
    for build in kinds:
        with pytest.raises(ConfigError, match=f"seed is {seed}; expected 0 to"):
            build()
    assert isinstance(encoder_config(made, options={"seed": 2**63 - 1}), EncoderConfig)


@pytest.mark.parametrize("scale", [0, -1, np.nan, np.inf, "2"])
def test_a_resolution_is_above_nothing(scale: Any, made: MadeSamples, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"scale is .*; expected a number above 0"):
        SensorModality(length=8, channels=("x",)).scaled_grid(scale)
    store = tmp_path / "s.zarr"
    config = encoder_config(made, options={"architecture": "paper-half"}, fit={"steps": 1})
    encode(MadeSamples(made.samples[:6]), store, config, ONE)
    with pytest.raises(ConfigError, match="scale is"):
        decode(store, made.samples[0].id, tmp_path / "o.csv", scale=scale)


def test_no_functas_are_no_samples() -> None:
    windows = np.random.default_rng(0).normal(size=(4, 16, 2))
    encoder = FunctaEncoder(architecture="paper-half", steps=1).fit(windows)
    assert encoder.inverse_transform(encoder.transform([])).shape == (0, 16, 2)
    assert encoder.inverse_transform(encoder.transform([]), scale=2).shape == (0, 32, 2)
    with pytest.raises(DataError, match=r"functas of shape \(2, 3\); expected \(n, "):
        encoder.inverse_transform(np.ones((2, 3)))
