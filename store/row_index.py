"""Which row is the last of each ID, whatever the rows lie in."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from store.backend import Storage
from store.columns import NO_SPLIT, Column
from store.commit import Commit
from store.errors import IntegrityError, UnknownIDError
from store.rows import USABLE, Rows, Status

_IS_USABLE = np.isin(np.arange(256), USABLE)


class RowIndex(ABC):
    """Rows by number and by ID, as of one commit.

    Parameters
    ----------
    backend : Storage
    commit : Commit
    """

    def __init__(self, backend: Storage, commit: Commit) -> None:
        self.backend = backend
        self.commit = commit
        self._cache: dict[str, NDArray[Any]] = {}
        self._index: dict[str, int] = {}
        self._indexed = 0
        self._usable: NDArray[np.intp] | None = None
        self._columns = backend.all_columns(commit)

    def advance(self, commit: Commit) -> None:
        """Go on to a later commit; only blocks with new rows are read again."""
        self.commit = commit
        self._usable = None
        self._columns = self.backend.all_columns(commit)

    @property
    def columns(self) -> dict[str, Column]:
        """Every column by its path."""
        return self._columns

    @abstractmethod
    def column(self, path: str) -> NDArray[Any]:
        """Read one small column of all committed rows, with codes for labels, splits and groups."""

    @abstractmethod
    def batches(self, rows: NDArray[np.intp], *, functas: bool = True) -> Iterator[Rows]:
        """Read some rows, given in ascending order, block by block."""

    @abstractmethod
    def gather(self, rows: NDArray[np.intp]) -> NDArray[np.float32]:
        """Read the functas of any rows in any order, checked."""

    def values(self, path: str, rows: NDArray[np.intp]) -> NDArray[Any]:
        """Read one small column of some rows, as `column` gives it."""
        found: NDArray[Any] = self.column(path)[rows]
        return found

    def index(self) -> dict[str, int]:
        """Map each ID to its last row, in no order, deleted ones too."""
        n_rows = self.commit.n_rows
        if self._indexed < n_rows:
            self._index.update(
                zip(self.column("id")[self._indexed :].tolist(), range(self._indexed, n_rows), strict=True)
            )
            self._indexed = n_rows
        return self._index

    def last_rows(self, *statuses: Status) -> NDArray[np.intp]:
        """Find the rows, ascending, that are the last of their ID and have one of these statuses."""
        rows = np.sort(np.fromiter(self.index().values(), np.intp, len(self.index())))
        return rows[np.isin(self.column("status")[rows], statuses)]

    def usable(self) -> NDArray[np.intp]:
        """Find the rows, ascending, that are the last of their ID and hold a functa."""
        if self._usable is None:
            self._usable = self.last_rows(*USABLE)
        return self._usable

    def is_usable(self, name: object) -> bool:
        """Tell whether the last row of this ID holds a functa."""
        row = int(self.find([name])[0]) if isinstance(name, str) else -1
        return row >= 0 and bool(_IS_USABLE[self.column("status")[row]])

    def are_usable(self, names: list[str]) -> NDArray[np.bool_]:
        """Tell of each of these IDs whether its last row holds a functa, shape (n,)."""
        return self._hold_functas(self.find(names))

    def _hold_functas(self, rows: NDArray[np.intp]) -> NDArray[np.bool_]:
        if not self.commit.n_rows:
            return np.zeros(len(rows), bool)
        found: NDArray[np.bool_] = (rows >= 0) & _IS_USABLE[self.column("status")[rows]]
        return found

    def find(self, names: list[str]) -> NDArray[np.intp]:
        """Find the last row of each ID, whatever its status; -1 where there is none."""
        index = self.index()
        return np.array([index.get(name, -1) for name in names], np.intp)

    def rows_of(self, names: list[str]) -> NDArray[np.intp]:
        """Find the usable row of each ID, in the order asked; UnknownIDError names those that have none."""
        rows = self.find(names)
        usable = self._hold_functas(rows)
        missing = [names[i] for i in np.flatnonzero(~usable)]
        if missing:
            more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
            raise UnknownIDError(f"{self.backend.location} has no usable row for {missing[:5]}{more}")
        return rows

    def names(self, path: str, rows: NDArray[np.intp]) -> NDArray[np.object_]:
        """Look up labels, splits or groups of some rows as strings, None where there is none."""
        return decode_names(self.commit, path, self.column(path)[rows])

    def assemble(self, rows: NDArray[np.intp], functas: NDArray[np.float32]) -> Rows:
        """Make rows from their functas (or none of them) and the small columns."""
        values = {path: self.values(path, rows) for path in self.columns if path not in ("functas", "row_crc")}
        return to_rows(self.commit, values | {"functas": functas})


def decode_names(commit: Commit, path: str, codes: NDArray[Any]) -> NDArray[np.object_]:
    """Turn codes of labels, splits or groups into strings, None where there is none.

    Raises
    ------
    IntegrityError
        A code that the commit record does not name.
    """
    found: NDArray[np.object_] = np.array([*names_of(commit, path), None], dtype=object)[places(commit, path, codes)]
    return found


def names_of(commit: Commit, path: str) -> tuple[str, ...]:
    """List the names that the codes of labels, splits or groups stand for."""
    known: tuple[str, ...] = getattr(commit, f"{path}_names")
    return known


def no_name(path: str) -> int:
    """Give the code of no label, split or group."""
    return NO_SPLIT if path == "split" else -1


def places(commit: Commit, path: str, codes: NDArray[Any]) -> NDArray[np.intp]:
    """Turn codes into positions among the names, with one position more for none; IntegrityError as `decode_names`."""
    known = len(names_of(commit, path))
    positions = codes.astype(np.intp)
    positions[codes == no_name(path)] = known
    if len(codes) and not (positions.min() >= 0 and positions.max() <= known):
        raise IntegrityError(f"column {path} holds a code that the commit record does not name")
    return positions


def to_rows(commit: Commit, values: Mapping[str, NDArray[Any]]) -> Rows:
    """Make rows from columns as they are on disk."""
    same = ("functas", "psnr", "loss", "steps", "fit_seconds", "status", "source_hash", "target")
    return Rows(
        ids=values["id"],
        errors=values["error"],
        labels=decode_names(commit, "label", values["label"]),
        splits=decode_names(commit, "split", values["split"]),
        groups=decode_names(commit, "group", values["group"]),
        **{name: values[name] for name in same},
        extra={name: values[column.path] for name, column in commit.extra_columns().items()},
    )
