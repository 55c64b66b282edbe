"""Reads a whole store and says what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from store.backend import Backend, PlainReader
from store.columns import Column
from store.errors import IntegrityError
from store.header import Header, state_digest
from store.rows import USABLE, same_values, unusable
from store.salvage import named_rows, salvage_block
from store.table import Table


@dataclass(frozen=True)
class VerifyReport:
    """What a check of a whole store found.

    Parameters
    ----------
    ok : bool
    bad_ids : list of str
        IDs of live rows that are not what was written, sorted; those whose ID itself is lost are only in ``problems``.
    problems : list of str
        Each damaged place, in words.
    rows : int
        Rows that were checked.
    proved, not_proved : list of str
        What a deep check says of the store when it finds nothing, and what no check can say.
    """

    ok: bool
    bad_ids: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    rows: int = 0
    proved: list[str] = field(default_factory=list)
    not_proved: list[str] = field(default_factory=list)


_PROVED = [
    "every chunk, row, array, header and commit is what was written: their checksums agree",
    "usable rows hold finite values, and every row has an ID that can be",
    "the spare copies of header, commit and state agree with the first ones",
]
_PROVED_BY_SEAL = "every chunk stands in the place in which it was committed: the seal over all checksums holds"
_PROVED_BY_OTHERS = "zarr and h5py, without this package, read the same values"
_NOT_PROVED = [
    "who wrote the store: checksums are no signatures, and whoever rewrites a store can make them anew",
    "that this is the newest state: a whole store put back from a backup is a sound older store",
    "that a functa describes its sample well: see the PSNR, or decode it beside its source",
]
_NOT_PROVED_UNSEALED = (
    "where chunks other than those of functas belong, when rows are read without functas: the store has format 1.0; "
    "`functa store compact` writes it in the newest format"
)


def verify(table: Table, *, deep: bool = False) -> VerifyReport:
    """Compare every chunk, row and array with its checksum and look for values that cannot be.

    ``deep`` also reads everything with plain zarr or h5py, and says what is proved and what is not.
    """
    backend, header = table.backend, table.backend.header
    problems = _structural_problems(backend, table) + _state_problems(backend, header)
    bad_ids: set[str] = set()
    for block, start, end in table.blocks():
        found = [_chunk_problem(backend, column, block, end - start) for column in table.columns.values()]
        problems += [problem for problem in found if problem]
        rows = salvage_block(backend, table.columns, block, end - start)
        bad = np.flatnonzero(~rows.good | _impossible(header, rows.columns["status"], rows.columns["functas"]))
        if len(bad):
            what = "do not match their checksums" if rows.ids_hold else "are damaged and their IDs lost"
            problems.append(f"rows {_brief(start + bad)} {what}")
        unnamed = np.flatnonzero(rows.good & ~named_rows(table.commit, rows.columns))
        if len(unnamed):
            problems.append(f"rows {_brief(start + unnamed)} have a label, split or group without a name")
        if rows.ids_hold:
            bad_ids.update(rows.columns["id"][[*bad, *unnamed]].tolist())
    report = VerifyReport(not problems, sorted(bad_ids), problems, table.commit.n_rows)
    return _deepened(report, backend, table) if deep else report


def _deepened(report: VerifyReport, backend: Backend, table: Table) -> VerifyReport:
    sealed, problems, proved = backend.header.sealed, list(report.problems), list(_PROVED)
    if report.ok:
        with backend.plain_reader() as read:
            if read is not None:
                problems += _differences_to(read, backend, table)
                proved.append(_PROVED_BY_OTHERS)
    proved += [_PROVED_BY_SEAL] if sealed else []
    not_proved = _NOT_PROVED + ([] if sealed else [_NOT_PROVED_UNSEALED])
    return replace(report, ok=not problems, problems=problems, proved=[] if problems else proved, not_proved=not_proved)


def _differences_to(read: PlainReader, backend: Backend, table: Table) -> list[str]:
    """Compare what another program reads with what this one does."""
    problems = []
    for block, start, end in table.blocks():
        for path, column in table.columns.items():
            values = backend.read_chunk(column, block, end - start)
            try:
                same = same_values(read(column, start, end), values)
            except Exception as error:  # noqa: BLE001 - another library's, of any kind
                problems.append(f"{path} of rows {start}..{end - 1} cannot be read by other programs: {error}")
            else:
                problems += [] if same else [f"{path} of rows {start}..{end - 1} reads differently to other programs"]
    return problems


def _brief(rows: NDArray[np.intp]) -> str:
    shown = ", ".join(map(str, rows[:5]))
    return shown if len(rows) <= 5 else f"{shown} and {len(rows) - 5} more"


def _structural_problems(backend: Backend, table: Table) -> list[str]:
    try:
        return backend.structural_problems(table.commit)
    except IntegrityError as error:
        return [str(error)]


def _state_problems(backend: Backend, header: Header) -> list[str]:
    try:
        state = backend.read_state()
    except IntegrityError as error:
        return [str(error)]
    return [] if state_digest(state) == header.state_sha256 else ["the state does not match its checksum"]


def _chunk_problem(backend: Backend, column: Column, block: int, rows: int) -> str:
    try:
        backend.read_chunk(column, block, rows)
    except IntegrityError as error:
        return str(error)
    return ""


def _impossible(header: Header, status: NDArray[np.uint8], functas: NDArray[np.float32]) -> NDArray[np.bool_]:
    usable = np.isin(status, USABLE)
    impossible: NDArray[np.bool_] = usable & unusable(functas, missing_values=header.missing_values) | (status == 0)
    return impossible
