"""The committed rows of one store: small columns, read once and kept in memory, and functas when they are asked for."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise
from typing import Any

import google_crc32c
import numpy as np
from numpy.typing import NDArray

from store.backend import Backend
from store.columns import finished_checksums, id_checksums, row_checksums
from store.commit import Commit
from store.errors import IntegrityError, StoreError
from store.places import split_rows
from store.row_index import RowIndex
from store.rows import Rows

CHECKED = (
    "id", "label", "target", "split", "group", "psnr", "loss", "steps", "fit_seconds", "status", "source_hash", "error",
)  # fmt: skip

_READERS = 2
_SPARSE = 3
"""Few blocks are one in so many, or fewer."""


class Table(RowIndex):
    """The committed prefix of a store, as of one commit.

    Parameters
    ----------
    backend : Backend
    commit : Commit

    Attributes
    ----------
    sparing : bool
        Where only few blocks hold the rows that are asked for, read those alone, and keep nothing of them.
    """

    backend: Backend

    def __init__(self, backend: Backend, commit: Commit) -> None:
        super().__init__(backend, commit)
        self.sparing = False

    @property
    def kept(self) -> frozenset[str]:
        """Names of the small columns that are in memory."""
        return frozenset(self._cache)

    def keep_only(self, paths: frozenset[str]) -> None:
        """Let go of other small columns; they are read again when they are asked for."""
        self._cache = {path: values for path, values in self._cache.items() if path in paths}

    def blocks(self) -> list[tuple[int, int, int]]:
        """List number, first row and end of each block."""
        n_rows, size = self.commit.n_rows, self.backend.header.block_rows
        return [(i, start, min(start + size, n_rows)) for i, start in enumerate(range(0, n_rows, size))]

    def column(self, path: str) -> NDArray[Any]:
        """Read one small column of all committed rows, as it is on disk."""
        found = self._cache.get(path)
        if found is None:
            found = self.columns[path].empty(0)
        if len(found) < self.commit.n_rows:
            whole = len(found) // self.backend.header.block_rows
            parts = [found[: whole * self.backend.header.block_rows]]
            parts += [
                self.backend.read_chunk(self.columns[path], i, end - start) for i, start, end in self.blocks()[whole:]
            ]
            found = self._cache[path] = np.concatenate(parts)
        return found

    def values(self, path: str, rows: NDArray[np.intp]) -> NDArray[Any]:
        """Read one small column of some rows, in any order."""
        if self.sparing and path not in self._cache and len(rows):
            numbers, size = rows // self.backend.header.block_rows, len(self.blocks())
            wanted = np.unique(numbers)
            if _SPARSE * len(wanted) <= size:
                return self._of_blocks(path, rows, numbers, wanted)
        return super().values(path, rows)

    def _of_blocks(
        self, path: str, rows: NDArray[np.intp], numbers: NDArray[np.intp], wanted: NDArray[np.intp]
    ) -> NDArray[Any]:
        column, blocks = self.columns[path], self.blocks()
        found = np.repeat(column.empty(1), len(rows), axis=0)
        for number in wanted.tolist():
            _, start, end = blocks[number]
            here = numbers == number
            found[here] = self.backend.read_chunk(column, number, end - start)[rows[here] - start]
        return found

    def batches(self, rows: NDArray[np.intp], *, functas: bool = True) -> Iterator[Rows]:
        """Read some rows, given in ascending order, block by block."""
        for block, start, end in self.blocks():
            here = rows[np.searchsorted(rows, start) : np.searchsorted(rows, end)]
            if len(here):
                values = self.functas(block, here) if functas else np.empty((len(here), 0), np.float32)
                yield self.assemble(here, values)

    def good(self, rows: NDArray[np.intp], functas: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Tell which of the rows match their checksums."""
        same: NDArray[np.bool_] = row_checksums(self._checked(rows) | {"functas": functas}) == self.values(
            "row_crc", rows
        )
        return same

    def _checked(self, rows: NDArray[np.intp]) -> dict[str, NDArray[Any]]:
        return {path: self.values(path, rows) for path in CHECKED}

    def check(self, rows: NDArray[np.intp], functas: NDArray[np.float32]) -> None:
        """Compare rows with their checksums.

        Raises
        ------
        IntegrityError
            Naming the first rows that do not match.
        StoreError
            The store was compacted or repaired since it was opened.
        """
        self._require(rows, self.good(rows, functas))

    def _require(self, rows: NDArray[np.intp], good: NDArray[np.bool_]) -> None:
        bad = rows[~good]
        if not len(bad):
            return
        if self.backend.newest_commit().epoch != self.commit.epoch:
            raise StoreError(f"{self.backend.location} was compacted or repaired since it was opened. Open it again")
        shown = ", ".join(f"{row} ({self.column('id')[row]!r})" for row in bad[:5])
        raise IntegrityError(
            f"{len(bad)} rows of {self.backend.location} do not match their checksums: {shown}. "
            f"Run `functa store repair {self.backend.location}`"
        )

    def functas(self, block: int, rows: NDArray[np.intp]) -> NDArray[np.float32]:
        """Read the functas of some rows of one block, in ascending order, checked."""
        start = block * self.backend.header.block_rows
        end = min(start + self.backend.header.block_rows, self.commit.n_rows)
        functas: NDArray[np.float32]
        if 2 * len(rows) < end - start:
            functas = np.empty((len(rows), self.backend.header.k), np.float32)
            self.backend.read_functas(block, (rows - start).tolist(), split_rows(functas))
        else:
            functas = self.backend.read_chunk(self.columns["functas"], block, end - start, check=False)
            functas = functas if len(rows) == end - start else functas[rows - start]
        self.check(rows, functas)
        return functas

    def gather(self, rows: NDArray[np.intp]) -> NDArray[np.float32]:
        """Read the functas of any rows in any order, checked."""
        size = self.backend.header.block_rows
        values = np.empty((len(rows), self.backend.header.k), np.float32)
        order = np.argsort(rows, kind="stable")
        blocks = rows[order] // size
        runs = [order[first:last] for first, last in pairwise(np.flatnonzero(np.diff(blocks, prepend=-1, append=-1)))]
        if len(rows) * 2 > self.commit.n_rows:
            self._scan(rows, values, runs)
        else:
            self._pick(rows, values, runs)
        return values

    def _pick(self, rows: NDArray[np.intp], values: NDArray[np.float32], runs: list[NDArray[np.intp]]) -> None:
        """Read few rows of each block; a functa's checksum is taken while it still is in the processor's cache."""
        crcs, parts = id_checksums(self.values("id", rows)), split_rows(values)
        blocks, offsets = (found.tolist() for found in np.divmod(rows, self.backend.header.block_rows))
        for here in runs:
            places = here.tolist()
            self.backend.read_functas(blocks[places[0]], [offsets[i] for i in places], [parts[i] for i in places])
            for i in places:
                crcs[i] = google_crc32c.extend(crcs[i], values[i])
        self._require(rows, finished_checksums(crcs, self._checked(rows)) == self.values("row_crc", rows))

    def _scan(self, rows: NDArray[np.intp], values: NDArray[np.float32], runs: list[NDArray[np.intp]]) -> None:
        # Reading leaves Python's lock, so one thread reads a block while the other computes the checksum of its own.
        read = partial(self._read_run, rows, values)
        with ThreadPoolExecutor(_READERS if self.backend.concurrent else 1) as pool:
            for _ in pool.map(read, runs):
                pass

    def _read_run(self, rows: NDArray[np.intp], values: NDArray[np.float32], here: NDArray[np.intp]) -> None:
        """Read those of the rows that stand in one block; a full block straight to its place."""
        places, wanted = _as_slice(here), rows[here]
        block = int(wanted[0] // self.backend.header.block_rows)
        full = len(here) == self.backend.header.block_rows and isinstance(_as_slice(wanted), slice)
        if not (full and isinstance(places, slice)):
            values[places] = self.functas(block, wanted)
        elif not self.backend.read_block(block, values[places]):
            self.check(wanted, values[places])


def _as_slice(positions: NDArray[np.intp]) -> slice | NDArray[np.intp]:
    """Turn positions that follow one another into a slice, which numpy copies in one go."""
    first, last = int(positions[0]), int(positions[-1])
    return slice(first, last + 1) if np.array_equal(positions, np.arange(first, last + 1)) else positions
