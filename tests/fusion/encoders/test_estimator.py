from __future__ import annotations

import numpy as np
import pytest
from helpers.made_samples import MadeSamples
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from fusion.encoders import FunctaEncoder
from fusion.errors import ConfigError, DataError, SampleError


def quick(**options: object) -> FunctaEncoder:
    return FunctaEncoder("sensor", architecture="paper-half", steps=3, **options)


def test_arrays_become_the_functas_that_a_store_would_keep(made: MadeSamples) -> None:
    training, test = made.samples[:24], made.samples[24:]
    encoder = quick().fit([sample.raw for sample in training], [sample.label for sample in training])
    found = encoder.transform([sample.raw for sample in test])
    assert found.shape == (12, encoder.n_features_out_)
    np.testing.assert_array_equal(encoder.encoder_.encode(test).rows.functas, found)


def test_decoded_samples_have_the_shape_of_raw_ones(made: MadeSamples) -> None:
    windows = [sample.raw for sample in made.samples[:6]]
    encoder = quick().fit(windows)
    functas = encoder.transform(windows)
    assert encoder.inverse_transform(functas).shape == (6, 32, 9)
    assert encoder.inverse_transform(functas[0], scale=2).shape == (1, 64, 9)
    assert encoder.psnr(windows).shape == (6,)
    assert len(encoder.get_feature_names_out()) == functas.shape[1]
    assert encoder.transform([]).shape == (0, functas.shape[1])


def test_it_keeps_scikit_learn_s_manners(made: MadeSamples) -> None:
    encoder = quick(seed=3)
    assert clone(encoder).get_params() == encoder.get_params()
    with pytest.raises(NotFittedError):
        encoder.transform([made.samples[0].raw])


def test_what_cannot_be_used_is_explained(made: MadeSamples) -> None:
    windows = [sample.raw for sample in made.samples[:3]]
    with pytest.raises(DataError, match="2 labels for 3 samples; expected as many of both"):
        quick().fit(windows, ["a", "b"])
    with pytest.raises(ConfigError, match="modality 'smell' is not known"):
        FunctaEncoder("smell").fit(windows)
    with pytest.raises(SampleError, match=r"window of shape \(5, 9\); expected \(32, 9\)"):
        quick().fit(windows).transform([windows[0][:5]])
