"""Rows as an Arrow table, which Polars, DuckDB and Hugging Face's data sets take without a copy."""

from __future__ import annotations

from typing import Any

from store.frames import to_frame
from store.rows import Rows


def to_arrow(rows: Rows) -> Any:
    """Give rows as an Arrow table: ``id``, the columns of a data frame, and ``functa`` as lists of one fixed size.

    Parameters
    ----------
    rows : Rows
        Functas of shape (b, 0) leave that column out.

    Returns
    -------
    pyarrow.Table
    """
    import pyarrow as pa

    frame = to_frame(rows, functas=False)
    columns: dict[str, Any] = {"id": pa.array(rows.ids, pa.string())}
    for name in frame.columns:
        text = frame[name].dtype.kind not in "fiu"
        columns[name] = pa.array(frame[name].to_numpy(), pa.string() if text else None, from_pandas=text)
    if rows.k:
        columns["functa"] = pa.FixedSizeListArray.from_arrays(pa.array(rows.functas.reshape(-1)), rows.k)
    return pa.table(columns)
