"""Numbers to predict: what a text or a cell says, and where labels are numbers themselves."""

from __future__ import annotations

import math
from typing import Any

from fusion.errors import DataError

__all__ = ["number_of", "target_of"]


def number_of(value: Any) -> float | None:
    """Give the finite number that a value or its text says, None where it says none.

    Examples
    --------
    >>> number_of("0.5"), number_of(7), number_of("walk"), number_of("nan")
    (0.5, 7.0, None, None)
    """
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def target_of(cell: Any, sample_id: str | None) -> float | None:
    """Read the target of a sample; None where the cell is empty.

    Raises
    ------
    DataError
        It is no finite number.
    """
    if cell is None or cell in ("", "<NA>") or cell != cell:
        return None
    number = number_of(cell)
    if number is None:
        raise DataError(f"the target of {sample_id!r} is {cell!r}; expected a finite number, or nothing. Correct it.")
    return number
