"""CIFAR-10: 60,000 images of 32 x 32 pixels in ten classes, in its Python or its binary layout (paper, Section 4.1.1).

Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fusion.datasets.base import Sample
from fusion.datasets.plain_pickle import load_plain_pickle
from fusion.errors import DataError
from fusion.modalities.image import ImageModality

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
SIZE = 32
_PIXELS = 3 * SIZE * SIZE
_LAYOUT = "expected data_batch_1 to data_batch_5 and test_batch, or some of them, each with .bin or without"


@dataclass(frozen=True)
class _Batch:
    path: Path
    split: str
    prefix: str

    def read(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """Labels (n,) and images (n, 3072), red plane first."""
        labels, images = (_read_binary if self.path.suffix == ".bin" else _read_python)(self.path)
        if len(labels) != len(images):
            raise DataError(f"{self.path} has {len(labels)} labels for {len(images)} images; download it again")
        if len(labels) and not 0 <= labels.min() <= labels.max() < len(CLASSES):
            wrong = labels.max() if labels.min() >= 0 else labels.min()
            raise DataError(f"{self.path} has label {wrong}; expected 0 to {len(CLASSES) - 1}")
        return labels, images


class Cifar10:
    """The batches that are there, one in memory at a time.

    Parameters
    ----------
    root : path
        The folder "cifar-10-batches-py" or "cifar-10-batches-bin", or one that holds it.

    Raises
    ------
    DataError
        When no batch is there, or one is damaged or is not what its name says. Python batches are pickles; of those
        only what numbers, text and arrays of bytes need is read, and nothing in them is ever run.

    Notes
    -----
    IDs are ``train-<batch>-<row>`` and ``test-<row>``, the same for both layouts. Checksums are not asked for, so that
    subsets work.
    """

    name = "cifar10"
    modality = "image"

    def __init__(self, root: str | Path) -> None:
        self.root, self.batches = _find(Path(root))

    def default_modality(self) -> ImageModality:
        """Give the images' size and colours."""
        return ImageModality(size=(SIZE, SIZE), channels=3)

    def __iter__(self) -> Iterator[Sample]:
        for batch in self.batches:
            labels, images = batch.read()
            for row, (label, image) in enumerate(zip(labels.tolist(), images, strict=True)):
                # A copy: a view would keep its whole batch in memory for as long as one of its samples lives.
                load = partial(_planes_last, image.copy())
                yield Sample(f"{batch.prefix}-{row:05d}", CLASSES[label], batch.split, None, load)


def _planes_last(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return image.reshape(3, SIZE, SIZE).transpose(1, 2, 0)


def _find(root: Path) -> tuple[Path, list[_Batch]]:
    if not root.is_dir():
        raise DataError(f"{root} is no folder; expected the folder of CIFAR-10 or its archive")
    for folder in (root, root / "cifar-10-batches-py", root / "cifar-10-batches-bin"):
        for suffix in ("", ".bin"):
            if batches := [batch for batch in _named(folder, suffix) if batch.path.is_file()]:
                return folder, batches
    raise DataError(f"{root} is not CIFAR-10: no batch in it; {_LAYOUT}")


def _named(folder: Path, suffix: str) -> Iterator[_Batch]:
    for number in range(1, 6):
        yield _Batch(folder / f"data_batch_{number}{suffix}", "train", f"train-{number}")
    yield _Batch(folder / f"test_batch{suffix}", "test", "test")


def _read_binary(path: Path) -> tuple[NDArray[Any], NDArray[Any]]:
    rows, rest = divmod(path.stat().st_size, 1 + _PIXELS)
    if rest or not rows:
        raise DataError(
            f"{path} has {path.stat().st_size} bytes; expected a multiple of {1 + _PIXELS}. It is cut short: download "
            "it again."
        )
    table = np.memmap(path, np.uint8, mode="r", shape=(rows, 1 + _PIXELS))
    return table[:, 0], table[:, 1:]


def _read_python(path: Path) -> tuple[NDArray[Any], NDArray[Any]]:
    content = load_plain_pickle(path)
    batch = {_text(key): value for key, value in content.items()} if isinstance(content, dict) else {}
    images, labels = batch.get("data"), batch.get("labels")
    if not isinstance(images, np.ndarray) or images.ndim != 2 or images.shape[1] != _PIXELS:
        found = f"shape {images.shape}" if isinstance(images, np.ndarray) else f"{type(images).__name__}"
        raise DataError(f"{path} has data of {found}; expected bytes of shape (n, {_PIXELS})")
    if not isinstance(labels, list) or not all(isinstance(label, int) for label in labels):
        raise DataError(f"{path} has no list of labels; got the keys {sorted(batch)}. It may be CIFAR-100.")
    return np.array(labels, dtype=np.int64), images


def _text(key: Any) -> str:
    return key.decode("latin1") if isinstance(key, bytes) else str(key)
