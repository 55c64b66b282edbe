"""Where the bytes of a store are read from: a local folder, or any URL that fsspec knows."""

from __future__ import annotations

import errno
import os
import stat
from abc import ABC, abstractmethod
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from store import files
from store.errors import IntegrityError, StoreError, StoreFormatError
from store.portable import NO_LINKS, NO_WAITING, read_into
from store.retrying import in_a_line, retried

Range = tuple[int, memoryview]


class Place(ABC):
    """A tree of files that can be read in parts.

    Attributes
    ----------
    concurrent : bool
        Several threads may read at once.
    """

    location: str
    concurrent: bool = True

    @abstractmethod
    def read(self, key: str, limit: int) -> bytes | bytearray:
        """Read the whole file; FileNotFoundError when there is none, IntegrityError when it is longer than `limit`."""

    @abstractmethod
    def size(self, key: str) -> int:
        """Count the bytes of a file; FileNotFoundError when there is none."""

    def count(self, folder: str, enough: int) -> int:  # noqa: ARG002 - where listing is cheap
        """Count the entries of a folder, or say that there are enough where counting costs too much."""
        return enough

    @abstractmethod
    def fill(self, key: str, ranges: Iterable[Range]) -> None:
        """Read from each (offset, view) as many bytes as the view holds; EOFError when the file ends before."""

    @abstractmethod
    def keys(self) -> Iterable[str]:
        """List every file."""

    def is_at(self, path: Path) -> bool:  # noqa: ARG002 - only an open local file can have lost its name
        """Tell whether a path still names this place."""
        return True

    def close(self) -> None:  # noqa: B027 - most places keep nothing open
        """Let go of what is kept open; by default nothing is."""


class LocalFolder(Place):
    """A folder on a local or mounted disk.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.location = str(path)
        self._plain_folders: set[str] = set()

    def _open(self, key: str) -> int:
        """Open a file, but none that a link or a device stands for."""
        folder = key.rpartition("/")[0]
        if folder not in self._plain_folders:
            self._refuse_linked(folder)
        try:
            return open_plain(f"{self.location}/{key}")
        except NotADirectoryError as error:
            raise FileNotFoundError(*error.args) from error
        except NotPlainError as error:
            raise IntegrityError(files.foreign_entry(key, self.location)) from error

    def _refuse_linked(self, folder: str) -> None:
        for part in [folder, *map(str, PurePosixPath(folder).parents)]:
            if part not in ("", ".") and (self.path / part).is_symlink():
                raise IntegrityError(files.foreign_entry(part, self.location))
        self._plain_folders.add(folder)

    def read(self, key: str, limit: int) -> bytes | bytearray:
        """Read a file."""
        descriptor = self._open(key)
        try:
            data = bytearray(_within(os.fstat(descriptor).st_size, limit, key, self.location))
            fill_from(descriptor, 0, memoryview(data))
        finally:
            os.close(descriptor)
        return data

    def size(self, key: str) -> int:
        """Ask the file system."""
        return (self.path / key).stat().st_size

    def count(self, folder: str, enough: int) -> int:  # noqa: ARG002 - this counts
        """List the folder."""
        return sum(1 for _ in (self.path / folder).iterdir())

    def fill(self, key: str, ranges: Iterable[Range]) -> None:
        """Open the file once and read each range at its offset."""
        descriptor = self._open(key)
        try:
            for offset, view in ranges:
                fill_from(descriptor, offset, view)
        finally:
            os.close(descriptor)

    def keys(self) -> Iterable[str]:
        """Walk the tree."""
        return (str(path.relative_to(self.path)) for path in self.path.rglob("*") if path.is_file())


class NotPlainError(OSError):
    """What has this name is a link, a device, a pipe or a folder, not a plain file."""


def open_plain(path: str | Path, flags: int = os.O_RDONLY) -> int:
    """Open a plain file; NotPlainError for anything else. A pipe nobody writes to is not waited for."""
    try:
        descriptor = os.open(path, flags | NO_LINKS | NO_WAITING)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EMLINK, errno.ENXIO, errno.EISDIR):
            raise NotPlainError(error.errno, "not a plain file", str(path)) from error
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise NotPlainError(errno.EINVAL, "not a plain file", str(path))
    return descriptor


def _within(size: int, limit: int, key: str, location: str) -> int:
    if size > limit:
        what = f"{key} of {location}" if key else location
        raise IntegrityError(f"{what} has {size} bytes, expected at most {limit}. Run `functa store repair {location}`")
    return size


def fill_from(descriptor: int, offset: int, view: memoryview) -> None:
    """Fill a view from an offset of an open file; EOFError when the file ends before."""
    while view:
        count = read_into(descriptor, view, offset)
        if not count:
            raise EOFError
        offset, view = offset + count, view[count:]


class LocalFile(Place):
    """One local file, kept open, so that a compacted store stays readable to those who opened it before.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        self.location = str(path)
        self._descriptor = -1
        try:
            self._descriptor = open_plain(path)
        except NotPlainError as error:
            raise StoreFormatError(f"{path} is not a functa store: it is neither a file nor a folder") from error

    def read(self, key: str, limit: int) -> bytes:
        """Read the whole file."""
        data = bytearray(_within(self.size(key), limit, key, self.location))
        read = read_into(self._descriptor, memoryview(data), 0)
        return bytes(data[:read])

    def size(self, key: str) -> int:  # noqa: ARG002 - there is one file
        """Ask the open file."""
        return os.fstat(self._descriptor).st_size

    def fill(self, key: str, ranges: Iterable[Range]) -> None:  # noqa: ARG002 - there is one file
        """Read each range at its offset."""
        if self._descriptor < 0:
            raise StoreError(f"{self.location} was closed. Open it again")
        for offset, view in ranges:
            fill_from(self._descriptor, offset, view)

    def keys(self) -> Iterable[str]:
        """List the one file."""
        return [""]

    def is_at(self, path: Path) -> bool:
        """Tell whether a path still names this file."""
        with suppress(OSError):
            return os.path.samestat(os.fstat(self._descriptor), path.stat())
        return False

    def close(self) -> None:
        """Close the descriptor."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __reduce__(self) -> str:
        raise StoreError(f"the open file {self.location} cannot be copied. Open the store again by its path")

    def __del__(self) -> None:
        with suppress(AttributeError, OSError):
            self.close()


class RemotePlace(Place):
    """Anything behind an fsspec URL, read only: ``s3://...``, ``https://...``, ``memory://...``."""

    concurrent = False

    def __init__(self, url: str) -> None:
        self.location = url
        self._files: Any
        self._files, self._root = file_system(url)

    def _path(self, key: str) -> str:
        return f"{self._root}/{key}" if key else self._root

    def is_folder(self) -> bool:
        """Tell whether the URL names a folder, as a Zarr store is one."""
        return bool(retried(lambda: self._files.isdir(self._root), self.location))

    def read(self, key: str, limit: int) -> bytes:
        """Fetch a whole object."""
        data = bytes(self._fetched(key, 0, limit + 1))
        _within(len(data), limit, key, self.location)
        return data

    def size(self, key: str) -> int:
        """Ask for the size."""
        return int(retried(lambda: self._files.size(self._path(key)), f"{self.location}/{key}"))

    def fill(self, key: str, ranges: Iterable[Range]) -> None:
        """Fetch each range by a request of its own."""
        for offset, view in ranges:
            data = self._fetched(key, offset, offset + len(view))
            if len(data) != len(view):
                raise EOFError
            view[:] = data

    def _fetched(self, key: str, start: int, end: int) -> Any:
        path = self._path(key)
        return retried(lambda: self._files.cat_file(path, start=start, end=end), f"{self.location}/{key}")

    def keys(self) -> Iterable[str]:
        """List everything below the URL."""
        prefix = self._root.rstrip("/") + "/"
        found = retried(lambda: self._files.find(self._root), self.location)
        return (path.removeprefix(prefix) for path in found)


def file_system(url: str) -> tuple[Any, str]:
    """Give the fsspec file system of a URL, which remembers no listings, and the path in it.

    Raises
    ------
    StoreError
        fsspec, or the package of the file system, is not installed, or nobody knows the protocol.
    """
    try:
        import fsspec  # type: ignore[import-not-found,import-untyped,unused-ignore]
    except ImportError as error:
        raise StoreError(f"{url} needs fsspec. Run `pip install 'functa-fusion[remote]'`") from error
    try:
        found, root = fsspec.core.url_to_fs(url, use_listings_cache=False)
    except (ImportError, ValueError) as error:
        raise StoreError(f"{url} cannot be used: {in_a_line(error)}") from error
    return found, str(root)


def as_bytes(array: NDArray[Any]) -> memoryview:
    """View a contiguous array as bytes that can be read into."""
    return array.reshape(-1).view(np.uint8).data


def split_rows(array: NDArray[Any]) -> list[memoryview]:
    """View each row of a contiguous array as bytes that can be read into."""
    whole, width = as_bytes(array), array.shape[1] * array.itemsize
    return [whole[start : start + width] for start in range(0, len(whole), width)]


def is_url(path: object) -> bool:
    """Tell whether a path is a URL such as ``memory://store.zarr``."""
    return "://" in str(path)


def require_path(path: object) -> None:
    """Refuse what names no store; StoreError."""
    if not isinstance(path, str | os.PathLike):
        raise StoreError(f"the path of a store is {path!r}, expected a string or a path")


def tree_bytes(place: Place) -> int:
    """Count the bytes of every file together."""
    return sum(place.size(key) for key in place.keys())  # noqa: SIM118 - a Place is not a dict
