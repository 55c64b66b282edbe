"""What is to be learned of each row, and how much each row counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from fusion.errors import ConfigError
from fusion.names import names_of

__all__ = ["Targets", "checked_class_weight", "class_weights", "unknown_classes", "weights_by_name"]

BALANCED = "balanced"


@dataclass(frozen=True, eq=False)
class Targets:
    """What is to be learned of n rows.

    Attributes
    ----------
    values : NDArray
        Codes of classes or numbers, shape (n,), or for each label whether the row has it, shape (n, labels).
    weights : NDArray of float64 or None
        How much each row counts, shape (n,); None = all alike.
    """

    values: NDArray[Any]
    weights: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.values)

    def take(self, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> Self:
        """Return those of the rows that a mask or an array of positions names."""
        weights = None if self.weights is None else self.weights[chosen]
        return replace(self, values=self.values[chosen], weights=weights)

    def mean(self, parts: NDArray[Any]) -> float:
        """Return the weighted mean of one number of each row, shape (n,)."""
        return float(np.average(parts, weights=self.weights))


def checked_class_weight(given: object) -> None:
    """Refuse weights of classes that are neither "balanced" nor a mapping to numbers of at least 0.

    Raises
    ------
    ConfigError
        Saying what was got.
    """
    numbers = list(given.values()) if isinstance(given, Mapping) else []
    known = given is None or given == BALANCED or isinstance(given, Mapping)
    if not known or any(not _is_weight(number) for number in numbers) or (numbers and not any(numbers)):
        raise ConfigError(
            f"class_weight is {given!r}; expected 'balanced', or a mapping of classes to numbers of at least 0, such "
            "as {'walk': 1, 'fall': 5}."
        )


def class_weights(
    given: str | Mapping[Any, float] | None, classes: NDArray[Any], codes: NDArray[np.intp]
) -> NDArray[np.float64] | None:
    """Return how much each row counts by its class, shape (n,); None = all alike.

    Parameters
    ----------
    given : "balanced", mapping or None
        "balanced" = as much for each class in all: n / (classes * rows of the class). A mapping gives the weight of
        each class by name; one that is not named has 1, and a name that no row has is without effect: rows may be a
        fold's. See `unknown_classes`.
    classes : NDArray
        Names of the classes, shape (c,).
    codes : NDArray of intp
        Class of each row, shape (n,).

    Examples
    --------
    >>> class_weights("balanced", np.array(["fall", "walk"]), np.array([0, 1, 1, 1]))
    array([2.        , 0.66666667, 0.66666667, 0.66666667])
    """
    if given is None:
        return None
    if isinstance(given, str):
        counts = np.bincount(codes, minlength=len(classes))
        return np.asarray((len(codes) / (len(classes) * counts))[codes], dtype=np.float64)
    weights = weights_by_name(given)
    return np.array([float(weights.get(name, 1.0)) for name in names_of(classes)])[codes]


def unknown_classes(given: str | Mapping[Any, float] | None, classes: Iterable[Any]) -> list[str]:
    """Return the names in a mapping of weights that none of these classes has, sorted."""
    return sorted(set(weights_by_name(given)) - set(names_of(list(classes)))) if isinstance(given, Mapping) else []


def weights_by_name(given: Mapping[Any, float]) -> dict[str, float]:
    """Return weights by what their classes are called, as data sets call them: 10.0 is "10".

    Raises
    ------
    ConfigError
        Two weights of one class, such as of 10 and of "10".
    """
    names = names_of(list(given)).tolist()
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ConfigError(
            f"class_weight is {dict(given)}; expected one weight for class {twice[0]!r}. Leave the others out."
        )
    return dict(zip(names, given.values(), strict=True))


def _is_weight(number: object) -> bool:
    return isinstance(number, int | float | np.number) and bool(np.isfinite(number)) and float(number) >= 0
