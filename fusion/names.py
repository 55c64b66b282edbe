"""What names a user gives mean: one rule for labels, groups, splits and IDs, wherever they come from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fusion.errors import DataError

__all__ = ["first_names", "is_missing", "name_of", "names_of"]


def is_missing(cell: Any) -> bool:
    """Tell whether a cell stands for nothing: None, NaN, NaT, pandas' NA, a masked one, or an empty text.

    Examples
    --------
    >>> [is_missing(cell) for cell in (None, float("nan"), np.datetime64("NaT", "s"), "", 0, "none")]
    [True, True, True, True, False, False]
    """
    if isinstance(cell, str | bytes):
        return cell in ("", b"", "<NA>")
    if cell is None or cell is np.ma.masked:
        return True
    if isinstance(cell, list | tuple | dict | set) or getattr(cell, "ndim", None):
        return False
    try:
        return bool(cell != cell)
    except (TypeError, ValueError):
        return repr(cell) == "<NA>"


def name_of(cell: Any, what: str = "name") -> str | None:
    """Give a name as text, None where there is none; a whole number has no decimal point, bytes are UTF-8.

    Parameters
    ----------
    cell : object
    what : str
        Names it in messages, such as "label".

    Raises
    ------
    DataError
        When it holds several values, or bytes that are no UTF-8.

    Examples
    --------
    >>> name_of(b"walk"), name_of(2.0), name_of(float("nan")), name_of("")
    ('walk', '2', None, None)
    """
    if is_missing(cell):
        return None
    if isinstance(cell, bytes):
        try:
            return cell.decode("utf-8")
        except UnicodeDecodeError:
            raise DataError(f"the {what} {cell[:40]!r} is not UTF-8; expected text. Decode it first.") from None
    if isinstance(cell, list | dict | set) or getattr(cell, "ndim", None):
        raise DataError(
            f"the {what} is of type {type(cell).__name__}; expected text or a number. Write several labels as one "
            "text, such as 'dog;cat'."
        )
    if hasattr(cell, "item") and not isinstance(cell, np.generic):
        cell = cell.item()
    if isinstance(cell, float | np.floating) and float(cell).is_integer():
        return str(int(cell))
    return str(cell) or None


def names_of(cells: ArrayLike) -> NDArray[np.object_]:
    """Give what each value names, shape (n,); what stands for nothing is called "None"."""
    return np.array([str(name_of(cell)) for cell in np.asarray(cells, dtype=object)], dtype=object)


def first_names(names: Sequence[Any], most: int = 3) -> str:
    """Write the first names for a message, and that there are more.

    Examples
    --------
    >>> first_names(["walk", "sit"]), first_names(["walk", "sit", "lie"], 2)
    ("'walk', 'sit'", "'walk', 'sit', ...")
    """
    return ", ".join(map(repr, names[:most])) + (", ..." if len(names) > most else "")
