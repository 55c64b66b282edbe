"""Arrays of numbers out of MATLAB files of version 5 to 7.

Notes
-----
The format is that of "MAT-File Format", The MathWorks, level 5: tagged elements, of which a matrix has four - flags,
dimensions, name and numbers. SciPy's reader (1.17.1) ends the process on numbers of a type that does not exist, which
one changed byte makes of any file; this one reads full arrays of real numbers only, and checks each type and size.
"""

from __future__ import annotations

import math
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

_HEADER, _TAG = 128, 8
_MATRIX, _COMPRESSED = 14, 15
_COMPLEX = 0x0800
_STORED = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
_CLASSES = {6: "f8", 7: "f4", 8: "i1", 9: "u1", 10: "i2", 11: "u2", 12: "i4", 13: "u4", 14: "i8", 15: "u8"}
_OTHERS = {1: "cell", 2: "struct", 3: "object", 4: "char", 5: "sparse"}
_PIECE = 1 << 20


def read_variable(content: bytes, key: str, max_bytes: int) -> NDArray[Any]:
    """Read one full array of real numbers.

    Parameters
    ----------
    content : bytes
        The whole file.
    key : str
        Name of the variable.
    max_bytes : int
        Most that may come out of all compressed elements together.

    Raises
    ------
    ValueError
        When the file is of another kind, is damaged, has no such variable, or unpacks to more.
    """
    if not content.startswith(b"MATLAB 5.0 MAT-file") or len(content) < _HEADER:
        raise ValueError("no such header")
    order = {b"IM": "<", b"MI": ">"}.get(content[126:128])
    if order is None:
        raise ValueError("no mark of its byte order")
    names = []
    for matrix in _matrices(content, order, max_bytes):
        flags, dims, name = _head(matrix, order)
        if name == key:
            return _numbers(matrix, order, key, flags, dims, max_bytes)
        names.append(name)
    raise ValueError(f"no variable {key!r}; got {', '.join(names[:5]) or 'none'}")


def _matrices(content: bytes, order: str, left: int) -> Iterator[memoryview]:
    for kind, data in _elements(memoryview(content)[_HEADER:], order):
        if kind == _COMPRESSED:
            unpacked = _inflated(data, left)
            left -= len(unpacked)
            yield from (inner for inner_kind, inner in _elements(memoryview(unpacked), order) if inner_kind == _MATRIX)
        elif kind == _MATRIX:
            yield data


def _elements(data: memoryview, order: str) -> Iterator[tuple[int, memoryview]]:
    """Give type and data of each element, one after the other; those of four bytes or less lie in their tag."""
    position = 0
    while position + _TAG <= len(data):
        first, size = (int(word) for word in np.frombuffer(data[position : position + _TAG], f"{order}u4"))
        small = first >> 16
        begin = position + (_TAG // 2 if small else _TAG)
        kind, size = (first & 0xFFFF, small) if small else (first, size)
        if begin + size > len(data) or (small and size > _TAG // 2):
            raise ValueError(f"an element of {size:,} bytes where {len(data) - begin:,} are left")
        yield kind, data[begin : begin + size]
        # All but compressed elements end at a multiple of eight bytes.
        position = position + _TAG if small else begin + (size if kind == _COMPRESSED else -(-size // 8) * 8)


def _head(matrix: memoryview, order: str) -> tuple[int, tuple[int, ...], str]:
    parts = [data for _, (_, data) in zip(range(3), _elements(matrix, order), strict=False)]
    if len(parts) < 3 or len(parts[0]) < 4 or len(parts[1]) % 4:
        raise ValueError("a variable without flags, dimensions and name")
    flags = int(np.frombuffer(parts[0][:4], f"{order}u4")[0])
    dims = tuple(int(size) for size in np.frombuffer(parts[1], f"{order}i4"))
    return flags, dims, bytes(parts[2]).decode("latin-1")


def _numbers(
    matrix: memoryview, order: str, key: str, flags: int, dims: tuple[int, ...], max_bytes: int
) -> NDArray[Any]:
    kind = flags & 0xFF
    if kind not in _CLASSES or flags & _COMPLEX:
        found = _OTHERS.get(kind, "complex" if kind in _CLASSES else f"of class {kind}")
        raise ValueError(f"{key!r} is {found}; expected an array of real numbers")
    elements = list(_elements(matrix, order))
    if not 1 <= len(dims) <= 8 or min(dims) < 0 or len(elements) < 4 or elements[3][0] not in _STORED:
        raise ValueError(f"{key!r} has dimensions {dims} and {len(elements)} elements; expected numbers")
    stored = np.dtype(f"{order}{_STORED[elements[3][0]]}")
    dtype, count = np.dtype(_CLASSES[kind]), math.prod(dims)
    if count * stored.itemsize != len(elements[3][1]) or count * dtype.itemsize > max_bytes:
        raise ValueError(f"{key!r} of shape {dims} has {len(elements[3][1]):,} bytes of {stored.name}")
    with np.errstate(all="ignore"):
        return np.frombuffer(elements[3][1], stored).astype(dtype).reshape(dims, order="F")


def _inflated(packed: memoryview, most: int) -> bytes:
    unpacker, pieces, size, given = zlib.decompressobj(), [], 0, bytes(packed)
    while given and not unpacker.eof:
        piece = unpacker.decompress(given, _PIECE)
        size, given = size + len(piece), unpacker.unconsumed_tail
        if size > most:
            raise ValueError(f"unpacks to more than {most:,} bytes; it may be a bomb")
        if not piece:
            break
        pieces.append(piece)
    return b"".join(pieces)
