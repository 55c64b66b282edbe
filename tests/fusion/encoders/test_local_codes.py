"""What each window adds to a local functa."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from helpers.made_samples import MadeSamples

from fusion.encoders.learning import learn_encoder
from fusion.encoders.local.codes import row_of, window_codes
from fusion.encoders.local.config import LocalConfig
from fusion.encoders.local.local import LocalFunctas
from fusion.encoders.pool import serially
from fusion.modalities.sensor import SensorModality
from fusion.modalities.video import VideoModality

SETTINGS = {"windows": ((8,), (4,)), "strides": ((2,), (3,)), "centres": 20, "dimensions": 24, "patches": 300}


def learned(made: MadeSamples, **changes: object) -> tuple[LocalFunctas, np.ndarray]:
    config = replace(LocalConfig(SensorModality(), **SETTINGS), **changes)
    encoder = learn_encoder(config, [sample for sample in made if sample.split == "train"], serially)
    assert isinstance(encoder, LocalFunctas)
    return encoder, encoder.values([encoder.config.modality.prepare(sample.raw) for sample in made])


@pytest.mark.parametrize(
    "changes",
    [
        {"pools": ("mean",), "root": False},
        {"pools": ("mean", "max", "std"), "cells": ((1,), (3,))},
        {"contrast": True, "differences": (1,), "compressed": 0.01},
        {"mirrored": (0,), "cells": ((1,), (3,)), "pools": ("mean", "max", "std")},
        {"compressed": 0.01, "compressed_apart": True, "differences": (1,), "balanced": True},
    ],
)
def test_pooled_codes_are_the_row_of_the_encoder(made: MadeSamples, changes: dict[str, object]) -> None:
    encoder, values = learned(made, **changes)
    rows = encoder.fit(values[:3])[0]
    for row, sample in zip(rows, values, strict=False):
        np.testing.assert_allclose(row_of(window_codes(encoder, sample)), row, atol=3e-3 * np.abs(rows).max())


def test_an_effect_is_what_is_lost_without_the_window(made: MadeSamples) -> None:
    encoder, values = learned(made, pools=("mean", "max", "std"), cells=((1,), (2,)))
    scales = window_codes(encoder, values[0])
    random = np.random.default_rng(0)
    for scale in scales:
        slopes = random.normal(size=len(scale.pooled()))
        kept = [np.arange(len(scale.codes)) != window for window in range(len(scale.codes))]
        lost = [float((scale.pooled() - scale.pooled(some)) @ slopes) for some in kept]
        np.testing.assert_allclose(scale.effects(slopes), lost, atol=1e-9)


def test_a_window_covers_the_points_that_it_was_cut_from(made: MadeSamples) -> None:
    encoder, values = learned(made)
    scale = window_codes(encoder, values[0])[0]
    points = scale.windows.points()
    assert points.shape == (len(scale.codes), 8)
    assert points[:2].tolist() == [list(range(8)), list(range(2, 10))]
    assert points.max() < len(values[0])


def test_a_sample_and_its_mirror_image_have_one_row(made: MadeSamples) -> None:
    encoder, values = learned(made, mirrored=(0,), cells=((1,), (4,)), pools=("mean", "max", "std"))
    rows = encoder.fit(np.concatenate([values[:2], values[:2, ::-1]]))[0]
    assert encoder.config.k == 2 * 3 * (1 + 4) * 20
    np.testing.assert_allclose(rows[2:], rows[:2], rtol=1e-3, atol=1e-4)
    plain = learned(made, cells=((1,), (4,)))[0].fit(np.concatenate([values[:2], values[:2, ::-1]]))[0]
    assert np.abs(plain[2:] - plain[:2]).max() > 0.1


def test_the_windows_of_a_mirrored_copy_cover_the_points_that_they_come_from(made: MadeSamples) -> None:
    encoder, values = learned(made, mirrored=(0,))
    points = window_codes(encoder, values[0])[0].windows.points()
    assert points[len(points) // 2].tolist() == list(range(31, 23, -1))
    assert np.bincount(points.ravel()).tolist() == np.bincount(points.ravel())[::-1].tolist()


def test_compressed_values_apart_have_windows_of_their_own(made: MadeSamples) -> None:
    apart = learned(made, compressed=0.01, compressed_apart=True)[0].config
    assert [windows.channels for windows in apart.all_windows()] == [slice(0, 9)] * 2 + [slice(9, 18)] * 2
    none = learned(made, compressed_apart=True)[0].config
    assert (apart.k, len(none.all_windows())) == (2 * none.k, 2)


@pytest.mark.parametrize(("axis", "signs"), [(2, (-1.0, 1.0)), (1, (1.0, -1.0)), (0, (-1.0, -1.0))])
def test_flow_along_a_mirrored_axis_changes_its_sign(axis: int, signs: tuple[float, float]) -> None:
    modality = VideoModality(size=(6, 6), frames=6, transform="flow")
    config = LocalConfig(modality, mirrored=(axis,), compressed=0.01, compressed_apart=True, windows=((4, 4, 4),) * 2,
                         strides=((1, 1, 1),) * 2)  # fmt: skip
    flow = np.random.default_rng(0).normal(size=(6, 6, 6, 2)).astype(np.float32)
    mirror = np.flip(flow, axis) * np.array(signs, np.float32)
    seen, mirrored = (config.seen((clip / 16 + 0.5).reshape(-1, 2)) for clip in (flow, mirror))
    np.testing.assert_allclose(mirrored, np.roll(seen, len(seen) // 2, axis=0), atol=1e-5)
    plain = replace(config, modality=VideoModality(size=(6, 6), frames=6, transform="grey"))
    assert plain.modality.turned(axis) == ()
