"""Reads a whole store and says what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from store.backend import Backend
from store.columns import Column
from store.errors import IntegrityError
from store.header import Header, state_digest
from store.rows import USABLE
from store.salvage import salvage_block
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
    """

    ok: bool
    bad_ids: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    rows: int = 0


def verify(backend: Backend, table: Table, header: Header) -> VerifyReport:
    """Compare every chunk, row and array with its checksum and look for values that cannot be."""
    problems = _structural_problems(backend, table) + _state_problems(backend, header)
    bad_ids: set[str] = set()
    for block, start, end in table.blocks():
        found = [_chunk_problem(backend, column, block, end - start) for column in table.columns.values()]
        problems += [problem for problem in found if problem]
        rows = salvage_block(backend, table.columns, block, end - start)
        bad = np.flatnonzero(~rows.good | _impossible(rows.columns["status"], rows.columns["functas"]))
        if len(bad):
            what = "do not match their checksums" if rows.ids_hold else "are damaged and their IDs lost"
            problems.append(f"rows {_brief(start + bad)} {what}")
        if rows.ids_hold:
            bad_ids.update(rows.columns["id"][bad].tolist())
    return VerifyReport(not problems, sorted(bad_ids), problems, table.commit.n_rows)


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


def _impossible(status: NDArray[np.uint8], functas: NDArray[np.float32]) -> NDArray[np.bool_]:
    usable = np.isin(status, USABLE)
    impossible: NDArray[np.bool_] = (usable & ~np.isfinite(functas).all(axis=1)) | (status == 0)
    return impossible
