from __future__ import annotations

import pytest

from fusion.encoders.local.config import LocalConfig
from fusion.encoders.presets import config_for
from fusion.inr.settings import FitSettings
from fusion.modalities.audio import AudioModality
from fusion.modalities.image import ImageModality
from fusion.modalities.video import VideoModality

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


def test_local_functas_of_sound_have_finer_frames_than_one_network_unless_the_modality_says_otherwise() -> None:
    local = {"kind": "local"}
    made = config_for(AudioModality("log-mel", 8000, 1), local).modality
    assert (made.bands, made.grid) == (64, (50, 64))
    assert config_for(AudioModality("log-mel", 8000, 1)).modality.grid == (100, 40)
    assert config_for(AudioModality("log-mel", 8000, 1, bands=20, hop=800), local).modality.grid == (10, 20)
    given = config_for(AudioModality("log-mel", 8000, 1), local | {"modality": {"bands": 30}}).modality
    assert given.grid == (50, 30)


def test_local_functas_of_flow_have_finer_films_and_see_small_movement_beside_large() -> None:
    config = config_for(VideoModality(transform="flow"), {"kind": "local", "mirrored": [2]})
    assert isinstance(config, LocalConfig)
    assert config.modality.grid == (24, 60, 80)
    assert config.compressed_apart
    assert len(config.all_windows()) == 2 * len(config.windows)
    assert config_for(VideoModality(transform="flow")).modality.grid == (16, 32, 32)
    grey = config_for(VideoModality(transform="grey"), {"kind": "local"})
    assert isinstance(grey, LocalConfig)
    assert (len(grey.scales), grey.differences, grey.compressed) == (3, (1,), 0.0)
    given = config_for(VideoModality(size=(48, 64), transform="flow"), {"kind": "local"}).modality
    assert given.grid == (24, 48, 64)
