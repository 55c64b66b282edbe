from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from fusion.datasets.official_digits import Fsdd, Mnist
from fusion.datasets.open import open_dataset
from fusion.errors import DataError


def write_mnist(folder: Path) -> np.ndarray:
    images = np.random.default_rng(0).integers(0, 256, (5, 28, 28), dtype=np.uint8)
    for prefix, part, labels in (("train", images[:3], b"\x07\x00\x01"), ("t10k", images[3:], b"\x02\x09")):
        header = struct.pack(">4I", 0x803, len(part), 28, 28)
        (folder / f"{prefix}-images-idx3-ubyte").write_bytes(header + part.tobytes())
        (folder / f"{prefix}-labels-idx1-ubyte").write_bytes(struct.pack(">2I", 0x801, len(labels)) + labels)
    return images


def test_mnist_as_published(tmp_path: Path) -> None:
    images = write_mnist(tmp_path)
    with open_dataset("mnist", tmp_path, modality="image") as dataset:
        samples = list(dataset)
    assert [sample.id for sample in samples][::4] == ["train-00000", "test-00001"]
    assert [sample.label for sample in samples] == ["7", "0", "1", "2", "9"]
    np.testing.assert_array_equal(np.stack([sample.raw for sample in samples]), images)
    assert Mnist(tmp_path).default_modality().size == (28, 28)


def test_damaged_mnist_files_are_named(tmp_path: Path) -> None:
    write_mnist(tmp_path)
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DataError, match="train-images-idx3-ubyte has not 3 images, as there are labels"):
        list(Mnist(tmp_path))
    path.write_bytes(b"\x1f\x8b gzip")
    with pytest.raises(DataError, match="is no file of images in MNIST's format; unpack it"):
        Mnist(tmp_path)
    path.unlink()
    with pytest.raises(DataError, match="has no train-images-idx3-ubyte; expected the four files of MNIST"):
        Mnist(tmp_path)


def test_spoken_digits_as_published(tmp_path: Path) -> None:
    folder = tmp_path / "free-spoken-digit-dataset-1.0.10" / "recordings"
    folder.mkdir(parents=True)
    for name in ("7_jackson_32.wav", "0_theo_4.wav", "README.md", "x_theo_1.wav"):
        (folder / name).write_bytes(b"")
    samples = list(Fsdd(tmp_path))
    found = [(sample.id, sample.label, sample.split) for sample in samples]
    assert found == [("0_theo_4.wav", "0", "test"), ("7_jackson_32.wav", "7", "train")]
    with pytest.raises(DataError, match=r"has no recordings/<digit>_<speaker>_<take>.wav"):
        Fsdd(folder)


@pytest.mark.real_data
def test_the_copy_at_hand_has_its_published_counts(public_data: Path) -> None:
    samples = list(Fsdd(public_data / "spoken-written-digits"))
    assert (len(samples), sum(sample.split == "test" for sample in samples)) == (3000, 300)
