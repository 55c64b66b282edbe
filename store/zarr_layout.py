"""What a Zarr store looks like on disk: its metadata documents and the bytes of its chunks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import google_crc32c
import numpy as np
from numcodecs.vlen import VLenUTF8  # type: ignore[import-untyped,unused-ignore]
from numpy.typing import NDArray

from store.columns import Column
from store.documents import canonical
from store.header import Header

MAX_TEXT_BYTES = 512
_WIDTHS = {"functas": "weight", "source_hash": "byte"}
_texts = VLenUTF8()


def metadata_documents(header: Header, columns: Sequence[Column]) -> dict[str, dict[str, Any]]:
    """Make every ``zarr.json`` of a store without rows, by key, as zarr-python itself writes it.

    Notes
    -----
    Chunks of one column lie in one folder (separator ``"."``): one sync per column makes a block's names durable.
    """
    found: dict[str, dict[str, Any]] = json.loads(
        _documents(header.block_rows, tuple(columns), canonical(header.to_json()["arrays"]), named=header.sealed)
    )
    return found


@lru_cache(maxsize=8)
def _documents(block_rows: int, columns: tuple[Column, ...], arrays: str, *, named: bool) -> str:
    import zarr  # half a second that a reader need not spend

    memory: dict[str, Any] = {}
    root = zarr.open_group(zarr.storage.MemoryStore(memory), mode="w")
    for group in ("extra", "state", "mirror", "mirror/state"):
        root.create_group(group)
    for column in columns:
        dtype: Any = str if column.is_text else np.dtype(column.dtype)
        names = _dimensions(column) if named else None
        _create(root, column.path, (0, *column.width), (block_rows, *column.width), dtype, column.fill, names)
    for name, entry in json.loads(arrays).items():
        shape = tuple(entry["shape"])
        for folder in ("state", "mirror/state"):
            names = [f"{name}_{axis}" for axis in range(len(shape))] if named else None
            _create(root, f"{folder}/{name}", shape, shape, np.dtype(entry["dtype"]), None, names)
    return json.dumps({key: json.loads(value.to_bytes()) for key, value in memory.items()})


def _dimensions(column: Column) -> list[str]:
    """Name the axes; rows are named by the column of their IDs, which makes it their index in xarray."""
    return ["id", *(_WIDTHS[column.path] for _ in column.width)]


def _create(
    root: Any,
    path: str,
    shape: tuple[int, ...],
    chunks: tuple[int, ...],
    dtype: Any,
    fill: Any,
    names: Sequence[str] | None,
) -> None:
    from zarr.codecs import Crc32cCodec

    root.create_array(
        path,
        shape=shape,
        chunks=chunks,
        dtype=dtype,
        fill_value=fill,
        filters=None,
        compressors=[Crc32cCodec()],
        chunk_key_encoding={"name": "default", "separator": "."},
        dimension_names=names,
    )


def chunk_key(path: str, indices: Sequence[int]) -> str:
    """Key of a chunk: ``"functas/c.3.0"``."""
    return f"{path}/{'.'.join(['c', *map(str, indices)])}"


def encode_chunk(column: Column, values: NDArray[Any]) -> list[Any]:
    """Encode a chunk by the codecs ``bytes`` or ``vlen-utf8``, then ``crc32c``."""
    return with_checksum(_texts.encode(values) if column.is_text else np.ascontiguousarray(values, column.dtype))


def with_checksum(body: Any) -> list[Any]:
    """Put after a buffer its crc32c in little-endian order."""
    data = np.frombuffer(body, np.uint8)
    return [data, int(google_crc32c.value(data)).to_bytes(4, "little")]


def checksum_holds(chunk: NDArray[np.uint8]) -> bool:
    """Whether the last four bytes of a chunk are the crc32c of the others."""
    return len(chunk) >= 4 and int(google_crc32c.value(chunk[:-4])) == int.from_bytes(chunk[-4:].tobytes(), "little")


def decode_texts(chunk: NDArray[np.uint8], rows: int) -> NDArray[np.object_]:
    """Decode a ``vlen-utf8`` chunk of so many rows whose checksum was checked; ValueError when it is none."""
    if int.from_bytes(chunk[:4].tobytes(), "little") != rows:
        raise ValueError(f"expected {rows}")
    decoded: NDArray[np.object_] = _texts.decode(chunk[:-4])
    return decoded


def committed_bytes(column: Column, chunk: Any, committed: NDArray[Any], block_rows: int) -> NDArray[np.uint8]:
    """View the bytes of a chunk, or of its parts before they are written, that hold the committed rows.

    Parameters
    ----------
    column : Column
    chunk : uint8 array, or list of buffers
        As it is on disk, or as :func:`encode_chunk` gives it.
    committed : array
        The values of the committed rows.
    block_rows : int

    Returns
    -------
    uint8 array
        Of texts, what stands behind the number of rows in front.
    """
    body: NDArray[np.uint8] = chunk[0] if isinstance(chunk, list) else chunk[:-4]
    if not column.is_text:
        return body[: column.row_bytes * len(committed)]
    if len(committed) == block_rows:
        return body[4:]
    return body[4 : 4 + 4 * len(committed) + sum(len(text.encode()) for text in committed)]


def longest_chunk(column: Column, block_rows: int) -> int:
    """Count the bytes that a chunk may have at most."""
    return 8 + block_rows * (4 + MAX_TEXT_BYTES if column.is_text else column.row_bytes)


def salvage_texts(chunk: bytes | bytearray, rows: int) -> NDArray[np.object_]:
    """Decode a damaged ``vlen-utf8`` chunk as far as its lengths lead; the row checksums judge the strings."""
    found = np.full(rows, "", dtype=object)
    position = 4
    for row in range(rows):
        end = position + 4 + int.from_bytes(chunk[position : position + 4], "little")
        if end > len(chunk):
            break
        found[row] = chunk[position + 4 : end].decode("utf-8", "replace")
        position = end
    return found
