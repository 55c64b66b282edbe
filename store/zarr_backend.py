"""A store as a Zarr v3 group: one plain chunk per block and column."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import google_crc32c
import numpy as np
from numpy.typing import NDArray

from store import files
from store.backend import Backend, WritableBackend
from store.columns import Column
from store.errors import IntegrityError, StoreError, StoreFormatError
from store.header import Commit, Header
from store.places import LocalFolder, Place, as_bytes, tree_bytes
from store.zarr_layout import (
    checksum_holds,
    chunk_key,
    decode_texts,
    document_bytes,
    encode_chunk,
    metadata_documents,
    salvage_texts,
    with_checksum,
)

ROOT, MIRROR = "zarr.json", "mirror/zarr.json"


def create_zarr(path: Path, header: Header, state: Mapping[str, NDArray[Any]], commit: Commit) -> None:
    """Write a store without rows under a temporary name, then rename it to its own."""
    folder = files.temporary(path)
    files.system.remove_tree(folder)
    contents: dict[str, list[Any]] = {}
    for key, document in metadata_documents(header, header.columns).items():
        if key in (ROOT, MIRROR):
            document["attributes"] = _attributes(header, commit)
        contents[key] = [document_bytes(document)]
    for name, array in state.items():
        for place in ("state", "mirror/state"):
            contents[_state_key(place, name, array.ndim)] = with_checksum(np.ascontiguousarray(array))
    for key, parts in contents.items():
        files.system.make_folder((folder / key).parent)
        files.system.write(folder / key, parts)
    make_tree_durable(folder)
    files.system.replace(folder, path)
    files.system.sync(path.parent)


def make_tree_durable(folder: Path) -> None:
    """Sync every file and folder of a tree."""
    for parent, _, names in os.walk(folder, topdown=False):
        for name in names:
            files.system.sync(Path(parent, name))
        files.system.sync(Path(parent))


def _attributes(header: Header, commit: Commit) -> dict[str, Any]:
    return {"header": asdict(header), "commit": commit.to_json()}


def _state_key(folder: str, name: str, dimensions: int) -> str:
    return chunk_key(f"{folder}/{name}", [0] * dimensions)


class ZarrBackend(Backend):
    """Reads chunks byte by byte from a local folder or a URL; writes to a local folder only.

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
        self._root, self._state_folder = (MIRROR, "mirror/state") if spare else (ROOT, "state")
        self.header, self.commit = self._read_record()

    def _read_root(self) -> dict[str, Any]:
        try:
            document = json.loads(self.place.read(self._root))
            attributes: dict[str, Any] = document["attributes"]
        except (FileNotFoundError, ValueError, KeyError, TypeError) as error:
            if any(key.startswith(("functas/", "mirror/")) for key in self.place.keys()):  # noqa: SIM118
                raise self.damaged(self._root, "is missing or damaged") from error
            raise StoreFormatError(f"{self.location} is not a functa store: it has no readable {self._root}") from error
        if "header" not in attributes:
            raise StoreFormatError(f"{self.location} is not a functa store: {self._root} has no attribute 'header'")
        return attributes

    def newest_commit(self) -> Commit:
        """Read ``zarr.json`` again: it may be newer than the header read on opening."""
        return self._read_record()[1]

    def _read_record(self) -> tuple[Header, Commit]:
        attributes = self._read_root()
        commit = Commit.from_json(attributes.get("commit"), self.location)
        return Header.from_json(attributes["header"], commit.header_sha256, self.location), commit

    def read_state(self) -> dict[str, NDArray[Any]]:
        """Read the single chunks of the state arrays."""
        return {name: self._read_array(self._state_folder, name) for name in self.header.arrays}

    def _read_array(self, folder: str, name: str) -> NDArray[Any]:
        entry = self.header.arrays[name]
        shape = tuple(entry["shape"])
        chunk = self._read_whole(_state_key(folder, name, len(shape)))
        array: NDArray[Any] = chunk[:-4].view(np.dtype(entry["dtype"])).reshape(shape)
        return array

    def _read_whole(self, key: str) -> NDArray[np.uint8]:
        try:
            chunk = np.frombuffer(self.place.read(key), np.uint8)
        except FileNotFoundError as error:
            raise self.damaged(key, "is missing") from error
        if not checksum_holds(chunk):
            raise self.damaged(key, "does not match its checksum")
        return chunk

    def _key(self, column: Column, block: int) -> str:
        return chunk_key(column.path, [block, *([0] * len(column.width))])

    def read_chunk(self, column: Column, block: int, rows: int, *, check: bool = True) -> NDArray[Any]:
        """Read the chunk ``<column>/c.<block>``."""
        key = self._key(column, block)
        if column.is_text:
            return decode_texts(self._read_whole(key))[:rows]
        if not check:
            return self._read_range(column, key, rows)
        chunk = self._read_whole(key)
        if len(chunk) != column.row_bytes * self.header.block_rows + 4:
            raise self.damaged(key, f"has {len(chunk)} bytes")
        return chunk[: column.row_bytes * rows].view(column.dtype).reshape(rows, *column.width)

    def _read_range(self, column: Column, key: str, rows: int) -> NDArray[Any]:
        values = np.empty((rows, *column.width), column.dtype)
        self._fill(key, [(0, values.data.cast("B"))])
        return values

    def read_block(self, block: int, into: NDArray[np.float32]) -> bool:
        """Read the chunk and the checksum behind it."""
        checksum = bytearray(4)
        self._fill(f"functas/c.{block}.0", [(0, as_bytes(into)), (into.nbytes, memoryview(checksum))])
        return int(google_crc32c.value(into)) == int.from_bytes(checksum, "little")

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
            data = self.place.read(self._key(column, block))
        except FileNotFoundError:
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
        try:
            header, spare = ZarrBackend(self.place, spare=True)._read_record()
        except StoreError:
            return False
        return header == self.header and 0 <= spare.generation - commit.generation <= 1

    def _document_holds(self, key: str, expected: dict[str, Any], n_rows: int) -> bool:
        try:
            found = json.loads(self.place.read(key))
            if "state/" not in key and "shape" in expected:
                expected["shape"][0] = max(n_rows, int(found["shape"][0]))
        except (FileNotFoundError, ValueError, KeyError, TypeError, IndexError):
            return False
        return bool(found == expected)

    def nbytes(self) -> int:
        """Count the bytes of all files."""
        return tree_bytes(self.place)

    def close(self) -> None:
        """Nothing stays open between reads."""


class WritableZarrBackend(ZarrBackend, WritableBackend):
    """A local Zarr store opened by the one process that holds its lock.

    Parameters
    ----------
    path : Path

    Notes
    -----
    The arrays' shapes grow in powers of two, so that most commits touch no array metadata, and are cut to the committed
    rows on closing. This package never reads them; plain Zarr readers take ``commit.n_rows`` rows.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(LocalFolder(path))
        self.path = path
        commit = self.commit
        self._columns = self.all_columns(commit)
        self._documents = metadata_documents(self.header, list(self._columns.values()))
        self._batch = files.Batch()
        self._n_rows = commit.n_rows
        files.sweep(path)
        self._forget_uncommitted()
        self._capacity = -1
        self._resize(commit.n_rows)

    def _forget_uncommitted(self) -> None:
        blocks = -(-self._n_rows // self.header.block_rows)
        for column in self._columns.values():
            for chunk in (self.path / column.path).glob("c.*"):
                if int(chunk.name.split(".")[1]) >= blocks:
                    files.system.unlink(chunk)

    def write_block(self, block: int, columns: Mapping[str, NDArray[Any]], start: int, stop: int) -> None:  # noqa: ARG002
        """Write the chunks of a block under temporary names: small ones in threads, from copies; functas last."""
        for path in sorted(columns, key="functas".__eq__):
            target = self.path / self._key(self._columns[path], block)
            parts = encode_chunk(self._columns[path], columns[path])
            if path == "functas":
                self._batch.write(target, parts)
            else:
                self._batch.write(target, [b"".join(parts)], later=True)

    def write_commit(self, commit: Commit) -> None:
        """Sync and rename the chunks, write the spare copy, then replace the root ``zarr.json``."""
        capacity = self._capacity
        if commit.n_rows > capacity:
            capacity = max(self.header.block_rows, 2 ** (commit.n_rows - 1).bit_length())
            self._stage_shapes(capacity)
        attributes = _attributes(self.header, commit)
        self._stage_document(MIRROR, self._documents[MIRROR] | {"attributes": attributes})
        self._batch.publish()
        self._capacity = capacity
        files.write_durably(self.path / ROOT, [document_bytes(self._documents[ROOT] | {"attributes": attributes})])
        self._n_rows = commit.n_rows

    def _stage_document(self, key: str, document: dict[str, Any]) -> None:
        self._batch.write(self.path / key, [document_bytes(document)], later=True)

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
            return int(json.loads(self.place.read(key))["shape"][0])
        except (FileNotFoundError, ValueError, KeyError, TypeError, IndexError) as error:
            raise self.damaged(key, "is missing or damaged") from error

    def add_column(self, column: Column, n_rows: int) -> None:
        """Stage the metadata of another array."""
        self._columns[column.path] = column
        self._documents = metadata_documents(self.header, list(self._columns.values()))
        files.system.make_folder(self.path / column.path)
        files.system.sync((self.path / column.path).parent)
        self._stage_shapes(max(self._capacity, n_rows))

    def close(self) -> None:
        """Delete what was not committed and cut the shapes to the committed rows."""
        for path in self._batch.drop():
            files.system.unlink(path)
        self._resize(self._n_rows)

    def abandon(self) -> None:
        """Forget what was staged; the next writer sweeps it away."""
        self._batch.drop()
