"""A CSV file that lists files, with a label, a split and a group for each."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fusion.datasets.base import Sample
from fusion.datasets.files import (
    FILE_DEFAULTS,
    SplitCount,
    check_test_share,
    columns_left_out,
    failing_loader,
    file_id,
    file_loader,
    file_modality,
    given_options,
)
from fusion.datasets.look_alikes import LookAlikes
from fusion.datasets.targets import COMMAS_TOLD, numbers_with_commas, read_target, with_point
from fusion.errors import DataError
from fusion.modalities.dialect import SEPARATORS, Dialect, text_rows, told_dialect

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fusion.modalities import Modality

_COLUMNS = ("id", "path", "label", "split", "group", "target")


class FileTable:
    """The files that a CSV file lists, one in each line.

    Parameters
    ----------
    source : path
        CSV in UTF-8 with a line of names: ``path``, and any of ``id`` (the path when empty), ``label``, ``split``,
        ``group`` and ``target`` (a number to predict); other columns are left out and named in `left_out`. Or a folder
        that holds one CSV file. Paths are relative to the CSV file's folder. Blanks around names and values are no part
        of them.
    modality : str
        What reads the files.
    length : int, optional
        Of sensor windows: readings that every one is brought to, over time scaled to [0, 1].
    columns : sequence of str or str, optional
        Of sensor windows: names of the columns that are channels; those of the first training window when not given.
    resample : bool
        Of sensor windows: interpolate readings that come at irregular times.
    channels : str, optional
        Of arrays: the axis of the values at a point, ``last``, ``first`` or ``none``; told from the shape when not
        given, and shown.
    key : str, optional
        Of arrays: which one of a ``.npz`` file.
    test_share : float
        Without a column ``split``, this share of the groups, or of the files that have none, is for testing; which
        ones says a seeded hash of their names. In a column ``split`` an empty place means neither.
    seed : int
        Of that hash.
    outside : bool
        Read files outside the CSV file's folder too.

    Raises
    ------
    DataError
        When the CSV file is missing, is no CSV in UTF-8 or has no column ``path``.
    ConfigError
        When an option cannot be used.
    """

    name = "files"

    def __init__(
        self,
        source: str | Path,
        *,
        modality: str,
        length: int | None = None,
        columns: str | Sequence[str] | None = None,
        resample: bool = False,
        channels: str | None = None,
        key: str | None = None,
        test_share: float = 0.2,
        seed: int = 42,
        outside: bool = False,
    ) -> None:
        self.modality = modality
        windows: dict[str, Any] = {"length": length, "columns": columns, "resample": resample}
        arrays: dict[str, Any] = {"channels": channels, "key": key}
        shared = {"test_share": test_share, "seed": seed, "outside": outside}
        self.options = given_options(windows | arrays | shared, FILE_DEFAULTS)
        self.path = _table(Path(source))
        self._reader = file_modality(modality, **windows, **arrays)
        self._inside = None if outside else self.path.parent
        self._dialect = told_dialect(self.path)
        self._names = _names(self.path, self._dialect)
        what = "groups" if "group" in self._names else "files"
        self._alike = LookAlikes()
        self._split = SplitCount(what, check_test_share(test_share), seed)

    def default_modality(self) -> Modality:
        """Give what reads the files."""
        return self._reader

    @property
    def left_out(self) -> dict[str, str]:
        """Columns that are not read, of the list and of the sensor windows it lists, and why."""
        return self._unread() | (columns_left_out(self, self._reader) if self.modality == "sensor" else {})

    @property
    def source_bytes(self) -> int:
        """Size of the list and of the files it names that are there."""
        rows = _rows(self.path, self._dialect, self._names)
        paths = [self.path, *(self.path.parent / row["path"] for _, row in rows if row["path"])]
        return sum(path.stat().st_size for path in dict.fromkeys(paths) if path.is_file())

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know of how the table is read."""
        unread = self._unread()
        others = [f"columns left out: {', '.join(unread)}"] if unread else []
        told = () if "split" in self._names else (self._split.note("split column"),)
        commas = (COMMAS_TOLD,) if self._comma_labels else ()
        return (*self._dialect.notes, *others, *commas, *self._alike.notes(), *self._split.notes, *told)

    def __iter__(self) -> Iterator[Sample]:
        counted = self._split.afresh()
        for line, row in _rows(self.path, self._dialect, self._names):
            sample = self._sample(line, row, counted)
            self._alike.add(sample.label, sample.group)
            yield sample
        self._split = counted

    @cached_property
    def _comma_labels(self) -> bool:
        labels = ((row.get("label") or None,) for _, row in _rows(self.path, self._dialect, self._names))
        return numbers_with_commas(labels, self._dialect.decimal)

    def _unread(self) -> dict[str, str]:
        others = [name for name in self._names if name not in _COLUMNS]
        return dict.fromkeys(others, f"none of {', '.join(_COLUMNS)}")

    def _sample(self, line: int, row: dict[str, str], counted: SplitCount) -> Sample:
        path, group = row["path"], row.get("group") or None
        if "group" in self._names:
            counted.grouped(group)
        sample_id = row.get("id") or (file_id(Path(path).as_posix()) if path else f"line {line}")
        split = counted.named(row["split"] or None) if "split" in self._names else counted.split(group or sample_id)
        load = (
            file_loader(self._reader, self.path.parent / path, self._inside)
            if path
            else failing_loader(f"line {line} of {self.path.name} names no path")
        )
        label = row.get("label") or None
        label = with_point(label) if self._comma_labels else label
        target, wrong = read_target(row.get("target"), self._dialect.decimal)
        return Sample(sample_id, label, split, group, failing_loader(wrong) if wrong else load, target)


def _table(source: Path) -> Path:
    if not source.exists():
        raise DataError(f"{source} does not exist; expected a CSV file with a column 'path'")
    if source.is_file():
        return source
    found = sorted(path for path in (*source.glob("*.csv"), *source.glob("*/*.csv")) if path.is_file())
    outer = [path for path in found if path.parent == source]
    candidates = outer or found
    if len(candidates) != 1:
        held = f"{len(candidates)} CSV files, such as {candidates[0].name}" if candidates else "no CSV file"
        raise DataError(f"{source} holds {held}; expected one that lists the samples. Name it itself.")
    return candidates[0]


def _names(path: Path, dialect: Dialect) -> list[str]:
    names = [name.lower() for name in dialect.names]
    if "path" not in names:
        got = ", ".join(names[:8]) or "numbers"
        raise DataError(
            f"{path} has no column 'path'; got {got}; expected path, and any of id, label, split, group, target"
        )
    twice = [name for name in _COLUMNS if names.count(name) > 1]
    if twice:
        raise DataError(f"{path} has more than one column {twice[0]!r}; expected one")
    return names


def _rows(path: Path, dialect: Dialect, names: list[str]) -> Iterator[tuple[int, dict[str, str]]]:
    for line, cells in text_rows(path, dialect):
        if len(cells) != len(names):
            raise DataError(
                f"{path}, line {line}: {len(cells)} columns; expected {len(names)}, as the first line has. Put quotes "
                f"around what holds a {SEPARATORS.get(dialect.separator, 'separator')}."
            )
        if tuple(cells) == dialect.names:
            raise DataError(f"{path}: line {line} repeats the header; delete such lines.")
        yield line, dict(zip(names, cells, strict=True))
