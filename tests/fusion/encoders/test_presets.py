from __future__ import annotations

import pytest

from fusion.encoders.presets import config_for
from fusion.inr.settings import FitSettings
from fusion.modalities.image import ImageModality

IMAGE = ImageModality(size=(8, 8), channels=3)


def test_images_begin_at_a_learned_start_and_take_few_steps() -> None:
    config = config_for(IMAGE)
    assert (config.initialisation, config.fit.steps) == ("meta", 3)
    assert config.network().omegas == (15.0, 1.0)


@pytest.mark.parametrize("initialisation", ["random", "class-average"])
def test_its_few_steps_do_not_go_with_another_start(initialisation: str) -> None:
    config = config_for(IMAGE, {"initialisation": initialisation})
    assert config.meta is None
    assert config.fit == FitSettings()
    assert config_for(IMAGE, {"initialisation": initialisation, "fit": {"steps": 7}}).fit.steps == 7
