from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers.made_samples import MadeSamples

from fusion.encoders.config import FunctaConfig
from fusion.encoders.encoder import encoder_class, encoder_config_from_dict, encoder_of, restored
from fusion.encoders.encoding import encode
from fusion.encoders.learning import learn_encoder
from fusion.encoders.options import EncodeOptions
from fusion.errors import ConfigError
from store import open_store


def test_configuration_and_arrays_are_all_of_an_encoder(made: MadeSamples, config: FunctaConfig) -> None:
    encoder = learn_encoder(config, made.samples[:24])
    again = restored(encoder.config.to_dict(), encoder.arrays())
    assert again.config == encoder.config
    rows = encoder.encode(made.samples[30:32]).rows
    np.testing.assert_array_equal(again.encode(made.samples[30:32]).rows.functas, rows.functas)
    np.testing.assert_array_equal(again.decode(rows.functas[0]), encoder.decode(rows.functas[0]))


def test_a_store_gives_back_the_encoder_that_filled_it(made: MadeSamples, config: FunctaConfig, tmp_path: Path) -> None:
    encode(made, tmp_path / "s.zarr", config, EncodeOptions(workers=1))
    with open_store(tmp_path / "s.zarr") as opened:
        encoder, row = encoder_of(opened), opened.get("w30").functas[0]
    np.testing.assert_array_equal(encoder.encode([made.samples[30]]).rows.functas[0], row)


def test_values_of_no_samples_have_the_shape_of_many(made: MadeSamples, config: FunctaConfig) -> None:
    encoder = learn_encoder(config, made.samples[:24])
    assert encoder.values([]).shape == (0, 32, 9)
    values = encoder.values([np.float32(made.samples[0].raw)])
    assert values.shape == (1, 32, 9)
    assert -0.01 <= values.min() <= values.max() <= 1.01


@pytest.mark.parametrize(
    ("kind", "learned", "dictionary"),
    [("functa", "start and scaling", False), ("modulation", None, True), ("local", None, True)],
)
def test_each_kind_says_itself_what_it_learns(kind: str, learned: str | None, dictionary: bool) -> None:
    found = encoder_class(kind)
    assert found.config_class.kind == kind
    assert found.has_dictionary is dictionary
    assert learned in (None, found.learned)


def test_what_costs_more_points_or_steps_costs_more(config: FunctaConfig, made: MadeSamples) -> None:
    sized = learn_encoder(replace(config, initialisation="random"), made.samples[:24]).config
    more = replace(sized, fit=replace(sized.fit, steps=6))
    assert more.sample_flops == 2 * sized.sample_flops
    assert replace(sized, fit=replace(sized.fit, coordinates_per_step=8)).sample_flops < sized.sample_flops
    assert sized.k == sum(int(np.prod(shape)) for _, shape, _ in sized.layout)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"kind": "fourier"}, "encoder 'fourier' is not known; expected one of .*functa, local, modulation"),
        (
            {"modality": {"name": "sensor"}, "step": 3},
            "unknown encoder option step; expected some of modality, architecture",
        ),
        ({"kind": "functa"}, "encoder lacks modality; expected it"),
        ({"modality": {"name": "sensor"}, "seed": "7"}, "encoder option seed is '7'; expected a valid integer"),
    ],
)
def test_a_configuration_that_cannot_be_read_is_explained(values: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        encoder_config_from_dict(values)


def test_one_kind_does_not_read_another_s_settings(config: FunctaConfig) -> None:
    with pytest.raises(ConfigError, match="the encoder's kind is 'functa'; expected 'local'"):
        encoder_class("local").config_class.from_dict(config.to_dict())
