"""UCI-HAR: 10,299 windows of a waist-worn smartphone, 30 subjects, six activities (paper, Section 4.1.4).

Anguita et al., "A Public Domain Dataset for Human Activity Recognition Using Smartphones", ESANN 2013.
"""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fusion.datasets.base import Sample
from fusion.errors import DataError
from fusion.modalities.sensor import SensorModality

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

READINGS = 128
RATE = 50.0
CHANNELS = tuple(f"{signal}_{axis}" for signal in ("body_acc", "body_gyro", "total_acc") for axis in "xyz")
SPLITS = ("train", "test")

_CHUNK = 512


class UciHar:
    """The official folder layout, read a few hundred windows at a time.

    Parameters
    ----------
    root : path
        The folder "UCI HAR Dataset" or one that holds it.

    Raises
    ------
    DataError
        When the folder or one of its files is missing.
    """

    name = "uci-har"
    modality = "sensor"

    def __init__(self, root: str | Path) -> None:
        self.root = _root(Path(root))
        self.activities = _read_activities(self.root / "activity_labels.txt")
        for split in SPLITS:
            for path in self._paths(split):
                _require_file(path)

    def default_modality(self) -> SensorModality:
        """Give the windows' length, channels and rate."""
        return SensorModality(length=READINGS, channels=CHANNELS, rate=RATE)

    def __iter__(self) -> Iterator[Sample]:
        for split in SPLITS:
            yield from self._split(split)

    def _paths(self, split: str) -> list[Path]:
        folder = self.root / split
        signals = [folder / "Inertial Signals" / f"{channel}_{split}.txt" for channel in CHANNELS]
        return [folder / f"y_{split}.txt", folder / f"subject_{split}.txt", *signals]

    def _split(self, split: str) -> Iterator[Sample]:
        label_path, subject_path, *_ = self._paths(split)
        labels, subjects = _read_integers(label_path), _read_integers(subject_path)
        if len(labels) != len(subjects):
            raise DataError(
                f"{subject_path} has {len(subjects)} lines; expected {len(labels)}, as {label_path.name} has"
            )
        unknown = sorted(set(labels.tolist()) - self.activities.keys())
        if unknown:
            raise DataError(f"{label_path} has activity {unknown[0]}; expected one of {sorted(self.activities)}")
        for index, window in enumerate(self._windows(split, len(labels))):
            yield Sample(
                id=f"{split}-{index:05d}",
                label=self.activities[int(labels[index])],
                split=split,
                group=f"subject-{subjects[index]:02d}",
                load=partial(_given, window),
            )

    def _windows(self, split: str, count: int) -> Iterator[NDArray[np.float32]]:
        paths = self._paths(split)[2:]
        with ExitStack() as stack:
            files = [(path, stack.enter_context(path.open(encoding="ascii", errors="replace"))) for path in paths]
            for begin in range(0, count, _CHUNK):
                rows = min(_CHUNK, count - begin)
                yield from np.stack([_read_rows(path, file, begin, rows) for path, file in files], axis=-1)
            for path, file in files:
                if file.readline().strip():
                    raise DataError(
                        f"{path} has more than {count} lines, the number of labels; the files do not belong together"
                    )


def _given(window: NDArray[np.float32]) -> NDArray[np.float32]:
    return window


def _root(path: Path) -> Path:
    for candidate in (path, path / "UCI HAR Dataset"):
        if (candidate / "activity_labels.txt").is_file():
            return candidate
    if not path.exists():
        raise DataError(f"{path} does not exist; expected the folder 'UCI HAR Dataset' or its archive")
    found = "an empty folder" if path.is_dir() and not any(path.iterdir()) else "no activity_labels.txt in it"
    raise DataError(f"{path} is not UCI-HAR: {found}; expected the folder 'UCI HAR Dataset' with train and test inside")


def _require_file(path: Path) -> None:
    if not path.is_file():
        raise DataError(f"{path} is missing; expected the official layout. Unpack the archive again.")


def _read_activities(path: Path) -> dict[int, str]:
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    try:
        return {
            int(number): name.strip() for number, name in (line.split(maxsplit=1) for line in lines if line.strip())
        }
    except ValueError:
        raise DataError(f"{path} cannot be read; expected lines such as '1 WALKING'") from None


def _read_integers(path: Path) -> NDArray[Any]:
    try:
        return np.atleast_1d(np.loadtxt(path, dtype=np.int64, ndmin=1))
    except ValueError as error:
        raise DataError(f"{path} cannot be read: {error}; expected one whole number on each line") from error


def _read_rows(path: Path, file: Any, begin: int, rows: int) -> NDArray[np.float32]:
    lines = [file.readline() for _ in range(rows)]
    present = sum(1 for line in lines if line.strip())
    if present < rows:
        raise DataError(
            f"{path} ends after line {begin + present}; expected {begin + rows} or more. "
            "It is cut short: unpack the archive again."
        )
    try:
        block = np.loadtxt(lines, dtype=np.float32, ndmin=2)
    except ValueError:
        block = np.stack([_parse(path, begin + offset, line) for offset, line in enumerate(lines)])
    if block.shape[1] != READINGS:
        raise DataError(f"{path} has {block.shape[1]} numbers on line {begin + 1}; expected {READINGS}")
    return block


def _parse(path: Path, index: int, line: str) -> NDArray[np.float32]:
    try:
        values = np.array(line.split(), dtype=np.float32)
    except ValueError as error:
        raise DataError(f"{path}, line {index + 1}: {error}; expected {READINGS} numbers") from None
    if len(values) != READINGS:
        raise DataError(
            f"{path} has {len(values)} numbers on line {index + 1}; expected {READINGS}. "
            "It is cut short: unpack the archive again."
        )
    return values
