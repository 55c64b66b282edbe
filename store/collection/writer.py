"""Writes rows into parts; a part is listed when it is whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from store.collection.parts import Parts
from store.collection.place import CollectionPlace
from store.collection.publishing import publish
from store.collection.table import CollectionTable
from store.columns import Kind
from store.commit import Commit
from store.errors import StoreError
from store.formats import create_from_header
from store.functa_store import FunctaStore
from store.rows import Rows, Status
from store.writer import check_rows


class CollectionWriter:
    """Collects rows into a part of its own, which nobody sees before it is full or committed.

    Parameters
    ----------
    parts : Parts
    place : CollectionPlace
    table : CollectionTable
        Of the same parts, to see which IDs they hold.
    """

    def __init__(self, parts: Parts, place: CollectionPlace, table: CollectionTable) -> None:
        self._parts, self._place, self._table = parts, place, table
        self._state = parts.read_state()
        self._stage: Path | None = None
        self._part: FunctaStore | None = None
        self._rows = 0
        self._replaced: set[str] = set()
        self.uncommitted: dict[str, tuple[int, bytes]] = {}

    @property
    def commit_record(self) -> Commit:
        """What the listed parts add up to."""
        return self._parts.commit

    def append(self, rows: Rows) -> None:
        """Take over rows; a full part is listed at once."""
        check_rows(rows, self._parts.header, self._parts.longest_id)
        if rows.extra:
            raise StoreError(
                f"{self._parts.location} takes no columns of one's own ({', '.join(rows.extra)}): add them to "
                "stores before they are collected, or to the store that merge makes of it"
            )
        start = 0
        while start < len(rows):
            room = self._parts.manifest.part_rows - self._rows
            self._put(rows.take(slice(start, start + room)))
            start += room
            if self._rows >= self._parts.manifest.part_rows:
                self._publish(finished=False)

    def _put(self, rows: Rows) -> None:
        released = self._released(rows)
        if released:
            nothing = np.full((len(released), rows.k), np.nan, np.float32)
            gone = Rows.build(released, nothing, status=np.full(len(released), Status.DELETED))
            rows = Rows.concatenate([gone, rows])
        if self._part is None:
            self._stage = self._place.new_stage(".zarr")
            with self._place.exclusive():  # so that nobody takes it for one that was left behind
                self._part = create_from_header(self._stage, self._parts.header, self._state, synced=False)
        self._part.append(rows)
        self._rows += len(rows)
        self._replaced |= set(released)
        hashes = [row.tobytes() for row in rows.source_hash]
        self.uncommitted.update(zip(rows.ids.tolist(), zip(rows.status.tolist(), hashes, strict=True), strict=True))

    def _released(self, rows: Rows) -> list[str]:
        """List the IDs that listed parts hold, so that this part has to say that its rows count instead."""
        new = [
            name
            for name, status in zip(rows.ids.tolist(), rows.status.tolist(), strict=True)
            if status != Status.DELETED and name not in self._replaced
        ]
        live = self._table.live(new)
        return [name for name in dict.fromkeys(new) if name in live]

    def commit(self, *, finished: bool | None) -> None:
        """List the part that was begun, if there is one."""
        if self._part is not None:
            self._publish(finished=bool(finished))
        elif finished is not None:
            with self._place.exclusive():
                self._parts.relist(
                    self._place,
                    lambda manifest: manifest if manifest.finished == finished else manifest.changed(finished=finished),
                )
            self._table.advance(self._parts.commit)

    def _publish(self, *, finished: bool) -> None:
        if self._part is None or self._stage is None:
            return
        part, stage = self._part, self._stage
        try:
            publish(self._table, self._place, part, stage, finished=finished)
        finally:
            part.abandon()
            self._part = self._stage = None
            self._rows = 0
            self._replaced.clear()
            self.uncommitted.clear()

    def add_column(self, name: str, kind: Kind, values: NDArray[Any]) -> None:
        """Refuse: listed parts never change."""
        del kind, values
        raise StoreError(
            f"column {name!r} cannot be added to {self._parts.location}: listed parts never change. Add it to "
            "stores before they are collected, or to the store that merge makes of it"
        )

    def abandon(self) -> None:
        """Leave the part that was begun as it was committed last; the next writer lists that."""
        if self._part is not None:
            self._part.abandon()
            self._part = None
