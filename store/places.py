"""Where the bytes of a store are read from: a local folder, or any URL that fsspec knows."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from store.errors import StoreError

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
    def read(self, key: str) -> bytes | bytearray:
        """Read the whole file; FileNotFoundError when there is none."""

    @abstractmethod
    def size(self, key: str) -> int:
        """Count the bytes of a file; FileNotFoundError when there is none."""

    @abstractmethod
    def fill(self, key: str, ranges: Iterable[Range]) -> None:
        """Read from each (offset, view) as many bytes as the view holds; EOFError when the file ends before."""

    @abstractmethod
    def keys(self) -> Iterable[str]:
        """List every file."""

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

    def _open(self, key: str) -> int:
        try:
            return os.open(f"{self.location}/{key}", os.O_RDONLY)
        except NotADirectoryError as error:
            raise FileNotFoundError(*error.args) from error

    def read(self, key: str) -> bytes | bytearray:
        """Read a file."""
        descriptor = self._open(key)
        try:
            data = bytearray(os.fstat(descriptor).st_size)
            fill_from(descriptor, 0, memoryview(data))
        finally:
            os.close(descriptor)
        return data

    def size(self, key: str) -> int:
        """Ask the file system."""
        return (self.path / key).stat().st_size

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


def fill_from(descriptor: int, offset: int, view: memoryview) -> None:
    """Fill a view from an offset of an open file; EOFError when the file ends before."""
    while view:
        count = os.preadv(descriptor, [view], offset)
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
        self._descriptor = os.open(path, os.O_RDONLY)

    def read(self, key: str) -> bytes:
        """Read the whole file."""
        return os.pread(self._descriptor, self.size(key), 0)

    def size(self, key: str) -> int:  # noqa: ARG002 - there is one file
        """Ask the open file."""
        return os.fstat(self._descriptor).st_size

    def fill(self, key: str, ranges: Iterable[Range]) -> None:  # noqa: ARG002 - there is one file
        """Read each range at its offset."""
        for offset, view in ranges:
            fill_from(self._descriptor, offset, view)

    def keys(self) -> Iterable[str]:
        """List the one file."""
        return [""]

    def close(self) -> None:
        """Close the descriptor."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __del__(self) -> None:
        with suppress(AttributeError, OSError):
            self.close()


class RemotePlace(Place):
    """Anything behind an fsspec URL, read only: ``s3://...``, ``https://...``, ``memory://...``."""

    concurrent = False

    def __init__(self, url: str) -> None:
        try:
            import fsspec  # type: ignore[import-not-found,import-untyped,unused-ignore]
        except ImportError as error:
            raise StoreError(f"reading {url} needs fsspec. Run `pip install fsspec`") from error
        self.location = url
        self._files: Any
        self._files, self._root = fsspec.core.url_to_fs(url)

    def _path(self, key: str) -> str:
        return f"{self._root}/{key}" if key else self._root

    def is_folder(self) -> bool:
        """Tell whether the URL names a folder, as a Zarr store is one."""
        return bool(self._files.isdir(self._root))

    def read(self, key: str) -> bytes:
        """Fetch a whole object."""
        return bytes(self._files.cat_file(self._path(key)))

    def size(self, key: str) -> int:
        """Ask for the size."""
        return int(self._files.size(self._path(key)))

    def fill(self, key: str, ranges: Iterable[Range]) -> None:
        """Fetch each range by a request of its own."""
        for offset, view in ranges:
            data = self._files.cat_file(self._path(key), start=offset, end=offset + len(view))
            if len(data) != len(view):
                raise EOFError
            view[:] = data

    def keys(self) -> Iterable[str]:
        """List everything below the URL."""
        prefix = self._root.rstrip("/") + "/"
        return (path.removeprefix(prefix) for path in self._files.find(self._root))


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


def tree_bytes(place: Place) -> int:
    """Count the bytes of every file together."""
    return sum(place.size(key) for key in place.keys())  # noqa: SIM118 - a Place is not a dict
