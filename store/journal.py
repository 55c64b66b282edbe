"""A file that HDF5 writes to as it likes, while the disk goes from one commit to the next in one step.

HDF5 overwrites its metadata in place, so a crash in the middle leaves a file that may not open. Here every write
below the committed size is held back in memory. A commit writes those pages to a journal beside the file (synced, then
renamed into place: from here on the commit exists), and only then into the file itself. What lies above the committed
size is new, nobody reads it yet, and goes straight to the disk. Readers lay the journal over the file; the next writer
copies it in.
"""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import google_crc32c

from store import files
from store.places import Place, Range

PAGE = 4096
_MAGIC = b"FUNCTAJ1"
_HEAD = struct.Struct("<8sQQ")
_ENTRY = struct.Struct("<QQ")
_END_ADDRESS = 28

Pages = dict[int, bytearray]


def journal_path(path: Path) -> Path:
    """Name the journal that belongs to a file."""
    return path.with_name(f".{path.name}.journal")


def pack_journal(size: int, pages: Pages) -> bytes:
    """Write a journal: the file's new size, then offset, length and bytes of each page, then a checksum."""
    parts = [_HEAD.pack(_MAGIC, size, len(pages))]
    for offset in sorted(pages):
        parts += [_ENTRY.pack(offset, len(pages[offset])), bytes(pages[offset])]
    body = b"".join(parts)
    return body + struct.pack("<I", google_crc32c.value(body))


def unpack_journal(data: bytes) -> tuple[int, Pages] | None:
    """Read a journal; None when it is not whole, which means that its commit never happened."""
    if len(data) < _HEAD.size + 4 or google_crc32c.value(data[:-4]) != int.from_bytes(data[-4:], "little"):
        return None
    magic, size, count = _HEAD.unpack_from(data)
    if magic != _MAGIC:
        return None
    pages, position = {}, _HEAD.size
    for _ in range(count):
        offset, length = _ENTRY.unpack_from(data, position)
        position += _ENTRY.size
        pages[offset] = bytearray(data[position : position + length])
        position += length
    return size, pages


def read_journal(path: Path) -> bytes:
    """Read the journal of a file; empty when there is none."""
    with suppress(FileNotFoundError):
        return journal_path(path).read_bytes()
    return b""


def replay(path: Path) -> None:
    """Finish the last commit of a file, so that it needs its journal no more; for the holder of the lock."""
    journal = unpack_journal(read_journal(path))
    if journal is not None:
        descriptor = os.open(path, os.O_RDWR)
        try:
            for offset, page in journal[1].items():
                files.system.write_at(descriptor, offset, page)
            files.system.sync_descriptor(descriptor)
        finally:
            os.close(descriptor)
    drop_journal(path)


def stored_size(place: Place) -> int:
    """Read from the superblock how long an HDF5 file should be; 0 when it does not say."""
    field = bytearray(8)
    with suppress(EOFError):
        place.fill("", [(_END_ADDRESS, memoryview(field))])
    return int.from_bytes(field, "little")


def drop_journal(path: Path) -> None:
    """Delete the journal of a file that holds all of it, durably."""
    if journal_path(path).exists():
        files.system.unlink(journal_path(path))
        files.system.sync(path.parent)


class OverlaidPlace(Place):
    """One file with the pages of its journal laid over it.

    Parameters
    ----------
    place : Place
        Of one file.
    size : int
        Bytes the whole has; what neither holds is zero.
    pages : dict of offset to bytes
        Offsets are multiples of 4096; no page is longer.
    """

    def __init__(self, place: Place, size: int, pages: Pages) -> None:
        self.location = place.location
        self.concurrent = place.concurrent
        self.pages = pages
        self._place = place
        self._size = size

    def size(self, key: str) -> int:  # noqa: ARG002 - there is one file
        """Return the size of the whole."""
        return self._size

    def read(self, key: str) -> bytes:
        """Read the whole."""
        data = bytearray(self._size)
        self.fill(key, [(0, memoryview(data))])
        return bytes(data)

    def keys(self) -> Iterable[str]:
        """List the one file."""
        return [""]

    def fill(self, key: str, ranges: Iterable[Range]) -> None:
        """Read each range from the file, then lay pages over it."""
        end = self._place.size(key)
        ranges = list(ranges)
        if not self.pages and all(offset + len(view) <= end for offset, view in ranges):
            self._place.fill(key, ranges)
            return
        for offset, view in ranges:
            if offset + len(view) > self._size:
                raise EOFError
            on_disk = max(0, min(offset + len(view), end) - offset)
            self._place.fill(key, [(offset, view[:on_disk])] if on_disk else [])
            view[on_disk:] = bytes(len(view) - on_disk)
            if self.pages:
                self._lay_over(offset, view)

    def _lay_over(self, start: int, view: memoryview) -> None:
        stop = start + len(view)
        for offset in range(start - start % PAGE, stop, PAGE):
            page = self.pages.get(offset)
            if page is not None:
                low, high = max(start, offset), min(stop, offset + len(page))
                if low < high:
                    view[low - start : high - start] = page[low - offset : high - offset]

    def close(self) -> None:
        """Close what is below."""
        self._place.close()


class PlaceFile(io.RawIOBase):
    """A read-only file object over a place, for h5py.

    Parameters
    ----------
    place : Place
        Of one file.
    """

    def __init__(self, place: Place) -> None:
        super().__init__()
        self._place = place
        self._position = 0

    def readable(self) -> bool:
        """Say yes."""
        return True

    def seekable(self) -> bool:
        """Say yes."""
        return True

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move the position."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._end()}[whence]
        self._position = start + offset
        return self._position

    def readinto(self, buffer: Any) -> int:
        """Read at the position, up to the end."""
        view = memoryview(buffer).cast("B")
        view = view[: max(0, self._end() - self._position)]
        self._place.fill("", [(self._position, view)] if view else [])
        self._position += len(view)
        return len(view)

    def _end(self) -> int:
        return self._place.size("")


class JournaledFile(PlaceFile):
    """A file object that HDF5 may write to; the disk changes in :meth:`commit` only.

    Parameters
    ----------
    place : Place
        Reads the file.
    path : Path
        The file; its journal must have been replayed. What a crash left after its end is cut off.
    """

    def __init__(self, place: Place, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR)
        self._path = path
        self._committed = stored_size(place)
        if self._committed < place.size(""):
            files.system.truncate(self._descriptor, self._committed)
        self._failure: BaseException | None = None
        self._abandoned = False
        self._size = self._committed
        self._below = place
        self._pages: Pages = {}
        super().__init__(place)

    def _end(self) -> int:
        return self._size

    def readinto(self, buffer: Any) -> int:
        """Read what was written, committed or not."""
        self._place = OverlaidPlace(self._below, self._size, self._pages)
        return super().readinto(buffer)

    def writable(self) -> bool:
        """Say yes."""
        return True

    def write(self, data: Any) -> int:
        """Keep in memory what overwrites committed bytes, write the rest to the disk.

        An error is kept until the next commit: HDF5 could not carry on after it in any useful way.
        """
        view = memoryview(data).cast("B")
        start, stop = self._position, self._position + len(view)
        below = min(max(self._committed - start, 0), len(view))
        if not self._abandoned and self._failure is None:
            try:
                if below:
                    self._hold_back(start, view[:below])
                if below < len(view):
                    files.system.write_at(self._descriptor, start + below, view[below:])
            except BaseException as error:  # noqa: BLE001 - raised again by commit
                self._failure = error
        self._position = stop
        self._size = max(self._size, stop)
        return len(view)

    def _hold_back(self, start: int, view: memoryview) -> None:
        stop = start + len(view)
        for offset in range(start - start % PAGE, stop, PAGE):
            page = self._pages.get(offset) or self._load(offset)
            low, high = max(start, offset), min(stop, offset + len(page))
            page[low - offset : high - offset] = view[low - start : high - start]

    def _load(self, offset: int) -> bytearray:
        page = bytearray(min(PAGE, self._committed - offset))
        self._below.fill("", [(offset, memoryview(page))])
        self._pages[offset] = page
        return page

    def truncate(self, size: int | None = None) -> int:
        """Change the size from the next commit on."""
        self._size = self._position if size is None else size
        return self._size

    def flush(self) -> None:
        """Do nothing: only a commit reaches the disk."""

    def commit(self) -> None:
        """Make everything written since the last commit durable, all of it or nothing."""
        if self._failure is not None:
            raise self._failure
        if self._size > os.fstat(self._descriptor).st_size:
            files.system.truncate(self._descriptor, self._size)
        files.system.sync_descriptor(self._descriptor)
        files.write_durably(journal_path(self._path), [pack_journal(self._size, self._pages)])
        for offset, page in self._pages.items():
            files.system.write_at(self._descriptor, offset, page)
        self._pages.clear()
        self._committed = self._size

    def settle(self) -> None:
        """Wait until the file itself holds every commit, so that it needs its journal no more."""
        files.system.sync_descriptor(self._descriptor)
        drop_journal(self._path)

    def abandon(self) -> None:
        """Let HDF5 close without touching the disk any more."""
        self._abandoned = True

    def close(self) -> None:
        """Close the descriptor."""
        if not self.closed:
            os.close(self._descriptor)
        super().close()
