"""Puts several stores of one configuration into one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from store.errors import StoreError, StoreMismatchError
from store.formats import vacant
from store.header import Header, differences, now
from store.maintenance import locked, open_table, rewrite
from store.row_index import RowIndex
from store.rows import LIVE, Rows


@dataclass(frozen=True)
class MergeReport:
    """What merging found.

    Parameters
    ----------
    rows : int
        Rows of the new store.
    sources : dict
        Rows taken from each source.
    duplicates : int
        IDs that several sources hold with the same value.
    conflicts : list of str
        IDs that sources hold with different values, sorted.
    """

    rows: int
    sources: dict[str, int]
    duplicates: int
    conflicts: list[str]


def merge(
    sources: Sequence[str | Path], target: str | Path, *, on_conflict: Literal["error", "first", "last"] = "error"
) -> MergeReport:
    """Put the live rows of several stores into a new one.

    Parameters
    ----------
    sources : sequence of path-like
    target : path-like
        Nothing may exist there.
    on_conflict : {"error", "first", "last"}
        Which source wins when several hold an ID with different values. A usable row always wins over a failed one.

    Raises
    ------
    StoreMismatchError
        The stores were made by different configurations or from different starts.
    StoreError
        There are conflicts, and none of the sources was said to win.
    """
    if not sources:
        raise StoreError("nothing to merge: expected at least one store")
    tables = [open_table(path) for path in sources]
    header = common_header(tables)
    winners, duplicates, conflicts = _choose(tables, last_wins=on_conflict == "last")
    if conflicts and on_conflict == "error":
        raise StoreError(
            f"{len(conflicts)} IDs have different values in several stores, the first are {conflicts[:5]}. "
            "Say which wins with --on-conflict first or last (on_conflict= in Python)"
        )
    extra = common_extra(tables)
    new = vacant(target)
    with locked(new):
        rows = rewrite(vacant(new), _batches(tables, winners, extra), like=tables[0], header=header, extra=extra)
    return MergeReport(
        rows, {str(path): len(taken) for path, taken in zip(sources, winners, strict=True)}, duplicates, conflicts
    )


def common_header(tables: Sequence[RowIndex]) -> Header:
    """Make a header for rows of all tables; StoreMismatchError when they were made by different configurations."""
    headers = [table.backend.header for table in tables]
    first = headers[0]
    for header, table in zip(headers[1:], tables[1:], strict=True):
        found = differences(first.identity, header.identity)
        if found:
            raise StoreMismatchError(
                f"{table.backend.location} cannot be merged with {tables[0].backend.location}: {'; '.join(found)}. "
                "Only stores of one configuration and start can be merged"
            )
    datasets = sorted({header.dataset for header in headers})
    conventions = dict(first.conventions)
    if any(header.conventions.get("source") != conventions.get("source") for header in headers):
        conventions.pop("source", None)  # it would name one of several
    longest = max((len(name.encode()) for table in tables for name in table.index()), default=0)
    return first.changed(
        created=now(),
        dataset="+".join(datasets),
        conventions=conventions,
        id_width=max(longest, *(header.id_width for header in headers)),
    )


def common_extra(tables: Sequence[RowIndex]) -> dict[str, str]:
    """List the columns of users by name with their kind; StoreMismatchError when one has two."""
    kinds: dict[str, str] = {}
    for table in tables:
        for name, entry in table.commit.extra.items():
            if kinds.setdefault(name, entry.kind) != entry.kind:
                raise StoreMismatchError(f"column {name!r} is both {kinds[name]} and {entry.kind}")
    return kinds


def _choose(tables: Sequence[RowIndex], *, last_wins: bool) -> tuple[list[list[str]], int, list[str]]:
    """Say which IDs each store gives, how many are in several with the same value, and which with different ones."""
    holders: dict[str, list[int]] = {}
    for number, table in enumerate(tables):
        for name in table.column("id")[table.last_rows(*LIVE)]:
            holders.setdefault(name, []).append(number)
    winners: list[list[str]] = [[] for _ in tables]
    duplicates, conflicts = 0, []
    for name, numbers in holders.items():
        usable = [number for number in numbers if tables[number].is_usable(name)]
        if len(usable) > 1:
            same = _same_value(name, [tables[number] for number in usable])
            duplicates += same
            conflicts += [] if same else [name]
        candidates = usable or numbers
        winners[candidates[-1 if last_wins else 0]].append(name)
    return winners, duplicates, sorted(conflicts)


def _same_value(name: str, tables: Sequence[RowIndex]) -> bool:
    values = [next(table.batches(table.rows_of([name]))) for table in tables]
    first = (values[0].source_hash.tobytes(), values[0].functas.tobytes(), values[0].labels[0], values[0].splits[0])
    return all((v.source_hash.tobytes(), v.functas.tobytes(), v.labels[0], v.splits[0]) == first for v in values[1:])


def _batches(tables: Sequence[RowIndex], winners: Sequence[list[str]], extra: dict[str, str]) -> Iterator[Rows]:
    for table, names in zip(tables, winners, strict=True):
        index = table.index()
        for batch in table.batches(np.sort(np.array([index[name] for name in names], np.intp))):
            yield replace(batch, extra={name: batch.extra[name] for name in extra if name in batch.extra})
