"""Rows as plain arrays and as data frames."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from store.errors import StoreError
from store.header import Header
from store.rows import Rows

COLUMNS = (
    "labels", "splits", "groups", "psnr", "loss", "steps", "fit_seconds", "status", "source_hash", "target", "errors",
)  # fmt: skip
_PLURAL = ("labels", "splits", "groups", "errors")
_IN_FRAMES = tuple(name.removesuffix("s") if name in _PLURAL else name for name in COLUMNS)
_IN_TABLES = ("id", "functa", *_IN_FRAMES)
_ELSEWHERE = ("weight", "header", "_index")
"""What xarray, .npz and .h5ad have besides."""


def taken_names(header: Header) -> set[str]:
    """List the names that exports of a store use themselves, so that no column of a user can have them."""
    numbered = {f"functa_{i}" for i in range(header.k)} | {f"state_{name}" for name in header.arrays}
    return numbered.union(("ids", "functas"), COLUMNS, _IN_TABLES, _ELSEWHERE)


def beside(extra: dict[str, NDArray[Any]], taken: Collection[str]) -> dict[str, NDArray[Any]]:
    """Name columns of users so that they hide no other: one of an older version may have a name that is taken."""
    found = {name: values for name, values in extra.items() if name not in taken}
    for name in [name for name in extra if name in taken]:
        free = f"extra_{name}"
        while free in found or free in taken:
            free = f"extra_{free}"
        found[free] = extra[name]
    return found


def columns_of(rows: Rows) -> dict[str, NDArray[Any]]:
    """Give rows as arrays by name."""
    found = {name: getattr(rows, name) for name in ("ids", "functas", *COLUMNS)}
    return found | beside(rows.extra, found)


def to_frame(rows: Rows, *, functas: bool = True) -> Any:
    """Give rows as a data frame indexed by ID; functas, if they are wanted and there, as columns ``functa_<i>``."""
    import pandas as pd

    columns = {name: getattr(rows, own) for name, own in zip(_IN_FRAMES, COLUMNS, strict=True)}
    columns["source_hash"] = np.array([bytes(value).hex() for value in rows.source_hash], dtype=object)
    numbered = [f"functa_{i}" for i in range(rows.k)] if functas else []
    extra = beside(rows.extra, {*_IN_TABLES, *numbered})
    frame = pd.DataFrame(columns | extra, index=pd.Index(rows.ids, name="id"))
    if not numbered:
        return frame
    values = pd.DataFrame(rows.functas, index=frame.index, columns=numbered)
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
    arrays = beside({name: columns[name].to_numpy() for name in columns.columns}, ("weight",))
    variables = {name: ("id", values) for name, values in arrays.items()}
    return xarray.Dataset(
        {"functa": (("id", "weight"), rows.functas), **variables}, coords={"id": rows.ids}, attrs={"modality": modality}
    )
