"""Link tables as files: Parquet, or CSV with what else is known in a JSON file beside it."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd

from fusion.errors import ConfigError, DataError
from fusion.modalities.tables import open_table
from store.files import whole_file, write_whole

__all__ = [
    "FORMAT",
    "is_link",
    "is_parquet",
    "read_names",
    "read_table",
    "unwritable",
    "write_table",
    "written_in_parts",
]

FORMAT = "functa-fusion-link"
"""Says in a card, and in the metadata of a Parquet file, what it is."""
_SUFFIXES = (".parquet", ".csv")


def is_link(path: str | Path) -> bool:
    """Tell by its suffix whether a path is meant as a link table."""
    return Path(path).suffix.lower() in _SUFFIXES


def is_parquet(path: Path) -> bool:
    """Tell whether a path is that of a Parquet file."""
    return path.suffix.lower() == ".parquet"


def unwritable(path: Path, error: OSError) -> DataError:
    """Say that a link table cannot be written."""
    return DataError(f"link table {path} cannot be written: {error.strerror or error}. Check the folder.")


def write_table(path: Path, frame: pd.DataFrame, card: str) -> None:
    """Write a link table and its card as a whole or not at all.

    Parameters
    ----------
    path : Path
        ``.parquet``, or ``.csv``, which gets a ``.csv.json`` beside it.
    frame : DataFrame of str
    card : str
        JSON of what else is known.

    Raises
    ------
    ConfigError
        Another suffix.
    DataError
        It cannot be written.
    """
    if not is_link(path):
        raise ConfigError(f"{path} has suffix {path.suffix!r}; a link table is written as {' or '.join(_SUFFIXES)}.")
    if is_parquet(path):
        with written_in_parts(path, list(frame.columns)) as (write, end_with):
            write(frame)
            end_with(card)
        return
    try:
        write_whole(_beside(path), card + "\n")
        with whole_file(path) as place:
            _write_csv(frame, place)
    except OSError as error:
        raise unwritable(path, error) from error


@contextmanager
def written_in_parts(
    path: Path, columns: Sequence[str]
) -> Iterator[tuple[Callable[[pd.DataFrame], None], Callable[[str], None]]]:
    """Write a Parquet file whose rows come part by part, and its card last; there is no file when the block raises.

    Yields
    ------
    write, end_with : callable
        Take a frame of str, and the card.

    Raises
    ------
    DataError
        It cannot be written.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([(name, pa.string()) for name in columns])

    def write(frame: pd.DataFrame) -> None:
        writer.write_table(pa.Table.from_pandas(frame, schema=schema, preserve_index=False).cast(schema))

    def end_with(card: str) -> None:
        writer.add_key_value_metadata({FORMAT: card})

    try:
        with whole_file(path) as place, pq.ParquetWriter(place, schema) as writer:
            yield write, end_with
    except OSError as error:
        raise unwritable(path, error) from error


def read_table(path: Path) -> tuple[pd.DataFrame, str]:
    """Read a link table and its card; DataError when there is none or it is damaged."""
    if not path.is_file():
        raise DataError(f"there is no link table at {path}; expected a file that `functa link` wrote. Check the path.")
    return (_read_csv(path), _read_text(_beside(path))) if path.suffix.lower() == ".csv" else _read_parquet(path)


def _read_csv(path: Path) -> pd.DataFrame:
    """Read a link table's strings from ``.csv``, None where a cell is empty.

    Raises
    ------
    DataError
        It cannot be read.
    """
    try:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False, na_values=[""], encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"table {path} cannot be read: {reason}. Expected .csv with a header.") from error
    frame = frame.astype(object)
    return frame.where(frame.notna(), None)


def read_names(path: Path) -> pd.DataFrame:
    """Read a table of names that a user wrote, as tables of readings are read: see `fusion.modalities.tables`.

    Raises
    ------
    DataError
        It cannot be read.
    """
    table = open_table(path)
    parts = list(table.parts())
    return pd.DataFrame(
        {name: np.concatenate([part.text(name) for part in parts]) for name in table.names}, dtype=object
    )


def _write_csv(frame: pd.DataFrame, place: Path) -> None:
    frame.to_csv(place, index=False, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n", encoding="utf-8")


def _read_parquet(path: Path) -> tuple[pd.DataFrame, str]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
        table, found = file.read(), file.metadata.metadata or {}
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"link table {path} cannot be read: {error}. Link the stores again.") from error
    text = found.get(FORMAT.encode(), b"{}").decode("utf-8", "replace")
    return table.to_pandas(types_mapper=lambda _: None).astype(object), text


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.json")


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise DataError(
            f"{path}, which names the stores of a link table, cannot be read: {error.strerror}. Keep it beside the "
            "table, or link the stores again."
        ) from error
