from __future__ import annotations

import pytest

from fusion import encode, link, open_dataset, train
from fusion.encoders import EncodeOptions, encoder_config


@pytest.mark.slow
@pytest.mark.real_data
@pytest.mark.timeout(900)
def test_utd_mhad_by_subject(public_data, tmp_path):
    """Sensor and skeleton of other people: above the data set's own baseline, and above each modality alone."""
    for view in ("inertial", "skeleton"):
        with open_dataset(f"utd-mhad-{view}", public_data / "utd-mhad", modality="sensor") as dataset:
            encode(dataset, tmp_path / f"{view}.zarr", encoder_config(dataset), EncodeOptions(workers=1))
    table = link([tmp_path / "inertial.zarr", tmp_path / "skeleton.zarr"])
    assert (len(table), table.counts("split")) == (861, {"test": 430, "train": 431})
    found = train(table, fusion="early", preset="linear")
    assert found.accuracy > 0.791
    assert found.accuracy > max(each.accuracy for each in found.modalities.values()) + 0.03
