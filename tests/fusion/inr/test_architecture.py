from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusion.errors import ConfigError
from fusion.inr.architecture import Architecture, flatten, named_architecture, paper, siren, unflatten
from fusion.inr.forward import forward
from fusion.inr.initialisation import random_start
from fusion.inr.metrics import mse_of_psnr, psnr
from fusion.inr.settings import FitSettings
from fusion.settings import read_settings

architectures = st.builds(
    lambda d_in, d_out, hidden, output: Architecture(d_in, d_out, tuple(hidden), (30.0,) * len(hidden), output),
    st.integers(1, 3),
    st.integers(1, 9),
    st.lists(st.integers(1, 12), min_size=1, max_size=4),
    st.sampled_from(["sigmoid", "linear"]),
)


@given(architectures, st.integers(1, 3))
def test_flatten_undoes_unflatten(architecture: Architecture, rows: int) -> None:
    vectors = np.random.default_rng(0).normal(size=(rows, architecture.size)).astype(np.float32)
    arrays = unflatten(vectors, architecture.layout)
    assert [tuple(array.shape[1:]) for array in arrays.values()] == [shape for _, shape, _ in architecture.layout]
    np.testing.assert_array_equal(flatten(arrays, architecture.layout), vectors)


@given(architectures)
def test_an_architecture_survives_its_dictionary(architecture: Architecture) -> None:
    again = Architecture.from_dict(architecture.to_dict())
    assert again == architecture
    assert hash(again) == hash(architecture)


def test_the_papers_networks_have_the_papers_sizes() -> None:
    assert paper(1, 9).widths == (1, 128, 64, 9)
    assert paper(1, 9).size == 9097
    assert paper(2, 3).half().widths == (2, 64, 32, 3)
    assert siren(3, 3).widths == (3, 64, 64, 64, 64, 64, 3)
    assert siren(3, 3).omegas == (30.0, 1.0, 1.0, 1.0, 1.0)
    assert siren(3, 3).output == "linear"


def test_names_give_architectures() -> None:
    assert named_architecture("paper-half", 2, 3) == paper(2, 3).half()
    assert named_architecture("siren", 1, 9) == siren(1, 9)
    assert named_architecture("paper", 1, 9, (10.0, 10.0)).omegas == (10.0, 10.0)
    with pytest.raises(ConfigError, match="architecture 'resnet' is not known; expected one of paper, paper-half"):
        named_architecture("resnet", 1, 1)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"hidden": ()}, "a hidden layer or more"),
        ({"hidden": (4, 0)}, "widths between 1 and"),
        ({"omegas": (30.0,)}, "1 omegas for 2 hidden layers: expected one for each"),
        ({"omegas": (30.0, float("nan"))}, "expected finite numbers above 0"),
        ({"output": "relu"}, "expected 'sigmoid' or 'linear'"),
    ],
)
def test_impossible_architectures_are_refused(fields: dict[str, object], message: str) -> None:
    valid = {"d_in": 1, "d_out": 1, "hidden": (4, 4), "omegas": (30.0, 1.0)}
    with pytest.raises(ConfigError, match=message):
        Architecture(**valid | fields)  # type: ignore[arg-type]


def test_unflatten_says_which_length_it_needs() -> None:
    with pytest.raises(ConfigError, match="length 5: the layout ending in 'dense_2/bias' needs 9097"):
        unflatten(np.zeros(5), paper(1, 9).layout)


def test_a_start_is_seeded_and_within_its_limits() -> None:
    start = unflatten(random_start(paper(1, 9), 3), paper(1, 9).layout)
    np.testing.assert_array_equal(random_start(paper(1, 9), 3), flatten(start, paper(1, 9).layout))
    assert np.abs(start["dense_1/kernel"]).max() <= np.sqrt(6 / 192)
    assert not start["dense_1/bias"].any()
    sine = unflatten(random_start(siren(2, 3), 3), siren(2, 3).layout)
    assert np.abs(sine["dense_0/kernel"]).max() <= 0.5
    assert np.abs(sine["dense_1/kernel"]).max() <= np.sqrt(6 / 64)
    assert not np.array_equal(random_start(paper(1, 9), 3), random_start(paper(1, 9), 4))


def test_forward_of_a_network_written_out() -> None:
    architecture = Architecture(1, 1, (1,), (2.0,), "linear")
    weights = np.array([0.5, 0.1, 3.0, -1.0])
    x = np.array([[-1.0], [0.0], [0.7]])
    np.testing.assert_allclose(forward(architecture, weights, x), 3.0 * np.sin(2.0 * (0.5 * x + 0.1)) - 1.0)


def test_psnr_in_decibel() -> None:
    np.testing.assert_allclose(psnr([1.0, 0.01, 1e-6]), [0.0, 20.0, 60.0], atol=1e-4)
    assert psnr(0.0) == 150.0
    assert np.isnan(psnr(np.nan))
    assert mse_of_psnr(30.0) == pytest.approx(1e-3)


def test_settings_out_of_range_are_named() -> None:
    with pytest.raises(ConfigError, match="learning_rate is -1; expected above 0"):
        FitSettings(learning_rate=-1)
    with pytest.raises(ConfigError, match="schedule is step; expected 'constant' or 'cosine'"):
        FitSettings(schedule="step")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="unknown fit option epochs; expected some of steps, learning_rate"):
        read_settings(FitSettings, {"epochs": 3}, what="fit")


def test_the_cosine_schedule_starts_full_and_ends_near_zero() -> None:
    constant, cosine = FitSettings(steps=50).rates(), FitSettings(steps=50, schedule="cosine").rates()
    assert cosine[0] == constant[0]
    assert cosine[-1] < 0.01 * constant[-1]
