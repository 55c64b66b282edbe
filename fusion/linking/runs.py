"""Rows of a store sorted by what they are joined on, kept on disk and read again range by range."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fusion.linking.sides import Side

__all__ = ["KEY", "SortedRuns", "range_ends"]

KEY = "key"
_COLUMNS = ("ids", "labels", "splits", "groups")
_TARGETS = "targets"
_BATCH_ROWS = 4096


class SortedRuns:
    """What the linker needs of one store, sorted in runs of rows that were in memory together.

    Parameters
    ----------
    folder : Path
        Empty, and there for as long as runs are read.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._runs: list[_Run] = []
        self.ends: list[str] = []

    def add(self, side: Side, keys: NDArray[np.object_]) -> None:
        """Write some rows, but for those that have no key."""
        import pyarrow as pa
        import pyarrow.compute as pc

        there = np.flatnonzero(pd.notna(keys))
        if not len(there):
            return
        texts = {KEY: keys, **{name: getattr(side, name) for name in _COLUMNS}}
        columns = {name: pa.array(values[there], pa.large_string(), from_pandas=True) for name, values in texts.items()}
        table = pa.table(columns | {_TARGETS: pa.array(side.targets[there], pa.float64())})
        table = table.take(pc.sort_indices(table[KEY])).combine_chunks()
        path = self._folder / f"{len(self._runs)}.arrow"
        options = pa.ipc.IpcWriteOptions(compression="lz4")
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema, options=options) as writer:
            writer.write_table(table, max_chunksize=_BATCH_ROWS)
        self._runs.append(_Run(path))
        self.ends += [table[KEY][end].as_py() for end in range(_BATCH_ROWS - 1, len(there), _BATCH_ROWS)]

    def up_to(self, end: str | None) -> dict[str, NDArray[np.object_]]:
        """Take the next rows, up to a key, it included; None = all that are left. By column, object arrays."""
        import pyarrow as pa

        found = [batch for run in self._runs for batch in run.up_to(end)]
        if not found:
            return {name: np.empty(0, object) for name in (KEY, *_COLUMNS, _TARGETS)}
        table = pa.Table.from_batches(found)
        return {name: _objects(table[name]) for name in table.column_names}


class _Run:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._reader: Any = None
        self._next = 0
        self._left: Any = None

    def up_to(self, end: str | None) -> Iterator[Any]:
        import pyarrow.compute as pc

        while self._load():
            keys = self._left.column(KEY)
            if end is None or keys[-1].as_py() <= end:
                yield self._left
                self._left = None
                continue
            count = pc.sum(pc.less_equal(keys, end)).as_py()
            yield self._left.slice(0, count)
            self._left = self._left.slice(count)
            return

    def _load(self) -> bool:
        """Have rows in memory, unless there are no more."""
        import pyarrow as pa

        if self._left is None or not len(self._left):
            self._reader = self._reader or pa.ipc.open_file(pa.OSFile(str(self._path)))
            if self._next == self._reader.num_record_batches:
                return False
            self._left = self._reader.get_batch(self._next)
            self._next += 1
        return True


def range_ends(runs: Sequence[SortedRuns], rows: int) -> list[str | None]:
    """Cut the keys of all stores into ranges of so many rows, about: the last key of each, None for what is left."""
    ends = sorted(end for run in runs for end in run.ends)
    step = max(1, rows // _BATCH_ROWS)
    return [*dict.fromkeys(ends[step - 1 :: step]), None]


def _objects(column: Any) -> NDArray[np.object_]:
    import pyarrow as pa

    if not pa.types.is_large_string(column.type):
        found = np.empty(len(column), object)
        found[:] = column.to_pylist()
        return found
    codes = column.combine_chunks().dictionary_encode()  # names that repeat become one object
    names = np.array([*codes.dictionary.to_pylist(), None], dtype=object)
    where: NDArray[np.intp] = codes.indices.fill_null(len(names) - 1).to_numpy().astype(np.intp)
    return names[where]
