"""What a row consists of on disk, and the checksum that ties its parts together."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import google_crc32c
import numpy as np
from numpy.typing import NDArray

from store.errors import StoreError

BLOCK_BYTES = 8 * 2**20
MAX_BLOCK_BYTES = 2**29
MIN_BLOCK_ROWS, MAX_BLOCK_ROWS = 256, 16384
NO_SPLIT = 255


@dataclass(frozen=True)
class Column:
    """One column: a path inside the store, the type of its items and what an unwritten item reads as.

    Parameters
    ----------
    path : str
        ``"psnr"``, or ``"extra/<name>"`` for a column that a user added.
    dtype : str
        A numpy type in little-endian notation, or ``"text"``.
    fill : float, int or str
    width : tuple of int
        Shape of one row's item; ``()`` for a scalar.
    bytes_wide : int
        Bytes a text takes where texts have a fixed width (HDF5).
    """

    path: str
    dtype: str
    fill: float | int | str
    width: tuple[int, ...] = ()
    bytes_wide: int = 0

    @property
    def is_text(self) -> bool:
        """Whether the items are strings."""
        return self.dtype == "text"

    @cached_property
    def row_bytes(self) -> int:
        """Bytes of one row in a chunk of fixed-width items."""
        item = self.bytes_wide if self.is_text else np.dtype(self.dtype).itemsize
        return item * int(np.prod(self.width, dtype=np.int64))

    def empty(self, rows: int) -> NDArray[Any]:
        """Make an array of this many unwritten rows."""
        return np.full((rows, *self.width), self.fill, dtype=object if self.is_text else self.dtype)


def base_columns(k: int, id_width: int) -> tuple[Column, ...]:
    """List the columns every store has, in the order in which they are written."""
    return (
        Column("functas", "<f4", np.nan, (k,)),
        Column("id", "text", "", bytes_wide=id_width),
        Column("label", "<i4", -1),
        Column("target", "<f8", np.nan),
        Column("split", "|u1", NO_SPLIT),
        Column("group", "<i4", -1),
        Column("psnr", "<f4", np.nan),
        Column("loss", "<f8", np.nan),
        Column("steps", "<i4", 0),
        Column("fit_seconds", "<f4", np.nan),
        Column("status", "|u1", 0),
        Column("source_hash", "|u1", 0, (16,)),
        Column("row_crc", "<u4", 0),
        Column("error", "text", "", bytes_wide=256),
    )


EXTRA_TEXT_BYTES = 256
Kind = Literal["number", "integer", "text"]
_EXTRA_KINDS: dict[Kind, tuple[str, float | int | str]] = {
    "number": ("<f8", np.nan),
    "integer": ("<i8", 0),
    "text": ("text", ""),
}


def extra_column(name: str, kind: Kind) -> Column:
    """Describe a column that a user added; ``kind`` is ``"number"``, ``"integer"`` or ``"text"``."""
    dtype, fill = _EXTRA_KINDS[kind]
    return Column(f"extra/{name}", dtype, fill, bytes_wide=EXTRA_TEXT_BYTES)


def by_id(name: str, values: Any) -> dict[Any, Any]:
    """Give the values of a column that a user adds by ID: of a mapping, or of what has items as one, such as a Series.

    Raises
    ------
    StoreError
        It is neither, or an ID is there twice.
    """
    if not callable(getattr(values, "items", None)):
        raise StoreError(f"column {name!r} is given as {type(values).__name__}, expected values by ID, as in a dict")
    pairs = list(values.items())
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = Counter(id_ for id_, _ in pairs).most_common(1)[0]
        raise StoreError(f"column {name!r} has {twice[1]} values for ID {twice[0]!r}, expected one")
    return found


def check_extra(name: str, values: Collection[Any], kind: str | None, taken: Collection[str]) -> Kind:
    """Choose the kind of a column that a user adds; it follows from the values when it is not given.

    Raises
    ------
    StoreError
        The name is taken or not valid, or the values are of several kinds, or not of the one that was asked for.
    """
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,99}", name):
        raise StoreError(f"a column is named {name!r}, expected letters, digits, '_' and '-'")
    if name in taken:
        raise StoreError(f"there is a column {name!r} already. Choose another name")
    if kind is not None and kind not in _EXTRA_KINDS:
        raise StoreError(f"column {name!r} is to be of kind {kind!r}, expected one of {', '.join(_EXTRA_KINDS)}")
    found = {_kind_of(value) for value in values}
    chosen: Kind = "text" if found == {"text"} else "integer" if found <= {"integer"} else "number"
    if ("text" in found and len(found) > 1) or None in found:
        types = sorted({type(value).__name__ for value in values})
        raise StoreError(f"column {name!r} has values of type {types}, expected only numbers or only strings")
    return next(known for known in _EXTRA_KINDS if known == (kind or chosen))


def _kind_of(value: Any) -> str | None:
    kinds = {str: "text", int: "integer", np.integer: "integer", float: "number", np.floating: "number"}
    return next((kind for of, kind in kinds.items() if isinstance(value, of)), None)


def extra_values(name: str, kind: Kind, values: Any) -> NDArray[Any]:
    """Turn values of a column that a user added into what is written.

    Raises
    ------
    StoreError
        A value is not of the column's kind: no whole number of 64 bits, no number, or no text that can be written.
    """
    if kind == "text":
        texts = np.empty(len(values), dtype=object)
        texts[:] = list(values)
        for row, text in enumerate(texts):
            check_text(text, EXTRA_TEXT_BYTES, f"value {row} of column {name!r}")
        return texts
    given = np.asarray(values)
    if given.dtype.kind not in "fiubO":
        raise StoreError(f"column {name!r} is of kind {kind}, but its values are of type {given.dtype}")
    try:
        with np.errstate(invalid="ignore", over="ignore"):
            found = given.astype(_EXTRA_KINDS[kind][0])
    except (TypeError, ValueError, OverflowError) as error:
        raise StoreError(f"column {name!r} is of kind {kind}, but its values cannot be: {error}") from error
    if kind == "integer" and not np.array_equal(found, given):
        first = given.tolist()[np.flatnonzero(found != given)[0]]
        raise StoreError(
            f"column {name!r} is of kind integer, but a value is {first!r}. Add another column for numbers"
        )
    return found


def check_text(text: Any, longest: int, what: str) -> None:
    """Refuse what no store can keep as a text.

    Raises
    ------
    StoreError
        It is no string, too long, not valid UTF-8, or holds a NUL, which HDF5 would cut.
    """
    if not isinstance(text, str):
        raise StoreError(f"{what} is {text!r}, expected a string")
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        raise StoreError(f"{what} is {text[:80]!r}, which is not valid UTF-8") from error
    if size > longest or "\0" in text:
        raise StoreError(f"{what} is {text[:80]!r}, expected a text of at most {longest} bytes without NUL")


def block_rows_for(k: int, rows: int | None = None) -> int:
    """Choose the rows per block: the power of two nearest 8 MiB / 4k, between 256 and 16384, never over 512 MiB.

    Of a part of so many `rows` no more than the power of two that they fill.
    """
    nearest = 2 ** round(np.log2(BLOCK_BYTES / (4 * k)))
    most = min(int(np.clip(nearest, MIN_BLOCK_ROWS, MAX_BLOCK_ROWS)), max(1, rows_that_fit(MAX_BLOCK_BYTES, 4 * k)))
    return most if rows is None else min(most, 1 << max(0, rows - 1).bit_length())


def rows_that_fit(nbytes: int, row_bytes: int) -> int:
    """Count the rows of so many bytes that fit into a space: 0 where not even one does."""
    return nbytes // max(1, row_bytes)


_PACKED = np.dtype(
    [
        ("label", "<i4"),
        ("split", "|u1"),
        ("group", "<i4"),
        ("psnr", "<f4"),
        ("status", "|u1"),
        ("source_hash", "|u1", (16,)),
        ("target", "<f8"),
        ("loss", "<f8"),
        ("steps", "<i4"),
        ("fit_seconds", "<f4"),
    ]
)


def row_checksums(columns: Mapping[str, NDArray[Any]]) -> NDArray[np.uint32]:
    """Compute the crc32c of everything a row says.

    Parameters
    ----------
    columns : mapping of arrays, each of b rows
        As they are on disk, labels, splits and groups as codes.

    Returns
    -------
    uint32 array, shape (b,)
        Over the UTF-8 ID, the functa's bytes, the packed numbers and the UTF-8 error text, in this order.
    """
    functas = np.ascontiguousarray(columns["functas"], dtype="<f4")
    parts = functas.view(np.uint8) if functas.shape[1] else [b""] * len(functas)
    return finished_checksums(map(google_crc32c.extend, id_checksums(columns["id"]), parts), columns)


def id_checksums(ids: NDArray[np.object_]) -> list[int]:
    """Begin the checksums of rows with their IDs; each is to be extended over its row's functa."""
    return list(map(google_crc32c.value, [text.encode() for text in ids]))


def finished_checksums(crcs: Iterable[int], columns: Mapping[str, NDArray[Any]]) -> NDArray[np.uint32]:
    """Extend the checksums of b rows, which cover ID and functa, over the rest; see :func:`row_checksums`."""
    packed = np.empty(len(columns["id"]), _PACKED)
    for name in _PACKED.names or ():
        packed[name] = columns[name]
    crcs = map(google_crc32c.extend, crcs, packed.view(np.uint8).reshape(len(packed), _PACKED.itemsize))
    errors = [text.encode() for text in columns["error"]]
    if any(errors):
        crcs = map(google_crc32c.extend, crcs, errors)
    return np.fromiter(crcs, np.uint32, len(packed))
