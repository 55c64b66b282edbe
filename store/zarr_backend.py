"""Reads a store that is a Zarr v3 group: one plain chunk per block and column."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import google_crc32c
import numpy as np
from numpy.typing import NDArray

from store import files
from store.backend import Backend, PlainReader
from store.columns import Column
from store.commit import Commit
from store.documents import MAX_DOCUMENT_BYTES, document_bytes, parse
from store.errors import IntegrityError, StoreError
from store.header import Header
from store.places import LocalFolder, Place, as_bytes, tree_bytes
from store.seal import ChunkTable
from store.zarr_layout import (
    checksum_holds,
    chunk_key,
    committed_bytes,
    decode_texts,
    longest_chunk,
    metadata_documents,
    salvage_texts,
    with_checksum,
)
from store.zarr_record import (
    MIRROR,
    ROOT,
    Record,
    blocks_of,
    named_blocks,
    read_current,
    read_record,
    read_spare,
    unnamed_blocks,
)


def create_zarr(
    path: Path, header: Header, state: Mapping[str, NDArray[Any]], commit: Commit, *, synced: bool = True
) -> None:
    """Write a store without rows under a temporary name, then rename it to its own; durable if it is `synced`."""
    folder = files.temporary(path)
    files.system.remove_tree(folder)
    contents: dict[str, list[Any]] = {}
    table = ChunkTable([column.path for column in header.columns], np.zeros((0, len(header.columns)), np.uint32))
    record = Record(header, commit, table if header.sealed else None, {})
    for key, document in metadata_documents(header, header.columns).items():
        if key in (ROOT, MIRROR):
            document["attributes"] = record.attributes()
        contents[key] = [document_bytes(document)]
    for name, array in state.items():
        for place in ("state", "mirror/state"):
            contents[_state_key(place, name, array.ndim)] = with_checksum(np.ascontiguousarray(array))
    for key, parts in contents.items():
        files.system.make_folder((folder / key).parent)
        files.system.write(folder / key, parts)
    if synced:
        files.make_tree_durable(folder)
    files.system.replace(folder, path)
    if synced:
        files.system.sync(path.parent)


def _state_key(folder: str, name: str, dimensions: int) -> str:
    return chunk_key(f"{folder}/{name}", [0] * dimensions)


class ZarrBackend(Backend):
    """Reads chunks byte by byte from a local folder or a URL.

    Parameters
    ----------
    place : Place
    spare : bool
        Read the spare copies of header, commit and state.
    """

    def __init__(self, place: Place, *, spare: bool = False) -> None:
        self.place = place
        self.concurrent = place.concurrent
        self.location = place.location
        self._state_folder = "mirror/state" if spare else "state"
        self._record, self._spare_record = (read_record(place, MIRROR), None) if spare else read_current(place)
        self.header, self.commit, self._table = self._record.header, self._record.commit, self._record.table
        if self._table is None:
            self._check_blocks()

    def _check_blocks(self) -> None:
        """See that there are as many blocks as the commit says: without a table only the files tell."""
        blocks = blocks_of(self.header, self.commit)
        try:
            found = self.place.count("functas", blocks)
        except OSError:
            found = 0
        if blocks > 2 * found + 1000:
            raise self.damaged("functas", f"has {found} blocks, but the commit record says {blocks}")

    def newest_commit(self) -> Commit:
        """Read ``zarr.json`` again: it may be newer than the header read on opening."""
        return read_record(self.place, ROOT).commit

    def unnamed_blocks(self) -> int:
        """Count the blocks that neither the root nor its spare copy name."""
        named = named_blocks(self._record, read_spare(self.place))
        return unnamed_blocks(self.place, named)

    def read_state(self) -> dict[str, NDArray[Any]]:
        """Read the single chunks of the state arrays."""
        return {name: self._read_array(self._state_folder, name) for name in self.header.arrays}

    def _read_array(self, folder: str, name: str) -> NDArray[Any]:
        entry = self.header.arrays[name]
        key = _state_key(folder, name, len(entry.shape))
        chunk = self._read_whole(key, entry.nbytes + 4)
        if len(chunk) != entry.nbytes + 4:
            raise self.damaged(key, f"has {len(chunk)} bytes")
        array: NDArray[Any] = chunk[:-4].view(np.dtype(entry.dtype)).reshape(entry.shape)
        return array

    def _read_whole(self, key: str, limit: int) -> NDArray[np.uint8]:
        try:
            chunk = np.frombuffer(self.place.read(key, limit), np.uint8)
        except FileNotFoundError as error:
            raise self.damaged(key, "is missing") from error
        if not checksum_holds(chunk):
            raise self.damaged(key, "does not match its checksum")
        return chunk

    def _key(self, column: Column, block: int) -> str:
        return chunk_key(column.path, [block, *([0] * len(column.width))])

    def read_chunk(self, column: Column, block: int, rows: int, *, check: bool = True) -> NDArray[Any]:
        """Read the chunk ``<column>/c.<block>``; its committed rows must be those that the seal has at this place."""
        key = self._key(column, block)
        if not (check or column.is_text):
            return self._read_range(column, key, rows)
        chunk = self._read_whole(key, longest_chunk(column, self.header.block_rows))
        values = self._decode(column, key, chunk)[:rows]
        if self._table is not None:
            found = google_crc32c.value(committed_bytes(column, chunk, values, self.header.block_rows))
            if not self._table.holds(column.path, block, found):
                raise self._misplaced(key)
        return values

    def _decode(self, column: Column, key: str, chunk: NDArray[np.uint8]) -> NDArray[Any]:
        if column.is_text:
            try:
                return decode_texts(chunk, self.header.block_rows)
            except ValueError as error:
                raise self.damaged(key, f"holds no texts ({error})") from error
        if len(chunk) != column.row_bytes * self.header.block_rows + 4:
            raise self.damaged(key, f"has {len(chunk)} bytes")
        return chunk[:-4].view(column.dtype).reshape(self.header.block_rows, *column.width)

    def _misplaced(self, key: str) -> StoreError:
        if self.newest_commit().epoch != self.commit.epoch:
            return StoreError(f"{self.location} was compacted or repaired since it was opened. Open it again")
        return self.damaged(key, "is sound, but not the chunk that was committed in this place")

    def _read_range(self, column: Column, key: str, rows: int) -> NDArray[Any]:
        values = np.empty((rows, *column.width), column.dtype)
        self._fill(key, [(0, values.data.cast("B"))])
        return values

    def read_block(self, block: int, into: NDArray[np.float32]) -> bool:
        """Read the chunk and the checksum behind it."""
        checksum = bytearray(4)
        self._fill(f"functas/c.{block}.0", [(0, as_bytes(into)), (into.nbytes, memoryview(checksum))])
        if self._table is None:
            return False
        found = int(google_crc32c.value(into))
        return found == int.from_bytes(checksum, "little") and self._table.holds("functas", block, found)

    def read_functas(self, block: int, offsets: Sequence[int], into: Sequence[memoryview]) -> None:
        """Read rows by their offsets in the uncompressed chunk."""
        width = 4 * self.header.k
        self._fill(f"functas/c.{block}.0", [(width * i, view) for i, view in zip(offsets, into, strict=True)])

    def _fill(self, key: str, ranges: list[tuple[int, memoryview]]) -> None:
        try:
            self.place.fill(key, ranges)
        except FileNotFoundError as error:
            raise self.damaged(key, "is missing") from error
        except EOFError as error:
            raise self.damaged(key, "is cut off") from error

    def salvage_chunk(self, column: Column, block: int, rows: int) -> NDArray[Any]:
        """Read the file without looking at its checksum."""
        try:
            data = self.place.read(self._key(column, block), longest_chunk(column, self.header.block_rows))
        except (FileNotFoundError, IntegrityError):
            return column.empty(rows)
        if column.is_text:
            return salvage_texts(data, rows)
        found = column.empty(self.header.block_rows)
        whole = min(len(data), found.nbytes) // column.row_bytes
        found[:whole] = np.frombuffer(data, column.dtype, whole * int(np.prod(column.width, dtype=int))).reshape(
            whole, *column.width
        )
        return found[:rows]

    def structural_problems(self, commit: Commit) -> list[str]:
        """Compare every ``zarr.json`` with the one this store should have."""
        problems = []
        for key, expected in metadata_documents(self.header, list(self.all_columns(commit).values())).items():
            sound = self._mirror_holds(commit) if key == MIRROR else self._document_holds(key, expected, commit.n_rows)
            if not sound and key != ROOT:
                problems.append(f"{key} is missing or damaged")
        for name in self.header.arrays:
            try:
                self._read_array("mirror/state", name)
            except IntegrityError as error:
                problems.append(str(error))
        return problems

    def _mirror_holds(self, commit: Commit) -> bool:
        """Compare the spare copy, which is written before the first one and so may be one commit ahead."""
        spare = read_spare(self.place)
        return (
            spare is not None and spare.header == self.header and 0 <= spare.commit.generation - commit.generation <= 1
        )

    def _document_holds(self, key: str, expected: dict[str, Any], n_rows: int) -> bool:
        try:
            found = parse(self.place.read(key, MAX_DOCUMENT_BYTES), key)
            if "state/" not in key and "shape" in expected:
                expected["shape"][0] = max(n_rows, int(found["shape"][0]))
        except (FileNotFoundError, IntegrityError, ValueError, KeyError, TypeError, IndexError, OverflowError):
            return False
        return bool(found == expected)

    @contextmanager
    def plain_reader(self) -> Iterator[PlainReader | None]:
        """Read with zarr."""
        if not isinstance(self.place, LocalFolder):
            yield None
            return
        import zarr

        group = zarr.open_group(self.place.path, mode="r")

        def read(column: Column, start: int, end: int) -> NDArray[Any]:
            found: Any = group[column.path][start:end]  # type: ignore[index]
            return np.asarray(found, dtype=object if column.is_text else column.dtype)

        yield read

    def nbytes(self) -> int:
        """Count the bytes of all files."""
        return tree_bytes(self.place)

    def close(self) -> None:
        """Nothing stays open between reads."""
