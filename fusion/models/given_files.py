"""Which files a user means: folders, patterns and lists beside files themselves."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from glob import glob, has_magic
from pathlib import Path

from fusion.errors import DataError
from fusion.modalities.dialect import text_rows, told_dialect
from fusion.modalities.tables import TEXT_SUFFIXES

__all__ = ["GivenFiles", "given_files"]

Given = str | Path | Mapping[str, str | Path]


@dataclass(frozen=True)
class GivenFiles:
    """Files that are to be predicted.

    Attributes
    ----------
    entries : sequence
        Paths, ``name=path`` and mappings, as `fusion.models.file_items.grouped` takes them.
    truths : sequence of str or None
        Labels that lists and class folders tell, by path.
    notes : tuple of str
        What was inferred.
    """

    entries: list[Given] = field(default_factory=list)
    truths: dict[Path, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def given_files(files: Sequence[Given], suffixes: Mapping[str, Sequence[str]], classes: Collection[str]) -> GivenFiles:
    """Replace folders, patterns and lists by the files that they stand for.

    Parameters
    ----------
    files : sequence of path or mapping
        A folder stands for all files below it that a branch reads; where a folder on the way has the name of a class,
        that is their label. A pattern, such as ``new/*.wav``, stands for the files that match it. A text table with a
        column ``path`` stands for the files that it lists, relative to its folder; its column ``label`` is their class.
        Before each may stand the name of a branch and ``=``.
    suffixes : mapping of str to sequence of str
        Of the files that each branch reads.
    classes : sequence of str
        Of the model.

    Raises
    ------
    DataError
        A folder, pattern or list without files.
    """
    found = GivenFiles()
    for file in files:
        if isinstance(file, Mapping):
            found.entries.append(file)
            continue
        branch, path = _prefix(file, suffixes)
        readable = suffixes[branch] if branch else tuple(suffix for known in suffixes.values() for suffix in known)
        for one, truth in _expanded(path, readable, classes, found.notes):
            found.entries.append(f"{branch}={one}" if branch else one)
            if truth is not None:
                found.truths[one] = truth
    return found


def _prefix(file: str | Path, suffixes: Mapping[str, Sequence[str]]) -> tuple[str, Path]:
    name, separator, rest = str(file).partition("=")
    if separator and name in suffixes and isinstance(file, str):
        return name, Path(rest)
    return "", Path(file)


def _expanded(
    path: Path, readable: Sequence[str], classes: Collection[str], notes: list[str]
) -> Iterator[tuple[Path, str | None]]:
    if path.is_dir():
        yield from _in_folder(path, readable, classes, notes)
    elif has_magic(str(path)) and not path.exists():
        matching = sorted(glob(str(path), recursive=True))  # noqa: PTH207 - Path.glob takes no absolute pattern
        if not matching:
            raise DataError(f"no file matches {path}; expected some. Check the pattern.")
        yield from ((Path(name), None) for name in matching if Path(name).is_file())
    elif (names := _names_of_list(path)) is not None:
        yield from _listed(path, names)
    else:
        yield path, None


def _in_folder(
    folder: Path, readable: Sequence[str], classes: Collection[str], notes: list[str]
) -> Iterator[tuple[Path, str | None]]:
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.name.startswith(".")]
    wanted = [path for path in files if path.suffix.lower() in readable]
    if not wanted:
        expected = ", ".join(dict.fromkeys(readable))
        raise DataError(f"{folder} holds no file that the model reads ({len(files)} others); expected {expected}.")
    if len(wanted) < len(files):
        notes.append(f"{folder}: {len(files) - len(wanted)} files of other kinds left out")
    labelled = 0
    for path in wanted:
        around = [part for part in path.relative_to(folder).parts[:-1] if part in classes]
        labelled += bool(around)
        yield path, around[-1] if around else None
    if labelled:
        notes.append(f"{folder}: labels of {labelled} files taken from the names of their folders")


def _names_of_list(path: Path) -> list[str] | None:
    """Give the column names of a table that lists files; None of anything else."""
    if path.suffix.lower() not in TEXT_SUFFIXES or not path.is_file():
        return None
    try:
        names = [name.lower() for name in told_dialect(path).names]
    except DataError:
        return None
    return names if "path" in names else None


def _listed(table: Path, names: Sequence[str]) -> Iterator[tuple[Path, str | None]]:
    dialect, rows = told_dialect(table), 0
    for line, cells in text_rows(table, dialect):
        row = dict(zip(names, cells, strict=False))
        if len(cells) != len(names) or not row["path"]:
            raise DataError(f"{table}, line {line}: {len(cells)} columns, or no path; expected {', '.join(names)}.")
        rows += 1
        yield table.parent / row["path"], row.get("label") or None
    if not rows:
        raise DataError(f"{table} lists no files; expected a path in each line.")
