"""The rows of all parts of a collection, numbered one part after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from store.collection.parts import Parts
from store.columns import Column
from store.errors import IntegrityError, StoreError
from store.row_index import RowIndex, names_of, no_name, places
from store.rows import LIVE, Rows, Status
from store.table import Table

CODED = ("label", "split", "group")
EXTRA = "extra/"


class CollectionTable(RowIndex):
    """Rows by number and by ID over all parts.

    An ID is live in one part only. A later part that holds it again says so with a row of status DELETED.

    Parameters
    ----------
    parts : Parts
    """

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts, parts.commit)
        self.parts = parts
        self._hashed = 0
        self._hashes: tuple[NDArray[np.int64], NDArray[np.intp]] | None = None

    @property
    def tables(self) -> Sequence[Table]:
        """Those of the parts, as of this commit."""
        return self.parts.tables

    @property
    def _bounds(self) -> NDArray[np.intp]:
        return np.cumsum([0, *(table.commit.n_rows for table in self.tables)], dtype=np.intp)

    def column(self, path: str) -> NDArray[Any]:
        """Put the parts' columns one after the other; codes are those of the collection's names."""
        found = self._cache.get(path)
        if found is None or len(found) < self.commit.n_rows:
            column = self.columns[path]
            parts = [column.empty(0), *(self._of_part(table, column) for table in self.tables)]
            found = self._cache[path] = np.concatenate(parts)
        return found

    def _of_part(self, table: Table, column: Column) -> NDArray[Any]:
        if column.path in CODED:
            return self._recoded(table, column)
        if not column.path.startswith(EXTRA):
            return table.column(column.path)
        own = table.commit.extra_columns().get(column.path.removeprefix(EXTRA))
        return column.empty(table.commit.n_rows) if own is None else table.column(own.path)

    def _recoded(self, table: Table, column: Column) -> NDArray[Any]:
        path = column.path
        code = {name: position for position, name in enumerate(names_of(self.commit, path))}
        codes = [*(code[name] for name in names_of(table.commit, path)), no_name(path)]
        found: NDArray[Any] = np.array(codes, column.dtype)[places(table.commit, path, table.column(path))]
        return found

    def index(self) -> dict[str, int]:
        """Map each ID to its last row; IntegrityError when it is live in two parts."""
        fresh = self._indexed < self.commit.n_rows
        found = super().index()
        if fresh and len(found) < self.commit.n_rows:
            self._require_one_part_each()
        return found

    def last_rows(self, *statuses: Status) -> NDArray[np.intp]:
        """Find the rows, ascending, that are the last of their ID and have one of these statuses."""
        if self._distinct() is None:
            return super().last_rows(*statuses)
        return np.flatnonzero(np.isin(self.column("status"), statuses))

    def find(self, names: list[str]) -> NDArray[np.intp]:
        """Find the last row of each ID, whatever its status; -1 where there is none."""
        distinct = self._distinct()
        if distinct is None:
            return super().find(names)
        hashes, order = distinct
        wanted = np.fromiter(map(hash, names), np.int64, len(names))
        rows = order[np.minimum(np.searchsorted(hashes, wanted), len(hashes) - 1)]
        ids = self.column("id")[rows].tolist()
        return np.where([here == name for here, name in zip(ids, names, strict=True)], rows, -1).astype(np.intp)

    def _distinct(self) -> tuple[NDArray[np.int64], NDArray[np.intp]] | None:
        """Give hashes of all IDs, ascending, and their rows; None where two are equal: an ID may be there twice.

        16 bytes a row, less than a dictionary of all IDs takes.
        """
        n_rows = self.commit.n_rows
        if self._indexed == n_rows and n_rows:  # a writer needs the index in any case
            return None
        if self._hashed != n_rows:
            found = np.fromiter(map(hash, self.column("id")), np.int64, n_rows)
            order = np.argsort(found, kind="stable")
            hashes = found[order]
            self._hashes = (hashes, order) if (hashes[1:] != hashes[:-1]).all() else None
            self._hashed = n_rows
        return self._hashes

    def _require_one_part_each(self) -> None:
        holder: dict[str, int] = {}
        for number, table in enumerate(self.tables):
            ids = table.column("id")
            released = set(ids[table.column("status") == Status.DELETED].tolist())
            live = ids[table.last_rows(*LIVE)].tolist()
            for name in live:
                other = holder.get(name)
                if other is not None and name not in released:
                    one, two = (self.parts.manifest.parts[place].name for place in (other, number))
                    raise IntegrityError(
                        f"ID {name!r} is both in {one} and in {two} of {self.backend.location}, and no row says which "
                        "counts. Take one of the parts away and collect the others anew"
                    )
            holder |= dict.fromkeys(live, number)
            for name in released.difference(live):
                holder.pop(name, None)

    def require_new(self, table: RowIndex, what: str) -> None:
        """Refuse a part some of whose IDs are live here, and that does not say that its rows count instead.

        Raises
        ------
        StoreError
            Naming an ID and the part that holds it.
        """
        index, status = self.index(), self.column("status")
        ids = table.column("id")
        released = set(ids[table.column("status") == Status.DELETED].tolist())
        for name in ids[table.last_rows(*LIVE)].tolist():
            row = index.get(name)
            if row is not None and status[row] in LIVE and name not in released:
                holder = self.parts.manifest.parts[int(np.searchsorted(self._bounds, row, side="right")) - 1].name
                raise StoreError(
                    f"ID {name!r} is both in {what} and in {holder} of {self.backend.location}. An ID has its place in "
                    "one part: leave one of them out"
                )

    def batches(self, rows: NDArray[np.intp], *, functas: bool = True) -> Iterator[Rows]:
        """Read some rows, given in ascending order, part by part and block by block."""
        for table, (start, end) in zip(self.tables, pairwise(self._bounds), strict=True):
            here = rows[np.searchsorted(rows, start) : np.searchsorted(rows, end)]
            for batch in table.batches(here - start, functas=functas):
                yield replace(batch, extra=self._extra(batch))

    def _extra(self, batch: Rows) -> dict[str, NDArray[Any]]:
        columns = self.commit.extra_columns()
        return {name: batch.extra.get(name, column.empty(len(batch))) for name, column in columns.items()}

    def gather(self, rows: NDArray[np.intp]) -> NDArray[np.float32]:
        """Read the functas of any rows in any order, checked."""
        bounds = self._bounds
        values = np.empty((len(rows), self.backend.header.k), np.float32)
        order = np.argsort(rows, kind="stable")
        cuts = np.searchsorted(rows[order], bounds)
        for table, start, (first, last) in zip(self.tables, bounds, pairwise(cuts), strict=False):
            here = order[first:last]
            if len(here):
                values[here] = table.gather(rows[here] - start)
        return values
