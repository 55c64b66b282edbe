"""Rows as plain arrays and as data frames."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from store.rows import Rows

COLUMNS = (
    "labels", "splits", "groups", "psnr", "loss", "steps", "fit_seconds", "status", "source_hash", "target", "errors",
)  # fmt: skip


def columns_of(rows: Rows) -> dict[str, NDArray[Any]]:
    """Give rows as arrays by name."""
    found = {name: getattr(rows, name) for name in ("ids", "functas", *COLUMNS)}
    return found | rows.extra


def to_frame(rows: Rows) -> Any:
    """Give rows as a data frame indexed by ID; functas, if there are any, as columns ``functa_<i>``."""
    import pandas as pd

    values = {name.removesuffix("s") if name in _PLURAL else name: getattr(rows, name) for name in COLUMNS}
    values["source_hash"] = np.array([bytes(value).hex() for value in rows.source_hash], dtype=object)
    frame = pd.DataFrame(values | rows.extra, index=pd.Index(rows.ids, name="id"))
    if not rows.k:
        return frame
    functas = pd.DataFrame(rows.functas, index=frame.index, columns=[f"functa_{i}" for i in range(rows.k)])
    return pd.concat([frame, functas], axis=1)


_PLURAL = ("labels", "splits", "groups", "errors")
