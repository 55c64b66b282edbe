"""From the files of an item to what is encoded: the whole, or the windows that training would have cut."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from fusion.datasets.base import Sample
from fusion.datasets.files import file_loader, media_suffixes
from fusion.datasets.reading_plan import ReadingPlan
from fusion.datasets.sensor_table import SensorTable
from fusion.encoders.encoder import Encoder, restored
from fusion.errors import FusionError, SampleError
from fusion.modalities.tables import TABLE_SUFFIXES, open_table
from fusion.models.file_items import FileItem
from fusion.models.model import ModelBranch
from fusion.models.row_files import ROW_SUFFIXES, has_rows, row_samples

__all__ = ["BranchReader", "Piece", "pieces_of", "suffixes_of"]


@dataclass(frozen=True, eq=False)
class Piece:
    """One thing to classify.

    Attributes
    ----------
    recording, window : str or None
        Which recording or row of a table and which window of it, by the names that training gives them; empty where the
        file is one.
    truth : str or None
        Its class, where the file tells it.
    samples : mapping of str to Sample
        By branch name; what cannot be read raises when it is loaded.
    """

    recording: str
    window: str
    truth: str | None
    samples: Mapping[str, Sample]


@dataclass(frozen=True, eq=False)
class BranchReader:
    """How one branch of a model reads a file.

    Attributes
    ----------
    encoder : Encoder
        Of the branch.
    plan : ReadingPlan or None
        How the tables it was trained on became windows; None where they were no tables.
    numbers : bool
        The model predicts the tables' targets, so they are the truth and not the labels.
    options : mapping
        Of the reader that the training's source was read with; none of a model that does not tell.
    """

    encoder: Encoder
    plan: ReadingPlan | None
    numbers: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, branch: ModelBranch, *, numbers: bool = False) -> BranchReader:
        """Take encoder and plan from the header that the model keeps; `numbers` says that it predicts numbers."""
        conventions = branch.header.get("conventions", {})
        told, options = conventions.get("reading"), conventions.get("reader", {})
        plan = None if told is None else ReadingPlan.from_dict(told)
        target = options.get("target") if plan is None else plan.target
        return cls(restored(branch.header["encoder"], branch.state), plan, numbers and target is not None, options)

    @property
    def suffixes(self) -> tuple[str, ...]:
        """Of the files that it reads, in lower case with their dot."""
        own = self.encoder.config.modality.suffixes
        return own if self.plan is None else tuple(dict.fromkeys((*own, *TABLE_SUFFIXES)))

    @property
    def media(self) -> frozenset[str]:
        """Suffixes by which a user knows files of its modality, read or not, in lower case with their dot."""
        return media_suffixes(self.encoder.config.modality.name)

    def read(self, path: Path) -> Iterator[tuple[str, str, Sample]]:
        """Give recording or row, window and sample of all that a file holds; one that raises when it cannot be read."""
        modality = self.encoder.config.modality
        try:
            if has_rows(modality):
                rows = row_samples(modality, path, self.options, numbers=self.numbers)
                yield from ((recording, "", sample) for recording, sample in rows)
                return
            table = self._table(path)
            if table is None:
                yield "", "", Sample("file", None, None, None, file_loader(modality, path, None))
            else:
                yield from _windows(table, numbers=self.numbers)
        except (FusionError, OSError) as error:
            yield "", "", _failing(str(error))

    def _table(self, path: Path) -> SensorTable | None:
        if self.plan is None or path.suffix.lower() not in TABLE_SUFFIXES:
            return None
        names = open_table(path).names
        if not names:
            return None
        missing = [name for name in self.plan.channels if name not in names]
        if missing:
            got, expected = ", ".join(names), ", ".join(self.plan.channels)
            raise SampleError("read", f"no column {missing[0]!r}; got {got}; expected {expected}")
        return SensorTable(path, **self.plan.reader_options(names))


def suffixes_of(readers: Mapping[str, BranchReader]) -> dict[str, tuple[str, ...]]:
    """Give the suffixes of each branch; tables are vectors where no other branch reads them."""
    own = {name: reader.suffixes for name, reader in readers.items()}
    taken = {suffix for known in own.values() for suffix in known}
    more = tuple(suffix for suffix in ROW_SUFFIXES if suffix not in taken)
    rows = {name for name, reader in readers.items() if has_rows(reader.encoder.config.modality)}
    return {name: (*known, *more) if name in rows else known for name, known in own.items()}


def _windows(table: SensorTable, *, numbers: bool) -> Iterator[tuple[str, str, Sample]]:
    several = bool(table.columns.id)
    for sample in table:
        recording, _, window = sample.id.rpartition("-") if table.cut else (sample.id, "", "")
        told = replace(sample, label=None if sample.target is None else repr(sample.target)) if numbers else sample
        yield recording if several else "", window, told
    short = table.reading.dropped.get("recordings too short for a window", 0)
    if short and table.cut is not None:
        what = f"{short} of its recordings hold" if several else "it holds"
        yield "", "", _failing(f"{what} fewer than {table.cut.readings} readings in a row; expected a window or more")


def pieces_of(item: FileItem, truth: str | None, readers: Mapping[str, BranchReader]) -> Iterator[Piece]:
    """Give what an item's files hold.

    Parameters
    ----------
    item : mapping of str to Path
        Files by branch name. Of several, windows of the same name are one piece.
    truth : str or None
        Label of the item; None where the files themselves may tell it.
    readers : mapping
        By branch name.
    """
    if len(item) == 1:
        ((name, path),) = item.items()
        for recording, window, sample in readers[name].read(path):
            yield Piece(recording, window, truth or sample.label, {name: sample})
        return
    parts = {
        name: {(recording, window): sample for recording, window, sample in readers[name].read(path)}
        for name, path in item.items()
    }
    if all(len(part) == 1 for part in parts.values()):
        yield _joined("", "", truth, {name: next(iter(part.values())) for name, part in parts.items()})
        return
    keys = dict.fromkeys(key for part in parts.values() for key in part)
    for recording, window in keys:
        held = {name: part.get((recording, window)) or _unmatched(parts) for name, part in parts.items()}
        yield _joined(recording, window, truth, held)


def _joined(recording: str, window: str, truth: str | None, samples: Mapping[str, Sample]) -> Piece:
    labels = {sample.label for sample in samples.values() if sample.label is not None}
    return Piece(recording, window, truth or (labels.pop() if len(labels) == 1 else None), samples)


def _unmatched(parts: Mapping[str, Mapping[tuple[str, str], Sample]]) -> Sample:
    counts = ", ".join(f"{name} {len(part)}" for name, part in parts.items())
    return _failing(f"no window of this name; the files hold {counts}, expected the same ones in each")


def _failing(reason: str) -> Sample:
    return Sample("file", None, None, None, partial(_fail, reason))


def _fail(reason: str) -> NoReturn:
    stage, _, told = reason.partition(": ")
    raise SampleError(*((stage, told) if stage in ("read", "prepare") else ("read", reason)))
