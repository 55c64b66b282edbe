"""The rows of a table as samples: ID, label, split and group of each, told by columns of those names."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from fusion.datasets.base import Sample
from fusion.datasets.columns import Columns, find_roles
from fusion.datasets.files import SplitCount, check_test_share, failing_loader
from fusion.datasets.targets import COMMAS_TOLD, numbers_with_commas, read_target, with_point

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from fusion.modalities.dialect import Dialect
    from fusion.modalities.tables import Part

_CHUNK = 1 << 20


class TableLike(Protocol):
    """A table on disk, or a frame in memory."""

    @property
    def path(self) -> Path:
        """Its file, or its name."""

    @property
    def names(self) -> tuple[str, ...]:
        """Of its columns."""

    @property
    def dialect(self) -> Dialect | None:
        """Of a text file."""

    def parts(self) -> Iterator[Part]:
        """Read it top to bottom."""


@dataclass(frozen=True, eq=False)
class TableItems:
    """What the rows of a table are called, and on which side of the split they stand.

    Parameters
    ----------
    table : Table
    roles : Columns
        Which columns tell ID, label, split, group and target.
    split : SplitCount
        For a table without a column of splits; it counts while rows are iterated.
    """

    table: TableLike
    roles: Columns
    split: SplitCount
    _counted: list[SplitCount] = field(default_factory=list)

    @classmethod
    def of(cls, table: TableLike, roles: Mapping[str, Any], *, test_share: float, seed: int) -> TableItems:
        """Find the roles: a column that was named, else one of that very name.

        Raises
        ------
        DataError
            When a column that was named is missing.
        """
        given = {"time": None, **roles, "id": listed_names(roles["id"])}
        found = find_roles(table.path, table.names, given, ())
        what = "rows" if found.group is None else "groups"
        return cls(table, found, SplitCount(what, check_test_share(test_share), seed))

    @property
    def others(self) -> tuple[str, ...]:
        """Columns without a role."""
        return tuple(name for name in self.table.names if name not in self.roles.taken())

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know of how the rows were named and split."""
        counted = self._counted[-1] if self._counted else self.split
        found = [] if self.table.dialect is None else [*self.table.dialect.notes]
        found += [COMMAS_TOLD] if self._comma_labels else []
        found += counted.notes
        if self.roles.split is None:
            found.append(counted.note("split column"))
        if not self.roles.id:
            found.append(
                f"no column of IDs: rows are called {self._row_name(0)!r} and so on; name one with --reader id="
            )
        return tuple(found)

    def samples(
        self, loaders: Callable[[Part], Iterator[Callable[[], Any]]], missing: Collection[str] = ()
    ) -> Iterator[Sample]:
        """Give a sample for each row; `loaders` says how each row of a part is loaded, `missing` what is no label."""
        counted, decimal = self.split.afresh(), self._decimal
        for part in self.table.parts():
            roles = (self.roles.label, self.roles.split, self.roles.group, self.roles.target)
            columns = [self._text(part, name) for name in roles]
            for row, (load, sample_id) in enumerate(zip(loaders(part), self._ids(part), strict=True)):
                label, split, group, target = (column[row] for column in columns)
                if self.roles.group is not None:
                    counted.grouped(group)
                named = sample_id or self._row_name(part.first + row)
                split = counted.split(group or named) if self.roles.split is None else counted.named(split)
                if sample_id is None:
                    load = failing_loader(f"row {part.first + row + 1} has no {' and no '.join(self.roles.id)}")
                label = None if label in missing else with_point(label) if self._comma_labels else label
                number, wrong = read_target(target, decimal, missing)
                yield Sample(named, label, split, group, failing_loader(wrong) if wrong else load, number)
        self._counted[:] = [counted]

    @property
    def _decimal(self) -> str:
        return "." if self.table.dialect is None else self.table.dialect.decimal

    @cached_property
    def _comma_labels(self) -> bool:
        name = self.roles.label
        return name is not None and numbers_with_commas((part.text(name) for part in self.table.parts()), self._decimal)

    def _ids(self, part: Part) -> Iterator[str | None]:
        if not self.roles.id:
            yield from (self._row_name(part.first + row) for row in range(part.rows))
            return
        columns = [part.text(name) for name in self.roles.id]
        for cells in zip(*columns, strict=True):
            yield None if None in cells else "/".join(cells)

    def _row_name(self, row: int) -> str:
        # The table's name keeps rows of two tables apart: they are never joined by where they stand.
        return f"{self.table.path.stem}:{row + 1}"

    def _text(self, part: Part, name: str | None) -> NDArray[Any]:
        return np.full(part.rows, None, dtype=object) if name is None else part.text(name)


def listed_names(names: str | Sequence[str] | None) -> tuple[str, ...]:
    """Read a list of names, which may be text with commas between them."""
    if names is None:
        return ()
    return tuple(str(part).strip() for part in (names.split(",") if isinstance(names, str) else names))


def file_sha256(path: Path) -> str:
    """Give the sha256 of a file's content in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
