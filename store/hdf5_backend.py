"""A store as one HDF5 file: chunked, uncompressed datasets, changed only through a journal."""

from __future__ import annotations

import operator
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import google_crc32c
import h5py
import numpy as np
from numpy.typing import NDArray

from store import files
from store.backend import Backend, WritableBackend
from store.columns import Column
from store.errors import IntegrityError, StoreError, StoreFormatError
from store.hdf5_layout import (
    CHECKSUMS,
    LIBVER,
    ChunkMap,
    create_column,
    create_layout,
    decode_values,
    encode_values,
    raw_type,
    read_chunk_map,
    read_json,
    write_json,
)
from store.header import Commit, Header
from store.journal import (
    JournaledFile,
    OverlaidPlace,
    PlaceFile,
    drop_journal,
    read_journal,
    replay,
    stored_size,
    unpack_journal,
)
from store.places import LocalFile, Place, Range, as_bytes

_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_PATIENCE_SECONDS = 30.0
# A reader needs the file unchanged for as long as it takes to read the metadata.
_PAUSE_SECONDS = 0.01


def create_hdf5(path: Path, header: Header, state: Mapping[str, NDArray[Any]], commit: Commit) -> None:
    """Write a store without rows under a temporary name, then rename it to its own."""
    partial = files.temporary(path)
    files.system.unlink(partial)
    with h5py.File(partial, "w", libver=LIBVER) as file:
        create_layout(file, header, state, commit)
    files.system.sync(partial)
    drop_journal(path)
    files.system.replace(partial, path)
    files.system.sync(path.parent)


class Hdf5Backend(Backend):
    """Reads chunks by their offsets; h5py is only asked where they are.

    Parameters
    ----------
    place : Place
        Of the one file.
    journal : Path, optional
        The file whose journal belongs on top; none for URLs.
    spare : bool
        Read the spare copies of header, commit and state, and take what is missing at the end of the file for zeros.
    """

    def __init__(self, place: Place, journal: Path | None = None, *, spare: bool = False) -> None:
        self._file_place = place
        self.concurrent = place.concurrent
        self.place: Place = OverlaidPlace(place, place.size(""), {})
        self.location = place.location
        self._journal = journal
        self._spare = spare
        self.header: Header
        self._map: ChunkMap
        self._state: dict[str, tuple[int, int]]
        self._load()

    def _load(self) -> None:
        """Read header, commit and chunk offsets, all of the same commit.

        Notes
        -----
        A commit's journal stays until the next commit, so metadata that was read while the journal stayed is whole.
        """
        deadline = monotonic() + _PATIENCE_SECONDS
        while monotonic() < deadline:
            before = self._journal_identity()
            try:
                self._load_once()
            except (IntegrityError, StoreFormatError):
                if before == self._journal_identity():
                    raise
            else:
                if before == self._journal_identity():
                    return
            sleep(_PAUSE_SECONDS / 2)
        raise StoreError(
            f"{self.location} kept changing for {_PATIENCE_SECONDS:.0f} s while it was opened. Try again when the "
            "other process commits less often"
        )

    def _journal_identity(self) -> tuple[int, bytes]:
        journal = read_journal(self._journal) if self._journal else b""
        return len(journal), journal[-4:]

    def _load_once(self) -> None:
        journal = unpack_journal(read_journal(self._journal)) if self._journal else None
        size, pages = journal or (0, {})
        if self._spare:
            size = max(size, min(stored_size(self._file_place), 2 * self._file_place.size("")))
        self.place = OverlaidPlace(self._file_place, max(size, self._file_place.size("")), pages)
        with self._damage_named("the HDF5 structure"), h5py.File(PlaceFile(self.place), "r") as file:
            self._load_from(file)

    def _load_from(self, file: Any) -> None:
        if "header" not in file or "commit" not in file:
            raise StoreFormatError(f"{self.location} is not a functa store: it has no dataset 'header' and 'commit'")
        folder = "mirror/" if self._spare else ""
        self.commit = Commit.from_json(read_json(file[f"{folder}commit"]), self.location)
        header = read_json(file[f"{folder}header"])
        self.header = Header.from_json(header, self.commit.header_sha256, self.location)
        self._map = read_chunk_map(file, list(self.all_columns(self.commit).values()), self._blocks(self.commit))
        self._state = {}
        for name in self.header.arrays:
            for folder in ("state", "mirror/state"):
                dataset = file[f"{folder}/{name}"]
                self._state[f"{folder}/{name}"] = (dataset.id.get_offset(), dataset.id.get_storage_size())

    @contextmanager
    def _damage_named(self, what: str) -> Iterator[None]:
        if self._wrong_signature_bytes() > len(_SIGNATURE) // 2:
            raise StoreFormatError(f"{self.location} is not a functa store: it does not begin like an HDF5 file")
        try:
            yield
        except (StoreError, MemoryError):
            raise
        except Exception as error:
            raise self.damaged(what, f"is damaged ({error})") from error

    def _wrong_signature_bytes(self) -> int:
        head = bytearray(len(_SIGNATURE))
        with suppress(EOFError):
            self.place.fill("", [(0, memoryview(head))])
        return sum(map(operator.ne, head, _SIGNATURE))

    def _blocks(self, commit: Commit) -> int:
        return -(-commit.n_rows // self.header.block_rows)

    def newest_commit(self) -> Commit:
        """Read the commit again where others may have written since; a file once opened stays the same file."""
        if self._journal is None or not self._journal.exists():
            return self.commit
        newer = LocalFile(self._journal)
        try:
            return Hdf5Backend(newer, self._journal).commit
        finally:
            newer.close()

    def read_state(self) -> dict[str, NDArray[Any]]:
        """Read the contiguous state arrays."""
        folder = "mirror/state" if self._spare else "state"
        return {name: self._read_array(folder, name) for name in self.header.arrays}

    def _read_array(self, folder: str, name: str) -> NDArray[Any]:
        entry = self.header.arrays[name]
        array: NDArray[Any] = np.empty(entry["shape"], entry["dtype"])
        offset, size = self._state[f"{folder}/{name}"]
        if size != array.nbytes or offset is None:
            raise self.damaged(f"{folder}/{name}", f"has {size} bytes, expected {array.nbytes}")
        self._fill(f"{folder}/{name}", [(offset, array.reshape(-1).view(np.uint8).data)])
        return array

    def read_chunk(self, column: Column, block: int, rows: int, *, check: bool = True) -> NDArray[Any]:
        """Read the committed rows of a chunk and compare them with ``chunk_crc``."""
        data = np.empty(rows * column.row_bytes, np.uint8)
        self._fill(self._name(column, block), [(self._offset(column, block), data.data)])
        if check and google_crc32c.value(data) != self._map.checksums[block, self._position(column)]:
            raise self.damaged(self._name(column, block), "does not match its checksum")
        return decode_values(column, data, rows)

    def _name(self, column: Column, block: int) -> str:
        return f"chunk {block} of {column.path}"

    def _position(self, column: Column) -> int:
        return list(self._map.offsets).index(column.path)

    def _offset(self, column: Column, block: int) -> int:
        offset = int(self._map.offsets[column.path][block])
        if offset < 0:
            raise self.damaged(self._name(column, block), "is missing")
        return offset

    def read_block(self, block: int, into: NDArray[np.float32]) -> bool:
        """Read the chunk, and its checksum from ``chunk_crc``."""
        column = self.header.columns[0]
        self._fill(self._name(column, block), [(self._offset(column, block), as_bytes(into))])
        return bool(google_crc32c.value(into) == self._map.checksums[block, self._position(column)])

    def read_functas(self, block: int, offsets: Sequence[int], into: Sequence[memoryview]) -> None:
        """Read rows by their offsets in the file."""
        column = self.header.columns[0]
        start, width = self._offset(column, block), 4 * self.header.k
        self._fill(
            self._name(column, block), [(start + width * i, view) for i, view in zip(offsets, into, strict=True)]
        )

    def _fill(self, what: str, ranges: list[Range]) -> None:
        try:
            self.place.fill("", ranges)
        except EOFError as error:
            raise self.damaged(what, "is cut off") from error
        except (OSError, OverflowError) as error:
            raise self.damaged(what, f"cannot be read ({error})") from error

    def salvage_chunk(self, column: Column, block: int, rows: int) -> NDArray[Any]:
        """Read the chunk without looking at its checksum, as far as the file goes."""
        data = encode_values(column, column.empty(rows)).reshape(-1).view(np.uint8)
        offset = int(self._map.offsets[column.path][block])
        left = max(0, min(data.nbytes, self.place.size("") - offset))
        if offset >= 0 and left:
            self.place.fill("", [(offset, data[:left].data)])
        return decode_values(column, data, rows)

    def structural_problems(self, commit: Commit) -> list[str]:
        """Compare the spare copies, and what plain HDF5 readers see, with what this store should have."""
        problems = []
        for name in self.header.arrays:
            spare = self._read_array("mirror/state", name)
            if spare.tobytes() != self._read_array("state", name).tobytes():
                problems.append(f"state/{name} and its spare copy differ")
        with self._damage_named("the HDF5 structure"), h5py.File(PlaceFile(self.place), "r") as file:
            for column in self.all_columns(commit).values():
                dataset = file[column.path]
                if len(dataset) < commit.n_rows or dataset.dtype.itemsize != raw_type(column).itemsize:
                    problems.append(f"dataset {column.path} has shape {dataset.shape} and type {dataset.dtype}")
            problems += [
                f"the spare copy of {name} is damaged" for name in ("header", "commit") if _differs(file, name)
            ]
        return problems

    def nbytes(self) -> int:
        """Ask for the file's size."""
        return self.place.size("")

    def close(self) -> None:
        """Close the file."""
        self._file_place.close()


def _differs(file: Any, name: str) -> bool:
    try:
        return bool(read_json(file[name]) != read_json(file[f"mirror/{name}"]))
    except (OSError, KeyError, ValueError):
        return True


class WritableHdf5Backend(Hdf5Backend, WritableBackend):
    """A local HDF5 store opened by the one process that holds its lock.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        replay(path)
        self.path = path
        super().__init__(LocalFile(path), path)
        self.place = self._file_place
        self._columns = self.all_columns(self.commit)
        self._checksums = {path: self._map.checksums[:, i].copy() for i, path in enumerate(self._columns)}
        self._touched: set[int] = set()
        self._committed_at = monotonic() - _PAUSE_SECONDS
        self._datasets: dict[str, Any] = {}
        self._file = JournaledFile(self._file_place, path)
        self._hdf5 = h5py.File(self._file, "r+", libver=LIBVER, rdcc_nbytes=0)

    def write_block(self, block: int, columns: Mapping[str, NDArray[Any]], start: int, stop: int) -> None:
        """Write a new chunk whole, and only the new rows of one that exists."""
        first = block * self.header.block_rows
        self._touched.add(block)
        for path, values in columns.items():
            column = self._columns[path]
            items = encode_values(column, values)
            dataset = self._dataset(path)
            if len(dataset) < first + stop:
                dataset.resize(first + stop, axis=0)
            if start:
                dataset[first + start : first + stop] = items[start:stop].astype(dataset.dtype)
            else:
                dataset.id.write_direct_chunk((first, *([0] * len(column.width))), items.data)
            self._note_checksum(path, block, items[:stop])

    def _dataset(self, path: str) -> Any:
        """Look up a dataset once; h5py looks every part of a path up anew."""
        if path not in self._datasets:
            self._datasets[path] = self._hdf5[path]
        return self._datasets[path]

    def _note_checksum(self, path: str, block: int, items: NDArray[Any]) -> None:
        known = self._checksums[path]
        if block >= len(known):
            known = self._checksums[path] = np.concatenate([known, np.zeros(block + 1 - len(known), np.uint32)])
        known[block] = google_crc32c.value(items.reshape(-1).view(np.uint8))

    def write_commit(self, commit: Commit) -> None:
        """Write checksums, spare copy and commit, then let the journal make all of it durable in one step."""
        blocks = self._blocks(commit)
        self._write_checksums(blocks)
        write_json(self._dataset("mirror/commit"), commit.to_json())
        write_json(self._dataset("commit"), commit.to_json())
        self._hdf5.flush()
        sleep(max(0.0, self._committed_at + _PAUSE_SECONDS - monotonic()))
        self._file.commit()
        self._committed_at = monotonic()
        self.commit = commit
        self._map = self._updated_map(blocks)
        self._touched.clear()

    def _write_checksums(self, blocks: int) -> None:
        dataset = self._dataset(CHECKSUMS)
        dataset.resize((blocks, len(self._columns)))
        for block in sorted(self._touched):
            dataset[block] = [self._checksums[path][block] for path in self._columns]

    def _updated_map(self, blocks: int) -> ChunkMap:
        offsets = {}
        for path, column in self._columns.items():
            known = self._map.offsets.get(path, np.empty(0, np.int64))
            grown = np.full(blocks, -1, np.int64)
            grown[: len(known)] = known
            dataset = self._dataset(path).id
            for block in self._touched:
                at = (block * self.header.block_rows, *([0] * len(column.width)))
                grown[block] = dataset.get_chunk_info_by_coord(at).byte_offset
            offsets[path] = grown
        return ChunkMap(offsets, np.stack([self._checksums[path][:blocks] for path in self._columns], axis=1))

    def add_column(self, column: Column, n_rows: int) -> None:
        """Create another dataset."""
        create_column(self._hdf5, column, self.header.block_rows)
        self._columns[column.path] = column
        self._checksums[column.path] = np.zeros(-(-n_rows // self.header.block_rows), np.uint32)

    def close(self) -> None:
        """Wait for the file to hold every commit, drop the journal and let go."""
        self._file.settle()
        self.abandon()

    def abandon(self) -> None:
        """Let HDF5 go without letting it write."""
        if not self._file.closed:
            self._file.abandon()
            self._datasets.clear()
            self._hdf5.close()
            self._file.close()
        super().close()
