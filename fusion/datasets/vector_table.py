"""Vectors made elsewhere: in the columns of a table, in a .npy file with IDs beside it, or in another store."""

from __future__ import annotations

import re
from collections import defaultdict
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from fusion.datasets.base import Sample
from fusion.datasets.files import failing_loader, given_options
from fusion.datasets.table_items import TableItems, file_sha256, listed_names
from fusion.datasets.targets import target_of
from fusion.errors import ConfigError, DataError, SampleError
from fusion.modalities.arrays import read_npy
from fusion.modalities.tables import open_table
from fusion.modalities.vectors import VectorsModality
from store import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from fusion.modalities.tables import Part

_STORES = (".zarr", ".h5", ".hdf5", ".functas")
_BESIDE = (".csv", ".tsv", ".parquet")
_NUMBERED = re.compile(r"(.*?)(\d+)")
_DEFAULTS: dict[str, Any] = {
    **dict.fromkeys(("id", "label", "group", "split", "target", "columns", "ids", "separator", "decimal")),
    "test_share": 0.2,
    "seed": 42,
}


class VectorTable:
    """Vectors by ID.

    Parameters
    ----------
    source : path
        A table (CSV, TSV, Parquet) with an ID in each row and the vector in numbered columns such as ``e0``, ``e1`` or
        ``0``, ``1``, or in one column of lists; a ``.npy`` file of shape (rows, dimensions) beside which a table of the
        same name says what the rows are, in their order; or a store (``.zarr``, ``.h5``), whose usable rows are taken
        with their IDs, labels, splits and groups.
    id : str or sequence of str, optional
        Column that names the rows, or several joined by ``/``; ``id`` when there is one.
    label, group, split : str, optional
        Columns of the class, of what must not stand on both sides of a split, and of the split.
    target : str, optional
        Column of numbers to predict; labels that are all numbers need none.
    columns : str or sequence of str, optional
        Columns of the vector in their order, or ``e*`` for the numbered ones that begin so, or one column of lists.
    ids : str, optional
        Of a ``.npy`` file, the table that says what its rows are.
    separator, decimal : str, optional
        Of text files; told from the file when not given.
    test_share : float
        Without a column of splits, this share of the groups, or of the rows that have none, is for testing.
    seed : int
        Of the hash that says which ones.

    Raises
    ------
    DataError
        When the source cannot be read, lacks IDs, or does not say where the vectors are.
    ConfigError
        When it cannot be told which columns are the vector.
    """

    name = "vectors"
    modality = "vectors"

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
        ids: str | None = None,
        separator: str | None = None,
        decimal: str | None = None,
        test_share: float = 0.2,
        seed: int = 42,
    ) -> None:
        roles = {"id": id, "label": label, "group": group, "split": split, "target": target}
        lists = {"id": list(listed_names(id)) or None, "columns": list(listed_names(columns)) or None}
        rest = {"ids": ids, "separator": separator, "decimal": decimal, "test_share": test_share, "seed": seed}
        self.options = given_options({**roles, **lists, **rest}, _DEFAULTS)
        path = Path(source)
        if path.suffix.lower() in _STORES:
            _refuse_options(path, self.options)
            self._vectors: _Vectors = _Stored(path)
        else:
            inside = path.suffix.lower() == ".npy"
            table = open_table(_beside(path, ids) if inside else path, separator=separator, decimal=decimal)
            items = TableItems.of(table, roles, test_share=test_share, seed=seed)
            self._vectors = _InArray(path, items) if inside else _InTable(path, items, listed_names(columns))
        self.provenance = {"source": self._vectors.told}
        """Where the vectors come from, which a store keeps."""
        self.left_out = self._vectors.left_out

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know of how the source is read."""
        return self._vectors.notes

    def default_modality(self) -> VectorsModality:
        """Give vectors of the length that the source says, where it does."""
        return VectorsModality(self._vectors.told.get("dimensions"))

    def __iter__(self) -> Iterator[Sample]:
        return self._vectors.samples()


class _Vectors(Protocol):
    """A source of vectors."""

    told: dict[str, Any]
    left_out: dict[str, str]

    @property
    def notes(self) -> tuple[str, ...]: ...

    def samples(self) -> Iterator[Sample]: ...


class _Stored:
    """The usable rows of a store."""

    notes: tuple[str, ...] = ()

    def __init__(self, path: Path) -> None:
        self.path = path
        self.left_out: dict[str, str] = {}
        with open_store(path) as store:
            told = {"modality": store.modality, "dataset": store.header.dataset, "fingerprint": store.fingerprint}
            self.told = {"file": path.name, "dimensions": store.k, **told}

    def samples(self) -> Iterator[Sample]:
        with open_store(self.path) as store:
            for block in store.iter_blocks():
                columns = (block.ids, block.labels, block.splits, block.groups, block.functas, block.target.tolist())
                for sample_id, label, split, group, vector, target in zip(*columns, strict=True):
                    yield Sample(sample_id, label, split, group, partial(_given, vector), target_of(target, sample_id))


class _InArray:
    """The rows of an array, and a table that says what they are."""

    def __init__(self, path: Path, items: TableItems) -> None:
        try:
            self._array = read_npy(path)
        except SampleError as error:
            raise DataError(f"{path} cannot be read: {error.reason}") from error
        rows = sum(part.rows for part in items.table.parts())
        if self._array.ndim != 2 or len(self._array) != rows:
            raise DataError(
                f"{path} has shape {self._array.shape}, and {items.table.path} {rows} rows; expected shape (rows, "
                "dimensions) with a row of IDs for each vector, in the same order"
            )
        if not items.roles.id:
            got = ", ".join(items.table.names)
            raise DataError(f"{items.table.path} has no column of IDs; got {got}; name it with --reader id=")
        self._items = items
        self.left_out = dict.fromkeys(items.others, f"the vectors are in {path.name}")
        self.told = _told(path, dimensions=self._array.shape[1], ids=items.table.path.name)

    @property
    def notes(self) -> tuple[str, ...]:
        beside = f"{self._items.table.path.name} says what the rows are, in their order"
        return (beside, *self._items.notes)

    def samples(self) -> Iterator[Sample]:
        return self._items.samples(
            lambda part: (partial(_given, row) for row in self._array[part.first : part.first + part.rows])
        )


class _InTable:
    """Columns of a table."""

    def __init__(self, path: Path, items: TableItems, asked: Sequence[str]) -> None:
        self._items = items
        first = next(items.table.parts())
        self._lists = [name for name in items.others if _is_list(first.columns[name])]
        self._columns = _chosen(items, asked, self._lists)
        self.left_out = dict.fromkeys(
            (name for name in items.others if name not in self._columns), "not a part of the vector"
        )
        width = None if self._columns[0] in self._lists else len(self._columns)
        ends = self._columns if len(self._columns) < 3 else (self._columns[0], "...", self._columns[-1])
        self.told = _told(path, columns=" ".join(ends), **({} if width is None else {"dimensions": width}))

    @property
    def notes(self) -> tuple[str, ...]:
        return (f"vectors from the columns {self.told['columns']}", *self._items.notes)

    def samples(self) -> Iterator[Sample]:
        return self._items.samples(self._of_lists if self._columns[0] in self._lists else self._of_columns)

    def _of_lists(self, part: Part) -> Iterator[Callable[[], Any]]:
        import pyarrow.compute as pc

        column = part.columns[self._columns[0]]
        lengths = pc.fill_null(pc.list_value_length(column), 0).to_numpy(zero_copy_only=False)
        flat = column.flatten().to_numpy(zero_copy_only=False)
        for vector in np.split(flat, np.cumsum(lengths)[:-1]):
            yield partial(_given, vector)

    def _of_columns(self, part: Part) -> Iterator[Callable[[], Any]]:
        found = [part.numbers(name) for name in self._columns]
        matrix = np.stack([values for values, _ in found], axis=1).astype(np.float32)
        words = np.stack([words for _, words in found], axis=1)
        for row, vector in enumerate(matrix):
            if words[row].any():
                name = self._columns[int(np.argmax(words[row]))]
                yield failing_loader(f"{part.cell(name, row)!r} in column {name!r}; expected a number")
            else:
                yield partial(_given, vector)


def _chosen(items: TableItems, asked: Sequence[str], lists: Sequence[str]) -> tuple[str, ...]:
    """Choose the columns of the vector: as asked for, one column of lists, or numbered columns."""
    runs = _runs(items.others)
    if len(asked) == 1 and asked[0].endswith("*"):
        asked = runs.get(asked[0].removesuffix("*"), asked)
    missing = [name for name in asked if name not in items.others]
    if missing:
        raise ConfigError(f"no column {missing[0]!r} without another role; got {', '.join(items.others[:12])}")
    if asked:
        return tuple(asked)
    candidates: list[tuple[str, ...]] = [(name,) for name in lists] or list(runs.values())
    if len(candidates) != 1:
        found = " or ".join(names[0] for names in candidates) or f"none among {', '.join(items.others[:12]) or 'none'}"
        raise ConfigError(
            f"{items.table.path}: expected one column of lists, or columns numbered from 0 or 1 such as e0, e1, as the "
            f"vector; got {found}. Say which with --reader columns=e*, or name them all"
        )
    return candidates[0]


def _runs(names: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Find columns numbered without a gap from 0 or 1, by what stands before their numbers."""
    found: dict[str, dict[int, str]] = defaultdict(dict)
    for name in names:
        match = _NUMBERED.fullmatch(name)
        if match is not None:
            found[match[1]][int(match[2])] = name
    runs = {}
    for prefix, numbered in found.items():
        places = sorted(numbered)
        if len(places) > 1 and places[0] in (0, 1) and all(after == before + 1 for before, after in pairwise(places)):
            runs[prefix] = tuple(numbered[place] for place in places)
    return runs


def _is_list(column: Any) -> bool:
    import pyarrow as pa

    kind = column.type
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def _beside(path: Path, ids: str | None) -> Path:
    if ids is not None:
        return path.parent / ids
    found = [path.with_suffix(suffix) for suffix in _BESIDE if path.with_suffix(suffix).exists()]
    if len(found) != 1:
        held = " and ".join(file.name for file in found) or "none"
        raise DataError(
            f"{path} holds no IDs; expected one table {path.stem}.csv beside it that says what its rows are, got "
            f"{held}. Name it with --reader ids=FILE"
        )
    return found[0]


def _refuse_options(path: Path, options: dict[str, Any]) -> None:
    if options:
        raise ConfigError(f"{path} is a store, whose rows are named and split already; leave out {', '.join(options)}")


def _told(path: Path, **more: Any) -> dict[str, Any]:
    return {"file": path.name, "sha256": file_sha256(path), **more}


def _given(vector: NDArray[Any]) -> NDArray[Any]:
    return vector
