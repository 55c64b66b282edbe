"""What an HDF5 store looks like on disk: its datasets, and where in the file their chunks lie."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from store.columns import Column
from store.commit import Commit
from store.documents import MAX_DOCUMENT_BYTES, document_bytes, parse
from store.errors import IntegrityError
from store.header import Header
from store.seal import Seal

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
    documents = {"header": header.to_json(), "commit": commit.to_json()}
    if header.sealed:
        empty = np.zeros((0, len(header.columns)), np.uint32)
        documents["seal"] = Seal.over(documents["commit"]["crc32c"], empty).to_json()
    for folder in ("", "mirror/"):
        for name, array in state.items():
            file.create_dataset(f"{folder}state/{name}", data=array)
        for name, value in documents.items():
            file.create_dataset(f"{folder}{name}", shape=(0,), maxshape=(None,), chunks=(_JSON_CHUNK,), dtype="|u1")
            write_json(file[f"{folder}{name}"], value)


def write_json(dataset: Any, value: Any) -> None:
    """Replace a JSON document kept as bytes."""
    data = np.frombuffer(document_bytes(value, indent=None), np.uint8)
    dataset.resize((len(data),))
    dataset[:] = data


def read_json(file: Any, path: str, location: str) -> Any:
    """Read a JSON document kept as bytes.

    Raises
    ------
    IntegrityError
        It is longer than a document may be, or no JSON.
    """
    dataset = plain_dataset(file, path, location)
    if dataset.ndim != 1 or dataset.dtype != np.uint8 or dataset.size > MAX_DOCUMENT_BYTES:
        raise IntegrityError(f"{path} of {location} has shape {dataset.shape}, expected at most {MAX_DOCUMENT_BYTES}")
    return parse(dataset[:].tobytes(), f"{path} of {location}")


def plain_dataset(file: Any, path: str, location: str) -> Any:
    """Look up a dataset that lies in the file itself.

    Raises
    ------
    IntegrityError
        A link, or storage in another file, leads elsewhere.
    """
    parts = path.split("/")
    for end in range(1, len(parts) + 1):
        name = "/".join(parts[:end])
        if not isinstance(file.get(name, getlink=True), h5py.HardLink):
            raise IntegrityError(f"{name} of {location} is a link to elsewhere, which a store never has")
    dataset = file[path]
    if not isinstance(dataset, h5py.Dataset) or dataset.external or dataset.is_virtual:
        raise IntegrityError(f"{path} of {location} is not a dataset in this file")
    return dataset


def read_table(file: Any, columns: int, chunks: int, location: str) -> NDArray[np.uint32]:
    """Read the checksums of the chunks, shape (blocks, columns).

    Raises
    ------
    IntegrityError
        There are checksums of many more blocks than there are chunks.
    """
    dataset = plain_dataset(file, CHECKSUMS, location)
    if dataset.ndim != 2 or len(dataset) > 2 * chunks + 1000:
        raise IntegrityError(f"{CHECKSUMS} of {location} has shape {dataset.shape}, but there are {chunks} blocks")
    checksums = np.zeros((len(dataset), columns), np.uint32)
    found = dataset[:, :columns]
    checksums[:, : found.shape[1]] = found
    return checksums


def chunk_offsets(dataset: Any, blocks: int) -> NDArray[np.int64]:
    """Look up where in the file the chunks of a dataset begin; -1 where there is no chunk."""
    offsets = np.full(blocks, -1, np.int64)
    size = dataset.chunks[0]

    def note(chunk: Any) -> None:
        block = chunk.chunk_offset[0] // size
        if block < blocks:
            offsets[block] = chunk.byte_offset

    dataset.id.chunk_iter(note)
    return offsets
