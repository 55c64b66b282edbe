"""Reads what is left of damaged blocks; every row's own checksum says whether it survived."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from store.backend import Backend
from store.columns import Column, row_checksums
from store.errors import IntegrityError


@dataclass(frozen=True)
class SalvagedBlock:
    """The rows of one block, as they are on disk.

    Parameters
    ----------
    columns : mapping of arrays
    good : bool array
        Rows that match their checksums.
    ids_hold : bool
        Whether the IDs are what was written, also those of rows that are not good.
    lost_extra : tuple of str
        Damaged columns of users; no row checksum covers them, so none of their values in the block is trusted.
    """

    columns: Mapping[str, NDArray[Any]]
    good: NDArray[np.bool_]
    ids_hold: bool
    lost_extra: tuple[str, ...]


def salvage_block(backend: Backend, columns: Mapping[str, Column], block: int, rows: int) -> SalvagedBlock:
    """Read a block, damaged or not; IntegrityError is never raised."""
    values: dict[str, NDArray[Any]] = {}
    lost = []
    ids_hold = True
    for path, column in columns.items():
        try:
            values[path] = backend.read_chunk(column, block, rows)
        except IntegrityError:
            if path.startswith("extra/"):
                values[path] = column.empty(rows)
                lost.append(path.removeprefix("extra/"))
            else:
                ids_hold &= path != "id"
                values[path] = backend.salvage_chunk(column, block, rows)
    return SalvagedBlock(values, row_checksums(values) == values["row_crc"], ids_hold, tuple(lost))
