"""A table of plain columns: every row is a sample, such as a person."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fusion.datasets.files import given_options
from fusion.datasets.table_items import TableItems, file_sha256, listed_names
from fusion.errors import ConfigError
from fusion.modalities.columns import ColumnsModality, TableRow, table_rows
from fusion.modalities.tables import open_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from fusion.datasets.base import Sample
    from fusion.modalities.tables import Part

_DEFAULTS: dict[str, Any] = {
    **dict.fromkeys(("id", "label", "group", "split", "target", "columns", "categories", "missing")),
    **dict.fromkeys(("separator", "decimal")),
    "max_categories": 50,
    "test_share": 0.2,
    "seed": 42,
}


class ColumnTable:
    """The rows of a table; numbers and categories are its columns that have no other role.

    Parameters
    ----------
    source : path
        CSV, TSV or Parquet with a line of names.
    id : str or sequence of str, optional
        Column that names the rows, or several joined by ``/``; ``id`` when there is one.
    label, group, split : str, optional
        Columns of the class, of what must not stand on both sides of a split, and of the split; those of that very
        name when there are.
    target : str, optional
        Column of numbers to predict; labels that are all numbers need none.
    columns : str or sequence of str, optional
        Columns to take; when not given, all that are neither constant, nor names of rows, nor of too many categories.
    categories : str or sequence of str, optional
        Columns whose numbers are names, such as a postcode.
    missing : str or sequence of str, optional
        What stands for an empty cell, a missing label or target, besides nothing at all.
    max_categories : int
        A column of more is left out, unless it is asked for.
    separator, decimal : str, optional
        Of text files; told from the file when not given.
    test_share : float
        Without a column of splits, this share of the groups, or of the rows that have none, is for testing; which ones
        says a seeded hash of their names: a person and the windows of that person come to the same side.
    seed : int
        Of that hash.

    Raises
    ------
    DataError
        When the table cannot be read, or lacks a column that was asked for.
    ConfigError
        When an option cannot be used.
    """

    name = "columns"
    modality = "columns"

    def __init__(
        self,
        source: str | Path,
        *,
        id: str | Sequence[str] | None = None,  # noqa: A002 - the name of what the column tells
        label: str | None = None,
        group: str | None = None,
        split: str | None = None,
        target: str | None = None,
        columns: str | Sequence[str] | None = None,
        categories: str | Sequence[str] | None = None,
        missing: str | Sequence[str] | None = None,
        max_categories: int = 50,
        separator: str | None = None,
        decimal: str | None = None,
        test_share: float = 0.2,
        seed: int = 42,
    ) -> None:
        lists = {"id": id, "columns": columns, "categories": categories, "missing": missing}
        named = {name: list(listed_names(value)) or None for name, value in lists.items()}
        roles = {"label": label, "group": group, "split": split, "target": target}
        given = {**named, **roles, "max_categories": max_categories}
        marks = {"separator": separator, "decimal": decimal, "test_share": test_share, "seed": seed}
        self.options = given_options(given | marks, _DEFAULTS)
        path = Path(source)
        self._items = TableItems.of(
            open_table(path, separator=separator, decimal=decimal),
            {"id": id, **roles},
            test_share=test_share,
            seed=seed,
        )
        self._missing = listed_names(missing)
        self._modality = taken_columns(self._items.others, columns, categories, max_categories)
        self.provenance = {"source": {"file": path.name, "sha256": file_sha256(path)}}

    def default_modality(self) -> ColumnsModality:
        """Give the columns that were asked for."""
        return self._modality

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know of how the table is read."""
        return self._items.notes

    def __iter__(self) -> Iterator[Sample]:
        return column_samples(self._items, self._missing)


def taken_columns(
    there: Sequence[str],
    columns: str | Sequence[str] | None,
    categories: str | Sequence[str] | None,
    max_categories: int,
) -> ColumnsModality:
    """Give the modality of a table with the columns that were asked for; ConfigError when one is not there."""
    asked, named = listed_names(columns), listed_names(categories)
    missing = [name for name in (*asked, *named) if name not in there]
    if missing:
        raise ConfigError(f"no column {missing[0]!r} without another role; got {', '.join(there) or 'none'}")
    return ColumnsModality(asked=asked, as_categories=named, max_categories=max_categories)


def column_samples(items: TableItems, missing: Sequence[str] = ()) -> Iterator[Sample]:
    """Give the rows of a table as samples whose raw data are a `TableRow`."""

    def loaders(part: Part) -> Iterator[Callable[[], TableRow]]:
        return (partial(_given, row) for row in table_rows(part, items.others, missing))

    return items.samples(loaders, missing)


def _given(row: TableRow) -> TableRow:
    return row
