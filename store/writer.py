"""Turns batches of rows into blocks on disk and commits them."""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from store.backend import WritableBackend
from store.columns import NO_SPLIT, Kind, check_text, extra_column, extra_values, row_checksums
from store.commit import Commit, ExtraColumn
from store.errors import StoreError
from store.header import Header
from store.rows import MAX_ERROR_BYTES, USABLE, Rows, Status, check_ids, unusable

MAX_AGE = 30.0
COMMIT_SHARE = 9
MAX_NAME_BYTES = 65536


class Names:
    """Strings and their codes, in the order in which they came.

    Parameters
    ----------
    what : str
        ``"label"``, ``"split"`` or ``"group"``, for messages.
    known : sequence of str
    none : int
        The code of no name at all; other codes stay below it when it is positive.
    """

    def __init__(self, what: str, known: Sequence[str], none: int) -> None:
        self._what, self._none = what, none
        self._codes: dict[str | None, int] = {name: code for code, name in enumerate(known)}
        self._codes[None] = none

    def encode(self, names: NDArray[np.object_], dtype: str) -> NDArray[Any]:
        """Look up the code of each name; new names get the next code."""
        items = names.tolist()
        try:
            codes = list(map(self._codes.get, items))
        except TypeError as error:
            raise StoreError(f"some {self._what} is no string: {error}. Expected strings or None") from error
        return np.array([self._code(name) for name in items] if None in codes else codes, np.dtype(dtype))

    def _code(self, name: str | None) -> int:
        code = self._codes.get(name)
        if code is not None:
            return code
        if not isinstance(name, str):
            raise StoreError(f"a {self._what} is {name!r}, expected a string or None")
        check_text(name.replace("\0", ""), MAX_NAME_BYTES, f"a {self._what}")
        code = len(self._codes) - 1
        if code == self._none:
            raise StoreError(f"{self._what} {name!r} is number {code + 1}, a store holds at most {code} of them")
        self._codes[name] = code
        return code

    @property
    def known(self) -> tuple[str, ...]:
        """All names by code."""
        return tuple(name for name in self._codes if name is not None)


class RowWriter(Protocol):
    """What an open store hands rows to."""

    uncommitted: dict[str, tuple[int, bytes]]

    @property
    def commit_record(self) -> Commit:
        """The last commit."""

    def append(self, rows: Rows) -> None:
        """Take over rows; see :meth:`FunctaStore.append`."""

    def commit(self, *, finished: bool | None) -> None:
        """Make them durable and visible, if anything changed."""

    def add_column(self, name: str, kind: Kind, values: NDArray[Any]) -> None:
        """Add a column with a value for every committed row; nothing may be buffered."""

    def abandon(self) -> None:
        """Write no more; what was not committed is lost."""


class Writer:
    """Collects rows into blocks; a block is written when it is full, 30 s old or committed.

    Parameters
    ----------
    backend : WritableBackend
    commit : Commit
        The last one; the writer goes on after its rows.

    Notes
    -----
    A full block is committed at once, unless the last commit was so recent that commits would take more than a tenth of
    the time: then the blocks in between share the next commit.
    """

    def __init__(self, backend: WritableBackend, commit: Commit) -> None:
        self._backend = backend
        self.commit_record = commit
        self._columns = backend.all_columns(commit)
        self._names = {
            "label": Names("label", commit.label_names, -1),
            "split": Names("split", commit.split_names, NO_SPLIT),
            "group": Names("group", commit.group_names, -1),
        }
        self.n_rows = commit.n_rows
        self._written = commit.n_rows
        self._buffer: dict[str, NDArray[Any]] = {}
        self._oldest: float | None = None
        self._last_commit = (float("-inf"), 0.0)
        self.uncommitted: dict[str, tuple[int, bytes]] = {}
        self._load_partial_block()

    @property
    def _size(self) -> int:
        return self._backend.header.block_rows

    def _load_partial_block(self) -> None:
        self._buffer = {path: column.empty(self._size) for path, column in self._columns.items()}
        block, rows = divmod(self.n_rows, self._size)
        if rows:
            for path, column in self._columns.items():
                self._buffer[path][:rows] = self._backend.read_chunk(column, block, rows)

    def append(self, rows: Rows) -> None:
        """Take over rows; see :meth:`FunctaStore.append`."""
        columns = self._encode(rows)
        for start in range(0, len(rows), self._size):
            self._put({path: column[start : start + self._size] for path, column in columns.items()})
        self.uncommitted.update(
            zip(rows.ids.tolist(), zip(rows.status.tolist(), _hashes(rows), strict=True), strict=True)
        )
        if self._oldest is not None and monotonic() - self._oldest > MAX_AGE:
            self.commit(finished=None)

    def _put(self, columns: dict[str, NDArray[Any]]) -> None:
        rows = len(columns["id"])
        at = self.n_rows % self._size
        fitting = min(rows, self._size - at)
        self.n_rows += fitting
        self._oldest = self._oldest or monotonic()
        if fitting == self._size:
            self._write_block(columns)
        else:
            for path, values in columns.items():
                self._buffer[path][at : at + fitting] = values[:fitting]
        if self.n_rows % self._size == 0:
            self._write_block(self._buffer)
            self._commit_full_blocks()
        if fitting < rows:
            self._put({path: values[fitting:] for path, values in columns.items()})

    def _write_block(self, columns: dict[str, NDArray[Any]]) -> None:
        """Write the block that holds the last row, unless that was done."""
        if self._written == self.n_rows:
            return
        block = (self.n_rows - 1) // self._size
        first = block * self._size
        if self.n_rows - first < self._size:
            for path, column in self._columns.items():
                columns[path][self.n_rows - first :] = column.fill
        self._backend.write_block(block, columns, max(self._written - first, 0), self.n_rows - first)
        self._written = self.n_rows

    def _commit_full_blocks(self) -> None:
        moment, cost = self._last_commit
        if monotonic() - moment >= COMMIT_SHARE * cost:
            self.commit(finished=None)

    def commit(self, *, finished: bool | None) -> None:
        """Write what is buffered and put a new commit in place, if anything changed."""
        begin = monotonic()
        self._write_block(self._buffer)
        grown = self.n_rows > self.commit_record.n_rows
        kept = self.commit_record.finished and not grown
        after = kept if finished is None else finished
        if grown or after != self.commit_record.finished:
            self._replace_commit(finished=after)
        self._oldest = None
        self._last_commit = (monotonic(), monotonic() - begin)

    def add_column(self, name: str, kind: Kind, values: NDArray[Any]) -> None:
        """Add a column with a value for every committed row; nothing may be buffered."""
        entry = ExtraColumn(kind=kind, path=name)
        column = extra_column(name, kind)
        self._backend.add_column(column, self.n_rows)
        for start in range(0, self.n_rows, self._size):
            block = column.empty(self._size)
            part = values[start : start + self._size]
            block[: len(part)] = part
            self._backend.write_block(start // self._size, {column.path: block}, 0, len(part))
        self._replace_commit(extra=self.commit_record.extra | {name: entry}, finished=self.commit_record.finished)
        self._columns[column.path] = column
        self._buffer[column.path] = column.empty(self._size)
        rows = self.n_rows % self._size
        self._buffer[column.path][:rows] = values[len(values) - rows :]

    def abandon(self) -> None:
        """Let go of files, touching the disk no more."""
        self._backend.abandon()

    def _replace_commit(self, **changes: Any) -> None:
        names = {f"{what}_names": names.known for what, names in self._names.items()}
        commit = self.commit_record.next(n_rows=self.n_rows, **names, **changes)
        self._backend.write_commit(commit)
        self.commit_record = commit
        self.uncommitted.clear()

    def _encode(self, rows: Rows) -> dict[str, NDArray[Any]]:
        header = self._backend.header
        check_rows(rows, header, self._backend.longest_id)
        columns: dict[str, NDArray[Any]] = {
            "functas": rows.functas,
            "id": rows.ids,
            "label": self._names["label"].encode(rows.labels, "<i4"),
            "split": self._names["split"].encode(rows.splits, "|u1"),
            "group": self._names["group"].encode(rows.groups, "<i4"),
            "error": rows.errors,
        }
        for name in ("target", "psnr", "loss", "steps", "fit_seconds", "status", "source_hash"):
            columns[name] = getattr(rows, name)
        columns["row_crc"] = row_checksums(columns)
        return columns | self._encode_extra(rows)

    def _encode_extra(self, rows: Rows) -> dict[str, NDArray[Any]]:
        known = self.commit_record.extra_columns()
        unknown = rows.extra.keys() - known.keys()
        if unknown:
            raise StoreError(f"extra columns {sorted(unknown)} are not in this store. Add them with add_column first")
        kinds = {name: entry.kind for name, entry in self.commit_record.extra.items()}
        return {
            column.path: extra_values(name, kinds[name], rows.extra[name])
            if name in rows.extra
            else column.empty(len(rows))
            for name, column in known.items()
        }


def check_rows(rows: Rows, header: Header, longest_id: int) -> None:
    """Refuse rows that a store of this header cannot keep; StoreError names the first one."""
    longest = max(map(len, check_ids(rows.ids)), default=0)
    if longest > longest_id:
        name = max(rows.ids, key=lambda name: len(name.encode()))
        raise StoreError(
            f"ID {name!r} has {longest} bytes, but this store keeps IDs of at most {longest_id}. "
            "Create the store with a larger id_width, or as .zarr"
        )
    if rows.k != header.k:
        raise StoreError(f"functas have {rows.k} values, but this store keeps k = {header.k}")
    broken = _broken(rows, missing_values=header.missing_values)
    if broken.any():
        what = "infinity, or nothing but NaN" if header.missing_values else "NaN or infinity"
        raise StoreError(
            f"{int(broken.sum())} rows have status ok but a functa with {what}, the first is "
            f"{rows.ids[broken.argmax()]!r}. Give them status FAILED"
        )
    known = np.isin(rows.status, list(Status)) & (rows.status != Status.UNSET)
    if not known.all():
        raise StoreError(
            f"row {rows.ids[(~known).argmax()]!r} has status {rows.status[(~known).argmax()]}, expected 1..4"
        )
    for row in np.flatnonzero(rows.errors != ""):
        check_text(rows.errors[row], MAX_ERROR_BYTES, f"the error of row {rows.ids[row]!r}")


def _broken(rows: Rows, *, missing_values: bool) -> NDArray[np.bool_]:
    """Find usable rows that cannot be; a sum that is finite says at little cost that there is none."""
    usable = np.isin(rows.status, USABLE)
    with np.errstate(over="ignore", invalid="ignore"):
        doubtful = usable & ~np.isfinite(rows.functas.sum(axis=1))
    broken: NDArray[np.bool_] = doubtful.copy()
    broken[doubtful] = unusable(rows.functas[doubtful], missing_values=missing_values)
    return broken


def _hashes(rows: Rows) -> list[bytes]:
    data = rows.source_hash.tobytes()
    return [data[start : start + 16] for start in range(0, len(data), 16)]
