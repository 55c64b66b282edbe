"""Cells of a table's column, as Arrow has them: as names, as numbers, and what is neither."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from fusion.modalities.dialect import MISSING_NUMBERS

if TYPE_CHECKING:
    from numpy.typing import NDArray


def texts(column: Any) -> NDArray[Any]:
    """Give an Arrow array as names: text without blanks around it, None where the cell is empty.

    Whole numbers are written without a decimal point whatever their type, so that a class is called ``1`` also where a
    writer turned it into 1.0 because another row had none.
    """
    encoded = _plain(column).dictionary_encode()
    names = np.array([*(_word(value) for value in encoded.dictionary.to_pylist()), None], dtype=object)
    found: NDArray[Any] = names[as_numpy(encoded.indices, len(names) - 1)]
    return found


def numbers(column: Any, decimal: str = ".") -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Give an Arrow array as numbers, NaN where there is none, and which of its cells hold something else instead."""
    import pyarrow as pa

    column = _plain(column)
    kind = column.type
    if any(is_kind(kind) for is_kind in _numeric_kinds(pa.types)):
        return _as_floats(column), np.zeros(len(column), bool)
    if not _is_text(kind):
        return np.full(len(column), np.nan), column.is_valid().to_numpy(zero_copy_only=False)
    trimmed = trimmed_text(column, decimal)
    try:
        return _as_floats(trimmed), np.zeros(len(column), bool)
    except pa.ArrowInvalid:
        return _numbers_among_words(trimmed)


def _numeric_kinds(types: Any) -> Any:
    return types.is_integer, types.is_floating, types.is_decimal, types.is_boolean, types.is_null


def as_numpy(column: Any, missing: int | None = None) -> NDArray[Any]:
    """Give an Arrow array of numbers; where some are missing, floats get NaN and whole numbers `missing`."""
    # Arrow's own conversion imports pandas, half a second, so it is left to arrays with gaps.
    if not column.null_count:
        return np.asarray(np.from_dlpack(column))
    filled = column if missing is None else column.fill_null(missing)
    return np.asarray(filled.to_numpy(zero_copy_only=False))


def trimmed_text(column: Any, decimal: str = ".") -> Any:
    """Take blanks from around text, make empty cells missing, and write a point for the decimal mark."""
    import pyarrow as pa
    import pyarrow.compute as pc

    trimmed = pc.utf8_trim_whitespace(column)
    if decimal != ".":
        # With a decimal comma 1.234 is a thousand and more, or a mistake: no number that can be read.
        trimmed = pc.replace_substring_regex(trimmed, r"^([+-]?[1-9]\d{0,2}(?:\.\d{3})+)$", r"\1'")
        trimmed = pc.replace_substring(trimmed, decimal, ".")
    # Arrow imports pandas, half a second, to turn a Python value into one of its own: here none is needed.
    filled = pc.cast(pc.binary_length(trimmed), pa.bool_())
    return pc.if_else(filled, trimmed, pa.nulls(len(trimmed), trimmed.type))


def is_text(column: Any) -> bool:
    """Tell whether an Arrow array holds text."""
    return _is_text(_plain(column).type)


def _is_text(kind: Any) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _as_floats(column: Any) -> NDArray[np.float64]:
    import pyarrow as pa

    floats = column.cast(pa.float64(), safe=False) if not pa.types.is_boolean(column.type) else column.cast(pa.uint8())
    return np.asarray(as_numpy(floats), dtype=np.float64)


def _numbers_among_words(column: Any) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    # Words are names, of which there are few; each is looked at once.
    encoded = column.dictionary_encode()
    cells = [*(None if cell in MISSING_NUMBERS else cell for cell in encoded.dictionary.to_pylist()), None]
    found = np.array([_number(cell) for cell in cells])
    words = np.isnan(found) & np.array([cell is not None for cell in cells])
    codes = encoded.indices.fill_null(len(cells) - 1).to_numpy(zero_copy_only=False)
    return found[codes], np.asarray(words[codes], bool)


def _number(cell: str | None) -> float:
    """Read a number, NaN where it is none; Python would read 1_000, which no table means."""
    try:
        return math.nan if cell is None or "_" in cell else float(cell)
    except ValueError:
        return math.nan


def _plain(column: Any) -> Any:
    import pyarrow as pa

    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def _word(value: Any) -> str | None:
    if isinstance(value, bytes):
        value = value.decode("utf-8", "backslashreplace")
    if isinstance(value, float):
        value = None if np.isnan(value) else int(value) if value.is_integer() else value
    return None if value is None else str(value).strip() or None
