"""Rewrites stores: compact, convert, repair. The old one stays until the new one is complete, checked and in place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from store.backend import Backend
from store.errors import IntegrityError, StoreError
from store.functa_store import FunctaStore
from store.header import Header, state_digest
from store.locks import StoreLock
from store.opening import create_unlocked, open_backend, open_readable, vacant
from store.rewriting import locate, recover, remove_store, rewritten_path, swap
from store.rows import Rows, Status
from store.salvage import salvage_block
from store.table import Table, to_rows

LIVE = (Status.OK, Status.LOW_PSNR, Status.FAILED)


@dataclass(frozen=True)
class CompactReport:
    """What compacting did.

    Parameters
    ----------
    rows : int
        Rows that are there now.
    removed : int
        Replaced and deleted rows that are gone.
    bytes_before, bytes_after : int
    """

    rows: int
    removed: int
    bytes_before: int
    bytes_after: int


@dataclass(frozen=True)
class RepairReport:
    """What repairing found; the next encode fits what was lost again.

    Parameters
    ----------
    rows : int
        Rows that are there now.
    lost_ids : list of str
        IDs whose row was damaged, sorted.
    lost_unknown : int
        Damaged rows whose ID is lost too.
    lost_extra : list of str
        Columns of users that lost values.
    problems : list of str
        The damaged places.
    """

    rows: int
    lost_ids: list[str] = field(default_factory=list)
    lost_unknown: int = 0
    lost_extra: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def compact(path: str | Path) -> CompactReport:
    """Write a store anew without its replaced and deleted rows.

    Raises
    ------
    IntegrityError
        The store is damaged; nothing was changed. Repair it first.
    """
    target = Path(path)
    with locked(target):
        table = open_table(locate(target))
        before, physical = table.backend.nbytes(), table.commit.n_rows
        rows = rewrite(target, table.batches(table.last_rows(*LIVE)), like=table)
        table.backend.close()
    return CompactReport(rows, physical - rows, before, open_backend(target).nbytes())


def convert(path: str | Path, target: str | Path) -> int:
    """Copy the live rows of a store into a new one, whose suffix says which format it has.

    Returns
    -------
    int
        Rows that were copied.
    """
    table = open_table(path)
    longest = max((len(name.encode()) for name in table.index()), default=0)
    header = replace(table.backend.header, id_width=max(table.backend.header.id_width, longest))
    with locked(vacant(target)):
        return rewrite(Path(target), table.batches(table.last_rows(*LIVE)), like=table, header=header)


def repair(path: str | Path) -> RepairReport:
    """Write a damaged store anew with every row that matches its checksum.

    Damaged rows are left out, and older rows of the same ID too, so that the next encode fits exactly those again.

    Raises
    ------
    IntegrityError
        Nothing can be saved: both copies of the header, the commit record or the state are damaged.
    """
    target = Path(path)
    with locked(target):
        backend, problems = _open_damaged(locate(target))
        report = FunctaStore(backend).verify()
        if report.ok and not problems:
            return RepairReport(report.rows)
        table = Table(backend, backend.commit)
        salvage = _Salvage(table)
        rows = rewrite(target, salvage.batches(), like=table)
        backend.close()
    lost, extra = sorted(salvage.lost_ids), sorted(salvage.lost_extra)
    return RepairReport(rows, lost, salvage.lost_unknown, extra, problems + report.problems)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a store's lock; what an interrupted rewrite left behind is dealt with first."""
    lock = StoreLock(path)
    try:
        recover(path)
        yield
    finally:
        lock.release()


def open_table(path: str | Path) -> Table:
    """Open the committed rows of a store."""
    backend = open_backend(path)
    return Table(backend, backend.commit)


def rewrite(
    path: Path,
    batches: Iterable[Rows],
    *,
    like: Table,
    header: Header | None = None,
    extra: Mapping[str, str] | None = None,
) -> int:
    """Write rows into a new store beside a path, check it and put it in place; the caller holds the lock.

    Parameters
    ----------
    path : Path
    batches : iterable of Rows
    like : Table
        Gives state, generation and, unless said otherwise, header and users' columns.
    header : Header, optional
    extra : mapping of name to kind, optional

    Returns
    -------
    int
        Rows of the new store.
    """
    beside = rewritten_path(path)
    kinds = {name: entry["kind"] for name, entry in like.commit.extra.items()} if extra is None else extra
    try:
        _write_beside(beside, batches, like, header or like.backend.header, kinds)
        rows = _check_copy(beside)
        swap(path)
    except OSError as error:
        raise StoreError(f"cannot write beside {path}: {error.strerror or error}. What was there is intact") from error
    finally:
        if path.exists():
            remove_store(beside)
    return rows


def _write_beside(beside: Path, batches: Iterable[Rows], like: Table, header: Header, kinds: Mapping[str, str]) -> None:
    state, commit = _checked_state(like.backend), like.commit
    backend = create_unlocked(beside, header, state, generation=commit.generation, epoch=commit.epoch + 1)
    with FunctaStore(backend) as target:
        for name, kind in kinds.items():
            target.add_column(name, {}, kind)
        for batch in batches:
            target.append(batch)
        target.commit(finished=commit.finished)


def _check_copy(beside: Path) -> int:
    with FunctaStore(open_readable(beside)) as written:
        report = written.verify()
    if not report.ok:
        raise IntegrityError(
            f"the copy {beside} is damaged: {'; '.join(report.problems[:3])}. Check the disk, try again"
        )
    return report.rows


def _checked_state(backend: Backend) -> dict[str, NDArray[Any]]:
    state = backend.read_state()
    if state_digest(state) != backend.header.state_sha256:
        raise backend.damaged("state", "does not match its checksum")
    return state


def _open_damaged(path: Path) -> tuple[Backend, list[str]]:
    """Open by the first copy of header, commit and state, or by the spare one."""
    problems = []
    for spare in (False, True):
        try:
            backend = open_readable(path, spare=spare)
            _checked_state(backend)
        except IntegrityError as error:
            problems.append(str(error))
        else:
            return backend, problems
    raise IntegrityError(
        f"{path} cannot be repaired: {problems[0]}; the spare copy: {problems[1]}. "
        "Restore it from a backup, or encode into a new store"
    )


class _Salvage:
    """Finds the rows that can be kept: the last of their ID, matching their checksums, not deleted."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self.lost_unknown = 0
        self.lost_extra: set[str] = set()
        last: dict[str, int] = {}
        for block, start, end in table.blocks():
            found = salvage_block(table.backend, table.columns, block, end - start)
            self.lost_extra.update(found.lost_extra)
            for row, (name, good) in enumerate(zip(found.columns["id"], found.good, strict=True), start):
                if good or found.ids_hold:
                    last[name] = row if good else -1
                else:
                    self.lost_unknown += 1
        self.lost_ids = {name for name, row in last.items() if row < 0}
        self._kept = np.sort(np.array([row for row in last.values() if row >= 0], np.intp))

    def batches(self) -> Iterator[Rows]:
        """Read the rows that can be kept, block by block."""
        for block, start, end in self._table.blocks():
            columns = salvage_block(self._table.backend, self._table.columns, block, end - start).columns
            here = self._kept[(self._kept >= start) & (self._kept < end)] - start
            here = here[np.isin(columns["status"][here], LIVE)]
            if len(here):
                yield to_rows(self._table.commit, {path: values[here] for path, values in columns.items()})
