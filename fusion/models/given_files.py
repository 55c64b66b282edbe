"""Which files a user means: folders, patterns and lists beside files themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from glob import glob, has_magic
from pathlib import Path

from fusion.datasets.folder_walk import FolderWalk
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


def given_files(
    files: Sequence[Given],
    suffixes: Mapping[str, Sequence[str]],
    classes: Collection[str],
    media: Mapping[str, Collection[str]],
) -> GivenFiles:
    """Replace folders, patterns and lists by the files that they stand for.

    Parameters
    ----------
    files : sequence of path or mapping
        A folder stands for all files below it that a branch may be expected to read, found as in training: the folders
        in it, or in its split folders, are their labels where they have the name of a class. A pattern, such as
        ``new/*.wav``, stands for the files that match it. A text table with a column ``path`` stands for the files that
        it lists, relative to its folder; its column ``label`` is their class.
        Before each may stand the name of a branch and ``=``.
    suffixes : mapping of str to sequence of str
        Of the files that each branch reads.
    classes : sequence of str
        Of the model.
    media : mapping of str to collection of str
        Suffixes by which a user knows files of each branch, read here or not: those that are not will fail by name.

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
        readable = _looked_for([branch] if branch else list(suffixes), suffixes, media)
        for one, truth in _expanded(path, readable, classes, found.notes):
            whose = branch or _expecting(one, suffixes, media)
            found.entries.append(f"{whose}={one}" if whose else one)
            if truth is not None:
                found.truths[one] = truth
    return found


def _prefix(file: str | Path, suffixes: Mapping[str, Sequence[str]]) -> tuple[str, Path]:
    name, separator, rest = str(file).partition("=")
    if separator and name in suffixes and isinstance(file, str):
        return name, Path(rest)
    return "", Path(file)


def _looked_for(
    names: Sequence[str], suffixes: Mapping[str, Sequence[str]], media: Mapping[str, Collection[str]]
) -> set[str]:
    """Give what these branches read, and what one of them alone is expected to read."""
    expected = Counter(suffix for name in names for suffix in media[name])
    return {suffix for name in names for suffix in suffixes[name]} | {kind for kind in expected if expected[kind] == 1}


def _expecting(path: Path, suffixes: Mapping[str, Sequence[str]], media: Mapping[str, Collection[str]]) -> str | None:
    """Name the one branch that a file belongs to by its kind, where none reads that."""
    suffix = path.suffix.lower()
    if any(suffix in known for known in suffixes.values()):
        return None
    expecting = [name for name, known in media.items() if suffix in known]
    return expecting[0] if len(expecting) == 1 else None


def _expanded(
    path: Path, readable: Collection[str], classes: Collection[str], notes: list[str]
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
    folder: Path, readable: Collection[str], classes: Collection[str], notes: list[str]
) -> Iterator[tuple[Path, str | None]]:
    walk, left_out = FolderWalk.of(folder, readable, mixed=True), Counter[str]()
    found = list(walk.files(left_out))
    told = ", ".join(f"{count} {what}" for what, count in sorted(left_out.items()))
    if not found:
        expected = ", ".join(sorted(readable))
        raise DataError(f"{folder} holds no file that the model reads ({told or 'none at all'}); expected {expected}.")
    if told:
        notes.append(f"{folder}: files left out: {told}")
    labelled = 0
    for file in found:
        truth = file.label if file.label in classes else None
        labelled += truth is not None
        yield walk.root / file.relative, truth
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
