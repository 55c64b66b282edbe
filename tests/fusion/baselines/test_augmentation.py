from __future__ import annotations

import numpy as np
import pytest

from fusion.baselines.augmentation import Augmentation
from fusion.modalities.image import ImageModality
from fusion.modalities.sensor import SensorModality
from fusion.modalities.video import VideoModality


def rng() -> np.random.Generator:
    return np.random.default_rng(5)


def test_half_of_the_samples_are_mirrored_and_no_other_changes():
    values = rng().random((40, 4, 6, 3), dtype=np.float32)
    changed = Augmentation(flip=1)(values, rng())
    mirrored = [np.array_equal(new, old[:, ::-1]) for new, old in zip(changed, values, strict=True)]
    same = [np.array_equal(new, old) for new, old in zip(changed, values, strict=True)]
    assert np.logical_xor(mirrored, same).all()
    assert 8 < sum(mirrored) < 32


def test_samples_are_shifted_each_on_its_own_and_edges_repeated():
    values = np.tile(np.arange(16, dtype=np.float32)[None, :, None], (60, 1, 2))
    changed = Augmentation(shifted=1)(values, rng())
    by = changed[:, 8, 0] - 8
    assert set(by) == {-2, -1, 0, 1, 2}
    for one, sample in zip(by, changed, strict=True):
        np.testing.assert_array_equal(sample[:, 0], np.clip(np.arange(16) + one, 0, 15))
        np.testing.assert_array_equal(sample[:, 0], sample[:, 1])


def test_noise_is_a_part_of_each_channels_deviation():
    values = rng().random((200, 50, 2), dtype=np.float32) * np.float32([1.0, 10.0])
    added = (Augmentation(jitter=0.1)(values, rng()) - values).std(axis=(0, 1))
    np.testing.assert_allclose(added, 0.1 * values.std(axis=(0, 1)), rtol=0.05)


@pytest.mark.parametrize(
    ("modality", "expected"),
    [
        (ImageModality(size=(8, 8)), Augmentation(flip=1, shifted=2)),
        (VideoModality(), Augmentation(flip=2)),
        (SensorModality(), Augmentation(shifted=1, jitter=0.05)),
    ],
)
def test_each_modality_has_its_own_changes(modality, expected):
    assert Augmentation.of(modality) == expected


def test_what_is_given_stays_as_it_is():
    values = np.ones((3, 8, 1), np.float32)
    Augmentation(shifted=1, jitter=1.0)(values, rng())
    assert (values == 1).all()
