"""A CSV file that lists files, with a label, a split and a group for each."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

from fusion.datasets.base import Sample
from fusion.datasets.files import (
    check_test_share,
    failing_loader,
    file_id,
    file_loader,
    given_options,
    hashed_split,
)
from fusion.errors import DataError
from fusion.modalities import modality_from_dict

if TYPE_CHECKING:
    from collections.abc import Iterator

_COLUMNS = ("id", "path", "label", "split", "group")
_DEFAULTS = {"test_share": 0.2, "seed": 42, "outside": False}


class FileTable:
    """The files that a CSV file lists, one in each line.

    Parameters
    ----------
    source : path
        CSV in UTF-8 with a line of names: ``path``, and any of ``id`` (the path when empty), ``label``, ``split`` and
        ``group``; other columns are left out and named in `notes`. Or a folder that holds one CSV file. Paths are
        relative to the CSV file's folder.
    modality : str
        What reads the files.
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
    """

    name = "files"

    def __init__(
        self,
        source: str | Path,
        *,
        modality: str,
        test_share: float = 0.2,
        seed: int = 42,
        outside: bool = False,
    ) -> None:
        self.modality = modality
        self.options = given_options({"test_share": test_share, "seed": seed, "outside": outside}, _DEFAULTS)
        self.path = _table(Path(source))
        self._reader = modality_from_dict({"name": modality})
        self._inside = None if outside else self.path.parent
        self._names = _names(self.path)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know of how the table is read."""
        others = [name for name in self._names if name not in _COLUMNS]
        notes = [f"columns left out: {', '.join(others)}"] if others else []
        if "split" not in self._names:
            notes.append(self._split.note("split column"))
        return tuple(notes)

    def __iter__(self) -> Iterator[Sample]:
        for line, row in _rows(self.path, self._names):
            yield self._sample(line, row)

    def _sample(self, line: int, row: dict[str, str]) -> Sample:
        path, group = row["path"], row.get("group") or None
        sample_id = row.get("id") or (file_id(Path(path).as_posix()) if path else f"line {line}")
        if "split" in self._names:
            split = row["split"] or None
        else:
            split = hashed_split(group or sample_id, test_share=self._test_share, seed=self._seed)
        load = (
            file_loader(self._reader, self.path.parent / path, self._inside)
            if path
            else failing_loader(f"line {line} of {self.path.name} names no path")
        )
        return Sample(sample_id, row.get("label") or None, split, group, load)


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


def _names(path: Path) -> list[str]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            names = [name.strip().lower() for name in next(csv.reader(file, strict=True), [])]
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} is no CSV in UTF-8: {error}") from error
    if "path" not in names:
        got = ", ".join(names[:8]) or "an empty file"
        raise DataError(f"{path} has no column 'path'; got {got}; expected path, and any of id, label, split, group")
    twice = [name for name in _COLUMNS if names.count(name) > 1]
    if twice:
        raise DataError(f"{path} has more than one column {twice[0]!r}; expected one")
    return names


def _rows(path: Path, names: list[str]) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            next(reader)
            for cells in reader:
                if not cells:
                    continue
                if len(cells) != len(names):
                    raise DataError(
                        f"{path}, line {reader.line_num}: {len(cells)} columns; expected {len(names)}, as the first "
                        "line has. Put quotes around what holds a comma."
                    )
                yield reader.line_num, dict(zip(names, cells, strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} is no CSV in UTF-8: {error}") from error
