"""Puts several stores of one configuration into one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from store.errors import StoreError, StoreMismatchError
from store.header import Header, differences, now
from store.maintenance import LIVE, locked, open_table, rewrite
from store.opening import vacant
from store.rows import Rows
from store.table import Table


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
    header = _common_header(tables)
    winners, duplicates, conflicts = _choose(tables, last_wins=on_conflict == "last")
    if conflicts and on_conflict == "error":
        raise StoreError(
            f"{len(conflicts)} IDs have different values in several stores, the first are {conflicts[:5]}. "
            "Say which wins with on_conflict='first' or 'last'"
        )
    extra = _common_extra(tables)
    with locked(vacant(target)):
        rows = rewrite(Path(target), _batches(tables, winners, extra), like=tables[0], header=header, extra=extra)
    return MergeReport(
        rows, {str(path): len(taken) for path, taken in zip(sources, winners, strict=True)}, duplicates, conflicts
    )


def _common_header(tables: Sequence[Table]) -> Header:
    headers = [table.backend.header for table in tables]
    first = headers[0]
    for header, table in zip(headers[1:], tables[1:], strict=True):
        found = differences(_identity(first), _identity(header))
        if found:
            raise StoreMismatchError(
                f"{table.backend.location} cannot be merged with {tables[0].backend.location}: {'; '.join(found)}. "
                "Only stores of one configuration and start can be merged"
            )
    datasets = sorted({header.dataset for header in headers})
    return replace(
        first, created=now(), dataset="+".join(datasets), id_width=max(header.id_width for header in headers)
    )


def _identity(header: Header) -> dict[str, Any]:
    names = ("modality", "layout", "encoder", "state_sha256", "conventions")
    found = {name: getattr(header, name) for name in names}
    # How a source was read - which of its columns were left out, say - may differ between sources of one kind.
    return found | {"conventions": {name: told for name, told in header.conventions.items() if name != "reading"}}


def _common_extra(tables: Sequence[Table]) -> dict[str, str]:
    kinds: dict[str, str] = {}
    for table in tables:
        for name, entry in table.commit.extra.items():
            if kinds.setdefault(name, entry["kind"]) != entry["kind"]:
                raise StoreMismatchError(f"column {name!r} is both {kinds[name]} and {entry['kind']}")
    return kinds


def _choose(tables: Sequence[Table], *, last_wins: bool) -> tuple[list[list[str]], int, list[str]]:
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


def _same_value(name: str, tables: Sequence[Table]) -> bool:
    values = [next(table.batches(table.rows_of([name]))) for table in tables]
    first = (values[0].source_hash.tobytes(), values[0].functas.tobytes(), values[0].labels[0], values[0].splits[0])
    return all((v.source_hash.tobytes(), v.functas.tobytes(), v.labels[0], v.splits[0]) == first for v in values[1:])


def _batches(tables: Sequence[Table], winners: Sequence[list[str]], extra: dict[str, str]) -> Iterator[Rows]:
    for table, names in zip(tables, winners, strict=True):
        index = table.index()
        for batch in table.batches(np.sort(np.array([index[name] for name in names], np.intp))):
            yield replace(batch, extra={name: batch.extra[name] for name in extra if name in batch.extra})
