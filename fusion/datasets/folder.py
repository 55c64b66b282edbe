"""A folder of class folders, with split folders around them or without."""

from __future__ import annotations

import re
from collections import Counter
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
    media_suffixes,
    printable,
)
from fusion.datasets.folder_walk import FolderWalk, FoundFile, split_of, subfolders
from fusion.datasets.look_alikes import LookAlikes
from fusion.errors import ConfigError, DataError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fusion.modalities import Modality

_DEFAULTS = {"group": None, "ids": "path"} | FILE_DEFAULTS


class FolderDataset:
    r"""Samples in ``class/file``, or in ``train/class/file`` beside ``test`` and ``val``, at any depth below the class.

    Parameters
    ----------
    source : path
    modality : str
        Files with one of its suffixes are samples. Other files that look like its media become samples that fail,
        so that none is lost unseen; all else (README, hidden files) is left out and counted in `notes`.
    group : str, optional
        What must not stand on both sides of a split: ``folder`` is the folder a file lies in, where that is below its
        class folder; anything else is a regular expression searched in the path, whose first bracket is the group,
        such as ``"speaker(\\d+)_"``.
    ids : {"path", "stem"}
        ``stem`` leaves the suffix out of IDs, so that ``a/1.png`` and ``a/1.wav`` in folders of two modalities are one
        event, on one side of the split.
    length, columns, resample, channels, key : see `FileTable`
        Of sensor windows and of arrays, as `FileTable` has them.
    test_share : float
        Without split folders, this share of the groups, or of the files that have none, is for testing; which ones
        says a seeded hash of their names, the same for every machine and order.
    seed : int
        Of that hash.
    outside : bool
        Follow links to files outside the folder. Links to folders are never followed.

    Raises
    ------
    DataError
        When the folder is missing, holds no samples, or class folders stand beside ``train`` and ``test``.
    ConfigError
        When an option cannot be used.

    Notes
    -----
    An ID is the path below the folder, with ``/`` between its parts. Folders around the only folder are passed
    through. Without class folders samples have no label.
    """

    name = "folder"

    def __init__(
        self,
        source: str | Path,
        *,
        modality: str,
        group: str | None = None,
        ids: str = "path",
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
        shared = {"group": group, "ids": ids, "test_share": test_share, "seed": seed, "outside": outside}
        self.options = given_options(windows | arrays | shared, _DEFAULTS)
        self.notes: tuple[str, ...] = ()
        self._reader = file_modality(modality, **windows, **arrays)
        self._group = _group_pattern(group)
        if ids not in ("path", "stem"):
            raise ConfigError(f"ids is {ids!r}; expected 'path', or 'stem' to leave suffixes out")
        self._stems = ids == "stem"
        self._split = SplitCount("files" if group is None else "groups", check_test_share(test_share), seed)
        self._walk = FolderWalk.of(Path(source), media_suffixes(modality))
        self.root = self._walk.root
        self._inside = None if outside else self.root

    def default_modality(self) -> Modality:
        """Give what reads the files."""
        return self._reader

    @property
    def left_out(self) -> dict[str, str]:
        """Columns of sensor windows that are no channels, and why."""
        return columns_left_out(self, self._reader) if self.modality == "sensor" else {}

    def __iter__(self) -> Iterator[Sample]:
        left_out: Counter[str] = Counter()
        counted, alike, yielded = self._split.afresh(), LookAlikes(), 0
        for name in self._walk.splits or ():
            counted.named(name)
        for found in self._walk.files(left_out):
            if found.outside:
                left_out["outside class folders"] += 1
                continue
            yielded += 1
            sample = self._sample(found, left_out, counted)
            alike.add(sample.label, sample.group)
            yield sample
        self._split = counted
        self.notes = (*self._noted(left_out), *alike.notes())
        if not yielded:
            expected = ", ".join(self._reader.suffixes)
            told = f" ({'; '.join(self.notes)})" if self.notes else ""
            raise DataError(f"{self.root} holds no {self.modality} files{told}; expected {expected} in class folders")

    def _sample(self, found: FoundFile, left_out: Counter[str], counted: SplitCount) -> Sample:
        named = found.relative.removesuffix(Path(found.relative).suffix) if self._stems else found.relative
        sample_id, group = file_id(named), self._group_of(found)
        if self._group is not None and group is None:
            left_out["in no group"] += 1
        path = self.root / found.relative
        split = found.split or counted.split(group or sample_id)
        fault = found.fault or self._fault(path.name)
        load = failing_loader(fault) if fault else file_loader(self._reader, path, self._inside)
        return Sample(sample_id, found.label, split, group, load)

    def _group_of(self, found: FoundFile) -> str | None:
        if self._group is None:
            return None
        if isinstance(self._group, re.Pattern):
            match = self._group.search(found.relative)
            return None if match is None else printable(match.group(1) or "") or None
        above = found.relative.split("/")[:-1]
        around = (self._walk.splits is not None) + (found.label is not None)
        return printable("/".join(above)) if len(above) > around else None

    def _fault(self, name: str) -> str | None:
        if Path(name).suffix.lower() in self._reader.suffixes:
            return None
        return f"{printable(name)} is of a kind that is not read; expected {', '.join(self._reader.suffixes)}"

    def _noted(self, left_out: Counter[str]) -> tuple[str, ...]:
        notes = [f"{count} {what}" for what, count in sorted(left_out.items()) if count and what != "in no group"]
        said = [f"files left out: {', '.join(notes)}"] if notes else []
        if left_out["in no group"]:
            said.append(f"files in no group: {left_out['in no group']}")
        if self._walk.splits is None:
            alone = [name for name in subfolders(self.root) if split_of(name) is not None]
            said += [f"{', '.join(map(printable, alone))} beside other folders: taken for a class"] if alone else []
            said.append(self._split.note("split folders"))
        return (*said, *self._split.notes)


def _group_pattern(group: Any) -> re.Pattern[str] | str | None:
    if group in (None, "folder"):
        return None if group is None else "folder"
    try:
        pattern = re.compile(str(group))
    except re.error as error:
        raise ConfigError(f"group {group!r} is no regular expression: {error}") from error
    if not pattern.groups:
        raise ConfigError(f"group {group!r} has no bracket; expected 'folder', or such as '([a-z]+)_' around the group")
    return pattern
