"""What labels are: names of classes, numbers that somebody wants predicted, or several names in one text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fusion.datasets.targets import mostly_numbers, number_of
from fusion.errors import DataError
from fusion.names import first_names, name_of

__all__ = ["indicators", "joined_labels", "label_names", "of_one_kind", "require_classes"]

_FRACTIONS, _WHOLE = 5, 10
"""So many different numbers, with fractions or without, are no names of classes."""


def require_classes(labels: Sequence[str]) -> None:
    """Refuse labels that are numbers and hardly repeat, or have fractions: a class for each would learn nothing.

    One in ten may be no number, where ten different ones are.

    Raises
    ------
    DataError
        With how many there are, one of them, and what to do.
    """
    rows = Counter(labels)
    names = sorted(rows)
    known = [number for name in names if (number := number_of(name)) is not None]
    odd = [name for name in names if number_of(name) is None]
    others = sum(rows[name] for name in odd)
    if odd and not (len(known) >= _WHOLE and mostly_numbers(len(labels) - others, others)):
        return
    fractions = any(not number.is_integer() for number in known)
    if len(known) >= _FRACTIONS if fractions else len(known) >= _WHOLE and 2 * len(known) > len(labels):
        raise DataError(
            f"labels look like numbers ({len(names)} distinct of {len(labels)}, such as {_middle(names)}"
            f"{_but_for(odd)}); expected classes. Predict the numbers with --task regression (task='regression' in "
            "Python), or group them into classes, such as low and high"
        )


def _middle(names: Sequence[str]) -> str:
    known = [name for name in names if number_of(name) is not None]
    return known[len(known) // 2]


def _but_for(odd: Sequence[str]) -> str:
    return f", but for {first_names(odd)}: correct these, or leave them empty" if odd else ""


def of_one_kind(labels: ArrayLike) -> ArrayLike:
    """Return labels as they are, or, where only some are text, what each is called; None stays.

    Examples
    --------
    >>> of_one_kind([1.0, "1", "walk"]).tolist()
    ['1', '1', 'walk']
    """
    cells = np.asarray(labels, dtype=object)
    texts = sum(isinstance(cell, str) for cell in cells.flat)
    if cells.ndim != 1 or texts in (0, len(cells)):
        return labels
    return np.array([name_of(cell) for cell in cells], dtype=object)


def label_names(text: str, separator: str) -> list[str]:
    """Give the names in a text such as ``dog;cat``, each once and sorted; a separator alone means none of them.

    Examples
    --------
    >>> label_names("dog; cat;dog", ";"), label_names(";", ";")
    (['cat', 'dog'], [])
    """
    return sorted({name.strip() for name in text.split(separator)} - {""})


def joined_labels(names: Iterable[str], separator: str) -> str:
    """Write names as one text, as `label_names` reads it."""
    return separator.join(names) or separator


def indicators(texts: Iterable[str], names: Iterable[str], separator: str) -> NDArray[np.bool_]:
    """Tell which names each text holds, shape (n, names); a name that is not among them is passed over."""
    places = {str(name): place for place, name in enumerate(names)}
    held = [[places[name] for name in label_names(text, separator) if name in places] for text in texts]
    found = np.zeros((len(held), len(places)), dtype=bool)
    for row, columns in enumerate(held):
        found[row, columns] = True
    return found
