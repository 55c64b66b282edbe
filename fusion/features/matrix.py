"""The design matrix of a classifier as rows that are read from their stores when they are wanted.

Rows are named by their place among the items, which are sorted by ID, and gathered by ID: the order in which a store
was written changes nothing, and no more than some megabytes of functas are in memory at a time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
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
        self.blocks = _widths(transformers)
        self.shape = (len(items), sum(self.blocks))
        for name, store in self._stores.items():
            _require_rows(store, self._ids[name])

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, positions: NDArray[np.intp]) -> NDArray[np.float32]:
        """Return the rows at these positions, float32 of shape (b, columns)."""
        return _matrix(self._stores, {name: ids[positions] for name, ids in self._ids.items()}, self._transformers)

    def part(self, positions: NDArray[np.intp]) -> DesignPart:
        """Describe the rows at these positions so that another process, which sees the same paths, can read them."""
        paths = {name: store.path for name, store in self._stores.items()}
        return DesignPart(paths, {name: ids[positions] for name, ids in self._ids.items()}, self._transformers)


class DesignPart:
    """Some rows of a design matrix, by the paths of their stores; can be sent to another process.

    Attributes
    ----------
    shape : tuple of int
        Rows and columns.
    """

    def __init__(
        self,
        paths: Mapping[str, Path | str],
        ids: Mapping[str, NDArray[np.object_]],
        transformers: Mapping[str, FunctaFeatures],
    ) -> None:
        self._paths, self._ids = dict(paths), dict(ids)
        self._transformers = {name: transformer.without_moments() for name, transformer in transformers.items()}
        self.shape = (len(next(iter(ids.values()))), sum(_widths(transformers)))

    def __getitem__(self, positions: NDArray[np.intp]) -> NDArray[np.float32]:
        """Open the stores and return the rows at these positions, float32 of shape (b, columns)."""
        from store import open_store

        with ExitStack() as stack:
            stores = {name: stack.enter_context(open_store(path)) for name, path in self._paths.items()}
            return _matrix(stores, {name: ids[positions] for name, ids in self._ids.items()}, self._transformers)

    def read(self) -> NDArray[np.float32]:
        """Return all of the rows."""
        return self[np.arange(self.shape[0])]


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


def _widths(transformers: Mapping[str, FunctaFeatures]) -> tuple[int, ...]:
    """Count the columns of each branch."""
    return tuple(int(transformer.keep_.sum()) for transformer in transformers.values())


def _matrix(
    stores: Mapping[str, FunctaStore],
    ids: Mapping[str, NDArray[np.object_]],
    transformers: Mapping[str, FunctaFeatures],
) -> NDArray[np.float32]:
    """Return features side by side, shape (b, columns); NaN where there is no store or no ID."""
    widths = _widths(transformers)
    matrix = np.full((len(next(iter(ids.values()))), sum(widths)), np.nan, dtype=np.float32)
    for (name, transformer), out in zip(
        transformers.items(), np.split(matrix, np.cumsum(widths)[:-1], axis=1), strict=True
    ):
        if name in stores:
            _fill(out, stores[name], ids[name], transformer)
    return matrix


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
