"""Numbers to predict: what a text or a cell says, and where labels are numbers themselves."""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from fusion.errors import DataError
from fusion.modalities.dialect import MISSING_NUMBERS
from fusion.names import is_missing

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

__all__ = [
    "COMMAS_TOLD",
    "mostly_numbers",
    "number_of",
    "numbers_with_commas",
    "read_target",
    "target_of",
    "with_point",
]

COMMAS_TOLD = "labels are numbers with decimal commas; they are kept with points"
_MOSTLY = 9
"""So many numbers for one other word make a column of numbers."""
_POINTS = re.compile(r"[+-]?[1-9]\d{0,2}(?:\.\d{3})+")


def number_of(value: Any, decimal: str = ".") -> float | None:
    """Give the finite number that a value or its text says, None where it says none.

    Examples
    --------
    >>> number_of("0.5"), number_of(7), number_of("walk"), number_of("nan"), number_of("0,5", ",")
    (0.5, 7.0, None, None, 0.5)
    """
    if isinstance(value, np.datetime64 | np.timedelta64):
        return None
    if isinstance(value, str) and "_" in value:
        return None  # Python would read 1_000, which no table means
    if isinstance(value, str) and decimal != ".":
        # As in columns of numbers, 1.234 is then a thousand and more, or a mistake.
        value = None if _POINTS.fullmatch(value) else value.replace(decimal, ".")
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def read_target(cell: Any, decimal: str = ".", missing: Collection[str] = ()) -> tuple[float | None, str]:
    """Read the target of a sample, and say what is wrong with it: neither where the cell says that there is none."""
    if is_missing(cell):
        return None, ""
    text = str(cell)
    if text in MISSING_NUMBERS or text in missing:
        return None, ""
    number = number_of(cell, decimal)
    return number, "" if number is not None else f"its target is {text!r}; expected a finite number, or nothing"


def target_of(cell: Any, sample_id: str | None) -> float | None:
    """Read the target of a sample; None where the cell says that there is none.

    Raises
    ------
    DataError
        It is no finite number.
    """
    number, wrong = read_target(cell)
    if wrong:
        raise DataError(f"the target of {sample_id!r} is {cell!r}; expected a finite number, or nothing. Correct it.")
    return number


def mostly_numbers(numbers: int, others: int) -> bool:
    """Tell whether so many numbers beside so many other words are numbers, but for mistakes."""
    return numbers > 0 and numbers >= _MOSTLY * others


def numbers_with_commas(blocks: Iterable[Iterable[str | None]], decimal: str) -> bool:
    """Tell whether labels, block by block, are numbers with decimal commas but for a few."""
    numbers = others = 0
    commas = False
    for block in blocks if decimal != "." else ():
        for label, rows in Counter(block).items():
            if label is None or label in MISSING_NUMBERS:
                continue
            known = number_of(label, decimal) is not None
            commas = commas or (known and decimal in label)
            numbers, others = numbers + known * rows, others + (not known) * rows
        if others > numbers:
            return False
    return commas and mostly_numbers(numbers, others)


def with_point(label: str | None) -> str | None:
    """Write a label that is a number with a decimal comma with a point, and leave others as they are."""
    return label if label is None or number_of(label, ",") is None else label.replace(",", ".")
