"""MNIST and the Free Spoken Digit Dataset as their authors publish them."""

from __future__ import annotations

import re
import struct
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fusion.datasets.base import Sample
from fusion.datasets.files import file_loader
from fusion.errors import DataError, SampleError
from fusion.modalities import modality_from_dict
from fusion.modalities.image import ImageModality

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

_SPLITS = {"train": "train", "test": "t10k"}
_IMAGES_MAGIC, _LABELS_MAGIC, _HEADER = 0x803, 0x801, 16
_RECORDING = re.compile(r"(\d)_(\w+)_(\d+)\.(wav|flac)")
_TEST_TAKES = 5


class Mnist:
    """70,000 written digits: ``train-images-idx3-ubyte``, its labels, and ``t10k-...``, unpacked.

    Raw arrays are bytes of shape (28, 28), IDs such as ``train-00000``. Images are read one by one.

    Parameters
    ----------
    root : path

    Raises
    ------
    DataError
        When a file is missing, or its size is not what its header says.
    """

    name = "mnist"
    modality = "image"

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)
        for prefix in _SPLITS.values():
            for kind in ("images-idx3", "labels-idx1"):
                if not (self.root / f"{prefix}-{kind}-ubyte").is_file():
                    raise DataError(
                        f"{self.root} has no {prefix}-{kind}-ubyte; expected the four files of MNIST, unpacked"
                    )
        self.sizes = {split: _image_size(self._path(split, "images-idx3")) for split in _SPLITS}

    def default_modality(self) -> ImageModality:
        """Give the images' size; they are grey."""
        return ImageModality(size=self.sizes["train"], channels=1)

    def __iter__(self) -> Iterator[Sample]:
        for split in _SPLITS:
            images, labels = self._path(split, "images-idx3"), _labels(self._path(split, "labels-idx1"))
            height, width = self.sizes[split]
            if images.stat().st_size != _HEADER + len(labels) * height * width:
                raise DataError(f"{images} has not {len(labels):,} images, as there are labels; download it again")
            for index, digit in enumerate(labels.tolist()):
                load = partial(_image, images, index, height, width)
                yield Sample(f"{split}-{index:05d}", str(digit), split, None, load)

    def _path(self, split: str, kind: str) -> Path:
        return self.root / f"{_SPLITS[split]}-{kind}-ubyte"


class Fsdd:
    """3,000 spoken digits: ``recordings/<digit>_<speaker>_<take>.wav``; takes 0 to 4 are the published test set.

    IDs are the file names. Every speaker is in training and test, so speakers are not groups.

    Parameters
    ----------
    root : path
        The folder that holds ``recordings``, or holds one folder that does.

    Raises
    ------
    DataError
        When there are no such recordings.
    """

    name = "fsdd"
    modality = "audio"

    def __init__(self, root: str | Path) -> None:
        source = Path(root)
        folders = [folder for above in ("", "*/") for folder in sorted(source.glob(f"{above}recordings"))]
        found = [(path.name, path) for folder in folders[:1] for path in folder.iterdir()]
        self.recordings = [(match, path) for name, path in sorted(found) if (match := _RECORDING.fullmatch(name))]
        if not self.recordings:
            raise DataError(f"{source} has no recordings/<digit>_<speaker>_<take>.wav; expected the unpacked data set")

    def __iter__(self) -> Iterator[Sample]:
        reader = modality_from_dict({"name": self.modality})
        for match, path in self.recordings:
            split = "test" if int(match[3]) < _TEST_TAKES else "train"
            yield Sample(path.name, match[1], split, None, file_loader(reader, path, path.parent))


def _image_size(path: Path) -> tuple[int, int]:
    with path.open("rb") as file:
        header = file.read(_HEADER)
    magic, _, height, width = struct.unpack(">4I", header.ljust(_HEADER, b"\0"))
    if magic != _IMAGES_MAGIC or not (1 <= height <= 1024 and 1 <= width <= 1024):
        raise DataError(f"{path} is no file of images in MNIST's format; unpack it, or download it again")
    return height, width


def _labels(path: Path) -> NDArray[Any]:
    content = path.read_bytes()
    magic, count = struct.unpack(">2I", content[:8].ljust(8, b"\0"))
    if magic != _LABELS_MAGIC or len(content) != 8 + count:
        raise DataError(f"{path} is no file of labels in MNIST's format, or is cut short; download it again")
    return np.frombuffer(content, np.uint8, offset=8)


def _image(path: Path, index: int, height: int, width: int) -> NDArray[np.uint8]:
    with path.open("rb") as file:
        file.seek(_HEADER + index * height * width)
        content = file.read(height * width)
    if len(content) < height * width:
        raise SampleError("read", f"{path.name} ends before image {index}")
    return np.frombuffer(content, np.uint8).reshape(height, width)
