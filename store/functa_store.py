"""The store as its users see it: rows by ID, whatever the format on disk."""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, cast

import numpy as np
from numpy.typing import NDArray

from store.arrow import to_arrow
from store.backend import Backend, Storage, WritableBackend
from store.columns import Kind, by_id, check_extra, extra_column, extra_values
from store.documents import plain
from store.errors import StoreError, StoreMismatchError, UnknownIDError
from store.frames import columns_of, taken_names, to_frame, to_xarray
from store.header import Header, differences, state_digest
from store.locks import StoreLock
from store.row_index import RowIndex
from store.rows import Rows, Status
from store.summary import describe, described_html
from store.table import Table
from store.verification import VerifyReport, verify
from store.writer import RowWriter, Writer

_LOG = logging.getLogger(__name__)


class FunctaStore:
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
        self._backend = backend
        self._lock = lock
        self._again = again
        self._rows = table or Table(cast(Backend, backend), backend.commit)
        self._writer = Writer(backend, backend.commit) if isinstance(backend, WritableBackend) else writer
        self._broken = ""
        self._closed = False
        self._process = os.getpid()

    @property
    def path(self) -> Path | str:
        """The store's path, or its URL."""
        return self._backend.location if "://" in self._backend.location else Path(self._backend.location)

    @property
    def mode(self) -> Literal["r", "a"]:
        """``"a"`` when the store is open for writing."""
        return "r" if self._writer is None else "a"

    @property
    def written_by_many(self) -> bool:
        """Whether several processes, on other machines too, may write at once; of single stores none may."""
        return False

    @property
    def header(self) -> Header:
        """What was written once, at creation."""
        return self._backend.header

    @property
    def k(self) -> int:
        """Number of values in one functa."""
        return self.header.k

    @property
    def modality(self) -> str:
        """Image, audio, video or sensor."""
        return self.header.modality

    @property
    def longest_id(self) -> int:
        """Bytes of UTF-8 that an ID may have here."""
        return self._backend.longest_id

    @property
    def n_rows(self) -> int:
        """Committed rows on disk, replaced and deleted ones too."""
        return self._rows.commit.n_rows

    @property
    def generation(self) -> int:
        """Number of commits so far."""
        return self._rows.commit.generation

    @property
    def finished(self) -> bool:
        """Whether the last run that wrote here said it was through."""
        return self._rows.commit.finished

    @property
    def fingerprint(self) -> str:
        """Hexadecimal digest of the header, but for the format's minor version."""
        return self.header.fingerprint

    @property
    def state(self) -> dict[str, NDArray[Any]]:
        """The encoder's learned arrays; IntegrityError when they are not the ones that were written."""
        self._require_open()
        state = self._backend.read_state()
        if state_digest(state) != self.header.state_sha256:
            raise self._backend.damaged("state", "does not match its checksum")
        return state

    def __len__(self) -> int:
        return len(self._table.usable())

    def __contains__(self, name: object) -> bool:
        return self._table.is_usable(name)

    def holds(self, ids: Sequence[str]) -> NDArray[np.bool_]:
        """Tell of each of these IDs what ``id in store`` tells, shape (n,); faster than one by one."""
        return self._table.are_usable(list(ids))

    def __repr__(self) -> str:
        return f"FunctaStore({str(self.path)!r}, mode={self.mode!r}, modality={self.modality!r}, k={self.k})"

    def _repr_html_(self) -> str:
        return described_html(self.info())

    @property
    def ids(self) -> NDArray[np.object_]:
        """IDs of the usable rows, in row order."""
        found: NDArray[np.object_] = self._table.column("id")[self._table.usable()]
        return found

    def get(self, id: str) -> Rows:  # noqa: A002
        """Read the usable row of one ID; UnknownIDError when there is none."""
        return self.read([id])

    def read(self, ids: Sequence[str] | None = None, *, functas: bool = True) -> Rows:
        """Read usable rows in the order asked, or all of them in row order.

        Parameters
        ----------
        ids : sequence of str, optional
        functas : bool
            Without them ``rows.functas`` has shape (b, 0).

        Raises
        ------
        UnknownIDError
            An ID has no usable row.
        IntegrityError
            A row is not what was written.
        """
        rows = self._table.usable() if ids is None else self._table.rows_of(list(ids))
        if not functas:
            return self._table.assemble(rows, np.empty((len(rows), 0), np.float32))
        return self._table.assemble(rows, self._table.gather(rows))

    def to_numpy(self, *, split: str | Collection[str] | None = None) -> dict[str, NDArray[Any]]:
        """Give usable rows as arrays by name: ids, functas, labels, splits, groups, psnr and the others."""
        return columns_of(self.read(self._ids_of(split)))

    def to_pandas(self, *, split: str | Collection[str] | None = None, functas: bool = False) -> Any:
        """Give usable rows as a data frame indexed by ID; functas, if asked for, as columns ``functa_<i>``."""
        return to_frame(self.read(self._ids_of(split), functas=functas))

    def to_arrow(self, *, split: str | Collection[str] | None = None, functas: bool = True) -> Any:
        """Give usable rows as an Arrow table, functas as lists of one size, for Polars, DuckDB and others."""
        return to_arrow(self.read(self._ids_of(split), functas=functas))

    def to_xarray(self, *, split: str | Collection[str] | None = None) -> Any:
        """Give usable rows as an ``xarray.Dataset``, dimensions ``id`` and ``weight``; needs xarray.

        A Zarr store that is too large for memory is opened by ``xarray.open_zarr`` itself.
        """
        return to_xarray(self.read(self._ids_of(split)), modality=self.modality)

    def _ids_of(self, split: str | Collection[str] | None) -> list[str] | None:
        found: list[str] | None = None if split is None else self._table.column("id")[self._select(split)].tolist()
        return found

    def iter_blocks(self, *, split: str | Collection[str] | None = None, functas: bool = True) -> Iterator[Rows]:
        """Iterate over usable rows in row order, one block in memory at a time.

        Parameters
        ----------
        split : str or collection of str, optional
            Only rows of these splits.
        functas : bool
            Without them ``rows.functas`` has shape (b, 0).
        """
        return self._while_open(self._table.batches(self._select(split), functas=functas))

    def _while_open(self, batches: Iterator[Rows]) -> Iterator[Rows]:
        for rows in batches:
            yield rows
            self._require_open()

    def _select(self, split: str | Collection[str] | None) -> NDArray[np.intp]:
        rows = self._table.usable()
        if split is None:
            return rows
        splits = {split} if isinstance(split, str) else set(split)
        return rows[[name in splits for name in self._table.names("split", rows)]]

    def known(self, ids: Sequence[str] | None = None) -> dict[str, tuple[int, bytes]]:
        """Map every ID that was not deleted to status and source hash of its last row, failed and buffered ones too.

        Of a large collection it is cheaper to ask for the IDs that matter.
        """
        if ids is None:
            index = self._table.index()
            status, hashes = self._table.column("status").tolist(), self._table.column("source_hash")
            found = {name: (status[row], hashes[row].tobytes()) for name, row in index.items()}
        else:
            rows = self._table.find(list(ids))
            batch = self._table.assemble(rows[rows >= 0], np.empty((int((rows >= 0).sum()), 0), np.float32))
            told = zip(batch.status.tolist(), map(bytes, batch.source_hash), strict=True)
            found = dict(zip(batch.ids.tolist(), told, strict=True))
        if self._writer is not None:
            asked = self._writer.uncommitted.keys() if ids is None else self._writer.uncommitted.keys() & set(ids)
            found |= {name: self._writer.uncommitted[name] for name in asked}
        return {name: entry for name, entry in found.items() if entry[0] != Status.DELETED}

    def failed(self) -> list[tuple[str, str, str]]:
        """List ID, stage and reason of the samples whose last row failed."""
        rows = self._table.last_rows(Status.FAILED)
        ids, errors = self._table.column("id")[rows], self._table.column("error")[rows]
        return [(name, *_stage_and_reason(text)) for name, text in zip(ids, errors, strict=True)]

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

    def require_same(
        self, *, encoder: Mapping[str, Any] | None = None, state: Mapping[str, NDArray[Any]] | None = None
    ) -> None:
        """Refuse to go on with another configuration or start.

        Raises
        ------
        StoreMismatchError
            Naming each field that differs, with both values.
        """
        found = [] if encoder is None else differences(self.header.encoder, plain(dict(encoder), "the configuration"))
        if state is not None and state_digest(state) != self.header.state_sha256:
            found += _state_differences(self.state, state)
        if found:
            raise StoreMismatchError(
                f"store {self.path} was made by encoder {self.header.encoder_sha256[:8]}, but this one differs: "
                f"{'; '.join(found)}. Use a new store path, or the configuration kept in the store"
            )

    def verify(self, *, deep: bool = False) -> VerifyReport:
        """Read everything and compare it with its checksums.

        Parameters
        ----------
        deep : bool
            Read everything with plain zarr or h5py too, and say what all of this proves and what it cannot.
        """
        return verify(cast(Table, self._table), deep=deep)

    def info(self) -> dict[str, Any]:
        """Say what is inside, for people: rows, classes, splits, PSNR distribution, encoder, versions, size."""
        return describe(self._backend, self._table)

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

    @property
    def _table(self) -> RowIndex:
        self._require_open()
        return self._rows

    def _require_open(self) -> None:
        if self._closed:
            raise StoreError(f"{self.path} was closed. Open it again")

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


def _stage_and_reason(text: str) -> tuple[str, str]:
    stage, separator, reason = text.partition(": ")
    return (stage, reason) if separator else ("", text)


def _state_differences(old: Mapping[str, NDArray[Any]], new: Mapping[str, NDArray[Any]]) -> list[str]:
    found = []
    for name in sorted(old.keys() | new.keys()):
        if name not in new or name not in old:
            found.append(f"state {name!r} is only in the {'store' if name in old else 'new encoder'}")
        elif state_digest({name: old[name]}) != state_digest({name: new[name]}):
            found.append(f"state {name!r} {_brief(old[name])} -> {_brief(np.asarray(new[name]))}")
    return found


def _brief(array: NDArray[Any]) -> str:
    return f"{array.dtype}{list(array.shape)} {state_digest({'': array})[:8]}"
