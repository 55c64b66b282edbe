"""What an HDF5 store looks like on disk: its datasets, and where in the file their chunks lie."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from store.columns import Column
from store.header import Commit, Header

LIBVER = ("v108", "v108")
CHECKSUMS = "chunk_crc"
_JSON_CHUNK = 4096
_CHECKSUM_CHUNK = (256, 32)


def item_type(column: Column) -> Any:
    """Choose the HDF5 type of a column's items: numbers as they are, texts as fixed-width UTF-8."""
    return h5py.string_dtype("utf-8", column.bytes_wide) if column.is_text else np.dtype(column.dtype)


def raw_type(column: Column) -> np.dtype[Any]:
    """Choose the numpy type of the bytes in a chunk."""
    return np.dtype(f"S{column.bytes_wide}" if column.is_text else column.dtype)


def encode_values(column: Column, values: NDArray[Any]) -> NDArray[Any]:
    """Turn values into the items of a chunk."""
    texts = [text.encode() for text in values] if column.is_text else values
    return np.ascontiguousarray(texts, raw_type(column))


def decode_values(column: Column, data: NDArray[np.uint8], rows: int) -> NDArray[Any]:
    """Turn the bytes of a chunk into values; damaged texts come out with replacement characters."""
    items: NDArray[Any] = data.view(raw_type(column)).reshape(rows, *column.width)
    if not column.is_text:
        return items
    texts = np.empty(rows, dtype=object)
    texts[:] = [item.decode("utf-8", "replace") for item in items.tolist()]
    return texts


def create_column(file: Any, column: Column, block_rows: int) -> None:
    """Make room for a column of any number of rows."""
    file.create_dataset(
        column.path,
        shape=(0, *column.width),
        maxshape=(None, *column.width),
        chunks=(block_rows, *column.width),
        dtype=item_type(column),
        fillvalue=None if column.is_text else column.fill,
    )


def create_layout(file: Any, header: Header, state: Mapping[str, NDArray[Any]], commit: Commit) -> None:
    """Fill a new file with a store without rows."""
    for column in header.columns:
        create_column(file, column, header.block_rows)
    file.create_group("extra")
    file.create_dataset(CHECKSUMS, shape=(0, 0), maxshape=(None, None), chunks=_CHECKSUM_CHUNK, dtype="<u4")
    for folder in ("", "mirror/"):
        for name, array in state.items():
            file.create_dataset(f"{folder}state/{name}", data=array)
        for name, value in (("header", asdict(header)), ("commit", commit.to_json())):
            file.create_dataset(f"{folder}{name}", shape=(0,), maxshape=(None,), chunks=(_JSON_CHUNK,), dtype="|u1")
            write_json(file[f"{folder}{name}"], value)


def write_json(dataset: Any, value: Any) -> None:
    """Replace a JSON document kept as bytes."""
    data = np.frombuffer(json.dumps(value, allow_nan=False, ensure_ascii=False).encode(), np.uint8)
    dataset.resize((len(data),))
    dataset[:] = data


def read_json(dataset: Any) -> Any:
    """Read a JSON document kept as bytes."""
    return json.loads(dataset[:].tobytes())


@dataclass(frozen=True)
class ChunkMap:
    """Where the chunks of every column begin in the file, and what their checksums are.

    Parameters
    ----------
    offsets : dict of int64 arrays, shape (blocks,)
        By column path; -1 where there is no chunk.
    checksums : uint32 array, shape (blocks, columns)
        crc32c of the committed rows of each chunk; columns in the store's order.
    """

    offsets: dict[str, NDArray[np.int64]]
    checksums: NDArray[np.uint32]


def read_chunk_map(file: Any, columns: Sequence[Column], blocks: int) -> ChunkMap:
    """Look up every chunk of the committed rows."""
    offsets = {column.path: _chunk_offsets(file[column.path], blocks) for column in columns}
    checksums = np.zeros((blocks, len(columns)), np.uint32)
    found = file[CHECKSUMS][:blocks, : len(columns)]
    checksums[: found.shape[0], : found.shape[1]] = found
    return ChunkMap(offsets, checksums)


def _chunk_offsets(dataset: Any, blocks: int) -> NDArray[np.int64]:
    offsets = np.full(blocks, -1, np.int64)
    size = dataset.chunks[0]

    def note(chunk: Any) -> None:
        block = chunk.chunk_offset[0] // size
        if block < blocks:
            offsets[block] = chunk.byte_offset

    dataset.id.chunk_iter(note)
    return offsets
