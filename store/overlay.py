"""One file with pages laid over it, and file objects that HDF5 reads through."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable
from typing import Any

from store.places import Place, Range

PAGE = 4096

Pages = dict[int, bytearray]


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

    def read(self, key: str, limit: int) -> bytes:  # noqa: ARG002 - it is as long as it says
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
