"""The store as its users see it: rows by ID, read and written, whatever the format on disk."""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, cast

import numpy as np

from store.backend import Backend, Storage, WritableBackend
from store.columns import Kind, by_id, check_extra, extra_column, extra_values
from store.errors import StoreError, UnknownIDError
from store.frames import taken_names
from store.locks import StoreLock
from store.reading import StoredRows, without_deleted
from store.row_index import RowIndex
from store.rows import Rows, Status
from store.table import Table
from store.writer import RowWriter, Writer

_LOG = logging.getLogger(__name__)


class FunctaStore(StoredRows):
    """One encoder's rows, keyed by sample ID. Made by :func:`create_store` and :func:`open_store`.

    Reading sees what was committed when the store was opened; a store opened for writing also sees its own commits.
    As a context manager a clean exit commits; an exception leaves the last commit standing. A copy, in another process
    or not, opens the store anew by its path; a store that is open for writing has no copies, and a fork of its process
    does not write.

    Parameters
    ----------
    backend : Storage
    lock : StoreLock, optional
        Held by the one that writes.
    table : RowIndex, optional
        The backend's rows, where it is no single store.
    writer : RowWriter, optional
        Where rows go that are appended, where it is no single store.
    again : callable, optional
        Opens the store anew by its path: what a copy of one that is open for reading is made by.
    """

    def __init__(
        self,
        backend: Storage,
        lock: StoreLock | None = None,
        *,
        table: RowIndex | None = None,
        writer: RowWriter | None = None,
        again: Callable[[Path | str], FunctaStore] | None = None,
    ) -> None:
        super().__init__(backend, table or Table(cast(Backend, backend), backend.commit))
        self._lock = lock
        self._again = again
        self._writer = Writer(backend, backend.commit) if isinstance(backend, WritableBackend) else writer
        self._broken = ""
        self._process = os.getpid()

    @property
    def mode(self) -> Literal["r", "a"]:
        """``"a"`` when the store is open for writing."""
        return "r" if self._writer is None else "a"

    @property
    def written_by_many(self) -> bool:
        """Whether several processes, on other machines too, may write at once; of single stores none may."""
        return False

    def __repr__(self) -> str:
        return f"FunctaStore({str(self.path)!r}, mode={self.mode!r}, modality={self.modality!r}, k={self.k})"

    def known(self, ids: Sequence[str] | None = None) -> dict[str, tuple[int, bytes]]:
        """Map every ID that was not deleted to status and source hash of its last row, failed and buffered ones too.

        Of a large collection it is cheaper to ask for the IDs that matter.
        """
        found = super().known(ids)
        if self._writer is None:
            return found
        buffered = self._writer.uncommitted
        found |= {name: buffered[name] for name in (buffered if ids is None else buffered.keys() & set(ids))}
        return without_deleted(found)

    def append(self, rows: Rows) -> None:
        """Add rows; an ID that is there already gets a new value (the last row wins).

        Rows are written and committed whenever a block is full or 30 s old; :meth:`commit` does it at once.

        Raises
        ------
        StoreError
            The rows do not fit the store, or the disk is full; what was committed stays.
        """
        writer = self._writing()
        if not isinstance(rows, Rows):
            raise StoreError(f"append got {type(rows).__name__}, expected Rows. Make them with Rows.build")
        with self._guard():
            writer.append(rows)
            self._table.advance(writer.commit_record)
        _LOG.debug("%s: commit %d, %d rows", self.path, self.generation, self.n_rows)

    def delete(self, ids: Sequence[str]) -> None:
        """Forget these IDs by appending a row of status DELETED for each; UnknownIDError when one is not there."""
        known = self.known()
        missing = [name for name in ids if name not in known]
        if missing:
            raise UnknownIDError(f"{self.path} has no row for {missing[:5]}, so it cannot be deleted")
        nothing = np.full((len(ids), self.k), np.nan, np.float32)
        self.append(Rows.build(list(ids), nothing, status=np.full(len(ids), Status.DELETED)))

    def commit(self, finished: bool | None = None) -> None:  # noqa: FBT001
        """Make everything appended so far durable and visible.

        Parameters
        ----------
        finished : bool, optional
            Whether the run is through; None keeps what stands, unless there are new rows.
        """
        writer = self._writing()
        with self._guard():
            writer.commit(finished=finished)
            self._table.advance(writer.commit_record)

    def add_column(self, name: str, values: Mapping[str, Any], kind: str | None = None) -> None:
        """Add a column of one's own: metadata, a second label. It comes back in ``rows.extra``.

        Parameters
        ----------
        name : str
            Letters, digits, '_' and '-'.
        values : mapping of ID to value
            Or a pandas Series. IDs that are left out get NaN, 0 or ``""``.
        kind : {"number", "integer", "text"}, optional
            Follows from the values when not given.

        Raises
        ------
        StoreError
            The name is taken, by what exports call their own columns too, or not valid; the values are of several
            kinds; an ID has no row, or is there twice.
        """
        self._writing()
        given = by_id(name, values)
        chosen = check_extra(name, given.values(), kind, taken_names(self.header).union(self._table.commit.extra))
        encoded = dict(zip(given, extra_values(name, chosen, list(given.values())), strict=True))
        known = self.known() if given else {}
        unknown = [id_ for id_ in given if id_ not in known]
        if unknown:
            raise UnknownIDError(
                f"{self.path} has no row for {len(unknown)} IDs of column {name!r}, the first is {unknown[0]!r}"
            )
        self.commit()
        self.carry_column(name, chosen, encoded)

    def carry_column(self, name: str, kind: Kind, encoded: Mapping[str, Any]) -> None:
        """Add a column as another store has it, under any name; nothing may be buffered."""
        writer = self._writing()
        column = extra_column(name, kind).empty(self.n_rows)
        for row, id_ in enumerate(self._table.column("id")):
            if id_ in encoded:
                column[row] = encoded[id_]
        with self._guard():
            writer.add_column(name, kind, column)
            self._table.advance(writer.commit_record)

    def close(self) -> None:
        """Commit what is buffered, if the store is open for writing, and let others write; nothing is read any more."""
        if self._writer is None:
            self._closed = True
            self._backend.close()
            return
        try:
            if not (self._closed or self._broken) and self._process == os.getpid():
                self.commit()
                with self._guard():
                    self._backend.close()
        finally:
            self.abandon()

    def abandon(self) -> None:
        """Let others write, without a commit: what was committed last stands."""
        self._closed = True
        if self._writer is not None:
            self._writer.abandon()
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None or self._writer is None:
            self.close()
        else:
            self.abandon()

    def __del__(self) -> None:
        with suppress(Exception):
            self.abandon()

    def __reduce__(self) -> tuple[Any, ...]:
        if self._again is None or self._writer is not None:
            raise StoreError(f"{self.path} is open for writing and cannot be copied. Open it again by its path")
        return self._again, (self.path,)

    def _writing(self) -> RowWriter:
        if self._writer is None:
            raise StoreError(f"{self.path} is open for reading. Open it with mode='a' to write")
        self._require_open()
        if self._broken:
            raise StoreError(f"{self.path} takes no more rows: {self._broken}. Open it again")
        if self._process != os.getpid():
            raise StoreError(f"{self.path} is written to by process {self._process}, not by its fork {os.getpid()}")
        return self._writer

    @contextmanager
    def _guard(self) -> Iterator[None]:
        try:
            yield
        except StoreError:
            raise
        except OSError as error:
            self._broken = f"writing failed ({error.strerror or error})"
            raise StoreError(self._failure(error)) from error
        except BaseException:
            self._broken = "writing was interrupted"
            raise

    def _failure(self, error: OSError) -> str:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        advice = "Free some space" if full else "Check the folder's permissions and the disk"
        return (
            f"cannot write to {self.path}: {error.strerror or error}. The {self.n_rows} committed rows are intact. "
            f"{advice} and run the same command again"
        )
