"""Rewrites stores: compact, convert, repair. The old one stays until the new one is complete, checked and in place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from numpy.typing import NDArray

from store.backend import Backend, Storage
from store.collection.collection import is_collection, open_collection
from store.columns import Kind
from store.commit import Commit
from store.errors import IntegrityError, StoreError
from store.formats import create_unlocked, open_backend, open_readable, vacant
from store.functa_store import FunctaStore
from store.header import Header, state_digest
from store.locks import StoreLock, resolved
from store.rewriting import locate, recover, remove_store, rewritten_path, swap
from store.row_index import RowIndex
from store.rows import LIVE, Rows
from store.salvage import Salvage
from store.table import Table


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

    @classmethod
    def together(cls, reports: Sequence[RepairReport]) -> RepairReport:
        """Add up what was found in several stores."""
        return cls(
            sum(report.rows for report in reports),
            sorted({name for report in reports for name in report.lost_ids}),
            sum(report.lost_unknown for report in reports),
            sorted({name for report in reports for name in report.lost_extra}),
            [problem for report in reports for problem in report.problems],
        )


def compact(path: str | Path, target: str | Path | None = None) -> CompactReport:
    """Write a store anew without its replaced and deleted rows.

    Parameters
    ----------
    path : path-like
    target : path-like, optional
        Write there, and leave what is there as it is. Of a collection, whose parts never change, this makes one store.

    Raises
    ------
    StoreError
        A collection is to be compacted in its place.
    IntegrityError
        The store is damaged; nothing was changed. Repair it first.
    """
    if target is not None:
        table = open_table(path)
        rows = convert(path, target)
        return CompactReport(rows, table.commit.n_rows - rows, table.backend.nbytes(), open_backend(target).nbytes())
    if is_collection(path):
        raise StoreError(f"{path} is a collection, whose parts never change. Name the store to write, with --out")
    place = resolved(path)
    with locked(place):
        table = open_table(locate(place))
        before, physical = table.backend.nbytes(), table.commit.n_rows
        rows = rewrite(place, table.batches(table.last_rows(*LIVE)), like=table)
        table.backend.close()
    return CompactReport(rows, physical - rows, before, open_backend(place).nbytes())


def convert(path: str | Path, target: str | Path) -> int:
    """Copy the live rows of a store into a new one, whose suffix says which format it has.

    Returns
    -------
    int
        Rows that were copied.
    """
    table = open_table(path)
    longest = max((len(name.encode()) for name in table.index()), default=0)
    header = table.backend.header.changed(id_width=max(table.backend.header.id_width, longest))
    new = vacant(target)
    with locked(new):
        return rewrite(vacant(new), table.batches(table.last_rows(*LIVE)), like=table, header=header)


def repair_store(path: str | Path) -> RepairReport:
    """Write a damaged store anew with every row that matches its checksum.

    Damaged rows are left out, and older rows of the same ID too, so that the next encode fits exactly those again.

    Raises
    ------
    IntegrityError
        Nothing can be saved: both copies of the header, the commit record or the state are damaged.
    """
    target = resolved(path)
    with locked(target):
        backend, problems = _open_damaged(locate(target))
        report = FunctaStore(backend).verify()
        if report.ok and not problems:
            return RepairReport(report.rows)
        table = Table(backend, _with_unnamed_blocks(backend))
        salvage = Salvage(table)
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


def open_table(path: str | Path) -> RowIndex:
    """Open the committed rows of a store or a collection."""
    if is_collection(path):
        return open_collection(path).table
    backend = open_backend(path)
    return Table(backend, backend.commit)


def rewrite(
    path: Path,
    batches: Iterable[Rows],
    *,
    like: RowIndex,
    header: Header | None = None,
    extra: Mapping[str, str] | None = None,
) -> int:
    """Write rows into a new store beside a path, check it and put it in place; the caller holds the lock.

    Parameters
    ----------
    path : Path
    batches : iterable of Rows
    like : RowIndex
        Gives state, generation and, unless said otherwise, header and users' columns.
    header : Header, optional
    extra : mapping of name to kind, optional

    Returns
    -------
    int
        Rows of the new store.
    """
    beside = rewritten_path(path)
    kinds = {name: entry.kind for name, entry in like.commit.extra.items()} if extra is None else extra
    written = (header or like.backend.header).as_this_version(path)
    try:
        _write_beside(beside, batches, like, written, kinds)
        rows = _check_copy(beside)
        swap(path)
    except OSError as error:
        raise StoreError(f"cannot write beside {path}: {error.strerror or error}. What was there is intact") from error
    finally:
        if path.exists():
            remove_store(beside)
    return rows


def _write_beside(
    beside: Path, batches: Iterable[Rows], like: RowIndex, header: Header, kinds: Mapping[str, str]
) -> None:
    state, commit = checked_state(like.backend), like.commit
    backend = create_unlocked(beside, header, state, Commit.before_rewriting(header.sha256, commit))
    with FunctaStore(backend) as target:
        for name, kind in kinds.items():
            target.carry_column(name, cast(Kind, kind), {})
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


def checked_state(backend: Storage) -> dict[str, NDArray[Any]]:
    """Read the state; IntegrityError when it is not the one that was written."""
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
            checked_state(backend)
        except IntegrityError as error:
            problems.append(str(error))
        else:
            return backend, problems
    raise IntegrityError(
        f"{path} cannot be repaired: {problems[0]}; the spare copy: {problems[1]}. "
        "Restore it from a backup, or encode into a new store"
    )


def _with_unnamed_blocks(backend: Backend) -> Commit:
    """Let the commit reach over blocks that neither copy of it names: older ones were put back."""
    more, size = backend.unnamed_blocks(), backend.header.block_rows
    if not more:
        return backend.commit
    return backend.commit.model_copy(update={"n_rows": (-(-backend.commit.n_rows // size) + more) * size})
