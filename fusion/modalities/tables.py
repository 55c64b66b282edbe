"""Tables of columns out of CSV, Parquet and .npz files, a part at a time, and what stands in their cells.

CSV and Parquet are read in parts of some ten thousand rows, so that memory does not grow with the file; a .npz file is
read whole. A cell of a text file is text until somebody asks for a number, so that a name is the same name from the
first row to the last, whatever stands in the rows beside it.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fusion.errors import DataError, SampleError
from fusion.modalities.arrays import npz_names, read_npz
from fusion.modalities.column_cells import is_text, numbers, texts, trimmed_text
from fusion.modalities.dialect import NAMELESS, Dialect, ragged_row, repeated_header, told_dialect

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pyarrow as pa
    from numpy.typing import NDArray

TEXT_SUFFIXES = (".csv", ".tsv", ".txt")
TABLE_SUFFIXES = (*TEXT_SUFFIXES, ".npz", ".parquet")
SHEETS = (".xls", ".xlsx", ".ods", ".numbers")
PART_ROWS = 50_000
PART_BYTES = 1 << 22


@dataclass(frozen=True, eq=False)
class Table:
    """A table that has been looked at, and is read when it is asked for.

    Parameters
    ----------
    path : Path
    names : tuple of str
        Of its columns.
    dialect : Dialect or None
        Of a text file.
    dates : {"day-first", "month-first"}, optional
        Order of dates that end with the year.
    """

    path: Path
    names: tuple[str, ...]
    dialect: Dialect | None = None
    dates: str | None = None

    def parts(self) -> Iterator[Part]:
        """Read it top to bottom; no part is empty.

        Raises
        ------
        DataError
            When it is damaged or has no rows.
        """
        row = 0
        for part in _damage_named(self, _READERS[self.path.suffix.lower()](self)):
            if len(part):
                yield Part(self, dict(zip(self.names, part.columns, strict=True)), row, len(part))
            row += len(part)
        if not row:
            raise DataError(f"{self.path} has no rows; expected a table with one reading in each")


@dataclass(frozen=True, eq=False)
class Part:
    """Some rows of a table.

    Parameters
    ----------
    table : Table
    columns : dict of str to pyarrow.Array
    first : int
        Rows before it.
    rows : int
    """

    table: Table
    columns: dict[str, Any]
    first: int
    rows: int

    def text(self, name: str) -> NDArray[Any]:
        """Give a column of names, shape (rows,): text without blanks around it, None where the cell is empty.

        Raises
        ------
        DataError
            When a cell holds several values.
        """
        import pyarrow as pa

        column = self.columns[name]
        if pa.types.is_nested(column.type):
            raise DataError(
                f"{self.table.path}: column {name!r} holds {column.type}; expected one number or text in each cell. "
                "Leave it out, or in Python name it with column= of FrameDataset."
            )
        return texts(column)

    def numbers(self, name: str) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Give a column as numbers, NaN where there is none, and which of its cells hold something else instead."""
        return numbers(self.columns[name], self.decimal)

    def matches(self, name: str, pattern: str) -> NDArray[np.bool_]:
        """Tell which cells of a column of text match a regular expression; of another column none does."""
        import pyarrow.compute as pc

        if not is_text(self.columns[name]):
            return np.zeros(self.rows, bool)
        found = pc.match_substring_regex(trimmed_text(self.columns[name]), pattern)
        return np.asarray(pc.fill_null(found, False).to_numpy(zero_copy_only=False), bool)  # noqa: FBT003 - a value

    def cell(self, name: str, row: int) -> str:
        """Give a cell as text, to be shown."""
        return str(self.columns[name][row].as_py()).strip()[:40]

    @property
    def decimal(self) -> str:
        """The mark in its numbers."""
        return "." if self.table.dialect is None else self.table.dialect.decimal


def open_table(path: Path, *, separator: str | None = None, decimal: str | None = None) -> Table:
    """Look at the columns of a table.

    Parameters
    ----------
    path : Path
        Text in UTF-8 (``.csv``, ``.tsv``, ``.txt``) with one line of names, ``.parquet``, or ``.npz`` with an array
        (rows,) for each column; an array (rows, n) named ``x`` gives the columns ``x_0`` to ``x_<n-1>``.
    separator, decimal : str, optional
        Of text files, see `told_dialect`.

    Raises
    ------
    DataError
        When the file is missing, is another kind of file, is damaged, or two of its columns have one name.
    """
    if not path.is_file():
        raise DataError(f"{path} {'is a folder' if path.is_dir() else 'does not exist'}; expected a table of readings")
    suffix = path.suffix.lower()
    if suffix not in TABLE_SUFFIXES:
        advice = ". Save the sheet as CSV" if suffix in SHEETS else ""
        raise DataError(f"{path} is no table that can be read; expected one of {', '.join(TABLE_SUFFIXES)}{advice}")
    dialect = told_dialect(path, separator, decimal) if suffix in TEXT_SUFFIXES else None
    table = Table(path, () if dialect is None else dialect.names, dialect)
    if dialect is None:
        table = Table(path, next(_damage_named(table, _SCHEMAS[suffix](table))))
    twice = [name for name in table.names if table.names.count(name) > 1]
    if twice:
        raise DataError(f"{path} has more than one column {twice[0]!r}; expected a name of its own for each")
    return table


def _damage_named(table: Table, parts: Iterator[Any]) -> Iterator[Any]:
    while True:
        try:
            part = next(parts, None)
        except (DataError, MemoryError):
            raise
        except Exception as error:
            path, ragged = table.path, table.dialect and ragged_row(table.path, table.dialect)
            if ragged:
                raise DataError(f"{path} cannot be read: {ragged}.") from error
            reason = str(error).strip().split("\n")[0].rstrip(".") or type(error).__name__
            raise DataError(f"{path} cannot be read: {reason}. It is damaged, or is not {path.suffix}.") from error
        if part is None:
            return
        yield part


def _text_parts(table: Table) -> Iterator[Any]:
    import pyarrow as pa
    from pyarrow import csv

    dialect = table.dialect or told_dialect(table.path)
    if not dialect.names:
        raise DataError(
            f"{table.path} has no line of names: its first line holds numbers only; expected a name for each"
        )
    places = [str(place) for place in range(len(dialect.names))]
    reader = csv.open_csv(
        table.path,
        csv.ReadOptions(use_threads=False, block_size=PART_BYTES, column_names=places, skip_rows=dialect.begin),
        csv.ParseOptions(delimiter=dialect.separator, newlines_in_values=True),
        csv.ConvertOptions(column_types=dict.fromkeys(places, pa.string()), strings_can_be_null=False),
    )
    with reader:
        for batch in reader:
            _refuse_nul(table, batch)
            _refuse_repeated_header(table, dialect, batch)
            yield batch


def _refuse_nul(table: Table, batch: Any) -> None:
    texts = (column.buffers()[-1] for column in batch.columns)
    if any(text is not None and b"\0" in text.to_pybytes() for text in texts):
        raise DataError(f"{table.path} holds NUL bytes, as a file does whose writing broke off; remove them")


def _refuse_repeated_header(table: Table, dialect: Dialect, batch: Any) -> None:
    import pyarrow.compute as pc

    # Not the first where there is another: a file that was appended may bring its mark of byte order along.
    place = max((place for place, name in enumerate(dialect.names) if not name.startswith(NAMELESS)), default=0)
    pattern = rf"^\s*\Q{dialect.names[place]}\E\s*$"  # a value to look for would make pyarrow import pandas
    again = pc.any(pc.match_substring_regex(batch.column(place), pattern)).as_py()
    if again and (found := repeated_header(table.path, dialect)):
        raise DataError(f"{table.path}: {found}.")


def _parquet_schema(table: Table) -> Iterator[tuple[str, ...]]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(table.path) as file:
        yield tuple(str(name).strip() for name in file.schema_arrow.names)


def _parquet_parts(table: Table) -> Iterator[Any]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(table.path) as file:
        yield from file.iter_batches(batch_size=PART_ROWS)


def _npz_schema(table: Table) -> Iterator[tuple[str, ...]]:
    yield tuple(name for name, _ in _arrays(table.path))


def _npz_parts(table: Table) -> Iterator[Any]:
    import pyarrow as pa

    arrays = [array.astype(str) if array.dtype.kind == "S" else array for _, array in _arrays(table.path)]
    yield pa.RecordBatch.from_arrays([_arrow(array) for array in arrays], names=list(map(str, range(len(arrays)))))


def _arrow(array: NDArray[Any]) -> pa.Array:
    import pyarrow as pa

    return pa.array(np.ascontiguousarray(array.astype(array.dtype.newbyteorder("="), copy=False)))


def _arrays(path: Path) -> list[tuple[str, NDArray[Any]]]:
    with zipfile.ZipFile(path) as archive:
        names = npz_names(archive)
    columns: list[tuple[str, NDArray[Any]]] = []
    for name in names:
        try:
            array = read_npz(path, name, text=True)
        except SampleError as error:
            raise DataError(f"{path} cannot be read: {error.reason}") from error
        if array.ndim not in (1, 2) or (columns and len(array) != len(columns[0][1])):
            raise DataError(
                f"{path}: array {name!r} has shape {array.shape}; expected (rows,) or (rows, channels), as many rows "
                "in every array"
            )
        one = array.ndim == 1
        columns += [(name, array)] if one else [(f"{name}_{place}", array[:, place]) for place in range(array.shape[1])]
    return columns


_SCHEMAS = {".npz": _npz_schema, ".parquet": _parquet_schema}
_READERS = {**dict.fromkeys(TEXT_SUFFIXES, _text_parts), ".npz": _npz_parts, ".parquet": _parquet_parts}
