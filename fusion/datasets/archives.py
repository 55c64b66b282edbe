"""Unpack an archive into a folder beside no other file: nothing in it may leave that folder, or fill the disk.

tarfile's data filter would see to the paths of tar archives, but not to sizes, not to zip archives, and not in every
Python 3.11; entries are written one by one here, so that one set of checks holds for all kinds.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import re
import tarfile
import zipfile
import zlib
from typing import IO, TYPE_CHECKING, Any

from fusion.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

ARCHIVE_SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.bz2", ".rar", ".7z")
MAX_ENTRIES = 1_000_000

_FOREIGN = {b"Rar!\x1a\x07": ("RAR", "unrar x"), b"7z\xbc\xaf\x27\x1c": ("7z", "7z x")}
_COMPRESSED: dict[bytes, Any] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\x00": lzma.open}
_COPY_BYTES = 1 << 20
_LEAST_LIMIT, _MOST_TIMES = 1 << 30, 200
_DAMAGE = (
    *(tarfile.TarError, zipfile.BadZipFile, lzma.LZMAError, zlib.error),
    *(EOFError, OSError, NotImplementedError, RuntimeError, ValueError),
)


def is_archive(path: Path) -> bool:
    """Tell whether the name ends like an archive's and it is a file."""
    return path.is_file() and path.name.lower().endswith(ARCHIVE_SUFFIXES)


def unpack(archive: Path, folder: Path, *, max_bytes: int | None = None) -> None:
    """Unpack a zip or tar archive, or a single file that gzip, bzip2 or xz has made smaller.

    Parameters
    ----------
    archive : Path
    folder : Path
        Created when missing.
    max_bytes : int or None
        Most bytes that may come out, so that a small archive cannot fill the disk. None: 200 times the archive's own
        size, at least 1 GiB.

    Raises
    ------
    DataError
        When it is damaged or encrypted, is of a kind that is not unpacked here (RAR, 7z), holds a link, a device or a
        path that leaves the folder, or unpacks to more than `max_bytes` or to more than `MAX_ENTRIES` files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with archive.open("rb") as file:
            magic = file.read(6)
        _refuse_foreign(archive, folder, magic)
        budget = _Budget(archive, max_bytes or max(_LEAST_LIMIT, _MOST_TIMES * archive.stat().st_size))
        opener = next((opener for start, opener in _COMPRESSED.items() if magic.startswith(start)), None)
        if zipfile.is_zipfile(archive):
            _unpack_zip(archive, folder, budget)
        elif opener is not None and ".tar" not in archive.name.lower() and not archive.name.lower().endswith(".tgz"):
            with opener(archive) as source:
                budget.copy(source, folder / archive.stem)
        else:
            _unpack_tar(archive, folder, budget, opener or open)
    except DataError:
        raise
    except tarfile.ReadError as error:
        raise DataError(f"{archive} cannot be unpacked: it is damaged, or no archive; download it again") from error
    except _DAMAGE as error:
        raise DataError(f"{archive} cannot be unpacked: {error or type(error).__name__}; download it again") from error


class _Budget:
    """What may still come out of an archive."""

    def __init__(self, archive: Path, most: int) -> None:
        self.archive = archive
        self.left = most
        self.entries = 0

    def count(self) -> None:
        self.entries += 1
        if self.entries > MAX_ENTRIES:
            raise DataError(f"{self.archive} holds more than {MAX_ENTRIES:,} files; it was not unpacked further")

    def spend(self, size: int) -> None:
        self.left -= size
        if self.left < 0:
            raise DataError(
                f"{self.archive} unpacks to more than the limit; it may be a zip bomb and was not unpacked further"
            )

    def copy(self, source: Any, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as out:
            while block := source.read(_COPY_BYTES):
                self.spend(len(block))
                out.write(block)


class _Careful:
    """A file in which a header cannot ask for more than a little: tarfile reads some of them whole into memory."""

    def __init__(self, file: IO[bytes], archive: Path) -> None:
        self.file = file
        self.archive = archive

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= _COPY_BYTES:
            raise DataError(f"{self.archive} has a header of {size:,} bytes; it may be a bomb and was not unpacked")
        return self.file.read(size)

    def seek(self, position: int, whence: int = 0) -> int:
        return self.file.seek(position, whence)

    def tell(self) -> int:
        return self.file.tell()


def _refuse_foreign(archive: Path, folder: Path, magic: bytes) -> None:
    for start, (kind, command) in _FOREIGN.items():
        if magic.startswith(start) or archive.name.lower().endswith(f".{kind.lower()}"):
            raise DataError(
                f"{archive} is a {kind} archive, which cannot be unpacked here; unpack it by hand, for example with "
                f"'{command} {archive.name}' in {folder}, and give the folder instead"
            )


def _unpack_zip(archive: Path, folder: Path, budget: _Budget) -> None:
    with zipfile.ZipFile(archive) as opened:
        for entry in opened.infolist():
            budget.count()
            target = _target(archive, folder, entry.filename)
            if entry.is_dir():
                target.mkdir(parents=True, exist_ok=True)
                continue
            if (entry.external_attr >> 16) & 0o170000 == 0o120000:
                raise DataError(f"{archive} holds the link {entry.filename!r}; expected files and folders only")
            with opened.open(entry) as source:
                budget.copy(source, target)


def _unpack_tar(archive: Path, folder: Path, budget: _Budget, opener: Any) -> None:
    with opener(archive, "rb") as file, tarfile.open(fileobj=_Careful(file, archive), mode="r:") as opened:  # type: ignore[call-overload]
        for entry in opened:
            budget.count()
            target = _target(archive, folder, entry.name)
            if entry.isdir():
                target.mkdir(parents=True, exist_ok=True)
                continue
            source = opened.extractfile(entry) if entry.isfile() else None
            if source is None:
                raise DataError(
                    f"{archive} holds {entry.name!r}, which is a link or a device; expected files and folders only"
                )
            with source:
                budget.copy(source, target)


def _target(archive: Path, folder: Path, name: str) -> Path:
    target = (folder / name).resolve()
    parts = re.split(r"[/\\]", name)
    leaves = not target.is_relative_to(folder.resolve()) or ".." in parts or not parts[0]
    if leaves or re.match(r"[A-Za-z]:", name):
        raise DataError(
            f"{archive} holds the path {name!r}, which leaves the folder it is unpacked to; it was not unpacked"
        )
    return target
