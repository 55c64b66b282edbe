"""Predict of files nobody has encoded yet, with a model folder alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fusion.datasets.targets import number_of
from fusion.encoders.learning import chunks
from fusion.encoders.options import Progress, silent
from fusion.encoders.pool import worker_pool
from fusion.encoders.reach import reach_together
from fusion.errors import DataError
from fusion.models.file_items import FileItem, grouped
from fusion.models.folder import Model, load_model
from fusion.models.given_files import Given, given_files
from fusion.models.pieces import BranchReader, Piece, pieces_of, suffixes_of
from fusion.models.predicted import FilePrediction, PartPrediction, WindowPrediction
from fusion.models.predicting_advice import for_prediction
from store import Status

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fusion.encoders.encoder import Encoder
    from fusion.encoders.reach import Reach
    from fusion.modalities import Modality

__all__ = ["Predicting", "predict"]

_TASK, _TASK_BYTES = 64, 1 << 26
_MANY = 64
"""From so many items on, starting worker processes takes less time than they save."""
_ABSENT = "no file of this modality"


def predict(
    model: Model | str | Path,
    files: Sequence[Given],
    *,
    thresholds: bool = False,
    workers: int | None = None,
    progress: Progress | None = None,
) -> list[FilePrediction]:
    """Encode raw files with the model's own configurations and starts, and say what the model predicts of them.

    Parameters
    ----------
    model : Model or path
        A model, or its folder; `load_model` once, where files come one after the other.
    files : sequence of path or mapping of branch name to path
        A mapping is one item. Folders, patterns and lists stand for their files, see `given_files`. Paths are put to
        branches and items as `grouped` says; of a model of one modality every file is an item. A table of readings is
        cut as the training's tables were; of plain columns and vectors each row of a file is predicted.
    thresholds : bool
        Name classes or labels by the model's thresholds, those of a training with ``thresholds=True``.
    workers : int, optional
        Processes; when not given one, or one per core for more than 64 items.
    progress : callable, optional

    Returns
    -------
    list of FilePrediction
        One for each item, or recording or row of one, in the order of their first files; a file that cannot be read
        says why.

    Raises
    ------
    DataError
        When no file was given.
    ConfigError
        When it cannot be told to which modality a file belongs, or an item has two files of one.
    ModelError
        When thresholds are asked for and the model has none.
    """
    return list(Predicting.of(model, files, thresholds=thresholds).run(workers=workers, progress=progress))


@dataclass(frozen=True, eq=False)
class Predicting:
    """Files that are known by name and not read yet.

    Attributes
    ----------
    model : Model
        What predicts.
    items : sequence
        Files by branch name.
    truths : sequence of str or None
        Labels of the items, where a list or class folders tell them.
    notes : tuple of str
        What was inferred.
    """

    model: Model
    items: Sequence[FileItem]
    truths: Sequence[str | None]
    notes: tuple[str, ...] = ()
    readers: Mapping[str, BranchReader] = field(default_factory=dict)
    _measured: dict[str, list[Any]] = field(default_factory=dict)
    _reach: dict[str, dict[str, Reach]] = field(default_factory=dict)

    @classmethod
    def of(cls, model: Model | str | Path, files: Sequence[Given], *, thresholds: bool = False) -> Predicting:
        """Find the items among files, see `predict`."""
        if not files:
            raise DataError("no files to predict; expected at least one")
        trained = model if isinstance(model, Model) else load_model(model, only_predict=True)
        trained = trained.at_thresholds() if thresholds else trained
        numbers = trained.task.name == "regression"
        readers = {branch.name: BranchReader.of(branch, numbers=numbers) for branch in trained.branches}
        suffixes = suffixes_of(readers)
        media = {name: reader.media for name, reader in readers.items()}
        given = given_files(files, suffixes, trained.classes, media)
        items = grouped(given.entries, suffixes)
        truths = [_truth(item, given.truths) for item in items]
        return cls(trained, items, truths, tuple(given.notes), readers)

    def run(self, *, workers: int | None = None, progress: Progress | None = None) -> Iterator[FilePrediction]:
        """Predict item after item; memory does not grow with their number."""
        report, done = progress or silent, -1
        self._measured.clear()
        self._reach.clear()
        count = workers if workers is not None or len(self.items) > _MANY else 1
        with worker_pool(count) as mapper:
            encode = partial(_encode, encoders={name: reader.encoder for name, reader in self.readers.items()})
            tasks = chunks(self._pieces(), self._task_size())
            answered = (one for answers in map(self._answered, mapper(encode, tasks)) for one in answers)
            for (number, recording), answers in groupby(answered, key=lambda one: (one.item, one.recording)):
                if number != done:
                    done = number
                    report("predicting", number, len(self.items))
                yield self._together(number, recording, list(answers))
        report("predicting", len(self.items), len(self.items))

    @property
    def remarks(self) -> tuple[str, ...]:
        """What the model's sizes, ranges and categories did to the samples of the last `run`."""
        several = len(self.readers) > 1
        return tuple(
            f"{name}: {remark}" if several else remark for name in self._reach for remark in self._remarks(name)
        )

    def _remarks(self, name: str) -> tuple[str, ...]:
        encoder, measured = self.readers[name].encoder, self._measured[name]
        said = encoder.config.modality.remarks_on_new(measured) if measured else ()
        return (*said, *encoder.reach_told(self._reach[name]))

    def _pieces(self) -> Iterator[tuple[int, Piece]]:
        for number, (item, truth) in enumerate(zip(self.items, self.truths, strict=True)):
            for piece in pieces_of(item, truth, self.readers):
                yield number, piece

    def _task_size(self) -> int:
        modalities = [reader.encoder.config.modality for reader in self.readers.values()]
        largest = max(4 * modality.points * modality.d_out for modality in modalities)
        return int(max(1, min(_TASK, _TASK_BYTES // largest)))

    def _answered(self, encoded: _Encoded) -> list[_Answer]:
        for name, rows in encoded.rows.items():
            self._measured.setdefault(name, []).extend(rows.measured)
            self._reach[name] = reach_together((self._reach.get(name, {}), rows.reach))
        functas = {name: rows.functas for name, rows in encoded.rows.items()}
        usable = np.flatnonzero(np.any([rows.usable for rows in encoded.rows.values()], axis=0))
        found = np.full((len(encoded.pieces), self.model.task.outputs(self.model.classes)), np.nan)
        if len(usable):
            found[usable] = self.model.outputs({name: rows[usable] for name, rows in functas.items()})
        return [
            _Answer(number, recording, window, truth, found[row], encoded.parts(row))
            for row, (number, recording, window, truth) in enumerate(encoded.pieces)
        ]

    def _together(self, number: int, recording: str, answers: Sequence[_Answer]) -> FilePrediction:
        """Put the windows of a recording together."""
        item = self.items[number]
        parts = {name: _part(str(path), [one.parts[name] for one in answers]) for name, path in item.items()}
        parts |= {name: PartPrediction("", float("nan"), _ABSENT) for name in self._lacking(item)}
        outputs = np.stack([one.outputs for one in answers])
        known = outputs[~np.isnan(outputs[:, 0])]
        mean = known.mean(axis=0) if len(known) else np.full(outputs.shape[1], np.nan)
        return FilePrediction(
            " + ".join(str(path) for path in item.values()),
            **self._said(mean),
            psnr=_lowest(part.psnr for part in parts.values()),
            error=_reasons({name: part.error for name, part in parts.items()}),
            modalities=parts,
            recording=recording,
            truth=_truth_of_all([one.truth for one in answers], numbers=not self.model.classes),
            windows=tuple(self._window(one) for one in answers) if len(answers) > 1 else (),
        )

    def _window(self, answer: _Answer) -> WindowPrediction:
        return WindowPrediction(
            answer.window,
            **self._said(answer.outputs),
            psnr=_lowest(psnr for psnr, _ in answer.parts.values()),
            error=_reasons({name: error for name, (_, error) in answer.parts.items()}),
            truth=answer.truth,
        )

    def _said(self, outputs: NDArray[Any]) -> dict[str, Any]:
        """Give what a model says by the names of `FilePrediction`."""
        model, nothing = self.model, bool(np.isnan(outputs[0]))
        decided = model.task.decided(outputs[None], model.classes)[0]
        if not model.classes:
            return {"label": None, "probabilities": {}, "value": None if nothing else float(decided)}
        return {"label": None if nothing else str(decided), "probabilities": self._ranked(outputs)}

    def _ranked(self, probabilities: NDArray[Any]) -> dict[str, float]:
        if np.isnan(probabilities[0]):
            return {}
        classes = self.model.classes
        return {classes[index]: float(probabilities[index]) for index in self.model.task.ranked(probabilities)}

    def _lacking(self, item: FileItem) -> list[str]:
        """Name the modalities that other items have and this one lacks; what all lack was left out on purpose."""
        given = {name for other in self.items for name in other} if len(self.readers) > 1 else set(item)
        return [name for name in self.readers if name in given and name not in item]


@dataclass(frozen=True, eq=False)
class _Rows:
    """What became of the pieces of a task in one branch; NaN and no reason where a piece lacks it.

    An empty cell of a table is NaN too, so whether a row is usable is said beside it.
    """

    functas: NDArray[np.float32]
    psnr: NDArray[np.float32]
    errors: list[str]
    present: NDArray[np.bool_]
    usable: NDArray[np.bool_]
    measured: list[Any]
    reach: Mapping[str, Reach]


@dataclass(frozen=True, eq=False)
class _Encoded:
    pieces: list[tuple[int, str, str, str | None]]
    rows: dict[str, _Rows]

    def parts(self, row: int) -> dict[str, tuple[float, str]]:
        return {
            name: (float(rows.psnr[row]), rows.errors[row]) for name, rows in self.rows.items() if rows.present[row]
        }


@dataclass(frozen=True, eq=False)
class _Answer:
    item: int
    recording: str
    window: str
    truth: str | None
    outputs: NDArray[Any]
    parts: dict[str, tuple[float, str]]


def _encode(task: Sequence[tuple[int, Piece]], *, encoders: Mapping[str, Encoder]) -> _Encoded:
    """Encode the pieces of a task, in a worker process."""
    pieces = [piece for _, piece in task]
    told = [(number, piece.recording, piece.window, piece.truth) for number, piece in task]
    return _Encoded(told, {name: _rows(name, encoder, pieces) for name, encoder in encoders.items()})


def _rows(name: str, encoder: Encoder, pieces: Sequence[Piece]) -> _Rows:
    here = [row for row, piece in enumerate(pieces) if name in piece.samples]
    loads = [_Measuring(pieces[row].samples[name].load, encoder.config.modality) for row in here]
    samples = [replace(pieces[row].samples[name], load=load, split=None) for row, load in zip(here, loads, strict=True)]
    encoded = encoder.encode(samples)
    found = encoded.rows
    functas = np.full((len(pieces), encoder.config.k), np.nan, np.float32)
    psnr, (present, usable) = np.full(len(pieces), np.nan, np.float32), np.zeros((2, len(pieces)), bool)
    functas[here], psnr[here], present[here] = found.functas, found.psnr, True
    usable[here] = found.status != Status.FAILED
    functas[~usable] = np.nan
    errors = dict(zip(here, (for_prediction(str(error)) for error in found.errors), strict=True))
    measured = [load.found for row, load in zip(here, loads, strict=True) if usable[row] and load.found is not None]
    return _Rows(
        functas, psnr, [errors.get(row, "") for row in range(len(pieces))], present, usable, measured, encoded.reach
    )


@dataclass
class _Measuring:
    """Loads a sample and keeps what its modality measures of it."""

    load: Callable[[], Any]
    modality: Modality
    found: Any = None

    def __call__(self) -> Any:
        raw = self.load()
        with suppress(Exception):  # what is wrong with it is told where it is prepared
            self.found = self.modality.measured(raw)
        return raw


def _truth(item: FileItem, truths: Mapping[Path, str]) -> str | None:
    found = sorted({truths[path] for path in item.values() if path in truths})
    if len(found) > 1:
        raise DataError(
            f"{' and '.join(map(str, item.values()))} belong together but are labelled {' and '.join(found)}; expected "
            "one class."
        )
    return found[0] if found else None


def _truth_of_all(truths: Sequence[str | None], *, numbers: bool) -> str | None:
    """Give the truth of a recording: what its windows have in common, or the mean of their numbers."""
    if len(set(truths)) == 1:
        return truths[0]
    found = [number for number in map(number_of, truths) if number is not None]
    return str(float(np.mean(found))) if numbers and found else None


def _part(file: str, told: Sequence[tuple[float, str]]) -> PartPrediction:
    errors = [error for _, error in told if error]
    first = errors[0] if errors else ""
    if errors and len(told) > 1:
        first = f"{len(errors)} of {len(told)} windows: {first}"
    return PartPrediction(file, _lowest(psnr for psnr, _ in told), first)


def _reasons(errors: Mapping[str, str]) -> str:
    if len(errors) == 1:
        return next(iter(errors.values()))
    return "; ".join(f"{name}: {error}" for name, error in errors.items() if error)


def _lowest(found: Iterable[float]) -> float:
    return min((psnr for psnr in found if not np.isnan(psnr)), default=float("nan"))
