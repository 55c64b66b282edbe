from __future__ import annotations

import numpy as np
import pytest

from fusion.encoders.likeness import REPRODUCING, Likeness


def test_each_channel_is_measured_against_its_own_range() -> None:
    times = np.linspace(0, 10, 200)
    quiet = np.stack([0.01 * np.sin(times), np.sin(times), np.full(200, 3.0)], axis=-1)
    waves = quiet + np.stack([0.1 * np.cos(7 * times), 0.001 * np.cos(times), np.zeros(200)], axis=-1)
    found = Likeness.of(quiet, waves, ("ax", "ay", "still"))
    assert found.psnr["ax"] == pytest.approx(
        10 * np.log10(np.ptp(quiet[:, 0]) ** 2 / np.mean((0.1 * np.cos(7 * times)) ** 2))
    )
    assert found.psnr["ay"] > 60
    assert found.psnr["still"] is None
    assert found.unlike == ("ax",)
    assert found.titles()[2] == "still, constant"


def test_a_picture_unlike_its_data_names_the_settings_that_reproduce() -> None:
    random = np.random.default_rng(0)
    quiet = 0.01 * random.normal(size=(50, 2))
    note = Likeness.of(quiet, random.normal(size=(50, 2)), ("ax", "ay")).note
    assert note is not None
    assert "does not resemble the data in ax, ay" in note
    assert note.endswith(REPRODUCING)
    assert Likeness.of(quiet, quiet + 1e-4, ("ax", "ay")).note is None
    assert Likeness.of(np.ones((9, 1)), np.ones((9, 1)), ("x",)).note is None
