"""UCI-HAR: 10,299 windows of a waist-worn smartphone, 30 subjects, six activities (paper, Section 4.1.4).

Anguita et al., "A Public Domain Dataset for Human Activity Recognition Using Smartphones", ESANN 2013.
"""

from __future__ import annotations

from collections import OrderedDict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fusion.datasets.base import Sample
from fusion.errors import DataError, SampleError
from fusion.modalities.sensor import SensorModality

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

READINGS = 128
RATE = 50.0
CHANNELS = tuple(f"{signal}_{axis}" for signal in ("body_acc", "body_gyro", "total_acc") for axis in "xyz")
SPLITS = ("train", "test")

_CHUNK = 64
"""Windows that are parsed at once: few, as a worker of a cluster parses those of its parts, and what is beside them."""
_KEPT_CHUNKS = 800
"""Of 0.3 MB each; the official training split has 115."""


class UciHar:
    """The official folder layout; its text is parsed some windows at a time, when they are wanted.

    Parameters
    ----------
    root : path
        The folder "UCI HAR Dataset" or one that holds it.

    Raises
    ------
    DataError
        When the folder or one of its files is missing.

    Notes
    -----
    What is known of the windows stands in files of its own, so that counting them parses no signal. Parsed windows are
    kept, all of the official ones, so that no text is parsed twice. A line that cannot be read fails its window alone.
    """

    name = "uci-har"
    modality = "sensor"

    def __init__(self, root: str | Path) -> None:
        self.root = _root(Path(root))
        self.activities = _read_activities(self.root / "activity_labels.txt")
        self._signals: dict[str, _Signals] = {}
        for split in SPLITS:
            for path in self._paths(split):
                _require_file(path)

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_signals": {}}  # whoever reads elsewhere parses its own

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
        label_path, subject_path, *signal_paths = self._paths(split)
        labels, subjects = _read_integers(label_path), _read_integers(subject_path)
        if len(labels) != len(subjects):
            raise DataError(
                f"{subject_path} has {len(subjects)} lines; expected {len(labels)}, as {label_path.name} has"
            )
        unknown = sorted(set(labels.tolist()) - self.activities.keys())
        if unknown:
            raise DataError(f"{label_path} has activity {unknown[0]}; expected one of {sorted(self.activities)}")
        if split not in self._signals:
            self._signals[split] = _Signals(signal_paths, len(labels))
        for index in range(len(labels)):
            yield Sample(
                id=f"{split}-{index:05d}",
                label=self.activities[int(labels[index])],
                split=split,
                group=f"subject-{subjects[index]:02d}",
                load=_Window(self._signals[split], index),
            )


class _Signals:
    """The windows of one split, in a text file for each channel with a window on each line.

    Parameters
    ----------
    paths : sequence of Path
        One for each channel.
    count : int
        Lines that each must have.

    Raises
    ------
    DataError
        When a file has another number of lines.
    """

    def __init__(self, paths: Sequence[Path], count: int) -> None:
        self.paths = paths
        self.offsets = [_offsets(path, count) for path in paths]
        self._kept: OrderedDict[int, tuple[NDArray[np.float32], dict[int, SampleError]]] = OrderedDict()

    def window(self, index: int) -> NDArray[np.float32]:
        """Give one window, shape (128, 9); SampleError when one of its lines cannot be read."""
        number, row = divmod(index, _CHUNK)
        windows, wrong = self._chunk(number)
        if row in wrong:
            raise wrong[row]
        window: NDArray[np.float32] = windows[row]
        return window

    def _chunk(self, number: int) -> tuple[NDArray[np.float32], dict[int, SampleError]]:
        if number not in self._kept:
            wrong: dict[int, SampleError] = {}
            parsed = [
                _parse_lines(path, offsets[number], number * _CHUNK, wrong)
                for path, offsets in zip(self.paths, self.offsets, strict=True)
            ]
            self._kept[number] = (np.stack(parsed, axis=-1), wrong)
            if len(self._kept) > _KEPT_CHUNKS:
                self._kept.popitem(last=False)
        return self._kept[number]


class _Window:
    """Reads one window; sent to another process, it takes along that window alone."""

    def __init__(self, signals: _Signals, index: int) -> None:
        self.signals, self.index = signals, index

    def __call__(self) -> NDArray[np.float32]:
        return self.signals.window(self.index)

    def __reduce__(self) -> tuple[Any, tuple[Any, Any]]:
        try:
            return partial, (_given, self())
        except SampleError as error:
            return partial, (_refused, error)


def _given(window: NDArray[np.float32]) -> NDArray[np.float32]:
    return window


def _refused(error: SampleError) -> None:
    raise error


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
    if not path.read_bytes().strip():
        raise DataError(f"{path} is empty; expected one whole number on each line")
    try:
        return np.atleast_1d(np.loadtxt(path, dtype=np.int64, ndmin=1))
    except ValueError as error:
        raise DataError(f"{path} cannot be read: {error}; expected one whole number on each line") from error


def _offsets(path: Path, count: int) -> list[tuple[int, int]]:
    """Give place and size of the lines of each chunk."""
    chunks: list[tuple[int, int]] = []
    begin = position = lines = 0
    with path.open("rb") as file:
        for line in file:
            position += len(line)
            lines += bool(line.strip())
            if lines == _CHUNK * (len(chunks) + 1):
                chunks.append((begin, position - begin))
                begin = position
    if lines < count:
        raise DataError(
            f"{path} ends after line {lines}; expected {count}, the number of labels. It is cut short: unpack the "
            "archive again."
        )
    if lines > count:
        raise DataError(f"{path} has more than {count} lines, the number of labels; the files do not belong together")
    return [*chunks, (begin, position - begin)]


def _parse_lines(path: Path, place: tuple[int, int], first: int, wrong: dict[int, SampleError]) -> NDArray[np.float32]:
    with path.open("rb") as file:
        file.seek(place[0])
        text = file.read(place[1]).decode("ascii", errors="replace")
    lines = [line for line in text.split("\n") if line.strip()]
    try:
        block = np.loadtxt(lines, dtype=np.float32, ndmin=2)
    except ValueError:
        block = np.empty((0, 0), np.float32)
    if block.shape == (len(lines), READINGS):
        return block
    return np.stack([_parse(path, row, first + row + 1, line, wrong) for row, line in enumerate(lines)])


def _parse(path: Path, row: int, number: int, line: str, wrong: dict[int, SampleError]) -> NDArray[np.float32]:
    try:
        values = np.array(line.split(), dtype=np.float32)
    except ValueError as error:
        wrong[row] = SampleError("read", f"{path.name}, line {number}: {error}; expected {READINGS} numbers")
        return np.full(READINGS, np.nan, np.float32)
    if len(values) != READINGS:
        reason = f"{path.name} has {len(values)} numbers on line {number}; expected {READINGS}"
        wrong[row] = SampleError("read", f"{reason}. It is cut short: unpack the archive again.")
        return np.full(READINGS, np.nan, np.float32)
    return values
