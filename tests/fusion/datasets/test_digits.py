from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from helpers.digit_files import write_digits

from fusion.datasets.digits import SpokenDigits, WrittenDigits
from fusion.datasets.open import open_dataset
from fusion.errors import DataError


def test_the_table_of_pairs_joins_recordings_and_images_by_id(tmp_path: Path) -> None:
    root = write_digits(tmp_path)
    spoken = {sample.id: sample for sample in SpokenDigits(root)}
    written = {sample.id: sample for sample in WrittenDigits(root)}
    with (root / "pairs.csv").open() as file:
        for pair in csv.DictReader(file):
            sound, image = spoken.pop(pair["recording"]), written.pop(pair["image"])
            assert sound.label == image.label == pair["digit"]
            assert sound.split == image.split == pair["split"]
            assert sound.group is image.group is None
    assert not spoken
    assert not written


def test_each_modality_opens_its_own_samples(tmp_path: Path) -> None:
    write_digits(tmp_path / "digits")
    with open_dataset("digits", tmp_path, modality="image") as images:
        image = next(iter(images)).raw
    with open_dataset("digits", tmp_path, modality="audio") as sounds:
        sound = next(iter(sounds)).raw
    with np.load(tmp_path / "digits" / "mnist_subset.npz") as arrays:
        np.testing.assert_array_equal(image, arrays["images"][0])
    assert sound is not None


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("recording,digit", "sound,digit", "has no column 'recording'"),
        ("ann,1,1,train", "ann,1,99,train", "with image '99'; expected 0 to 11"),
        ("ann,1,1,train", "ann,1,8,train", "0_ann_1.flac, a 0, with image 8, a 2; .* do not belong together"),
    ],
)
def test_pairs_that_cannot_be_used_say_why(tmp_path: Path, before: str, after: str, message: str) -> None:
    path = write_digits(tmp_path) / "pairs.csv"
    path.write_text(path.read_text().replace(before, after, 1))
    with pytest.raises(DataError, match=message):
        WrittenDigits(tmp_path)


def test_a_folder_or_an_array_file_that_is_something_else_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"is not the folder of the digits; expected pairs.csv and recordings in it"):
        SpokenDigits(tmp_path)
    root = write_digits(tmp_path / "d")
    (root / "mnist_subset.npz").write_bytes(b"PK")
    with pytest.raises(DataError, match=r"mnist_subset.npz cannot be read"):
        WrittenDigits(root)
    np.savez(root / "mnist_subset.npz", images=np.zeros((3, 5)), labels=np.zeros(3))
    with pytest.raises(DataError, match=r"images of shape \(3, 5\) and type float64"):
        WrittenDigits(root)


@pytest.mark.real_data
def test_the_real_digits_have_their_published_counts(public_data: Path) -> None:
    root = public_data / "spoken-written-digits"
    for dataset in (SpokenDigits(root), WrittenDigits(root)):
        samples = list(dataset)
        assert Counter(sample.split for sample in samples) == {"train": 2700, "test": 300}
        assert set(Counter(sample.label for sample in samples).values()) == {300}
        assert len({sample.id for sample in samples}) == 3000
        assert samples[-1].raw is not None
