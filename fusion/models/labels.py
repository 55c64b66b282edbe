"""Whether labels name classes, or are numbers that somebody wants predicted."""

from __future__ import annotations

from collections.abc import Sequence

from fusion.errors import DataError

__all__ = ["require_classes"]

_FRACTIONS, _WHOLE = 5, 10
"""So many different numbers, with fractions or without, are no names of classes."""


def require_classes(labels: Sequence[str]) -> None:
    """Refuse labels that are all numbers and hardly repeat, or have fractions: a class for each would learn nothing.

    Raises
    ------
    DataError
        With how many there are, one of them, and what to do.
    """
    names = sorted(set(labels))
    numbers = [_number(name) for name in names]
    known = [number for number in numbers if number is not None]
    if len(known) < len(names):
        return
    fractions = any(not number.is_integer() for number in known)
    if len(known) >= _FRACTIONS if fractions else len(known) >= _WHOLE and 2 * len(known) > len(labels):
        raise DataError(
            f"labels look like numbers ({len(names)} distinct of {len(labels)}, such as {names[len(names) // 2]}); "
            "expected classes. Group them into classes, such as low and high, or give them names that are no numbers"
        )


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
