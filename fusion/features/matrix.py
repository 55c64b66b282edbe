"""The design matrix of a classifier as rows that are read from their stores when they are wanted.

Rows are named by their place among the items, which are sorted by ID, and gathered by ID: the order in which a store
was written changes nothing, and no more than some megabytes of functas are in memory at a time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from fusion.errors import DataError
from fusion.features.batches import batches
from fusion.features.items import Items
from fusion.features.transformer import FunctaFeatures

if TYPE_CHECKING:
    from store import FunctaStore

__all__ = ["DesignPart", "DesignRows", "design_matrix", "fit_features"]


class DesignRows:
    """The features of every branch side by side, read from the stores by position; a missing modality is NaN.

    Parameters
    ----------
    stores : mapping of str to FunctaStore
        Open store of each branch; a modality that no item has needs none.
    items : Items
        Which rows, in which order.
    transformers : mapping of str to FunctaFeatures
        Fitted features of each branch, in the order of the columns.

    Attributes
    ----------
    shape : tuple of int
        Rows and columns.
    blocks : tuple of int
        Columns of each branch.

    Raises
    ------
    DataError
        An item is not in the store that should have it.
    """

    def __init__(
        self, stores: Mapping[str, FunctaStore], items: Items, transformers: Mapping[str, FunctaFeatures]
    ) -> None:
        self._stores = {name: stores[name] for name in transformers if name in stores}
        self._ids = {name: items.rows[name] for name in transformers}
        self._transformers = dict(transformers)
        self.blocks = tuple(int(transformer.keep_.sum()) for transformer in transformers.values())
        self.shape = (len(items), sum(self.blocks))
        for name, store in self._stores.items():
            _require_rows(store, self._ids[name])

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, positions: NDArray[np.intp]) -> NDArray[np.float32]:
        """Return the rows at these positions, float32 of shape (b, columns)."""
        matrix = np.full((len(positions), self.shape[1]), np.nan, dtype=np.float32)
        first = 0
        for name, transformer in self._transformers.items():
            width = int(transformer.keep_.sum())
            if name in self._stores:
                _fill(matrix[:, first : first + width], self._stores[name], self._ids[name][positions], transformer)
            first += width
        return matrix

    def part(self, positions: NDArray[np.intp]) -> DesignPart:
        """Describe the rows at these positions so that another process, which sees the same paths, can read them."""
        paths = {name: store.path for name, store in self._stores.items()}
        ids = {name: list(self._ids[name][positions]) for name in paths}
        return DesignPart(paths, ids, self._transformers)


class DesignPart:
    """Some rows of a design matrix, by the paths of their stores; can be sent to another process."""

    def __init__(
        self,
        paths: Mapping[str, Path | str],
        ids: Mapping[str, list[str | None]],
        transformers: Mapping[str, FunctaFeatures],
    ) -> None:
        self._paths, self._ids = dict(paths), dict(ids)
        self._transformers = {name: transformer.without_moments() for name, transformer in transformers.items()}

    def read(self) -> NDArray[np.float32]:
        """Open the stores and return the rows, float32 of shape (b, columns)."""
        from store import open_store

        parts = []
        for name, path in self._paths.items():
            transformer = self._transformers[name]
            out = np.full((len(self._ids[name]), int(transformer.keep_.sum())), np.nan, dtype=np.float32)
            with open_store(path) as store:
                _fill(out, store, np.array(self._ids[name], dtype=object), transformer)
            parts.append(out)
        return np.hstack(parts)


def fit_features(
    store: FunctaStore,
    ids: Sequence[str | None] | NDArray[np.object_],
    *,
    features: str = "delta",
    filter_invariant: bool = True,
    normalise: bool = True,
    max_columns: int | None = None,
    seed: int = 42,
) -> FunctaFeatures:
    """Learn the features of one store from the rows named, reading it once in the order of their IDs.

    Parameters
    ----------
    store : FunctaStore
        Open store; its ``state["start"]`` is the start, if it has one.
    ids : sequence of str or None or NDArray of object
        IDs of the training rows; None (a missing modality) is passed over.
    features : {"delta", "weights"}
    filter_invariant, normalise : bool
    max_columns : int, optional
    seed : int
        See `FunctaFeatures`.

    Raises
    ------
    DataError
        No weight varies over these rows.
    """
    transformer = FunctaFeatures(
        features,
        start=store.state.get("start"),
        filter_invariant=filter_invariant,
        normalise=normalise,
        max_columns=max_columns,
        seed=seed,
    )
    named = sorted({name for name in ids if name is not None})
    wanted = np.array(named, dtype=object)[store.holds(named)].tolist()
    for batch in batches(len(wanted), 4 * store.k):
        transformer.partial_fit(store.read(wanted[batch]).functas)
    check_is_fitted(transformer, "keep_", msg="none of the rows asked for is in the store")
    transformer._require_columns()
    return transformer


def design_matrix(
    stores: Mapping[str, FunctaStore],
    items: Items,
    transformers: Mapping[str, FunctaFeatures],
) -> NDArray[np.float32]:
    """Return all rows at once, shape (n, sum of kept columns), in the order of the items; see `DesignRows`."""
    return DesignRows(stores, items, transformers)[np.arange(len(items))]


def _fill(out: NDArray[np.float32], store: FunctaStore, ids: NDArray[np.object_], transformer: FunctaFeatures) -> None:
    present = np.flatnonzero(np.array([name is not None for name in ids], dtype=bool))
    for batch in batches(len(present), 4 * store.k):
        names, which = np.unique(ids[present[batch]], return_inverse=True)
        made = transformer.transform(store.read(list(names)).functas)
        out[present[batch]] = made[which]


def _require_rows(store: FunctaStore, ids: NDArray[np.object_]) -> None:
    named = ids[np.array([name is not None for name in ids], dtype=bool)]
    missing = named[~store.holds(named)].tolist()
    if missing:
        shown = ", ".join(repr(name) for name in missing[:5])
        raise DataError(
            f"store {store.path} has no usable row for {len(missing)} of the IDs asked for, first {shown}; expected "
            "every ID once. Encode the missing samples, or leave them out."
        )
