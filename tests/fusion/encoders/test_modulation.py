from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers.made_samples import MadeSamples

from fusion.encoders.config import FunctaConfig
from fusion.encoders.decoding import decode
from fusion.encoders.encoder import encoder_config_from_dict, encoder_of
from fusion.encoders.encoding import encode
from fusion.encoders.learning import learn_encoder
from fusion.encoders.modulation import ModulationConfig
from fusion.encoders.options import EncodeOptions
from fusion.encoders.presets import config_for
from fusion.errors import ConfigError
from fusion.inr.meta_settings import MetaSettings
from fusion.inr.settings import FitSettings
from fusion.modalities.sensor import SensorModality
from store import open_store

HERE = EncodeOptions(workers=1)


@pytest.fixture
def modulation() -> ModulationConfig:
    meta = MetaSettings(steps=20, batch=4)
    return ModulationConfig(SensorModality(), size=24, hidden=(32, 32), fit=FitSettings(steps=3), meta=meta)


def test_a_store_of_modulations_decodes_and_resumes(
    made: MadeSamples, modulation: ModulationConfig, tmp_path: Path
) -> None:
    path = tmp_path / "s.zarr"
    encode(made, path, modulation, replace(HERE, limit=20))
    report = encode(made, path, modulation, HERE)
    assert (report.encoded, report.skipped, report.rows) == (16, 20, 36)
    with open_store(path) as opened:
        row, encoder = opened.get("w30"), encoder_of(opened)
        assert [(name, tuple(shape), offset) for name, shape, offset in opened.header.layout] == [
            ("modulation", (24,), 0)
        ]
        assert set(opened.state) == {"weights", "directions", "step_sizes", "low", "high"}
    assert replace(encoder.config, modality=modulation.modality) == modulation
    decoded = encoder.decode(row.functas[0])
    error = (decoded - made.samples[30].raw) / encoder.scaling.span
    assert np.mean(error**2) == pytest.approx(row.loss[0], rel=0.3)
    assert decode(path, "w30", tmp_path / "w.csv", scale=2.0)["shape"] == [64, 9]


def test_order_workers_and_shards_do_not_change_a_modulation(
    made: MadeSamples, modulation: ModulationConfig, tmp_path: Path
) -> None:
    encode(made, tmp_path / "a.zarr", modulation, HERE)
    shuffled = MadeSamples([made.samples[index] for index in np.random.default_rng(1).permutation(36)])
    encode(shuffled, tmp_path / "b.zarr", modulation, EncodeOptions(workers=2, shard=(1, 2)))
    with open_store(tmp_path / "a.zarr") as a, open_store(tmp_path / "b.zarr") as b:
        for name, array in a.state.items():
            np.testing.assert_array_equal(array, b.state[name])
        assert 0 < len(b) < 36
        np.testing.assert_allclose(a.read(list(b.ids)).functas, b.read(list(b.ids)).functas, atol=1e-5)


def test_the_shared_network_is_learned_from_training_rows_only(
    made: MadeSamples, modulation: ModulationConfig, tmp_path: Path
) -> None:
    encode(made, tmp_path / "a.zarr", modulation, replace(HERE, limit=1))
    for index in range(24, 36):
        made = made.with_window(index, 100 * made.samples[index].raw)
    encode(made.broken(30), tmp_path / "b.zarr", modulation, replace(HERE, limit=1))
    with open_store(tmp_path / "a.zarr") as a, open_store(tmp_path / "b.zarr") as b:
        for name, array in a.state.items():
            np.testing.assert_array_equal(array, b.state[name])


def test_five_steps_of_few_numbers_beat_adam_on_all_weights(made: MadeSamples, config: FunctaConfig) -> None:
    five = FitSettings(steps=5)
    small = ModulationConfig(SensorModality(), size=64, hidden=(64, 64), fit=five, meta=MetaSettings(steps=300))
    psnr = []
    for settings in (small, replace(config, fit=five)):
        encoder = learn_encoder(settings, made.samples[:24])
        psnr.append(encoder.encode(made.samples[24:]).rows.psnr.mean())
    assert psnr[0] > psnr[1] + 3


def test_bad_samples_become_failed_rows(made: MadeSamples, modulation: ModulationConfig, tmp_path: Path) -> None:
    bad = made.with_window(3, np.full((32, 9), np.nan, np.float32)).broken(30)
    report = encode(bad, tmp_path / "s.zarr", modulation, HERE)
    assert (report.rows, report.failed) == (34, 2)
    with open_store(tmp_path / "s.zarr") as opened:
        assert opened.k == 24


def test_options_reach_the_modulations() -> None:
    config = config_for(SensorModality(), {"kind": "modulation", "size": 8, "hidden": [16], "meta": {"steps": 5}})
    assert isinstance(config, ModulationConfig)
    assert (config.size, config.hidden, config.fit.steps, config.meta.steps) == (8, (16,), 3, 5)
    assert encoder_config_from_dict(config.to_dict()) == config
    assert hash(encoder_config_from_dict(config.to_dict())) == hash(config)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"kind": "guess"},
            "encoder 'guess' is not known; expected one of columns, functa, local, modulation, vectors",
        ),
        ({"kind": "modulation", "size": 0}, "size of a modulation is 0; expected 1 or more"),
        ({"kind": "modulation", "hidden": []}, "expected a hidden layer or more"),
        ({"kind": "modulation", "omegas": [30.0]}, "unknown encoder option omegas; expected some of modality, size"),
        ({"kind": "modulation", "meta": {"batch": 0}}, "meta batch is 0; expected 1 or more"),
    ],
)
def test_wrong_options_are_named(options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        config_for(SensorModality(), options)
