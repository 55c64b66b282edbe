"""Volumes as functas and local functas: decoded at any resolution, and told apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from helpers.made_volumes import FAMILIES, write_volumes

from fusion.datasets import FolderDataset
from fusion.encoders import EncodeOptions, decode, encode, encoder_config
from fusion.encoders.config import FunctaConfig
from fusion.estimators.xgboost import FunctaClassifier
from fusion.models import train
from store import open_store

ONE = EncodeOptions(workers=1)
SHARP = {"initialisation": "random", "initialiser": "siren", "omegas": (30.0, 10.0)}


def test_a_volume_decodes_at_another_resolution(tmp_path: Path) -> None:
    data = FolderDataset(write_volumes(tmp_path / "volumes", 4, points=8), modality="array")
    config = encoder_config(data, options=SHARP, fit={"steps": 150, "learning_rate": 0.01, "schedule": "cosine"})
    report = encode(data, tmp_path / "v.zarr", config, ONE)
    assert "arrays of shape (8, 8, 8) are 8 x 8 x 8 points with 1 value at each: channels=none" in report.notes
    assert report.psnr_mean is not None
    assert report.psnr_mean > 25
    sample_id = "train/full/001.npy"
    original = np.load(tmp_path / "volumes" / sample_id)
    decode(tmp_path / "v.zarr", sample_id, tmp_path / "same.npy")
    assert np.square(np.load(tmp_path / "same.npy") - original).mean() < 10**-2.5
    decode(tmp_path / "v.zarr", sample_id, tmp_path / "fine.npy", scale=2)
    assert np.load(tmp_path / "fine.npy").shape == (16, 16, 16)
    both = tmp_path / "both.png"
    decode(tmp_path / "v.zarr", sample_id, tmp_path / "a.npy", compare=both, source=tmp_path / "volumes")
    assert both.exists()


def test_the_axis_of_channels_is_kept_when_a_run_goes_on(tmp_path: Path) -> None:
    data = FolderDataset(write_volumes(tmp_path / "volumes", 2, points=8), modality="array", channels="first")
    config = encoder_config(data, options={"initialisation": "random"}, fit={"steps": 1})
    encode(data, tmp_path / "v.zarr", config, ONE)
    assert encode(data, tmp_path / "v.zarr", config, ONE).skipped == 4
    modality = open_store(tmp_path / "v.zarr").header.encoder["modality"]
    assert (modality["shape"], modality["values"], modality["channels"]) == ([8, 8], 8, "first")


def test_folders_of_arrays_name_what_cannot_be_read(tmp_path: Path) -> None:
    folder = write_volumes(tmp_path / "volumes", 2, points=8)
    (folder / "train" / "full" / "x.dcm").write_bytes(b"")
    (folder / "train" / "full" / "notes.md").write_text("")
    data = FolderDataset(folder, modality="array")
    config = encoder_config(data, options={"initialisation": "random"}, fit={"steps": 1})
    assert isinstance(config, FunctaConfig)
    encode(data, tmp_path / "v.zarr", config, ONE)
    ((sample_id, stage, reason),) = open_store(tmp_path / "v.zarr").failed()
    assert (sample_id, stage) == ("train/full/x.dcm", "read")
    assert "x.dcm is of a kind that is not read; expected .npy, .npz, .nii, .gz" in reason


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["functa", "local"])
def test_two_families_of_volumes_are_told_apart(tmp_path: Path, kind: str) -> None:
    data = FolderDataset(write_volumes(tmp_path / "volumes", 100), modality="array")
    encode(data, tmp_path / "v.zarr", encoder_config(data, options={"kind": kind}), ONE)
    result = train(open_store(tmp_path / "v.zarr"), classifier=FunctaClassifier(n_jobs=1))
    assert result.accuracy > 0.95
    assert set(FAMILIES) == set(result.classes)


@pytest.mark.slow
def test_volumes_are_reproduced(tmp_path: Path) -> None:
    data = FolderDataset(write_volumes(tmp_path / "volumes", 16), modality="array")
    config = encoder_config(data, options=SHARP, fit={"steps": 1000, "learning_rate": 0.01, "schedule": "cosine"})
    encode(data, tmp_path / "v.zarr", config, EncodeOptions(workers=1, splits=("test",)))
    assert open_store(tmp_path / "v.zarr").read().psnr.min() >= 30
