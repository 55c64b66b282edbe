"""A frame in memory as a data set: rows that name files, hold samples in a column, or are samples of plain columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fusion.datasets.base import Dataset, Sample
from fusion.datasets.column_table import column_samples
from fusion.datasets.files import failing_loader, file_id, file_loader
from fusion.datasets.memory import ArrayDataset
from fusion.datasets.table_items import TableItems
from fusion.errors import ConfigError, DataError
from fusion.modalities import ColumnsModality, Modality
from fusion.modalities.tables import Part
from fusion.names import is_missing, name_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class FrameDataset:
    """Samples out of a pandas frame, or of any object of the shape of Hugging Face's ``datasets.Dataset``.

    Parameters
    ----------
    frame : DataFrame, or an object with ``column_names`` and rows by number
        A feature that has ``names`` turns the numbers of its column into classes; an attribute ``split`` names the
        split of all rows.
    path : str, optional
        Column that names a file for each row.
    column : str, optional
        Column that holds the sample itself: arrays, sounds with their rate, pictures. Without `path` and `column` the
        other columns are the samples, of modality ``columns``; of an object that is no frame the one column that holds
        sounds, pictures or arrays is taken, and told.
    modality : str or Modality, optional
        What the samples are; needed for files, told for sounds and pictures.
    id, label, group, split : str, optional
        Columns that tell these; those of that very name when there are.
    target : str, optional
        Column of numbers to predict; labels that are all numbers need none.
    root : path
        Folder that paths start from.
    test_share, seed : float, int
        As of `ArrayDataset`.

    Raises
    ------
    DataError
        When a column that was named is missing, or two have one name.
    ConfigError
        When it cannot be told what the samples are.
    """

    name = "frame"

    def __init__(
        self,
        frame: Any,
        *,
        path: str | None = None,
        column: str | None = None,
        modality: str | Modality | None = None,
        id: str | None = None,  # noqa: A002 - the name of what the column tells
        label: str | None = None,
        group: str | None = None,
        split: str | None = None,
        target: str | None = None,
        root: str | Path = ".",
        test_share: float = 0.2,
        seed: int = 42,
    ) -> None:
        records = Records(frame)
        roles = records.roles({"id": id, "label": label, "group": group, "split": split}, (path, column, target))
        roles |= {} if target is None else {"target": target}
        if path is not None and column is not None:
            raise ConfigError(f"path {path!r} and column {column!r} are both given; expected one of them")
        self._told: tuple[str, ...] = ()
        plain = isinstance(modality, ColumnsModality) or modality == "columns"
        if path is None and column is None and not plain and (modality is not None or not records.is_frame):
            column = records.only_media({*roles.values()})
        split_by: dict[str, Any] = {"test_share": test_share, "seed": seed}
        if path is not None:
            self._inner: Any = _Files(records, path, Path(root), _asked(modality, path), roles, split_by)
        elif column is not None:
            found = modality or records.modality_of(column)
            self._told = (f"column {column!r} is read as {found if isinstance(found, str) else found.name}",)
            self._inner = ArrayDataset(records.cells(column), modality=found, **records.names(roles), **split_by)
        else:
            self._inner = _Rows(records, roles, modality, split_by)
        self.modality = str(self._inner.modality)

    def default_modality(self) -> Modality:
        """Give what the samples are."""
        found: Modality = self._inner.default_modality()
        return found

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know of how the frame is read."""
        return (*self._told, *self._inner.notes)

    def __iter__(self) -> Iterator[Sample]:
        return iter(self._inner)


def samples_of(source: Any) -> Dataset:
    """Take a data set as it is, and what has the shape of Hugging Face's as a `FrameDataset`.

    Raises
    ------
    ConfigError
        When it is neither.
    """
    if isinstance(source, Dataset):
        return source
    if hasattr(source, "column_names") or hasattr(source, "columns"):
        return FrameDataset(source)
    raise ConfigError(
        f"an object of type {type(source).__name__} is no data set; expected one of fusion.datasets, such as "
        "ArrayDataset(arrays) or FrameDataset(frame)"
    )


class Records:
    """Rows by number and columns by name, of a pandas frame or of what has the shape of Hugging Face's data sets."""

    def __init__(self, frame: Any) -> None:
        self.frame = frame
        self.is_frame = hasattr(frame, "iloc")
        names = frame.columns if self.is_frame else getattr(frame, "column_names", None)
        if names is None:
            raise ConfigError(
                f"an object of type {type(frame).__name__} has no column_names; expected a frame or a table of rows"
            )
        if isinstance(names, Mapping):
            raise ConfigError(f"it holds the splits {', '.join(names)}; expected one of them, such as data['train']")
        self.columns = tuple(str(name) for name in names)
        twice = next((name for name, count in Counter(self.columns).items() if count > 1), None)
        if twice is not None:
            raise DataError(f"the frame has more than one column {twice!r}; expected a name of its own for each")
        self._of_name = dict(zip(self.columns, names, strict=True))

    def roles(self, asked: Mapping[str, str | None], taken: Sequence[str | None]) -> dict[str, str]:
        """Give the column of each role: the one asked for, else the one of that very name; DataError when missing."""
        missing = [name for name in (*asked.values(), *taken) if name is not None and name not in self.columns]
        if missing:
            raise DataError(f"the frame has no column {missing[0]!r}; got {', '.join(self.columns)}")
        found = {role: name or (role if role in self.columns else None) for role, name in asked.items()}
        return {role: name for role, name in found.items() if name is not None and name not in taken}

    def column(self, name: str) -> list[Any]:
        """Give the cells of a column, the number of a class as its name."""
        cells = list(self.frame[self._of_name[name]])
        classes = getattr(self._feature(name), "names", None)
        if not classes:
            return cells
        return [classes[cell] if isinstance(cell, int | np.integer) and cell >= 0 else None for cell in cells]

    def names(self, roles: Mapping[str, str]) -> dict[str, Any]:
        """Give IDs, labels, groups and splits as `ArrayDataset` takes them."""
        keys = {"id": "ids", "label": "labels", "group": "groups", "split": "splits", "target": "targets"}
        found = {keys[role]: self.column(name) for role, name in roles.items()}
        whole = None if self.is_frame else getattr(self.frame, "split", None)
        if "splits" not in found and whole is not None:
            found["splits"] = [str(whole)] * len(self.frame)
        return found

    def cells(self, name: str) -> Cells:
        """Give the cells of a column as a sequence that reads one when it is asked for."""
        return Cells(self, name)

    def cell(self, row: int, name: str) -> Any:
        """Give one cell."""
        return self.frame[self._of_name[name]].iloc[row] if self.is_frame else self.frame[row][name]

    def only_media(self, others: set[str]) -> str:
        """Find the one column that holds sounds, pictures or arrays; ConfigError when there is not one."""
        free = [name for name in self.columns if name not in others]
        found = [name for name in free if len(self.frame) and _modality_of(self.cell(0, name))]
        if len(found) != 1:
            held = " and ".join(found) or f"none of {', '.join(free) or 'its columns'}"
            raise ConfigError(f"expected one column of sounds, pictures or arrays; got {held}. Name it with column=")
        return found[0]

    def modality_of(self, name: str) -> str:
        """Tell what a column holds from its first cell; ConfigError when that cannot be told."""
        found = _modality_of(self.cell(0, name)) if len(self.frame) else ""
        if not found:
            raise ConfigError(f"it cannot be told what column {name!r} holds; say so with modality=")
        return found

    def _feature(self, name: str) -> Any:
        features = getattr(self.frame, "features", None)
        return features.get(name) if isinstance(features, Mapping) else None


@dataclass(frozen=True, eq=False)
class Cells(Sequence[Any]):
    """A column, cell by cell."""

    records: Records
    name: str

    def __len__(self) -> int:
        return len(self.records.frame)

    def __getitem__(self, row: Any) -> Any:
        return self.records.cell(row, self.name)


class _Files(ArrayDataset):
    """Rows that name files."""

    def __init__(
        self,
        records: Records,
        path: str,
        root: Path,
        modality: str | Modality,
        roles: Mapping[str, str],
        split_by: Mapping[str, Any],
    ) -> None:
        paths = [name_of(cell, "path") for cell in records.column(path)]
        ids = [f"frame:{row}" if name is None else file_id(Path(name).as_posix()) for row, name in enumerate(paths, 1)]
        given = {"ids": ids} | records.names(roles)
        super().__init__(paths, modality=modality, **given, **split_by)
        self._root = root

    def _load(self, place: int) -> Callable[[], Any]:
        path = self._arrays[place]
        if path is None:
            return failing_loader(f"row {place + 1} of the frame names no file")
        return file_loader(self._modality, self._root / path, None)


class _Rows:
    """Rows that are samples of plain columns."""

    modality = "columns"

    def __init__(
        self,
        records: Records,
        roles: Mapping[str, str],
        modality: str | Modality | None,
        split_by: Mapping[str, Any],
    ) -> None:
        self._modality = modality if isinstance(modality, ColumnsModality) else ColumnsModality()
        given = {role: roles.get(role) for role in ("id", "label", "group", "split", "target")}
        self._items = TableItems.of(_Table(Path("frame"), records), given, **split_by)

    def default_modality(self) -> Modality:
        return self._modality

    @property
    def notes(self) -> tuple[str, ...]:
        return self._items.notes

    def __iter__(self) -> Iterator[Sample]:
        return column_samples(self._items)


@dataclass(frozen=True, eq=False)
class _Table:
    """A frame as a table."""

    path: Path
    records: Records
    dialect: None = None

    @property
    def names(self) -> tuple[str, ...]:
        return self.records.columns

    def parts(self) -> Iterator[Part]:
        columns = {name: _arrow(self.records.column(name), name) for name in self.names}
        rows = len(self.records.frame)
        if not rows:
            raise DataError("the frame has no rows; expected one for each sample")
        yield Part(self, columns, 0, rows)  # type: ignore[arg-type]


def _arrow(cells: list[Any], name: str) -> Any:
    import pyarrow as pa

    held = [None if is_missing(cell) else cell for cell in cells]
    several = next((cell for cell in held if isinstance(cell, list | dict | set) or getattr(cell, "ndim", None)), None)
    if several is not None:
        raise DataError(
            f"column {name!r} of the frame holds a {type(several).__name__}; expected one number or text in each cell. "
            "Name it with column= if it holds the samples, else leave it out."
        )
    held = [name_of(cell, f"cell of column {name!r}") if isinstance(cell, bytes) else cell for cell in held]
    for kind in (None, pa.uint64()):  # whole numbers beyond 2^63 too
        try:
            return pa.array(held, kind)
        except OverflowError:
            continue
        except (pa.ArrowException, TypeError):
            break
    return pa.array([None if cell is None else str(cell) for cell in held])


def _modality_of(cell: Any) -> str:
    if isinstance(cell, Mapping) and {"array", "sampling_rate"} <= set(cell):
        return "audio"
    if hasattr(cell, "convert") and hasattr(cell, "getbands"):
        return "image"
    if isinstance(cell, list | np.ndarray) and np.asarray(cell).dtype.kind in "biuf":
        axes = np.ndim(cell)
        return "sensor" if axes <= 2 else "array"
    return ""


def _asked(modality: str | Modality | None, path: str) -> str | Modality:
    if modality is None:
        raise ConfigError(f"the files of column {path!r} are of no modality; say which with modality=")
    return modality
