"""Which files lie in a folder of class folders: one walk, for data sets and for files that are to be predicted."""

from __future__ import annotations

import os
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

from fusion.datasets.files import printable, usual_split
from fusion.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

__all__ = ["FolderWalk", "FoundFile", "split_of", "subfolders"]


class FoundFile(NamedTuple):
    """A file, or a folder named like one, below the root; `outside` class folders where it lies beside them."""

    relative: str
    label: str | None
    split: str | None
    fault: str | None = None
    outside: bool = False


@dataclass(frozen=True)
class FolderWalk:
    """A folder of class folders, with split folders around them or without.

    Parameters
    ----------
    root : Path
        Folders around the only folder are passed through.
    media : collection of str
        Suffixes of the files that are looked for, in lower case with their dot.
    splits : dict of str to str or None
        Split of each top folder, where all are splits.
    """

    root: Path
    media: Collection[str]
    splits: dict[str, str] | None

    @classmethod
    def of(cls, source: Path, media: Collection[str], *, mixed: bool = False) -> Self:
        """Look at the top folders.

        Parameters
        ----------
        source : Path
        media : collection of str
        mixed : bool
            Take split folders beside or inside class folders for classes.

        Raises
        ------
        DataError
            It is no folder, or such split folders are there and not `mixed`.
        """
        root = _innermost(source)
        try:
            return cls(root, media, _split_folders(root))
        except DataError:
            if not mixed:
                raise
            return cls(root, media, None)

    def files(self, left_out: Counter[str]) -> Iterator[FoundFile]:
        """Give all files of the kinds looked for, sorted; `left_out` counts the others by what they are."""
        if self.splits is None:
            yield from self._classes("", None, left_out)
            return
        yield from self._beside("", self.splits, None, left_out)
        for name, split in self.splits.items():
            yield from self._classes(f"{name}/", split, left_out)

    def _classes(self, prefix: str, split: str | None, left_out: Counter[str]) -> Iterator[FoundFile]:
        classes = [name for name in subfolders(self.root / prefix) if Path(name).suffix.lower() not in self.media]
        if not classes:
            yield from self._walk(prefix, None, split, left_out)
            return
        yield from self._beside(prefix, classes, split, left_out)
        for name in classes:
            yield from self._walk(f"{prefix}{name}/", printable(name), split, left_out)

    def _beside(
        self, prefix: str, folders: Collection[str], split: str | None, left_out: Counter[str]
    ) -> Iterator[FoundFile]:
        for entry in _entries(self.root / prefix):
            if entry.name not in folders and self._is_media(entry, left_out):
                yield FoundFile(prefix + entry.name, None, split, outside=True)

    def _walk(self, prefix: str, label: str | None, split: str | None, left_out: Counter[str]) -> Iterator[FoundFile]:
        try:
            entries = _entries(self.root / prefix)
        except OSError as error:
            yield FoundFile(prefix.rstrip("/"), label, split, f"the folder cannot be listed: {error.strerror}")
            return
        for entry in entries:
            relative = prefix + entry.name
            if self._is_media(entry, left_out):
                yield FoundFile(relative, label, split)
            elif entry.is_dir(follow_symlinks=False) and not _hidden(entry.name):
                yield from self._walk(f"{relative}/", label, split, left_out)

    def _is_media(self, entry: os.DirEntry[str], left_out: Counter[str]) -> bool:
        if _hidden(entry.name):
            left_out["hidden"] += 1
        elif Path(entry.name).suffix.lower() in self.media:
            return True
        elif entry.is_symlink() and entry.is_dir():
            left_out["linked folders"] += 1
        elif not entry.is_dir():
            left_out["of other kinds"] += 1
        return False


def _innermost(source: Path) -> Path:
    if not source.is_dir():
        missing = "is a file" if source.exists() else "does not exist"
        raise DataError(f"{source} {missing}; expected a folder of class folders")
    folders, files = subfolders(source), [e for e in _entries(source) if not e.is_dir() and not _hidden(e.name)]
    if len(folders) == 1 and not files and split_of(folders[0]) is None:
        inner = source / folders[0]
        if subfolders(inner) and not any(entry.is_file() and not _hidden(entry.name) for entry in _entries(inner)):
            return _innermost(inner)
    return source


def _split_folders(root: Path) -> dict[str, str] | None:
    """Give the split of each top folder where all are splits; refuse class folders beside ``train`` and ``test``."""
    splits = {name: split for name in subfolders(root) if (split := split_of(name)) is not None}
    others = [name for name in subfolders(root) if name not in splits]
    if splits and not others:
        return splits
    if "train" in splits.values() and len(set(splits.values())) > 1:
        raise DataError(
            f"{root} holds {printable(others[0])!r} beside split folders; expected only split folders, or none. "
            "Move one of them."
        )
    _refuse_inner_splits(root, others)
    return None


def _refuse_inner_splits(root: Path, classes: Sequence[str]) -> None:
    """Refuse class folders that hold ``train`` and ``test``, which a hash would mix."""
    for name in classes:
        inner = {usual_split(folder) for folder in subfolders(root / name)}
        if {"train", "test"} <= inner:
            raise DataError(
                f"{root / name} holds split folders inside a class; expected them around the classes, such as "
                f"train/{printable(name)}. Move them, or list the files in a CSV file with a column split."
            )


def split_of(name: str) -> str | None:
    """Give the split that the name of a folder means, such as ``Training`` or ``fold-1``; None for any other."""
    fold = re.fullmatch(r"fold[-_ ]?(\d+)", name.lower())
    return f"fold-{int(fold[1])}" if fold else usual_split(name)


def subfolders(folder: Path) -> list[str]:
    """Name the folders in a folder that are neither hidden nor links."""
    return [e.name for e in _entries(folder) if e.is_dir(follow_symlinks=False) and not _hidden(e.name)]


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return sorted(entries, key=lambda entry: entry.name)


def _hidden(name: str) -> bool:
    return name.startswith((".", "__MACOSX")) or name in ("Thumbs.db", "desktop.ini")
