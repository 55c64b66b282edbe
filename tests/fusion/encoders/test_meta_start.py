from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers.made_samples import MadeSamples

from fusion.encoders.config import FunctaConfig
from fusion.encoders.decoding import decode
from fusion.encoders.encoder import encoder_of
from fusion.encoders.encoding import encode
from fusion.encoders.learning import learn_encoder
from fusion.encoders.options import EncodeOptions
from fusion.encoders.presets import config_for
from fusion.errors import ConfigError
from fusion.inr.meta_settings import MetaSettings
from fusion.inr.settings import FitSettings
from fusion.modalities.sensor import SensorModality
from store import open_store

HERE = EncodeOptions(workers=1)


@pytest.fixture
def learned(config: FunctaConfig) -> FunctaConfig:
    return replace(config, initialisation="meta", meta=MetaSettings(steps=20, batch=4))


def test_five_learned_steps_beat_five_of_adam_from_the_average(made: MadeSamples, config: FunctaConfig) -> None:
    five = replace(config, fit=FitSettings(steps=5))
    psnr = {}
    for name, rate in (("class-average", 1e-3), ("class-average", 2e-2), ("meta", 1e-3)):
        settings = replace(five, initialisation=name, fit=replace(five.fit, learning_rate=rate))
        encoder = learn_encoder(settings, made.samples[:24])
        psnr[name, rate] = encoder.encode(made.samples[24:]).rows.psnr.mean()
    assert psnr["meta", 1e-3] > 5 + max(psnr["class-average", 1e-3], psnr["class-average", 2e-2])


def test_the_start_is_learned_from_training_rows_in_any_order(
    made: MadeSamples, learned: FunctaConfig, tmp_path: Path
) -> None:
    encode(made, tmp_path / "a.zarr", learned, HERE)
    for index in range(24, 36):
        made = made.with_window(index, 100 * made.samples[index].raw)
    shuffled = MadeSamples([made.samples[index] for index in np.random.default_rng(1).permutation(36)])
    encode(shuffled, tmp_path / "b.zarr", learned, EncodeOptions(workers=2))
    with open_store(tmp_path / "a.zarr") as a, open_store(tmp_path / "b.zarr") as b:
        assert set(a.state) == {"start", "step_sizes", "low", "high"}
        for name, array in a.state.items():
            np.testing.assert_array_equal(array, b.state[name])
        names = [f"w{index:02d}" for index in range(24)]
        np.testing.assert_allclose(a.read(names).functas, b.read(names).functas, atol=1e-5)


def test_a_store_keeps_what_its_functas_were_fitted_with(
    made: MadeSamples, learned: FunctaConfig, tmp_path: Path
) -> None:
    encode(made, tmp_path / "s.zarr", learned, replace(HERE, limit=20))
    with open_store(tmp_path / "s.zarr") as opened:
        encoder = encoder_of(opened)
        (known,) = [sample for sample in made if sample.id == opened.ids[0]]
        again = encoder.encode([known]).rows
        np.testing.assert_allclose(again.functas, opened.get(known.id).functas, atol=1e-5)
    assert encoder.config.meta == learned.meta
    assert encode(made, tmp_path / "s.zarr", learned, HERE).skipped == 20
    assert decode(tmp_path / "s.zarr", known.id, tmp_path / "w.csv", scale=2.0)["shape"] == [64, 9]


def test_stores_of_other_starts_stay_as_they_were(made: MadeSamples, config: FunctaConfig) -> None:
    encoder = learn_encoder(config, made.samples[:24])
    assert "meta" not in config.to_dict()
    assert set(encoder.arrays()) == {"start", "low", "high"}


def test_options_reach_the_meta_start() -> None:
    config = config_for(SensorModality(), {"initialisation": "meta", "meta": {"steps": 7}, "fit": {"steps": 5}})
    assert (config.meta, config.fit.steps) == (MetaSettings(steps=7), 5)
    assert FunctaConfig.from_dict(config.to_dict()) == config
    with pytest.raises(ConfigError, match="meta settings for the initialisation 'random'; expected them with 'meta'"):
        FunctaConfig(SensorModality(), initialisation="random", meta=MetaSettings())
    with pytest.raises(ConfigError, match="initialisation 'best'; expected one of class-average, random, meta"):
        FunctaConfig(SensorModality(), initialisation="best")  # type: ignore[arg-type]
