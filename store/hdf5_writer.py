"""Writes a store that is one HDF5 file, which changes from one commit to the next through its journal."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import google_crc32c
import h5py
import numpy as np
from numpy.typing import NDArray

from store.backend import WritableBackend
from store.columns import Column
from store.commit import Commit
from store.hdf5_backend import Hdf5Backend
from store.hdf5_layout import CHECKSUMS, LIBVER, create_column, encode_values, write_json
from store.journal import JournaledFile, stored_size
from store.places import LocalFile
from store.replaying import replay
from store.seal import Seal

# A reader needs the file unchanged for as long as it takes to read the metadata.
_PAUSE_SECONDS = 0.01


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
        self.header.require_writable(path)
        self.place = self._file_place
        self._columns = self.all_columns(self.commit)
        self._require_chunks_inside()
        self._touched: set[int] = set()
        self._committed_at = monotonic() - _PAUSE_SECONDS
        self._datasets: dict[str, Any] = {}
        self._file = JournaledFile(self._file_place, path)
        self._hdf5 = h5py.File(self._file, "r+", libver=LIBVER, rdcc_nbytes=0)

    def _require_chunks_inside(self) -> None:
        """See that no committed chunk lies beyond the end that the file says it has: what lies there is cut off."""
        end, rows = stored_size(self._file_place), self.commit.n_rows
        for path, column in self._columns.items():
            for block, offset in enumerate(self._offsets[path].tolist()):
                here = min(self.header.block_rows, rows - block * self.header.block_rows)
                if offset + here * column.row_bytes > end:
                    raise self.damaged(self._name(column, block), "lies beyond the end of the file")

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
            self._table.note(path, block, google_crc32c.value(items[:stop].reshape(-1).view(np.uint8)))

    def _dataset(self, path: str) -> Any:
        """Look up a dataset once; h5py looks every part of a path up anew."""
        if path not in self._datasets:
            self._datasets[path] = self._hdf5[path]
        return self._datasets[path]

    def write_commit(self, commit: Commit) -> None:
        """Write checksums, spare copy and commit, then let the journal make all of it durable in one step."""
        blocks, record = self._blocks(commit), commit.to_json()
        table = self._table.array(blocks)
        self._write_checksums(table)
        documents = {"commit": record}
        if self.header.sealed:
            documents["seal"] = Seal.over(record["crc32c"], table).to_json()
        for name, value in documents.items():
            write_json(self._dataset(f"mirror/{name}"), value)
            write_json(self._dataset(name), value)
        self._hdf5.flush()
        sleep(max(0.0, self._committed_at + _PAUSE_SECONDS - monotonic()))
        self._file.commit(self.header.sha256, commit.generation)
        self._committed_at = monotonic()
        self.commit = commit
        self._note_offsets(blocks)
        self._touched.clear()

    def _write_checksums(self, table: NDArray[np.uint32]) -> None:
        dataset = self._dataset(CHECKSUMS)
        dataset.resize(table.shape)
        for block in sorted(self._touched):
            dataset[block] = table[block]

    def _note_offsets(self, blocks: int) -> None:
        for path, column in self._columns.items():
            known = self._offsets.get(path, np.empty(0, np.int64))
            grown = np.full(blocks, -1, np.int64)
            grown[: len(known)] = known
            dataset = self._dataset(path).id
            for block in self._touched:
                at = (block * self.header.block_rows, *([0] * len(column.width)))
                grown[block] = dataset.get_chunk_info_by_coord(at).byte_offset
            self._offsets[path] = grown

    def add_column(self, column: Column, n_rows: int) -> None:  # noqa: ARG002 - datasets grow by themselves
        """Create another dataset."""
        create_column(self._hdf5, column, self.header.block_rows)
        self._columns[column.path] = column
        self._table.add_column(column.path)

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
