"""A store as training loops of other libraries read it: lazily, some rows at a time."""

from __future__ import annotations

import operator
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from store.errors import StoreError
from store.functa_store import FunctaStore
from store.opening import open_store
from store.rows import positions


class RowView:
    """The labelled rows of a store as pairs of functa and class number, read when they are asked for.

    Has what ``torch.utils.data.DataLoader`` asks of a map-style data set, batches and worker processes included: a copy
    in another process opens the store anew.

    Parameters
    ----------
    path : path-like or URL
    split : str or collection of str, optional
        Only rows of these splits.

    Raises
    ------
    StoreError
        No labelled row, or no store.

    Examples
    --------
    >>> from store import RowView, Rows, create_store
    >>> state = {"start": np.zeros(2)}
    >>> with create_store("v.zarr", modality="sensor", layout=[("w", (2,), 0)], encoder={}, state=state) as written:
    ...     written.append(Rows.build(["a", "b"], [[0.5, 1.0], [0.0, 2.0]], labels=["walk", "sit"]))
    >>> view = RowView("v.zarr")
    >>> len(view), view.classes, view[1]
    (2, ('sit', 'walk'), (array([0., 2.], dtype=float32), 0))
    """

    def __init__(self, path: str | Path, split: str | Collection[str] | None = None) -> None:
        self._path, self._split = path, split
        self._opened: FunctaStore | None = None
        with open_store(path) as store:
            self.k = store.k
            ids, labels = [], []
            for rows in store.iter_blocks(split=split, functas=False):
                labelled = np.array([label is not None for label in rows.labels], dtype=bool)
                ids.append(rows.ids[labelled])
                labels.append(rows.labels[labelled])
        self.ids: NDArray[np.object_] = np.concatenate(ids) if ids else np.empty(0, object)
        names = np.concatenate(labels) if labels else np.empty(0, object)
        if not len(self.ids):
            raise StoreError(f"{path} has no labelled row{'' if split is None else f' of split {split!r}'}")
        self.classes: tuple[str, ...] = tuple(sorted(set(names.tolist())))
        codes = {name: code for code, name in enumerate(self.classes)}
        self.codes: NDArray[np.int64] = np.array([codes[name] for name in names], np.int64)

    def __len__(self) -> int:
        return len(self.ids)

    @overload
    def __getitem__(self, index: int) -> tuple[NDArray[np.float32], int]: ...

    @overload
    def __getitem__(self, index: slice | Sequence[int] | NDArray[Any]) -> list[tuple[NDArray[np.float32], int]]: ...

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice) or np.ndim(index):
            return self.__getitems__(index)
        try:
            place = None if isinstance(index, bool | np.bool_) else operator.index(index)
        except TypeError:
            place = None
        if place is None:
            raise StoreError(f"row {index!r} is asked for, expected a whole number, a slice or a mask")
        if not -len(self) <= place < len(self):
            raise IndexError(f"row {place} of {len(self)}")
        return self.__getitems__([place])[0]

    def __getitems__(self, indices: ArrayLike | slice) -> list[tuple[NDArray[np.float32], int]]:
        """Read several rows at once, in the order asked, or those where a mask is true."""
        places = positions(indices, len(self))
        functas = self._store.read(self.ids[places].tolist()).functas
        return list(zip(functas, self.codes[places].tolist(), strict=True))

    def batches(self, size: int = 256) -> Iterator[tuple[NDArray[np.float32], NDArray[np.int64]]]:
        """Give functas (b, k) and class numbers (b,) in the order of the store, such as for ``tf.data``.

        Raises
        ------
        StoreError
            The size is no whole number of 1 or more.
        """
        if not isinstance(size, int | np.integer) or size < 1:
            raise StoreError(f"size is {size!r}, expected a whole number of 1 or more")
        for start in range(0, len(self), size):
            yield self._store.read(self.ids[start : start + size].tolist()).functas, self.codes[start : start + size]

    @property
    def _store(self) -> FunctaStore:
        if self._opened is None:
            self._opened = open_store(self._path)
        return self._opened
