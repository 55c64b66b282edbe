"""Rows as plain arrays and as data frames."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from store.errors import StoreError
from store.rows import Rows

COLUMNS = (
    "labels", "splits", "groups", "psnr", "loss", "steps", "fit_seconds", "status", "source_hash", "target", "errors",
)  # fmt: skip


def columns_of(rows: Rows) -> dict[str, NDArray[Any]]:
    """Give rows as arrays by name."""
    found = {name: getattr(rows, name) for name in ("ids", "functas", *COLUMNS)}
    return found | rows.extra


def to_frame(rows: Rows, *, functas: bool = True) -> Any:
    """Give rows as a data frame indexed by ID; functas, if they are wanted and there, as columns ``functa_<i>``."""
    import pandas as pd

    columns = {name.removesuffix("s") if name in _PLURAL else name: getattr(rows, name) for name in COLUMNS}
    columns["source_hash"] = np.array([bytes(value).hex() for value in rows.source_hash], dtype=object)
    frame = pd.DataFrame(columns | rows.extra, index=pd.Index(rows.ids, name="id"))
    if not functas or not rows.k:
        return frame
    values = pd.DataFrame(rows.functas, index=frame.index, columns=[f"functa_{i}" for i in range(rows.k)])
    return pd.concat([frame, values], axis=1)


def to_xarray(rows: Rows, *, modality: str) -> Any:
    """Give rows as a data set with dimensions ``id`` and ``weight``, and the modality among its attributes.

    Raises
    ------
    StoreError
        The package xarray is not installed.
    """
    try:
        import xarray
    except ImportError as error:
        raise StoreError("to_xarray needs the package xarray: pip install xarray") from error

    columns = to_frame(rows, functas=False)
    variables = {name: ("id", columns[name].to_numpy()) for name in columns.columns}
    return xarray.Dataset(
        {"functa": (("id", "weight"), rows.functas), **variables}, coords={"id": rows.ids}, attrs={"modality": modality}
    )


_PLURAL = ("labels", "splits", "groups", "errors")
