"""Unpack an archive into a folder beside no other file: nothing in it may leave that folder."""

from __future__ import annotations

import lzma
import tarfile
import zipfile
import zlib
from typing import TYPE_CHECKING

from fusion.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

ARCHIVE_SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.bz2")
_COPY_BYTES = 1 << 20
_DAMAGE = (
    *(tarfile.TarError, zipfile.BadZipFile, lzma.LZMAError, zlib.error),
    *(EOFError, OSError, NotImplementedError, RuntimeError),
)


def is_archive(path: Path) -> bool:
    """Tell whether the name ends like an archive's and it is a file."""
    return path.is_file() and path.name.lower().endswith(ARCHIVE_SUFFIXES)


def unpack(archive: Path, folder: Path, *, max_bytes: int = 8 << 30) -> None:
    """Unpack a zip or tar archive.

    Parameters
    ----------
    archive : Path
    folder : Path
        Created when missing.
    max_bytes : int
        Most bytes that may come out, so that a small archive cannot fill the disk.

    Raises
    ------
    DataError
        When it is damaged, holds a link, a device or a path that leaves the folder, or unpacks to more than
        `max_bytes`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        if zipfile.is_zipfile(archive):
            _unpack_zip(archive, folder, max_bytes)
        else:
            _unpack_tar(archive, folder, max_bytes)
    except tarfile.ReadError as error:
        raise DataError(f"{archive} cannot be unpacked: it is damaged, or no archive; download it again") from error
    except _DAMAGE as error:
        raise DataError(f"{archive} cannot be unpacked: {error or type(error).__name__}; download it again") from error


def _unpack_zip(archive: Path, folder: Path, left: int) -> None:
    with zipfile.ZipFile(archive) as opened:
        for entry in opened.infolist():
            target = _target(archive, folder, entry.filename)
            if entry.is_dir():
                target.mkdir(parents=True, exist_ok=True)
                continue
            if (entry.external_attr >> 16) & 0o170000 == 0o120000:
                raise DataError(f"{archive} holds the link {entry.filename!r}; expected files and folders only")
            with opened.open(entry) as source:
                left = _copy(archive, source, target, left)


def _unpack_tar(archive: Path, folder: Path, left: int) -> None:
    with tarfile.open(archive) as opened:
        for entry in opened:
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
                left = _copy(archive, source, target, left)


def _target(archive: Path, folder: Path, name: str) -> Path:
    target = (folder / name).resolve()
    if not target.is_relative_to(folder.resolve()) or name.startswith(("/", "\\")):
        raise DataError(
            f"{archive} holds the path {name!r}, which leaves the folder it is unpacked to; it was not unpacked"
        )
    return target


def _copy(archive: Path, source: object, target: Path, left: int) -> int:
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as out:
        while block := source.read(_COPY_BYTES):  # type: ignore[attr-defined]
            left -= len(block)
            if left < 0:
                raise DataError(
                    f"{archive} unpacks to more than the limit; it may be a zip bomb and was not unpacked further"
                )
            out.write(block)
    return left
