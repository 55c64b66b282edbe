"""Rows in one partition or several, and sums over them: the same fit in this process and over a cluster's workers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["LearnedRows", "OnePartition", "Partitions"]

ValueT = TypeVar("ValueT", covariant=True)
MadeT = TypeVar("MadeT")
RowsT = TypeVar("RowsT")


@dataclass(frozen=True, eq=False)
class LearnedRows(Generic[RowsT]):
    """Rows, and what is learned of them.

    Attributes
    ----------
    rows : RowSource or StandardRows
        Of n rows.
    targets : NDArray of float64, shape=(n, c)
    folds : NDArray of intp, shape=(n,)
    weights : NDArray of float64, shape=(n,)
        How often each row counts.
    kept_bytes : int >= 0
        Standardised rows that are kept in memory; where they take more, they are read anew for each step.
    """

    rows: RowsT
    targets: NDArray[np.float64]
    folds: NDArray[np.intp]
    weights: NDArray[np.float64]
    kept_bytes: int = 4 << 30

    def having(self, rows: MadeT) -> LearnedRows[MadeT]:
        """Return the same with other rows in the place of these."""
        return LearnedRows(rows, self.targets, self.folds, self.weights, self.kept_bytes)

    def take(self, places: NDArray[np.intp], rows: MadeT) -> LearnedRows[MadeT]:
        """Return what is learned at some places, whose rows are `rows`."""
        return LearnedRows(rows, self.targets[places], self.folds[places], self.weights[places], self.kept_bytes)


class Partitions(Protocol[ValueT]):
    """Values, one for each partition of the rows, each where its rows are."""

    def map(self, work: Callable[..., MadeT], *given: Any) -> Partitions[MadeT]:
        """Give each value to `work`, and of other partitions that of the same rows; `work` changes none of them."""

    def total(self) -> ValueT:
        """Add the values up, in an order that is always the same."""

    def __iter__(self) -> Iterator[ValueT]:
        """Bring the values here, in the order of the rows."""


@dataclass(frozen=True, eq=False)
class OnePartition(Partitions[ValueT]):
    """The value of all rows, here."""

    value: ValueT

    def map(self, work: Callable[..., MadeT], *given: Any) -> OnePartition[MadeT]:
        """Give it to `work` at once."""
        return OnePartition(
            work(self.value, *(each.value if isinstance(each, OnePartition) else each for each in given))
        )

    def total(self) -> ValueT:
        """Return it."""
        return self.value

    def __iter__(self) -> Iterator[ValueT]:
        """Yield it."""
        yield self.value
