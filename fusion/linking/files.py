"""Link tables as files: Parquet, or CSV with what else is known in a JSON file beside it."""

from __future__ import annotations

import csv
from pathlib import Path

import pandas as pd
from pydantic import BaseModel, ConfigDict, ValidationError

from fusion.errors import ConfigError, DataError
from fusion.linking.table import LinkedStore, LinkSummary, LinkTable, checked_frame
from store.files import whole_file, write_whole

__all__ = ["is_link", "load_link", "read_strings", "write_link"]

FORMAT = "functa-fusion-link"
FORMAT_VERSION = 1
_SUFFIXES = (".parquet", ".csv")


class _Card(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")
    format: str
    format_version: int
    stores: dict[str, LinkedStore]
    summary: LinkSummary


def is_link(path: str | Path) -> bool:
    """Tell by its suffix whether a path is meant as a link table."""
    return Path(path).suffix.lower() in _SUFFIXES


def write_link(table: LinkTable, path: Path) -> Path:
    """Write a link table as a whole or not at all; see `LinkTable.save`."""
    if not is_link(path):
        raise ConfigError(f"{path} has suffix {path.suffix!r}; a link table is written as {' or '.join(_SUFFIXES)}.")
    moved = table.relative_to(path.absolute().parent)
    card = _Card(format=FORMAT, format_version=FORMAT_VERSION, stores=dict(moved.stores), summary=table.summary)
    text = card.model_dump_json(indent=1)
    try:
        if path.suffix.lower() == ".csv":
            write_whole(_beside(path), text + "\n")
            with whole_file(path) as place:
                _write_csv(table.frame, place)
        else:
            with whole_file(path) as place:
                _write_parquet(table.frame, text, place)
    except OSError as error:
        raise DataError(f"link table {path} cannot be written: {error.strerror or error}. Check the folder.") from error
    return path


def load_link(path: Path) -> LinkTable:
    """Read a link table; see `read_link`."""
    if not path.is_file():
        raise DataError(f"there is no link table at {path}; expected a file that `functa link` wrote. Check the path.")
    if path.suffix.lower() == ".csv":
        frame, text = read_strings(path), _read_text(_beside(path))
    else:
        frame, text = _read_parquet(path)
    card = _card(text, path)
    names = list(card.stores)
    table = LinkTable(checked_frame(frame, names, path), card.stores, card.summary)
    return table.resolved(path.parent)


def read_strings(path: Path) -> pd.DataFrame:
    """Read a table of strings from ``.csv`` or ``.parquet``, None where a cell is empty.

    Raises
    ------
    DataError
        It cannot be read.
    """
    try:
        if path.suffix.lower() == ".parquet":
            frame = pd.read_parquet(path)
        else:
            frame = pd.read_csv(path, dtype=str, keep_default_na=False, na_values=[""], encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"table {path} cannot be read: {reason}. Expected .csv or .parquet with a header.") from error
    frame = frame.astype(object)
    return frame.where(frame.notna(), None)


def _card(text: str, path: Path) -> _Card:
    try:
        card = _Card.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise DataError(
            f"link table {path} does not name its stores ({first['msg']} at {place!r}); expected a file that "
            "`functa link` wrote. Link the stores again."
        ) from error
    if card.format != FORMAT or card.format_version > FORMAT_VERSION:
        raise DataError(
            f"link table {path} has format {card.format!r} {card.format_version}; this release reads {FORMAT!r} up to "
            f"{FORMAT_VERSION}. Upgrade functa-fusion, or link the stores again."
        )
    return card


def _write_csv(frame: pd.DataFrame, place: Path) -> None:
    frame.to_csv(place, index=False, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n", encoding="utf-8")


def _write_parquet(frame: pd.DataFrame, text: str, place: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([(name, pa.string()) for name in frame.columns], metadata={FORMAT: text})
    pq.write_table(pa.Table.from_pandas(frame, schema=schema, preserve_index=False).cast(schema), place)


def _read_parquet(path: Path) -> tuple[pd.DataFrame, str]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"link table {path} cannot be read: {error}. Link the stores again.") from error
    text = (table.schema.metadata or {}).get(FORMAT.encode(), b"{}").decode("utf-8", "replace")
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
