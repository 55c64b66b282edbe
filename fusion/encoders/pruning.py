"""Rows of a store that the data set has no samples of any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fusion.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from fusion.datasets.base import Dataset, Sample
    from store import FunctaStore


def gone_ids(dataset: Dataset, store: FunctaStore) -> list[str]:
    """List the IDs of rows, failed ones too, that a data set has no samples of any more.

    Raises
    ------
    DataError
        The data set and the store have no ID in common, so that one of them is the wrong one.
    """
    known = store.known()
    gone = gone_of(known, dataset)
    if gone and len(gone) == len(known):
        raise DataError(
            f"{dataset.name} has none of the {len(known)} samples of {store.path}: pruning would leave nothing. "
            "Name the source that the store was made from"
        )
    return gone


def gone_of(known: Collection[str], samples: Iterable[Sample]) -> list[str]:
    """List those of some IDs that no sample has, in order."""
    return sorted(set(known) - {sample.id for sample in samples}) if known else []
