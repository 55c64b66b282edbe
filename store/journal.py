"""A file that HDF5 writes to as it likes, while the disk goes from one commit to the next in one step.

HDF5 overwrites its metadata in place, so a crash in the middle leaves a file that may not open. Here every write
below the committed size is held back in memory. A commit writes those pages to a journal beside the file (synced, then
renamed into place: from here on the commit exists), and only then into the file itself. What lies above the committed
size is new, nobody reads it yet, and goes straight to the disk. Readers lay the journal over the file; the next writer
copies it in. A journal holds the pages as they were, too: laid over a file that is neither in that state nor on the way
from it to the next one - another store, a restored copy - it would destroy it, so it is set aside.
"""

from __future__ import annotations

import os
import struct
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import google_crc32c
import numpy as np

from store import files
from store.overlay import PAGE, OverlaidPlace, Pages, PlaceFile
from store.places import NotPlainError, Place, open_plain

_MAGIC, _OLD_MAGIC = b"FUNCTAJ2", b"FUNCTAJ1"
_HEAD, _OLD_HEAD = struct.Struct("<8s32sQQQ"), struct.Struct("<8sQQ")
_ENTRY = struct.Struct("<QQ")
_END_ADDRESS = 28
_MAX_BYTES = 2**30
_EARLY_BYTES = 16 * 2**20


@dataclass(frozen=True)
class Journal:
    """The last commit of a file: pages that stand below its former end.

    Parameters
    ----------
    size : int
        The file's new size.
    pages : dict of offset to bytes
        As they are to be.
    before : dict of offset to bytes
        As they were; empty in journals of format 1.0.
    header_sha256 : str
        Of the store that the commit belongs to; empty in journals of format 1.0.
    generation : int
        Of the commit.
    """

    size: int
    pages: Pages
    before: Pages = field(default_factory=dict)
    header_sha256: str = ""
    generation: int = 0

    def fits(self, place: Place) -> bool:
        """Tell whether a file is in the state that this journal goes on from, or in any on the way to the next one.

        A crash, of the process or of the power, leaves in each place either the old or the new byte.
        """
        if place.size("") < self.size:
            return False
        for offset, page in self.pages.items():
            found = bytearray(len(page))
            try:
                place.fill("", [(offset, memoryview(found))])
            except EOFError:
                return False
            here, old, new = (np.frombuffer(data, np.uint8) for data in (found, self.before[offset], page))
            if not ((here == old) | (here == new)).all():
                return False
        return True


def journal_path(path: Path) -> Path:
    """Name the journal that belongs to a file."""
    return path.with_name(f".{path.name}.journal")


def pack_journal(journal: Journal) -> bytes:
    """Write a journal: header's digest, generation, new size, each page as it is to be and as it was, a checksum."""
    digest = bytes.fromhex(journal.header_sha256)
    parts = [_HEAD.pack(_MAGIC, digest, journal.generation, journal.size, len(journal.pages))]
    for offset in sorted(journal.pages):
        page, old = journal.pages[offset], journal.before[offset]
        parts += [_ENTRY.pack(offset, len(page)), bytes(page), bytes(old)]
    body = b"".join(parts)
    return body + struct.pack("<I", google_crc32c.value(body))


def unpack_journal(data: bytes) -> Journal | None:
    """Read a journal; None when it is not whole, which means that its commit never happened."""
    if len(data) < _OLD_HEAD.size + 4 or google_crc32c.value(data[:-4]) != int.from_bytes(data[-4:], "little"):
        return None
    try:
        if data[:8] == _OLD_MAGIC:
            _, size, count = _OLD_HEAD.unpack_from(data)
            return Journal(size, _unpack_pages(data, _OLD_HEAD.size, count, copies=1)[0])
        magic, digest, generation, size, count = _HEAD.unpack_from(data)
        pages, before = _unpack_pages(data, _HEAD.size, count, copies=2)
    except (struct.error, ValueError):
        return None
    return Journal(size, pages, before, digest.hex(), generation) if magic == _MAGIC else None


def _unpack_pages(data: bytes, position: int, count: int, *, copies: int) -> list[Pages]:
    found: list[Pages] = [{} for _ in range(copies)]
    for _ in range(count):
        offset, length = _ENTRY.unpack_from(data, position)
        position += _ENTRY.size
        if offset % PAGE or length > PAGE or position + copies * length > len(data):
            raise ValueError
        for pages in found:
            pages[offset] = bytearray(data[position : position + length])
            position += length
    return found


def read_journal(path: Path) -> bytes:
    """Read the journal of a file; empty when there is none."""
    try:
        descriptor = open_plain(journal_path(path))
    except (FileNotFoundError, NotPlainError):
        return b""
    with os.fdopen(descriptor, "rb") as file:
        return file.read(_MAX_BYTES)


def write_pages(path: Path, journal: Journal) -> None:
    """Bring a file into the state after its last commit, durably."""
    descriptor = open_plain(path, os.O_RDWR)
    try:
        for offset, page in journal.pages.items():
            files.system.write_at(descriptor, offset, page)
        files.system.sync_descriptor(descriptor)
    finally:
        os.close(descriptor)


def stored_size(place: Place) -> int:
    """Read from the superblock how long an HDF5 file should be; 0 when it does not say."""
    field = bytearray(8)
    with suppress(EOFError):
        place.fill("", [(_END_ADDRESS, memoryview(field))])
    return int.from_bytes(field, "little")


def drop_journal(path: Path) -> None:
    """Delete the journal of a file that holds all of it, durably."""
    if os.path.lexists(journal_path(path)):
        files.system.unlink(journal_path(path))
        files.system.sync(path.parent)


def set_aside(path: Path) -> Path:
    """Move a journal that belongs to another file out of the way; return where it is now."""
    aside = path.with_name(f".{path.name}.journal.aside")
    files.system.replace(journal_path(path), aside)
    files.system.sync(path.parent)
    return aside


class EarlySync:
    """Lets the disk begin with what was written while the next blocks are made, so that a commit waits for less.

    Parameters
    ----------
    descriptor : int
        Of a file whose bytes nobody reads before a commit, which syncs it in any case.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._waiting = 0
        self._pool: ThreadPoolExecutor | None = None
        self._job: Future[None] | None = None

    def wrote(self, nbytes: int) -> None:
        """Count bytes; begin a sync when they are many and the last one is done."""
        self._waiting += nbytes
        if self._waiting >= _EARLY_BYTES and (self._job is None or self._job.done()):
            self.wait()
            self._waiting = 0
            self._pool = self._pool or ThreadPoolExecutor(1)
            self._job = self._pool.submit(os.fsync, self._descriptor)

    def wait(self) -> None:
        """Wait for what began, and raise its error: a system tells a descriptor of a failed write once."""
        job, self._job = self._job, None
        if job is not None:
            job.result()

    def stop(self) -> None:
        """Wait until the descriptor is not in use."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)


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
        self._descriptor = open_plain(path, os.O_RDWR)
        self._path = path
        self._committed = stored_size(place)
        if self._committed < place.size(""):
            files.system.truncate(self._descriptor, self._committed)
        self._failure: BaseException | None = None
        self._abandoned = False
        self._process = os.getpid()
        self._early = EarlySync(self._descriptor)
        self._size = self._committed
        self._below = place
        self._pages: Pages = {}
        self._before: Pages = {}
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
        """Keep in memory what overwrites committed bytes, write the rest to the disk; a fork writes nothing.

        An error is kept until the next commit: HDF5 could not carry on after it in any useful way.
        """
        view = memoryview(data).cast("B")
        start, stop = self._position, self._position + len(view)
        below = min(max(self._committed - start, 0), len(view))
        if not self._abandoned and self._failure is None and self._process == os.getpid():
            try:
                if below:
                    self._hold_back(start, view[:below])
                if below < len(view):
                    files.system.write_at(self._descriptor, start + below, view[below:])
                    self._early.wrote(len(view) - below)
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
        self._pages[offset], self._before[offset] = page, bytearray(page)
        return page

    def truncate(self, size: int | None = None) -> int:
        """Change the size from the next commit on."""
        self._size = self._position if size is None else size
        return self._size

    def flush(self) -> None:
        """Do nothing: only a commit reaches the disk."""

    def commit(self, header_sha256: str, generation: int) -> None:
        """Make everything written since the last commit durable, all of it or nothing.

        Parameters
        ----------
        header_sha256 : str
            Of the store.
        generation : int
            Of the commit.
        """
        if self._failure is not None:
            raise self._failure
        if self._size > os.fstat(self._descriptor).st_size:
            files.system.truncate(self._descriptor, self._size)
        self._early.wait()
        files.system.sync_descriptor(self._descriptor)
        journal = Journal(self._size, self._pages, self._before, header_sha256, generation)
        files.write_durably(journal_path(self._path), [pack_journal(journal)])
        for offset, page in self._pages.items():
            files.system.write_at(self._descriptor, offset, page)
        self._pages.clear()
        self._before.clear()
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
            self._early.stop()
            os.close(self._descriptor)
        super().close()
