"""Reads a whole store and says what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from store.backend import Backend
from store.errors import IntegrityError, StoreError
from store.header import Header, state_digest
from store.rows import USABLE, check_ids
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
    problems = backend.structural_problems(table.commit) + _state_problems(backend, header)
    bad_ids: set[str] = set()
    for block, start, end in table.blocks():
        damage = [
            problem for path in table.columns for problem in _chunk_problem(backend, table, path, block, end - start)
        ]
        rows = salvage_block(backend, table.columns, block, end - start)
        bad = ~rows.good | _impossible(rows.columns["status"], rows.columns["functas"])
        bad_ids.update(name for name in rows.columns["id"][bad] if _valid(name))
        if bad.any() and not damage:
            damage = [f"rows {(start + np.flatnonzero(bad)).tolist()} do not match their checksums"]
        problems += damage
    return VerifyReport(not problems, sorted(bad_ids), problems, table.commit.n_rows)


def _state_problems(backend: Backend, header: Header) -> list[str]:
    try:
        state = backend.read_state()
    except IntegrityError as error:
        return [str(error)]
    return [] if state_digest(state) == header.state_sha256 else ["the state does not match its checksum"]


def _chunk_problem(backend: Backend, table: Table, path: str, block: int, rows: int) -> list[str]:
    try:
        backend.read_chunk(table.columns[path], block, rows)
    except IntegrityError as error:
        return [str(error)]
    return []


def _impossible(status: NDArray[np.uint8], functas: NDArray[np.float32]) -> NDArray[np.bool_]:
    usable = np.isin(status, USABLE)
    impossible: NDArray[np.bool_] = (usable & ~np.isfinite(functas).all(axis=1)) | (status == 0)
    return impossible


def _valid(name: str) -> bool:
    try:
        check_ids(np.array([name], dtype=object))
    except StoreError:
        return False
    return True
