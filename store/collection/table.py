"""The rows of all parts of a collection, numbered one part after the other."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from store.collection.parts import Parts
from store.columns import Column
from store.errors import IntegrityError, StoreError
from store.row_index import RowIndex, names_of, no_name, places, to_rows
from store.rows import LIVE, Rows, Status
from store.table import Table

CODED = ("label", "split", "group")
EXTRA = "extra/"
_KEPT_ROWS = 1 << 20
"""Up to so many rows, their small columns stay in memory once they were read."""
_FEW = 4
"""A share of one in so many rows is looked through; for more, all IDs are kept."""


@dataclass(frozen=True, eq=False)
class _Names:
    """All IDs, as hashes in ascending order with the row of each, and as text by part: some 50 bytes a row."""

    hashes: NDArray[np.int64]
    rows: NDArray[np.intp]
    texts: tuple[NDArray[Any], ...]


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
        self._named = 0
        self._names: _Names | None = None
        self._looked_through = 0
        self._compared = (0, True)

    @property
    def tables(self) -> Sequence[Table]:
        """Those of the parts, as of this commit."""
        return self.parts.tables

    @property
    def _bounds(self) -> NDArray[np.intp]:
        return np.cumsum([0, *(table.commit.n_rows for table in self.tables)], dtype=np.intp)

    def column(self, path: str) -> NDArray[Any]:
        """Put the parts' columns one after the other; codes are those of the collection's names."""
        column = self.columns[path]
        found = self._cache.get(path)
        found = column.empty(0) if found is None else found
        if len(found) < self.commit.n_rows:
            new = self.tables[int(np.searchsorted(self._bounds, len(found), side="right")) - 1 :]
            found = self._cache[path] = np.concatenate([found, *(self._of_part(table, column) for table in new)])
        return found

    @contextmanager
    def _passing(self, table: Table) -> Iterator[Table]:
        """Let go, at the end, of what a pass over all parts has read of one of them, where there are many rows."""
        before = table.kept
        try:
            yield table
        finally:
            if self.commit.n_rows > _KEPT_ROWS:
                table.keep_only(before)

    def _of_part(self, whole: Table, column: Column) -> NDArray[Any]:
        with self._passing(whole) as table:
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
        if self._indexed or not self._are_distinct():
            return super().last_rows(*statuses)
        return np.flatnonzero(np.isin(self.column("status"), statuses))

    def _are_distinct(self) -> bool:
        """Tell whether each ID is in one row only, by hashes that are not kept; equal ones may be of one ID."""
        rows, distinct = self._compared
        if rows != self.commit.n_rows:
            hashes = np.empty(self.commit.n_rows, np.int64)
            for whole, (start, end) in zip(self.tables, pairwise(self._bounds), strict=True):
                with self._passing(whole) as table:
                    hashes[start:end] = _hashes(table.column("id"))
            hashes.sort()
            distinct = bool((hashes[1:] != hashes[:-1]).all())
            self._compared = len(hashes), distinct
        return distinct

    def find(self, names: list[str]) -> NDArray[np.intp]:
        """Find the last row of each ID, whatever its status; -1 where there is none.

        Few parts are looked through as they are; all IDs are kept when that has been as much work as keeping them.
        """
        texts = [name for name in names if isinstance(name, str)]
        if texts and not self._indexed and self._named != self.commit.n_rows:
            near = self._near(min(texts), max(texts))
            count = sum(end - start for _, start, end in near)
            self._looked_through += count
            if count <= self.commit.n_rows // _FEW and self._looked_through <= self.commit.n_rows:
                return self._found_in(near, names)
        known = self._distinct()
        if known is None:
            return super().find(names)
        wanted = _hashes(names)
        rows = known.rows[np.minimum(np.searchsorted(known.hashes, wanted), len(known.hashes) - 1)]
        there = self._texts(known, rows)
        return np.where([here == name for here, name in zip(there, names, strict=True)], rows, -1).astype(np.intp)

    def _near(self, first: str, last: str) -> list[tuple[Table, int, int]]:
        """List the parts that may hold an ID between these, with their first row and end."""
        return [
            (table, start, end)
            for part, table, (start, end) in zip(
                self.parts.manifest.parts, self.tables, pairwise(self._bounds.tolist()), strict=True
            )
            # what is deleted or replaced is not among the IDs that the manifest tells of
            if part.rows > part.usable + part.failed
            or ((part.first_id or "") <= last and first <= (part.last_id or ""))
        ]

    def _found_in(self, near: list[tuple[Table, int, int]], names: list[str]) -> NDArray[np.intp]:
        wanted = set(names)
        last: dict[str, int] = {}
        for whole, start, end in near:
            with self._passing(whole) as table:
                ids = table.column("id").tolist()
                last |= {name: row for name, row in zip(ids, range(start, end), strict=True) if name in wanted}
        return np.array([last.get(name, -1) for name in names], np.intp)

    def _texts(self, known: _Names, rows: NDArray[np.intp]) -> list[str]:
        found = np.empty(len(rows), object)
        parts = np.searchsorted(self._bounds, rows, side="right") - 1
        for part in np.unique(parts).tolist():
            here = parts == part
            found[here] = known.texts[part][rows[here] - self._bounds[part]]
        return found.tolist()

    def live(self, names: list[str]) -> dict[str, int]:
        """Give the row of each of these IDs that has a functa or has failed."""
        rows = self.find(names)
        there = np.flatnonzero(rows >= 0)
        status = self.assemble(rows[there], np.empty((len(there), 0), np.float32)).status
        return {names[place]: int(rows[place]) for place in there[np.isin(status, LIVE)].tolist()}

    def _distinct(self) -> _Names | None:
        """Give all IDs in less space than the index; None where that is there, or an ID may be in two rows."""
        if self._indexed:
            return None
        if self._named < self.commit.n_rows:
            self._names = self._all_names()
            self._named = self.commit.n_rows
        return self._names

    def _all_names(self) -> _Names | None:
        known = self._names if self._named else _Names(np.empty(0, np.int64), np.empty(0, np.intp), ())
        if known is None:
            return None
        hashes, rows, texts = [known.hashes], [known.rows], list(known.texts)
        bounds = self._bounds
        for whole, start in zip(self.tables[len(texts) :], bounds[len(texts) :], strict=False):
            with self._passing(whole) as table:
                ids = table.column("id")
            new = _hashes(ids)
            order = np.argsort(new)
            hashes.append(new[order])
            rows.append(start + order)
            texts.append(ids.astype(np.dtypes.StringDType()))
        together = np.concatenate(hashes)
        order = np.argsort(together, kind="stable")  # of sorted runs, which it only merges
        together = together[order]
        return _Names(together, np.concatenate(rows)[order], tuple(texts)) if (np.diff(together) != 0).all() else None

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
        ids = table.column("id")
        released = set(ids[table.column("status") == Status.DELETED].tolist())
        live = self.live([name for name in ids[table.last_rows(*LIVE)].tolist() if name not in released])
        for name, row in live.items():
            holder = self.parts.manifest.parts[int(np.searchsorted(self._bounds, row, side="right")) - 1].name
            raise StoreError(
                f"ID {name!r} is both in {what} and in {holder} of {self.backend.location}. An ID has its place in "
                "one part: leave one of them out"
            )

    def assemble(self, rows: NDArray[np.intp], functas: NDArray[np.float32]) -> Rows:
        """Make rows from their functas (or none of them) and the small columns of those parts that hold them."""
        if not len(rows):
            nothing = {path: column.empty(0) for path, column in self.columns.items()}
            return to_rows(self.commit, nothing | {"functas": functas})
        order = np.argsort(rows, kind="stable")
        found = []
        for table, start, here in self._by_part(rows, order):
            batch = table.assemble(rows[here] - start, np.empty((len(here), 0), np.float32))
            found.append(replace(batch, extra=self._extra(batch)))
        back = np.empty(len(order), np.intp)
        back[order] = np.arange(len(order))
        return replace(Rows.concatenate(found).take(back), functas=functas)

    def _by_part(
        self, rows: NDArray[np.intp], order: NDArray[np.intp]
    ) -> Iterator[tuple[Table, np.intp, NDArray[np.intp]]]:
        """Give the parts that hold some of the rows, the first row of each, and which of the rows those are."""
        bounds = self._bounds
        cuts = np.searchsorted(rows[order], bounds)
        for table, start, (first, last) in zip(self.tables, bounds, pairwise(cuts), strict=False):
            if first < last:
                table.sparing = self.commit.n_rows > _KEPT_ROWS
                yield table, start, order[first:last]

    def batches(self, rows: NDArray[np.intp], *, functas: bool = True) -> Iterator[Rows]:
        """Read some rows, given in ascending order, part by part and block by block."""
        for whole, (start, end) in zip(self.tables, pairwise(self._bounds), strict=True):
            here = rows[np.searchsorted(rows, start) : np.searchsorted(rows, end)]
            with self._passing(whole) as table:
                for batch in table.batches(here - start, functas=functas):
                    yield replace(batch, extra=self._extra(batch))

    def _extra(self, batch: Rows) -> dict[str, NDArray[Any]]:
        columns = self.commit.extra_columns()
        return {name: batch.extra.get(name, column.empty(len(batch))) for name, column in columns.items()}

    def gather(self, rows: NDArray[np.intp]) -> NDArray[np.float32]:
        """Read the functas of any rows in any order, checked."""
        values = np.empty((len(rows), self.backend.header.k), np.float32)
        for table, start, here in self._by_part(rows, np.argsort(rows, kind="stable")):
            values[here] = table.gather(rows[here] - start)
        return values


def _hashes(names: Collection[str]) -> NDArray[np.int64]:
    return np.fromiter(map(hash, names), np.int64, len(names))
