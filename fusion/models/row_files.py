"""Files whose rows are samples, plain columns and vectors, read for prediction as the source of the training was."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any

from fusion.datasets.base import Sample
from fusion.datasets.column_table import column_samples
from fusion.datasets.columns import Columns
from fusion.datasets.table_items import TableItems, listed_names
from fusion.datasets.vector_table import VectorTable
from fusion.errors import FusionError, SampleError
from fusion.modalities import ColumnsModality, Modality, VectorsModality
from fusion.modalities.tables import open_table

__all__ = ["ROW_SUFFIXES", "has_rows", "row_samples"]

ROW_SUFFIXES = (".csv", ".tsv", ".parquet")
"""Of tables with a sample in each row."""

_ROLES = ("label", "group", "split", "target")


def has_rows(modality: Modality) -> bool:
    """Tell whether a sample of a modality is a row of a file."""
    return isinstance(modality, (ColumnsModality, VectorsModality))


def row_samples(
    modality: Modality, path: Path, options: Mapping[str, Any], *, numbers: bool
) -> Iterator[tuple[str, Sample]]:
    """Give name and sample of each row of a file.

    A row is called by its ID, or by its place after the name of the file, as in a store; the one row of a file without
    IDs has no name of its own. A row with the ID of an earlier one has its number beside it.

    Parameters
    ----------
    modality : Modality
        Of the model, with rows.
    path : Path
    options : mapping
        Of the training's reader: how cells are written, and which columns have a role.
    numbers : bool
        The model predicts the column of targets, so that is the truth and not the label.

    Raises
    ------
    SampleError
        When the file cannot be read.
    """
    read = _columns if isinstance(modality, ColumnsModality) else _vectors
    try:
        for name, sample in _named(read(modality, path, options), path):
            yield name, _told(sample) if numbers else sample
    except SampleError:
        raise
    except FusionError as error:
        raise SampleError("read", str(error).replace(str(path), path.name)) from error


def _named(samples: Iterator[Sample], path: Path) -> Iterator[tuple[str, Sample]]:
    first = list(islice(samples, 2))
    if len(first) == 1 and first[0].id == _place(path, 0):
        yield "", first[0]
        return
    seen: set[str] = set()
    for row, sample in enumerate(chain(first, samples)):
        yield (f"{sample.id}, row {row + 1}" if sample.id in seen else sample.id), sample
        seen.add(sample.id)


def _columns(modality: Modality, path: Path, options: Mapping[str, Any]) -> Iterator[Sample]:
    table = open_table(path, **_marks(options))
    items = TableItems.of(table, _roles(options, table.names), test_share=0.0, seed=0)
    items = replace(items, roles=_without(items.roles, modality.channel_names))
    return column_samples(items, listed_names(options.get("missing")))


def _vectors(modality: Modality, path: Path, options: Mapping[str, Any]) -> Iterator[Sample]:
    if path.suffix.lower() not in ROW_SUFFIXES:
        array = modality.read(path)
        rows: Iterable[Any] = array if array.ndim == 2 else (array,)
        return (Sample(_place(path, row), None, None, None, partial(_given, vector)) for row, vector in enumerate(rows))
    marks, columns = _marks(options), options.get("columns")
    roles = _roles(options, open_table(path, **marks).names)
    return iter(VectorTable(path, columns=columns, test_share=0.0, **roles, **marks))


def _marks(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: options.get(name) for name in ("separator", "decimal")}


def _roles(options: Mapping[str, Any], there: Sequence[str]) -> dict[str, Any]:
    """Give the columns of roles as in training, where they are there."""
    named = listed_names(options.get("id"))
    roles = {role: options.get(role) if options.get(role) in there else None for role in _ROLES}
    return {**roles, "id": (named if set(named) <= set(there) else ()) or None}


def _without(roles: Columns, channels: Sequence[str]) -> Columns:
    """Take the roles from columns that the model reads as values."""
    taken: dict[str, Any] = {role: None for role in _ROLES if getattr(roles, role) in channels}
    return replace(roles, **taken, id=tuple(name for name in roles.id if name not in channels))


def _told(sample: Sample) -> Sample:
    return replace(sample, label=None if sample.target is None else repr(sample.target))


def _place(path: Path, row: int) -> str:
    return f"{path.stem}:{row + 1}"


def _given(vector: Any) -> Any:
    return vector
