from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from helpers.har_files import write_har

from fusion.datasets import UciHar
from fusion.encoders import EncodeOptions, FunctaConfig, decode, encode
from fusion.encoders.decoding import compare_samples
from fusion.errors import ConfigError, DataError
from fusion.inr import FitSettings
from fusion.modalities import SensorModality
from store import UnknownIDError


@pytest.fixture(scope="module")
def har(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_har(tmp_path_factory.mktemp("har"), per_class=2, test_per_class=1)


@pytest.fixture(scope="module")
def store(har: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("store") / "har.zarr"
    config = FunctaConfig(SensorModality(), architecture="paper-half", fit=FitSettings(steps=5))
    encode(UciHar(har), path, config, EncodeOptions(workers=1))
    return path


def test_a_sample_is_written_at_the_resolution_asked_for(store: Path, tmp_path: Path) -> None:
    for scale, readings in ((1.0, 128), (0.5, 64), (2.0, 256)):
        found = decode(store, "test-00000", tmp_path / "out.csv", scale=scale)
        assert found["shape"] == [readings, 9]
        assert (tmp_path / "out.csv").read_text().count("\n") == readings + 1
    assert found["id"] == "test-00000"
    assert np.isfinite(found["psnr"])


def test_the_original_beside_it_has_the_psnr_that_was_stored(store: Path, har: Path, tmp_path: Path) -> None:
    picture = tmp_path / "both.png"
    found = decode(store, "test-00000", tmp_path / "out.csv", compare=picture, source=har)
    assert found["psnr_decoded"] == pytest.approx(found["psnr"], abs=0.01)
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_several_pictures_are_drawn_in_one_pass_of_the_source(store: Path, har: Path, tmp_path: Path) -> None:
    pictures = {name: tmp_path / f"{name}.png" for name in ("test-00000", "train-00003")}
    assert set(compare_samples(store, har, pictures)) == set(pictures)
    assert all(path.exists() for path in pictures.values())


def test_what_cannot_be_decoded_is_explained(store: Path, har: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"comparing needs the original: give the data set .* with --source"):
        decode(store, "test-00000", tmp_path / "out.csv", compare=tmp_path / "both.png")
    with pytest.raises(UnknownIDError, match="nobody"):
        decode(store, "nobody", tmp_path / "out.csv")
    with pytest.raises(DataError, match=r"cannot write a sensor window as \.xyz; expected \.csv"):
        decode(store, "test-00000", tmp_path / "out.xyz")
    fewer = write_har(tmp_path, per_class=1, test_per_class=1)
    with pytest.raises(DataError, match="has no sample 'train-00011'; expected the data set that the store was made"):
        decode(store, "train-00011", tmp_path / "out.csv", compare=tmp_path / "both.png", source=fewer)


def test_a_source_of_other_data_is_told(store: Path, tmp_path: Path) -> None:
    other = write_har(tmp_path / "other", per_class=2, test_per_class=1)
    signal = other / "test" / "Inertial Signals" / "body_acc_x_test.txt"
    signal.write_text(signal.read_text().replace("1", "2"))
    found = decode(store, "test-00000", tmp_path / "x.csv", compare=tmp_path / "x.png", source=other)
    assert "are not those that the functa was fitted to" in found["notes"][0]
