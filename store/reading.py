"""What a store holds, read by ID, whatever the format on disk."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from store.arrow import to_arrow
from store.backend import Storage
from store.documents import plain
from store.errors import StoreError, StoreMismatchError
from store.frames import columns_of, to_frame, to_xarray
from store.header import Header, differences, state_digest
from store.row_index import RowIndex
from store.rows import Rows, Status
from store.summary import describe, described_html
from store.table import Table
from store.verification import VerifyReport, verify


class StoredRows:
    """One encoder's rows, keyed by sample ID: the half of a :class:`FunctaStore` that only reads.

    Reading sees what was committed when the store was opened.

    Parameters
    ----------
    backend : Storage
    rows : RowIndex
        The backend's rows, by number and by ID.
    """

    def __init__(self, backend: Storage, rows: RowIndex) -> None:
        self._backend = backend
        self._rows = rows
        self._closed = False

    @property
    def path(self) -> Path | str:
        """The store's path, or its URL."""
        return self._backend.location if "://" in self._backend.location else Path(self._backend.location)

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
        """Map every ID that was not deleted to status and source hash of its last row, failed ones too.

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
        return without_deleted(found)

    def failed(self) -> list[tuple[str, str, str]]:
        """List ID, stage and reason of the samples whose last row failed."""
        rows = self._table.last_rows(Status.FAILED)
        ids, errors = self._table.column("id")[rows], self._table.column("error")[rows]
        return [(name, *_stage_and_reason(text)) for name, text in zip(ids, errors, strict=True)]

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

    @property
    def _table(self) -> RowIndex:
        self._require_open()
        return self._rows

    def _require_open(self) -> None:
        if self._closed:
            raise StoreError(f"{self.path} was closed. Open it again")


def without_deleted(found: Mapping[str, tuple[int, bytes]]) -> dict[str, tuple[int, bytes]]:
    """Leave out IDs of which the status says that they were deleted."""
    return {name: entry for name, entry in found.items() if entry[0] != Status.DELETED}


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
