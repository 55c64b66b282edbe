"""Files whose rows are samples, plain columns, read for prediction as the table of the training was."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from fusion.datasets.base import Sample
from fusion.datasets.column_table import column_samples
from fusion.datasets.columns import Columns
from fusion.datasets.table_items import TableItems, names_of
from fusion.errors import DataError
from fusion.modalities.columns import ColumnsModality
from fusion.modalities.tables import open_table

__all__ = ["row_samples"]

_ROLES = ("label", "group", "split", "target")


def row_samples(
    modality: ColumnsModality, path: Path, options: Mapping[str, Any], *, numbers: bool
) -> Iterator[tuple[str, Sample]]:
    """Give name and sample of the row of a file.

    Parameters
    ----------
    modality : ColumnsModality
        Of the model.
    path : Path
    options : mapping
        Of the training's reader: how cells are written, and which columns have a role.
    numbers : bool
        The model predicts the column of targets, so that is the truth and not the label.

    Raises
    ------
    DataError
        When the file cannot be read.
    """
    try:
        items = _items(modality, path, options)
        samples = list(column_samples(items, names_of(options.get("missing"))))
    except DataError as error:
        raise DataError(str(error).replace(str(path), path.name)) from error
    if len(samples) != 1:
        raise DataError(f"{path.name} holds {len(samples)} rows; expected one, encode a table of several")
    yield "", _told(samples[0], numbers=numbers)


def _items(modality: ColumnsModality, path: Path, options: Mapping[str, Any]) -> TableItems:
    table = open_table(path, separator=options.get("separator"), decimal=options.get("decimal"))
    named = names_of(options.get("id"))
    roles = {role: options.get(role) if options.get(role) in table.names else None for role in _ROLES}
    given = {**roles, "id": named if set(named) <= set(table.names) else ()}
    items = TableItems.of(table, given, test_share=0.0, seed=0)
    return replace(items, roles=_without(items.roles, modality.channel_names))


def _without(roles: Columns, channels: tuple[str, ...]) -> Columns:
    """Take the roles from columns that the model reads as values."""
    taken: dict[str, Any] = {role: None for role in _ROLES if getattr(roles, role) in channels}
    return replace(roles, **taken, id=tuple(name for name in roles.id if name not in channels))


def _told(sample: Sample, *, numbers: bool) -> Sample:
    return replace(sample, label=None if sample.target is None else repr(sample.target)) if numbers else sample
