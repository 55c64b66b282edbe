from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers.made_samples import MadeSamples

from fusion.encoders.decoding import decode
from fusion.encoders.encoder import encoder_config_from_dict, encoder_of
from fusion.encoders.encoding import encode
from fusion.encoders.learning import learn_encoder
from fusion.encoders.local.config import LocalConfig
from fusion.encoders.local.windows import Scale, windows_of
from fusion.encoders.options import EncodeOptions
from fusion.encoders.planning import plan
from fusion.encoders.presets import config_for
from fusion.encoders.repeating import encode_command
from fusion.errors import ConfigError, DataError
from fusion.features.transformer import FEATURES, FunctaFeatures
from fusion.inr.settings import FitSettings
from fusion.modalities import modality_from_dict
from fusion.modalities.sensor import SensorModality
from fusion.models.training import train
from store import open_store

HERE = EncodeOptions(workers=1)


@pytest.fixture
def local() -> LocalConfig:
    return LocalConfig(SensorModality(), windows=((8,),), strides=((2,),), centres=20, dimensions=24, patches=300)


def states(one: Path, other: Path) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    with open_store(one) as a, open_store(other) as b:
        return dict(a.state), dict(b.state)


def test_a_store_of_local_functas_resumes_and_trains(made: MadeSamples, local: LocalConfig, tmp_path: Path) -> None:
    path = tmp_path / "s.zarr"
    encode(made, path, local, replace(HERE, limit=20))
    report = encode(made, path, local, HERE)
    assert (report.encoded, report.skipped, report.rows) == (16, 20, 36)
    with open_store(path) as opened:
        entries = [(name, tuple(shape), offset) for name, shape, offset in opened.header.layout]
        assert entries == [("scale_0/mean", (1, 20), 0), ("scale_0/max", (1, 20), 20)]
        encoder = encoder_of(opened)
        again = encoder.encode(made.samples).rows
        np.testing.assert_array_equal(again.functas, opened.read([sample.id for sample in made]).functas)
    grouped = MadeSamples([replace(sample, group=f"{sample.split}-{sample.group}") for sample in made])
    encode(grouped, tmp_path / "g.zarr", local, HERE)
    assert train(tmp_path / "g.zarr").accuracy > 0.6


def test_order_and_workers_change_nothing_learned_and_no_row(
    made: MadeSamples, local: LocalConfig, tmp_path: Path
) -> None:
    encode(made, tmp_path / "a.zarr", local, HERE)
    shuffled = MadeSamples([made.samples[index] for index in np.random.default_rng(1).permutation(36)])
    encode(shuffled, tmp_path / "b.zarr", local, EncodeOptions(workers=2))
    a, b = states(tmp_path / "a.zarr", tmp_path / "b.zarr")
    for name, array in a.items():
        np.testing.assert_array_equal(array, b[name], err_msg=name)
    ids = [sample.id for sample in made]
    with open_store(tmp_path / "a.zarr") as one, open_store(tmp_path / "b.zarr") as other:
        np.testing.assert_array_equal(one.read(ids).functas, other.read(ids).functas)


def test_a_row_does_not_depend_on_the_others_in_its_batch(made: MadeSamples, local: LocalConfig) -> None:
    encoder = learn_encoder(local, made.samples[:24])
    together = encoder.encode(made.samples[24:]).rows.functas
    alone = [encoder.encode([sample]).rows.functas[0] for sample in made.samples[24:]]
    np.testing.assert_array_equal(together, np.stack(alone))


def test_everything_is_learned_from_training_rows_only(made: MadeSamples, local: LocalConfig, tmp_path: Path) -> None:
    encode(made, tmp_path / "a.zarr", local, replace(HERE, limit=1))
    for index in range(24, 36):
        made = made.with_window(index, 100 * made.samples[index].raw)
    encode(made.broken(30), tmp_path / "b.zarr", local, replace(HERE, limit=1))
    a, b = states(tmp_path / "a.zarr", tmp_path / "b.zarr")
    for name, array in a.items():
        np.testing.assert_array_equal(array, b[name], err_msg=name)


def test_a_shift_by_less_than_a_window_changes_the_code_little(made: MadeSamples, local: LocalConfig) -> None:
    encoder = learn_encoder(local, made.samples[:24])
    raws = [sample.raw for sample in made.samples[24:]]
    rows = []
    for shift in (0, 3):
        shifted = MadeSamples(made.samples[24:])
        for index, raw in enumerate(raws):
            shifted = shifted.with_window(index, np.roll(raw, shift, axis=0))
        rows.append(encoder.encode(shifted.samples).rows.functas)
    moved = np.linalg.norm(rows[0] - rows[1], axis=1).mean()
    apart = np.linalg.norm(rows[0] - np.roll(rows[0], 1, axis=0), axis=1).mean()
    values = encoder.values(raws)
    raw_moved = np.linalg.norm(values - np.roll(values, 3, axis=1), axis=(1, 2)).mean()
    raw_apart = np.linalg.norm(values - np.roll(values, 1, axis=0), axis=(1, 2)).mean()
    assert moved / apart < 0.5 * raw_moved / raw_apart


def test_scales_cells_pools_and_channels_make_the_row(made: MadeSamples, local: LocalConfig) -> None:
    options = {
        "windows": ((8,), (99,)),
        "strides": ((2,), (1,)),
        "cells": ((1,), (3,)),
        "pools": ("mean", "max", "std"),
    }
    settings = replace(local, **options, differences=(1, 2), compressed=0.003, balanced=True, centres=5)
    encoder = learn_encoder(settings, made.samples[:24])
    config, rows = encoder.config, encoder.encode(made.samples[24:]).rows
    assert config.windows == ((8,), (32,))
    assert rows.functas.shape == (12, config.k) == (12, 2 * 3 * 4 * 5)
    assert np.isfinite(rows.functas).all()
    assert encoder_config_from_dict(config.to_dict()) == config
    assert hash(encoder_config_from_dict(config.to_dict())) == hash(config)


def test_decoding_is_refused_in_one_line(made: MadeSamples, local: LocalConfig, tmp_path: Path) -> None:
    encode(made, tmp_path / "s.zarr", local, replace(HERE, limit=2))
    with open_store(tmp_path / "s.zarr") as opened:
        sample_id = next(iter(opened.ids))
    with pytest.raises(DataError, match="a local functa is pooled over its windows and cannot be decoded; encode with"):
        decode(tmp_path / "s.zarr", sample_id, tmp_path / "x.csv")
    assert not (tmp_path / "x.csv").exists()


def test_bad_samples_become_failed_rows(made: MadeSamples, local: LocalConfig, tmp_path: Path) -> None:
    bad = made.with_window(3, np.full((32, 9), np.nan, np.float32)).broken(30)
    report = encode(bad, tmp_path / "s.zarr", local, HERE)
    assert (report.rows, report.failed) == (34, 2)


def test_too_few_windows_for_the_dictionary(made: MadeSamples, local: LocalConfig) -> None:
    with pytest.raises(DataError, match="13 windows in 1 training samples; expected as many as the 20 centres"):
        learn_encoder(local, made.samples[:1])


def test_a_dilated_window_is_a_plain_one_of_a_thinned_grid() -> None:
    apart = windows_of(Scale((4,), (2,), (3,)), (20,), 2)
    values = np.random.default_rng(0).normal(size=(20, 2)).astype(np.float32)
    assert len(apart.origins) == 6
    for window, first in zip(apart.cut(values), range(0, 11, 2), strict=True):
        np.testing.assert_array_equal(window, values[first : first + 10 : 3].ravel())
    assert windows_of(Scale((9,), (1,), (4,)), (20,), 2).size == (5,)


def test_scales_of_several_dilations_resume_and_older_stores_are_the_same(
    made: MadeSamples, local: LocalConfig, tmp_path: Path
) -> None:
    both = replace(local, windows=((8,), (8,)), strides=((2,), (2,)), dilations=((1,), (3,)))
    encode(made, tmp_path / "s.zarr", both, replace(HERE, limit=20))
    assert encode(made, tmp_path / "s.zarr", both, HERE).skipped == 20
    with open_store(tmp_path / "s.zarr") as opened:
        assert opened.k == 80
        again = encoder_of(opened).encode(made.samples).rows
        np.testing.assert_array_equal(again.functas, opened.read([sample.id for sample in made]).functas)
    assert "dilations" not in local.to_dict()


def few(made: MadeSamples) -> MadeSamples:
    """Give 9 training windows of 32 readings: 81 windows of 16 in all."""
    return MadeSamples([sample for sample in made if sample.split == "train"][:9])


def test_a_preset_takes_as_many_centres_as_there_are_two_windows_for(made: MadeSamples, tmp_path: Path) -> None:
    preset, samples = config_for(SensorModality(), {"kind": "local"}), few(made)
    planned = plan(samples, preset, HERE)
    report = encode(samples, tmp_path / "s.zarr", preset, HERE)
    with open_store(tmp_path / "s.zarr") as opened:
        assert opened.header.encoder["centres"] == 76
        assert opened.header.encoder["windows"] == [[8], [16]]
        assert opened.header.encoder["strides"] == [[1], [1]]
        assert "fewer_centres" not in opened.header.encoder
        assert opened.k == planned.k == 2 * 2 * 2 * 4 * 76
    for said in (
        "the dictionary has 76 centres, not the preset's 300: there are two training windows for each",
        "windows of 8, 16 points, not the preset's 8, 16, 32: samples are short",
    ):
        assert [any(said in note for note in told.notes) for told in (planned, report)] == [True, True]


def test_more_samples_go_into_a_store_of_fewer_centres(made: MadeSamples, tmp_path: Path) -> None:
    preset, path = config_for(SensorModality(), {"kind": "local"}), tmp_path / "s.zarr"
    encode(few(made), path, preset, HERE)
    report = encode(made, path, preset, HERE)
    assert (report.skipped, report.rows) == (9, 36)
    with open_store(path) as opened:
        assert encode_command(opened.header.model_dump(), "x", "y") is not None


def test_centres_that_are_asked_for_are_not_reduced(made: MadeSamples) -> None:
    asked = config_for(SensorModality(), {"kind": "local", "centres": 800})
    with pytest.raises(DataError, match="117 windows in 9 training samples; expected as many as the 800 centres"):
        learn_encoder(asked, few(made).samples)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"centres": 1}, "centres is 1; expected 2 or more"),
        ({"windows": [[16]], "strides": []}, "1 windows and 0 strides; expected as many of both"),
        ({"windows": [[16, 4]], "strides": [[2]]}, "expected one whole number for each axis of the modality"),
        ({"strides": [[0]] * 3}, "windows, strides, dilations, cells and differences are whole numbers of 1 or more"),
        (
            {"windows": [[16]], "strides": [[2]], "dilations": [[1], [2]]},
            "1 windows and 2 dilations; expected as many of both",
        ),
        ({"pools": ["median"]}, "encoder option pools.0 is 'median'; expected 'mean', 'max' or 'std'"),
        ({"pools": ["max", "max"]}, r"pools \('max', 'max'\); expected some of mean, max, std, each once"),
        ({"contrast": True, "centred": True}, "contrast and centred both take off means"),
        ({"compressed": -1.0}, "compressed is -1.0; expected 0 or more"),
        ({"fit": {"steps": 0}}, "a local functa of 0 steps is the start; expected 1 step or more"),
        ({"hidden": []}, "expected a hidden layer or more"),
        ({"omegas": [30.0]}, "unknown encoder option omegas; expected some of modality, windows"),
    ],
)
def test_wrong_options_are_named(options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        config_for(SensorModality(length=32, channels=("x",)), {"kind": "local", **options})


@pytest.mark.parametrize(
    ("readings", "windows", "strides"),
    [(128, [8, 16, 32], [2, 2, 2]), (50, [8, 16, 25], [1, 1, 1]), (12, [4, 6], [1, 1]), (7, [3], [1]), (2, [1], [1])],
)
def test_the_windows_of_the_preset_cover_half_of_a_short_sample(
    readings: int, windows: list[int], strides: list[int]
) -> None:
    sensor = SensorModality(length=readings, channels=("x",))
    config = config_for(sensor, {"kind": "local"}).with_modality(sensor)
    assert isinstance(config, LocalConfig)
    assert [size for (size,) in config.windows] == windows
    assert [stride for (stride,) in config.strides] == strides


def test_steps_through_the_engine_make_other_codes(made: MadeSamples, local: LocalConfig) -> None:
    encoder = learn_encoder(replace(local, fit=FitSettings(steps=3, learning_rate=1.0)), made.samples[:24])
    rows = encoder.encode(made.samples[24:28]).rows
    assert set(rows.steps.tolist()) == {3}
    assert np.isfinite(rows.functas).all()
    assert (rows.psnr > 5).all()


@pytest.mark.parametrize(
    "modality",
    [
        {"name": "sensor", "length": 64, "channels": ["x"]},
        {"name": "image", "size": [28, 28], "channels": 1},
        *({"name": "audio", "rate": 8000, "seconds": 1, "transform": how} for how in (None, "log-mel", "mfcc")),
        *({"name": "video", "transform": how} for how in (None, "grey", "flow")),
    ],
)
def test_every_modality_and_transform_has_windows_that_fit(modality: dict[str, object]) -> None:
    known = modality_from_dict(modality)
    config = config_for(known, {"kind": "local"}).with_modality(known)
    assert isinstance(config, LocalConfig)
    for windows in config.all_windows():
        assert len(windows.size) == known.d_in
        assert len(windows.origins) > 4
        assert windows.counts.min() > 0
    pools = len(config.pools)
    assert config.k == sum(pools * windows.cells * config.centres for windows in config.all_windows())


def test_rows_of_local_functas_are_features_as_they_are(made: MadeSamples, local: LocalConfig, tmp_path: Path) -> None:
    encode(made, tmp_path / "s.zarr", local, HERE)
    with open_store(tmp_path / "s.zarr") as opened:
        rows = opened.read([sample.id for sample in made]).functas
        start = opened.state.get("start")
    delta, weights = (FunctaFeatures(how, start=start, normalise=False).fit_transform(rows) for how in FEATURES)
    np.testing.assert_array_equal(delta, weights)
    np.testing.assert_array_equal(delta, rows[:, rows.max(axis=0) > rows.min(axis=0)])


def test_raw_windows_are_whitened_as_they_are(made: MadeSamples, local: LocalConfig, tmp_path: Path) -> None:
    encode(made, tmp_path / "raw.zarr", replace(local, raw=True, dimensions=96), HERE)
    with open_store(tmp_path / "raw.zarr") as opened:
        state, config = opened.state, encoder_of(opened).config
        assert config.raw
        assert "window itself" in opened.header.conventions["local"]
    np.testing.assert_array_equal(state["whitening_0"], state["projection_0"])
    assert state["whitening_0"].shape == (72, 72)


def test_whitening_without_a_limit_undoes_the_network(made: MadeSamples, local: LocalConfig, tmp_path: Path) -> None:
    rows = []
    for raw in (False, True):
        path = tmp_path / f"{raw}.zarr"
        encode(made, path, replace(local, raw=raw, dimensions=96, regularisation=0.0), HERE)
        with open_store(path) as opened:
            rows.append(opened.read([sample.id for sample in made]).functas)
    np.testing.assert_allclose(rows[0], rows[1], atol=5e-3)


def test_raw_windows_have_no_fit_of_several_steps(local: LocalConfig) -> None:
    with pytest.raises(ConfigError, match="raw windows are not fitted; expected no `fit`, or raw = false"):
        replace(local, raw=True, fit=FitSettings(steps=2))
