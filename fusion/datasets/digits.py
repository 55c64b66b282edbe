"""Spoken and written digits, paired by their label: the Free Spoken Digit Dataset and a part of MNIST.

An artificial pair, as in AV-MNIST: image and sound do not come from one event.
"""

from __future__ import annotations

import csv
import zipfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fusion.datasets.base import Sample
from fusion.datasets.files import file_loader
from fusion.errors import DataError
from fusion.modalities import modality_from_dict
from fusion.modalities.image import ImageModality

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

PAIRS = "pairs.csv"
IMAGES = "mnist_subset.npz"
RECORDINGS = "recordings"
_COLUMNS = ("recording", "digit", "image", "split")
_SIDE = 28


class _Pair(NamedTuple):
    recording: str
    digit: str
    image: str
    split: str


class SpokenDigits:
    """3,000 recordings of the ten digits by six speakers, at 8 kHz.

    Parameters
    ----------
    root : path
        The folder with ``pairs.csv`` and ``recordings``.

    Raises
    ------
    DataError
        When the folder is something else, or ``pairs.csv`` cannot be used.

    Notes
    -----
    IDs are the file names, which the column ``recording`` of ``pairs.csv`` holds, so that it links recordings to
    images. The published test set is the first five recordings of each digit by each speaker: every speaker is in
    training and test, so speakers are not groups.
    """

    name = "digits"
    modality = "audio"

    def __init__(self, root: str | Path) -> None:
        self.root = _root(Path(root), RECORDINGS)
        self.pairs = _pairs(self.root / PAIRS)
        self._reader = modality_from_dict({"name": self.modality})

    def __iter__(self) -> Iterator[Sample]:
        folder = self.root / RECORDINGS
        for pair in self.pairs:
            load = file_loader(self._reader, folder / pair.recording, folder)
            yield Sample(pair.recording, pair.digit, pair.split, None, load)


class WrittenDigits:
    """3,000 images of 28 x 28 pixels, grey, 300 of each digit.

    Parameters
    ----------
    root : path
        The folder with ``pairs.csv`` and ``mnist_subset.npz``.

    Raises
    ------
    DataError
        When the folder is something else, or one of the files cannot be used.

    Notes
    -----
    IDs are rows of the npz as ``pairs.csv`` writes them in its column ``image``. An image has the split of the
    recording that it is paired with.
    """

    name = "digits"
    modality = "image"

    def __init__(self, root: str | Path) -> None:
        self.root = _root(Path(root), IMAGES)
        self.pairs = _pairs(self.root / PAIRS)
        self.images, labels = _images(self.root / IMAGES)
        for pair in self.pairs:
            _check_image(pair, labels)

    def default_modality(self) -> ImageModality:
        """Give the images' size; they are grey."""
        return ImageModality(size=(_SIDE, _SIDE), channels=1)

    def __iter__(self) -> Iterator[Sample]:
        for pair in self.pairs:
            yield Sample(pair.image, pair.digit, pair.split, None, partial(_given, self.images[int(pair.image)].copy()))


def _given(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return image


def _root(source: Path, needed: str) -> Path:
    for folder in (source, *sorted(path for path in source.glob("*") if path.is_dir())):
        if (folder / PAIRS).is_file() and (folder / needed).exists():
            return folder
    missing = "" if source.exists() else ", which does not exist"
    raise DataError(f"{source} is not the folder of the digits{missing}; expected {PAIRS} and {needed} in it")


def _pairs(path: Path) -> list[_Pair]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            missing = [name for name in _COLUMNS if name not in (reader.fieldnames or ())]
            if missing:
                raise DataError(f"{path} has no column {missing[0]!r}; expected {', '.join(_COLUMNS)}")
            return [_Pair(*(row[name] or "" for name in _COLUMNS)) for row in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} is no CSV in UTF-8: {error}") from error


def _images(path: Path) -> tuple[NDArray[Any], NDArray[Any]]:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            images, labels = arrays["images"], arrays["labels"]
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise DataError(f"{path} cannot be read: {error}; expected the arrays images and labels") from error
    if images.dtype != np.uint8 or images.shape[1:] != (_SIDE, _SIDE) or labels.shape != images.shape[:1]:
        raise DataError(
            f"{path} has images of shape {images.shape} and type {images.dtype}, and {labels.size} labels; expected "
            f"bytes of shape (n, {_SIDE}, {_SIDE}) and n labels"
        )
    return images, labels


def _check_image(pair: _Pair, labels: NDArray[Any]) -> None:
    if not pair.image.isdecimal() or int(pair.image) >= len(labels):
        raise DataError(f"{PAIRS} pairs {pair.recording} with image {pair.image!r}; expected 0 to {len(labels) - 1}")
    if str(labels[int(pair.image)]) != pair.digit:
        raise DataError(
            f"{PAIRS} pairs {pair.recording}, a {pair.digit}, with image {pair.image}, a {labels[int(pair.image)]}; "
            f"{PAIRS} and {IMAGES} do not belong together"
        )
