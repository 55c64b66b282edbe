"""Where a public data set lies under the folder that a user names."""

from __future__ import annotations

from pathlib import Path

from fusion.datasets.archives import is_archive, unpack
from fusion.errors import DataError
from store.files import whole_folder

_NAMES = {
    "cifar10": ("cifar10", "cifar-10", "cifar-10-batches-py", "cifar-10-batches-bin"),
    "digits": ("spoken-written-digits", "digits"),
    "esc50": ("esc50", "esc-50", "ESC-50", "ESC-50-master"),
    "hmdb51": ("hmdb51", "hmdb-51", "HMDB51"),
    "jhmdb": ("jhmdb", "JHMDB"),
    "uci-har": ("UCI HAR Dataset", "uci-har", "uci_har"),
    "utd-mhad": ("utd-mhad", "UTD-MHAD"),
}
_MARKS = {
    "cifar10": ("batches.meta", "batches.meta.txt", "cifar-10-batches-py", "cifar-10-batches-bin"),
    "digits": ("mnist_subset.npz", "recordings"),
    "esc50": ("meta/esc50.csv",),
    "hmdb51": ("testTrainMulti_7030_splits", "hmdb51_splits"),
    "jhmdb": ("clips.csv", "puppet_mask", "Rename_Images"),
    "uci-har": ("activity_labels.txt",),
    "utd-mhad": ("Inertial",),
}


def find_data(name: str, folder: Path, unpacked: Path) -> Path:
    """Find a data set in `folder` or in one of its own folders, unpacking its archive where that is all there is.

    Parameters
    ----------
    name : str
        "uci-har", "cifar10", "esc50", "jhmdb", "hmdb51", "utd-mhad" or "digits".
    folder : Path
        The data set's own folder, or one that holds it.
    unpacked : Path
        Where an archive is unpacked, once.

    Raises
    ------
    DataError
        When it is not there.
    """
    candidates = [folder, *(folder / sub for sub in _NAMES[name])]
    nested = [candidate / sub for candidate in candidates for sub in _NAMES[name]]
    for candidate in [*candidates, *nested]:
        if _is(name, candidate):
            return candidate
    for candidate in candidates:
        archives = sorted(path for path in candidate.glob("*") if is_archive(path)) if candidate.is_dir() else []
        if len(archives) == 1 and (candidate != folder or folder.name in _NAMES[name]):
            return _unpacked(name, archives[0], unpacked / name)
    raise DataError(
        f"{folder} holds no {name} data; expected {_MARKS[name][0]} in it, in a folder "
        f"{' or '.join(_NAMES[name][:2])}, or one archive there. `functa datasets list` says where it is published."
    )


def _is(name: str, folder: Path) -> bool:
    return any((folder / mark).exists() for mark in _MARKS[name])


def _unpacked(name: str, archive: Path, target: Path) -> Path:
    if not target.exists():
        with whole_folder(target) as folder:
            unpack(archive, folder)
    inside = [target, *(path for path in sorted(target.rglob("*")) if path.is_dir())]
    for candidate in inside:
        if _is(name, candidate):
            return candidate
    raise DataError(f"{archive} holds no {name} data; expected {_MARKS[name][0]} in it. Check the archive.")
