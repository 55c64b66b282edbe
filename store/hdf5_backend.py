"""Reads a store that is one HDF5 file: chunked, uncompressed datasets."""

from __future__ import annotations

import operator
import warnings
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
from store.backend import Backend, PlainReader
from store.columns import Column
from store.commit import Commit
from store.errors import IntegrityError, StoreError, StoreFormatError, StoreWarning
from store.hdf5_layout import (
    LIBVER,
    chunk_offsets,
    create_layout,
    decode_values,
    encode_values,
    plain_dataset,
    raw_type,
    read_json,
    read_table,
)
from store.header import Header
from store.journal import drop_journal, read_journal, stored_size
from store.overlay import OverlaidPlace, PlaceFile
from store.places import LocalFile, Place, Range, as_bytes
from store.replaying import ForeignJournalError, fitting_journal
from store.seal import ChunkTable, check_seal

_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_PATIENCE_SECONDS = 30.0
_PAUSE_SECONDS = 0.005


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
        self._bare = False
        self.header: Header
        self._table: ChunkTable
        self._offsets: dict[str, NDArray[np.int64]]
        self._unnamed = 0
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
            except (IntegrityError, StoreFormatError) as error:
                if before == self._journal_identity():
                    if not isinstance(error, ForeignJournalError):
                        raise
                    self._leave_journal_aside(error)
            else:
                if before == self._journal_identity():
                    return
            sleep(_PAUSE_SECONDS)
        raise StoreError(
            f"{self.location} kept changing for {_PATIENCE_SECONDS:.0f} s while it was opened. Try again when the "
            "other process commits less often"
        )

    def _journal_identity(self) -> tuple[int, bytes]:
        journal = read_journal(self._journal) if self._journal else b""
        return len(journal), journal[-4:]

    def _load_once(self) -> None:
        journal = fitting_journal(self._file_place, self._journal) if self._journal and not self._bare else None
        size, pages = (journal.size, journal.pages) if journal else (0, {})
        if self._spare:
            size = max(size, min(stored_size(self._file_place), 2 * self._file_place.size("")))
        self.place = OverlaidPlace(self._file_place, max(size, self._file_place.size("")), pages)
        with self._damage_named("the HDF5 structure"), h5py.File(PlaceFile(self.place), "r") as file:
            self._load_from(file)

    def _leave_journal_aside(self, error: ForeignJournalError) -> None:
        """Go on without a journal that does not belong to the file."""
        if self._journal is not None and not self._file_place.is_at(self._journal):
            raise StoreError(f"{self.location} was replaced while it was opened. Open it again") from error
        warnings.warn(f"{error}. It is not read", StoreWarning, stacklevel=2)
        self._bare = True

    def _load_from(self, file: Any) -> None:
        if "header" not in file or "commit" not in file:
            raise StoreFormatError(f"{self.location} is not a functa store: it has no dataset 'header' and 'commit'")
        folder, location = "mirror/" if self._spare else "", self.location
        commit = read_json(file, f"{folder}commit", location)
        self.commit = Commit.from_json(commit, location)
        self.header = Header.from_json(
            read_json(file, f"{folder}header", location), self.commit.header_sha256, location
        )
        columns = {path: plain_dataset(file, path, location) for path in self.all_columns(self.commit)}
        table = read_table(file, len(columns), columns["functas"].id.get_num_chunks(), location)
        blocks = self._count_blocks(columns, table)
        if self.header.sealed:
            self._check_seal(file, f"{folder}seal", commit["crc32c"], table)
        self._table = ChunkTable(columns, table)
        self._offsets = {path: chunk_offsets(dataset, blocks) for path, dataset in columns.items()}
        self._find_state(file)

    def _count_blocks(self, columns: Mapping[str, Any], table: NDArray[np.uint32]) -> int:
        """Count the blocks; a commit leaves all columns, and the table, exactly as long as it says."""
        rows = set(map(len, columns.values()))
        named, there = self._blocks(self.commit), max(len(table), -(-max(rows) // self.header.block_rows))
        if not self._spare and (rows != {self.commit.n_rows} or len(table) != named):
            raise self.damaged(
                "the commit record",
                f"says {self.commit.n_rows} rows in {named} blocks, but there are {max(rows)} in {len(table)}: was an "
                "older record or file put back?",
            )
        most = 2 * columns["functas"].id.get_num_chunks() + 1000
        if max(there, named) > most:
            raise self.damaged("the commit record", f"says {named} blocks, which is far more than there are")
        self._unnamed = max(0, there - named)
        return max(there, named)

    def _check_seal(self, file: Any, name: str, commit: int, table: NDArray[np.uint32]) -> None:
        """Compare the table with its seal; without one that holds, the spare copy still says what the rows are."""
        try:
            check_seal(read_json(file, name, self.location), commit, table, self.location)
        except IntegrityError:
            if not self._spare:
                raise
            self.in_order = False

    def _find_state(self, file: Any) -> None:
        self._state = {}
        for name in self.header.arrays:
            for folder in ("state", "mirror/state"):
                dataset = plain_dataset(file, f"{folder}/{name}", self.location)
                self._state[f"{folder}/{name}"] = (dataset.id.get_offset(), dataset.id.get_storage_size())

    @property
    def longest_id(self) -> int:
        """IDs have a fixed width."""
        return self.header.id_width

    def unnamed_blocks(self) -> int:
        """Count the blocks that have checksums, but are not in the commit."""
        return self._unnamed

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
        offset, size = self._state[f"{folder}/{name}"]
        if size != entry.nbytes or offset is None or size > self.place.size(""):
            raise self.damaged(f"{folder}/{name}", f"has {size} bytes, expected {entry.nbytes}")
        array: NDArray[Any] = np.empty(entry.shape, entry.dtype)
        self._fill(f"{folder}/{name}", [(offset, array.reshape(-1).view(np.uint8).data)])
        return array

    def read_chunk(self, column: Column, block: int, rows: int, *, check: bool = True) -> NDArray[Any]:
        """Read the committed rows of a chunk and compare them with ``chunk_crc``."""
        size = rows * column.row_bytes
        if size > self.place.size(""):
            raise self.damaged(self._name(column, block), "is longer than the file")
        data = np.empty(size, np.uint8)
        self._fill(self._name(column, block), [(self._offset(column, block), data.data)])
        if check and not self._table.holds(column.path, block, google_crc32c.value(data)):
            raise self.damaged(self._name(column, block), "does not match its checksum")
        return decode_values(column, data, rows)

    def _name(self, column: Column, block: int) -> str:
        return f"chunk {block} of {column.path}"

    def _offset(self, column: Column, block: int) -> int:
        offset = int(self._offsets[column.path][block])
        if offset < 0:
            raise self.damaged(self._name(column, block), "is missing")
        return offset

    def read_block(self, block: int, into: NDArray[np.float32]) -> bool:
        """Read the chunk, and its checksum from ``chunk_crc``."""
        column = self.header.columns[0]
        self._fill(self._name(column, block), [(self._offset(column, block), as_bytes(into))])
        return self._table.holds("functas", block, google_crc32c.value(into))

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
        offset = int(self._offsets[column.path][block])
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
            names = ("header", "commit", "seal") if self.header.sealed else ("header", "commit")
            problems += [f"the spare copy of {name} is damaged" for name in names if self._differs(file, name)]
        return problems

    def _differs(self, file: Any, name: str) -> bool:
        try:
            return bool(read_json(file, name, self.location) != read_json(file, f"mirror/{name}", self.location))
        except (OSError, KeyError, ValueError, IntegrityError):
            return True

    @contextmanager
    def plain_reader(self) -> Iterator[PlainReader | None]:
        """Read with h5py, over the last commit's journal where there is one."""
        with h5py.File(PlaceFile(self.place), "r") as file:

            def read(column: Column, start: int, end: int) -> NDArray[Any]:
                dataset = file[column.path]
                found: NDArray[Any] = (dataset.asstr() if column.is_text else dataset)[start:end]
                return found

            yield read

    def nbytes(self) -> int:
        """Ask for the file's size."""
        return self.place.size("")

    def close(self) -> None:
        """Close the file."""
        self._file_place.close()
