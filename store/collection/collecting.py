"""Makes stores that exist the parts of a collection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from store.collection.collection import Collection, create_collection, exists, is_collection, open_collection
from store.collection.place import CollectionPlace
from store.collection.publishing import publish
from store.collection.table import CollectionTable
from store.errors import StoreError
from store.formats import create_from_header
from store.maintenance import checked_state, locked, open_table
from store.merging import common_extra, common_header
from store.rewriting import remove_store
from store.row_index import RowIndex
from store.rows import LIVE


@dataclass(frozen=True)
class CollectReport:
    """What collecting did.

    Parameters
    ----------
    rows : int
        Usable rows of the collection now.
    parts : dict of str to str
        The part that each source became.
    moved : bool
        Whether the sources are gone.
    """

    rows: int
    parts: dict[str, str]
    moved: bool


def collect(
    sources: Sequence[str | Path], target: str | Path, *, move: bool = False, part_rows: int | None = None
) -> CollectReport:
    """Copy stores of one configuration into a collection, one part each; into one that is there already, too.

    Parameters
    ----------
    sources : sequence of path-like or URL
    target : path-like
        Or URL; ends in ``.functas``.
    move : bool
        Delete each source when its part is listed. It must be a local path.
    part_rows : int, optional
        For rows that are encoded into a new collection later, see `create_store`.

    Raises
    ------
    StoreMismatchError
        The stores were made by different configurations or from different starts. Nothing was written.
    StoreError
        An ID is in two of them, or in the collection already. Nothing was written.
    """
    if not sources:
        raise StoreError("nothing to collect: expected at least one store")
    tables = [_single(path) for path in sources]
    header = common_header(tables).changed(id_width=tables[0].backend.header.id_width)
    common_extra(tables)
    _require_distinct(sources, tables)
    if exists(target):
        collection = open_collection(target, "a")
    else:
        if any(table.backend.header.missing_values for table in tables):
            header = header.changed(missing_values=True)
        state = checked_state(tables[0].backend)
        collection = create_collection(target, header.as_this_version(target), state, part_rows)
    with collection:
        return _collected(collection, sources, tables, move=move)


def _single(path: str | Path) -> RowIndex:
    if is_collection(path):
        raise StoreError(f"{path} is a collection already. Merge it into one store, or name the parts in it")
    return open_table(path)


def _require_distinct(sources: Sequence[str | Path], tables: Sequence[RowIndex]) -> None:
    holder: dict[str, int] = {}
    for number, table in enumerate(tables):
        ids = table.column("id")[table.last_rows(*LIVE)].tolist()
        for name in ids:
            if name in holder:
                raise StoreError(
                    f"ID {name!r} is both in {sources[holder[name]]} and in {sources[number]}. An ID has its place in "
                    "one part: leave one of them out, or merge them, which says which counts. Nothing was written"
                )
        holder |= dict.fromkeys(ids, number)


def _collected(
    collection: Collection, sources: Sequence[str | Path], tables: Sequence[RowIndex], *, move: bool
) -> CollectReport:
    listed, place = collection.writable
    for source, table in zip(sources, tables, strict=True):
        listed.parts.require_fitting(str(source), table.backend)
        listed.require_new(table, str(source))
    finished = all(table.commit.finished for table in tables)
    parts = {}
    for source, table in zip(sources, tables, strict=True):
        parts[str(source)] = _add(listed, place, table, Path(str(source)).suffix, finished=finished)
        table.backend.close()
        if move:
            with locked(Path(source).resolve()):
                remove_store(Path(source).resolve())
    return CollectReport(len(collection), parts, move)


def _add(listed: CollectionTable, place: CollectionPlace, table: RowIndex, suffix: str, *, finished: bool) -> str:
    """Write the live rows of a store into a part, so that no row of it speaks of other parts."""
    stage = place.new_stage(suffix)
    with place.exclusive():
        header = table.backend.header.as_this_version(stage)
        part = create_from_header(stage, header, checked_state(table.backend), synced=False)
    with part:
        for name, entry in table.commit.extra.items():
            part.carry_column(name, entry.kind, {})
        for batch in table.batches(table.last_rows(*LIVE)):
            part.append(batch)
        return publish(listed, place, part, stage, finished=finished)
