"""Writes a store that is a Zarr v3 group; see the protocol on the format page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import Any

import google_crc32c
from numpy.typing import NDArray

from store import files
from store.backend import WritableBackend
from store.batch import Batch, UnsyncedBatch
from store.columns import Column
from store.commit import Commit
from store.documents import MAX_DOCUMENT_BYTES, document_bytes, parse
from store.errors import IntegrityError
from store.places import LocalFolder
from store.zarr_backend import ZarrBackend
from store.zarr_layout import committed_bytes, encode_chunk, metadata_documents
from store.zarr_record import MIRROR, ROOT, blocks_of, unnamed_blocks

UNSYNCED_SECONDS = 30.0
"""Age up to which a store that nobody counts on yet is not worth a sync: as much work as any store may lose."""


class WritableZarrBackend(ZarrBackend, WritableBackend):
    """A local Zarr store opened by the one process that holds its lock.

    Parameters
    ----------
    path : Path
    synced : bool
        Each commit survives a loss of power. If not, those of the first 30 s only survive the death of the process; who
        relies on the store earlier has to call `files.make_tree_durable`.

    Raises
    ------
    IntegrityError
        There is a link in the store, or a block that neither the root nor its spare copy name; nothing was changed.

    Notes
    -----
    The arrays' shapes grow in powers of two, so that most commits touch no array metadata, and are cut to the committed
    rows on closing. This package never reads them; plain Zarr readers take ``commit.n_rows`` rows. Without syncs they
    are those rows all along, so that closing changes nothing.

    A loss of power may tear unsynced files in any way. Nothing is lost that was promised, as nobody was told of a
    commit yet, and nothing torn is taken for rows: header, commit, table and chunks have checksums, and whoever takes
    up such a store verifies all of it.
    """

    def __init__(self, path: Path, *, synced: bool = True) -> None:
        super().__init__(LocalFolder(path))
        self.header.require_writable(path)
        self.path = path
        commit = self.commit
        self._columns = self.all_columns(commit)
        self._documents = metadata_documents(self.header, list(self._columns.values()))
        self._batch: Batch | UnsyncedBatch = Batch() if synced else UnsyncedBatch()
        self._begun = monotonic()
        self._require_named_blocks()
        files.sweep(path)
        self._forget_uncommitted()
        self._capacity = -1
        self._resize(commit.n_rows)

    def _require_named_blocks(self) -> None:
        """Refuse a store with blocks that no commit named: they are not the remains of an interrupted one."""
        spare = self._spare_record
        named = blocks_of(self.header, (spare or self._record).commit)
        named = max(named, blocks_of(self.header, self.commit))
        more = unnamed_blocks(self.place, named)
        if more:
            raise IntegrityError(
                f"{self.location} has {more} blocks that its commit records do not name: are {ROOT} and {MIRROR} older "
                f"copies? Nothing was changed. Run `functa store repair {self.location}`, which keeps every row that "
                "proves itself"
            )

    def _forget_uncommitted(self) -> None:
        """Delete what an interrupted commit left, and take its spare copy back."""
        blocks = blocks_of(self.header, self.commit)
        for column in self._columns.values():
            for chunk in (self.path / column.path).glob("c.*"):
                number = chunk.name.split(".")[1]
                if number.isdecimal() and int(number) >= blocks:
                    files.system.unlink(chunk)
        spare = self._spare_record
        if spare is None or spare.commit != self.commit:
            document = self._documents[MIRROR] | {"attributes": self._record.attributes()}
            files.write_durably(self.path / MIRROR, [document_bytes(document)])

    def write_block(self, block: int, columns: Mapping[str, NDArray[Any]], start: int, stop: int) -> None:  # noqa: ARG002
        """Write the chunks of a block under temporary names: small ones in a thread, from copies; functas last."""
        chunks = {path: encode_chunk(self._columns[path], values) for path, values in columns.items()}
        if self._table is not None:
            for path, parts in chunks.items():
                self._table.note(path, block, self._checksum(self._columns[path], parts, columns[path][:stop]))
        targets = {path: self.path / self._key(self._columns[path], block) for path in chunks}
        small = chunks.keys() - {"functas"}
        if small:
            self._batch.write_later({targets[path]: [b"".join(chunks[path])] for path in sorted(small)})
        if "functas" in chunks:
            self._batch.write(targets["functas"], chunks["functas"])

    def _checksum(self, column: Column, parts: list[Any], committed: NDArray[Any]) -> int:
        """Give the checksum of a chunk's committed rows; that of a full chunk of numbers stands behind it already."""
        if len(committed) == self.header.block_rows and not column.is_text:
            return int.from_bytes(parts[1], "little")
        return int(google_crc32c.value(committed_bytes(column, parts, committed, self.header.block_rows)))

    def write_commit(self, commit: Commit) -> None:
        """Sync the chunks; rename the spare copy, then the chunks, then the root ``zarr.json``, each durable."""
        capacity = self._capacity
        if commit.n_rows > capacity:
            capacity = self._room_for(commit.n_rows)
            self._stage_shapes(capacity)
        record = replace(self._record, commit=commit)
        attributes = record.attributes()
        self._stage_document(MIRROR, self._documents[MIRROR] | {"attributes": attributes})
        self._batch.publish(first=self.path / MIRROR)
        self._capacity = capacity
        root = [document_bytes(self._documents[ROOT] | {"attributes": attributes})]
        self._batch.write_after(self.path / ROOT, root)
        self._record, self.commit = record, commit
        if isinstance(self._batch, UnsyncedBatch) and monotonic() - self._begun > UNSYNCED_SECONDS:
            files.make_tree_durable(self.path)
            files.system.sync(self.path.parent)
            self._batch = Batch()

    def _room_for(self, rows: int) -> int:
        ahead = max(self.header.block_rows, 2 ** (rows - 1).bit_length())
        return rows if isinstance(self._batch, UnsyncedBatch) else ahead

    def _stage_document(self, key: str, document: dict[str, Any]) -> None:
        self._batch.write_later({self.path / key: [document_bytes(document)]})

    def _stage_shapes(self, rows: int) -> None:
        for column in self._columns.values():
            document = self._documents[f"{column.path}/zarr.json"]
            document["shape"][0] = rows
            self._stage_document(f"{column.path}/zarr.json", document)

    def _resize(self, rows: int) -> None:
        if any(self._shape_on_disk(column) != rows for column in self._columns.values()):
            self._stage_shapes(rows)
            self._batch.publish()
        self._capacity = rows

    def _shape_on_disk(self, column: Column) -> int:
        key = f"{column.path}/zarr.json"
        try:
            return int(parse(self.place.read(key, MAX_DOCUMENT_BYTES), key)["shape"][0])
        except (FileNotFoundError, IntegrityError, ValueError, KeyError, TypeError, IndexError, OverflowError) as error:
            raise self.damaged(key, "is missing or damaged") from error

    def add_column(self, column: Column, n_rows: int) -> None:
        """Stage the metadata of another array."""
        self._columns[column.path] = column
        if self._table is not None:
            self._table.add_column(column.path)
        self._documents = metadata_documents(self.header, list(self._columns.values()))
        files.system.make_folder(self.path / column.path)
        files.system.sync((self.path / column.path).parent)
        self._stage_shapes(max(self._capacity, n_rows))

    def close(self) -> None:
        """Delete what was not committed and cut the shapes to the committed rows."""
        for path in self._batch.drop():
            files.system.unlink(path)
        self._resize(self.commit.n_rows)

    def abandon(self) -> None:
        """Forget what was staged; the next writer sweeps it away."""
        self._batch.drop()
