"""Tables of columns out of CSV, Parquet and .npz files, a part at a time.

CSV and Parquet are read in parts of some ten thousand rows, so that memory does not grow with the file; a .npz file is
read whole.
"""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Any

from fusion.errors import DataError, SampleError
from fusion.modalities.arrays import npz_names, read_npz

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    import pandas as pd

TABLE_SUFFIXES = (".csv", ".npz", ".parquet")
PART_ROWS = 50_000


def read_parts(path: Path, text_columns: Collection[str], separator: str = ",") -> Iterator[pd.DataFrame]:
    """Read a table in parts, top to bottom.

    Parameters
    ----------
    path : Path
        ``.csv`` (UTF-8, one line of names), ``.parquet``, or ``.npz`` with an array (rows,) for each column; an array
        (rows, n) named ``x`` gives the columns ``x_0`` to ``x_<n-1>``.
    text_columns : collection of str
        Columns of names, which stay as they are written even where they look like numbers.
    separator : str
        Of CSV files.

    Yields
    ------
    pandas.DataFrame
        Never empty; all have the same columns.

    Raises
    ------
    DataError
        When the file is missing, is another kind of file, is damaged or has no rows.
    """
    if not path.is_file():
        raise DataError(f"{path} {'is a folder' if path.is_dir() else 'does not exist'}; expected a table of readings")
    readers = {".csv": _csv_parts, ".npz": _npz_parts, ".parquet": _parquet_parts}
    if path.suffix.lower() not in readers:
        raise DataError(f"{path} is no table that can be read; expected one of {', '.join(TABLE_SUFFIXES)}")
    rows = 0
    for part in _damage_named(path, readers[path.suffix.lower()](path, text_columns, separator)):
        if not part.columns.is_unique:
            twice = part.columns[part.columns.duplicated()][0]
            raise DataError(f"{path} has more than one column {str(twice)!r}; expected a name of its own for each")
        rows += len(part)
        if len(part):
            yield part
    if not rows:
        raise DataError(f"{path} has no rows; expected a table with one reading in each")


def _damage_named(path: Path, parts: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    while True:
        try:
            part = next(parts, None)
        except (DataError, MemoryError):
            raise
        except Exception as error:
            reason = str(error).strip().split("\n")[0] or type(error).__name__
            raise DataError(f"{path} cannot be read: {reason}. It is damaged, or is not {path.suffix}.") from error
        if part is None:
            return
        yield part


def _csv_parts(path: Path, text_columns: Collection[str], separator: str) -> Iterator[pd.DataFrame]:
    import pandas as pd

    text = dict.fromkeys(text_columns, str)
    # A line with more fields than names would otherwise shift all columns by one.
    with pd.read_csv(
        path, sep=separator, dtype=text, encoding="utf-8-sig", chunksize=PART_ROWS, index_col=False, low_memory=False
    ) as reader:
        for part in reader:
            part.columns = part.columns.str.strip()
            yield part


def _parquet_parts(path: Path, text_columns: Collection[str], separator: str) -> Iterator[pd.DataFrame]:  # noqa: ARG001
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=PART_ROWS):
            yield batch.to_pandas()


def _npz_parts(path: Path, text_columns: Collection[str], separator: str) -> Iterator[pd.DataFrame]:  # noqa: ARG001
    import pandas as pd

    with zipfile.ZipFile(path) as archive:
        names = npz_names(archive)
    columns: dict[str, Any] = {}
    for name in names:
        try:
            array = read_npz(path, name, text=True)
        except SampleError as error:
            raise DataError(f"{path} cannot be read: {error.reason}") from error
        if array.ndim not in (1, 2) or len(array) != len(next(iter(columns.values()), array)):
            raise DataError(
                f"{path}: array {name!r} has shape {array.shape}; expected (rows,) or (rows, channels), as many rows "
                "in every array"
            )
        parts = (
            {name: array}
            if array.ndim == 1
            else {f"{name}_{index}": array[:, index] for index in range(array.shape[1])}
        )
        columns |= parts
    yield pd.DataFrame(
        {name: array.astype(str) if array.dtype.kind == "S" else array for name, array in columns.items()}
    )
