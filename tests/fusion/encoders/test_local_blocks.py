from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from helpers.made_samples import MadeSamples

from fusion.encoders.learning import learn_encoder
from fusion.encoders.local import blocks
from fusion.encoders.local.config import LocalConfig
from fusion.encoders.local.local import LocalFunctas, ScaleCoder
from fusion.encoders.pool import serially
from fusion.modalities.sensor import SensorModality


@pytest.fixture
def local() -> LocalConfig:
    sensor = SensorModality()
    return LocalConfig(
        sensor, windows=((8,), (4,)), strides=((2,), (3,)), centres=20, dimensions=24, patches=300, pools=("mean",)
    )


def learned(config: LocalConfig, made: MadeSamples) -> tuple[LocalFunctas, list[ScaleCoder], np.ndarray]:
    training = [sample for sample in made if sample.split == "train"]
    encoder = learn_encoder(config, training, serially)
    assert isinstance(encoder, LocalFunctas)
    scales = zip(encoder.scales, encoder.config.all_windows(), strict=True)
    coders = [ScaleCoder(encoder.config, scale, windows) for scale, windows in scales]
    prepared = [encoder.config.modality.prepare(sample.raw) for sample in made]
    return encoder, coders, encoder.values(prepared)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"pools": ("mean", "max", "std"), "root": True},
        {"contrast": True},
        {"centred": True},
        {"mirrored": (0,), "cells": ((2,),)},
        {"compressed": 0.01, "compressed_apart": True},
    ],
)
def test_blocks_of_samples_are_coded_as_single_ones_are(
    changes: dict[str, object], made: MadeSamples, local: LocalConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder, coders, values = learned(replace(local, **changes), made)
    rows, errors, steps = encoder.fit(values)
    monkeypatch.setattr(blocks, "_BLOCK_BYTES", 5 * 4 * 13 * 72)
    got = encoder._fit_blocks(np, coders, values)
    np.testing.assert_allclose(got[0], rows, atol=2e-4 * np.abs(rows).max())
    np.testing.assert_allclose(got[1], errors, rtol=1e-3)
    assert got[2].tolist() == steps.tolist()


@pytest.mark.slow
def test_a_row_does_not_depend_on_the_others_of_its_block(made: MadeSamples, local: LocalConfig) -> None:
    encoder, coders, values = learned(local, made)
    whole = encoder._fit_blocks(np, coders, values)[0]
    np.testing.assert_array_equal(encoder._fit_blocks(np, coders, values[7:8])[0], whole[7:8])
