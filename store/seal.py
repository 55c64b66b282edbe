"""What ties every chunk to its place: the checksums of all chunks, in order, and one seal over them and the commit."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from typing import Any

import google_crc32c
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from store.documents import checksum, validated
from store.errors import IntegrityError


class ChunkTable:
    """The crc32c of the committed rows of every chunk.

    Parameters
    ----------
    columns : iterable of str
        Paths, in the store's order.
    table : uint32 array, shape (blocks, columns)
    """

    def __init__(self, columns: Iterable[str], table: NDArray[np.uint32]) -> None:
        self._columns = {path: table[:, i].astype(np.uint32) for i, path in enumerate(columns)}

    def holds(self, path: str, block: int, found: int) -> bool:
        """Tell whether a chunk's committed rows have the checksum that belongs in its place."""
        known = self._columns[path]
        return block < len(known) and int(known[block]) == found

    def note(self, path: str, block: int, value: int) -> None:
        """Set the checksum of a chunk, known or new."""
        known = self._columns.get(path, np.zeros(0, np.uint32))
        if block >= len(known):
            known = np.concatenate([known, np.zeros(block + 1 - len(known), np.uint32)])
        known[block] = value
        self._columns[path] = known

    def add_column(self, path: str) -> None:
        """Begin a column without chunks."""
        self._columns[path] = np.zeros(0, np.uint32)

    def array(self, blocks: int) -> NDArray[np.uint32]:
        """Return the table of the first blocks."""
        found: NDArray[np.uint32] = np.stack([known[:blocks] for known in self._columns.values()], axis=1)
        return np.ascontiguousarray(found, "<u4")


def pack_table(table: NDArray[np.uint32]) -> str:
    """Write a table as text, for JSON."""
    return base64.b64encode(np.ascontiguousarray(table, "<u4").tobytes()).decode()


def unpack_table(text: Any, blocks: int, columns: int, location: str) -> NDArray[np.uint32]:
    """Read a table that was written as text; IntegrityError when it is not of the size that the commit says."""
    try:
        data = base64.b64decode(text, validate=True)
    except (TypeError, ValueError, binascii.Error) as error:
        raise IntegrityError(f"chunk_crc of {location} is damaged. Run `functa store repair {location}`") from error
    if len(data) != 4 * blocks * columns:
        raise IntegrityError(
            f"chunk_crc of {location} has {len(data)} bytes, expected {4 * blocks * columns} for {blocks} blocks of "
            f"{columns} columns. Run `functa store repair {location}`"
        )
    return np.frombuffer(data, "<u4").reshape(blocks, columns)


class Seal(BaseModel):
    """Binds the checksums of all chunks to one commit.

    Parameters
    ----------
    commit : int
        ``crc32c`` of the commit.
    chunk_crc : int
        crc32c of the table's bytes.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="allow")

    commit: int
    chunk_crc: int

    @classmethod
    def over(cls, commit: int, table: NDArray[np.uint32]) -> Seal:
        """Seal a table for the commit with this checksum."""
        return cls(commit=commit, chunk_crc=int(google_crc32c.value(table.tobytes())))

    def to_json(self) -> dict[str, Any]:
        """Return the seal with a checksum over its other fields."""
        value = self.model_dump()
        return value | {"crc32c": checksum(value)}


def check_seal(value: Any, commit: int, table: NDArray[np.uint32], location: str) -> None:
    """Compare what was read with its seal.

    Raises
    ------
    IntegrityError
        The seal is missing or damaged, belongs to another commit, or the table is another one.
    """
    advice = f"Run `functa store repair {location}`"
    if not isinstance(value, dict):
        raise IntegrityError(f"{location} has no seal over its chunks: an older version wrote to it last. {advice}")
    body = {name: entry for name, entry in value.items() if name != "crc32c"}
    if value.get("crc32c") != checksum(body):
        raise IntegrityError(f"the seal of {location} is damaged. {advice}")
    seal = validated(Seal, body, f"the seal of {location}")
    if seal.commit != commit:
        raise IntegrityError(f"the seal of {location} belongs to another commit: one of them was put back. {advice}")
    if seal.chunk_crc != int(google_crc32c.value(table.tobytes())):
        raise IntegrityError(f"chunk_crc of {location} does not match the seal. {advice}")
