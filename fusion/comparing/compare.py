"""Compare encoders, presets and fusions by one cross-validation of training groups; test rows are for the winner."""

from __future__ import annotations

import math
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from fusion.comparing.candidates import Encoders, encoded_sides, named_sources, sources_of
from fusion.comparing.cells import CellStore
from fusion.comparing.kept import keep_result
from fusion.comparing.measuring import Measuring, cells_of
from fusion.comparing.ranking import CompareResult, Place, ranked
from fusion.comparing.training_rows import TrainingRows
from fusion.comparing.winner import with_winner
from fusion.datasets.base import Dataset
from fusion.encoders.options import EncodeOptions, Progress, silent
from fusion.errors import ConfigError
from fusion.estimators.fused import FUSIONS, check_fusion
from fusion.estimators.presets import TrainingSettings, training_settings
from fusion.estimators.tasks import Task
from fusion.estimators.trainers import LocalTrainer, Trainer
from fusion.features.items import labelled_items
from fusion.features.source import SourceLike, opened_source
from fusion.models.folder import require_replaceable
from fusion.models.records import Run, add_run
from fusion.models.tracking import Tracker, track_run, tracker_of

__all__ = ["compare"]

Presets = Sequence[str] | Mapping[str, Any]


def compare(
    source: SourceLike | Dataset | Sequence[SourceLike] | Mapping[str, SourceLike | Dataset],
    folder: str | Path | None = None,
    *,
    encoders: Encoders = ("functa", "local"),
    presets: Presets = ("fast", "linear"),
    fusions: Sequence[str] = FUSIONS,
    seeds: int = 1,
    folds: int | None = None,
    task: str | Task | None = None,
    class_weight: str | Mapping[str, float] | None = None,
    train_splits: Collection[str] = ("train",),
    test_splits: Collection[str] = ("test",),
    budget: float | None = None,
    best: str | Path | None = None,
    encode_options: EncodeOptions | None = None,
    track: str | Tracker | None = None,
    trainer: Trainer | None = None,
    progress: Progress | None = None,
) -> CompareResult:
    """Rank every combination by its score - accuracy, R2 or micro F1 - on training groups left out.

    Parameters
    ----------
    source : store, link table, Dataset, or several
        One or more stores or paths: those of one data set and modality are alternatives, others are modalities of the
        same items, joined by ID. Link tables are alternatives. A mapping names the alternatives. A data set, or a
        mapping of data sets by modality, is encoded by every encoder first; what has the same ID is one item.
    folder : path, optional
        Where stores and finished cells are kept, so that the same call goes on; None = nothing is kept, which data sets
        cannot do without.
    encoders : sequence of str, or mapping
        Of data sets: "functa", "modulation", "local"; or names with a TOML file or options of an encoder.
    presets : sequence of str, or mapping of str to preset, TrainingSettings or estimator of scikit-learn
    fusions : sequence of {"early", "late", "stacked"}
        Of several modalities.
    seeds : int >= 1
        Deal the folds, and train, so often anew.
    folds : int, optional
        Of whole training groups, classes as even as can be; 1 = one split, a fifth held out, of classes only. None = 5,
        or fewer where there are fewer groups.
    task : {"classification", "regression", "multilabel"} or Task, optional
        As for `fusion.train`.
    class_weight : "balanced" or mapping of class to float, optional
        As for `fusion.train`; the score is the accuracy of rows that count by these weights then.
    train_splits, test_splits : collection of str
        Which splits count as training rows; and as test rows, which only `best` looks at.
    budget : float, optional
        Seconds after which no cell is started any more; one is always measured.
    best : path, optional
        Folder for the model of the winner, which is trained on all training rows then and tested once.
    encode_options : EncodeOptions, optional
        Of data sets; the splits that an encoder learns from are `train_splits`.
    track : str or Tracker, optional
        Where every combination is sent at the end, as for `fusion.train`.
    trainer : Trainer, optional
    progress : callable, optional

    Returns
    -------
    CompareResult

    Raises
    ------
    DataError
        No training rows that all encoders have, fewer groups than folds, no test rows for `best`.
    ConfigError
        An option out of range, or sources that cannot be told apart.

    Notes
    -----
    The mean of the winner is the best of many, and so too good by some; `best` gives a figure that is not.
    """
    begin, report, tracker = time.perf_counter(), progress or silent, tracker_of(track)
    cells = CellStore(None if folder is None else Path(folder))
    settings = _settings(presets, seeds, folds, {"task": task, "class_weight": class_weight})
    asked_task = next(iter(settings.values())).task
    for fusion in fusions:
        check_fusion(fusion)
    if best is not None:
        require_replaceable(best)
    options = replace(encode_options or EncodeOptions(), train_splits=tuple(train_splits))
    sources = _sources(source, cells.folder, encoders, options, report)
    with ExitStack() as stack:
        opened = {name: stack.enter_context(opened_source(each)) for name, each in sources.items()}
        for each in settings.values():
            for one in opened.values():
                asked_task.require_weighted(asked_task.answers(one.items).labels, each.parameters)
        rows = TrainingRows.of(opened, tuple(train_splits), asked_task, seeds=seeds, folds=folds)
        if best is not None:
            labelled_items(next(iter(opened.values())).items, test_splits, "test")
        deadline = None if budget is None else begin + budget
        measured = Measuring(rows, cells, trainer or LocalTrainer(), report, deadline)
        outcomes = measured.all(list(cells_of(rows, settings, fusions)))
    lowest = -math.inf if asked_task.measure == "r2" else 0.0
    labels = rows.tested_labels if asked_task.name == "classification" else None
    places, test = ranked(outcomes, rows.tested_groups, rows.ratio, labels=labels, lowest=lowest)
    notes = [*measured.notes, *_weighted(settings)]
    result = rows.result(places, test, asked_task.measure, notes, cells.folder)
    if best is not None:
        how = settings[result.best.preset]
        result = with_winner(
            result,
            sources[result.best.encoder],
            how,
            best,
            train_splits=train_splits,
            test_splits=test_splits,
            data=rows.data,
            progress=report,
        )
    if cells.folder is not None:
        used = [fusion for fusion in fusions if any(place.fusion == fusion for place in places)]
        asked = {"presets": list(settings), "fusions": used, "encoders": list(sources), "seeds": seeds}
        splits = {"train_splits": list(train_splits), "test_splits": list(test_splits)}
        keep_result(cells.folder, result, {"task": asked_task.name, **asked, **splits})
        add_run(cells.folder, Run("compare", asked, rows.data, result.figures(), time.perf_counter() - begin))
    untracked = [note for place in places for note in _tracked(tracker, place, result)]
    return replace(result, notes=(*result.notes, *untracked))


def _tracked(tracker: Tracker | None, place: Place, result: CompareResult) -> tuple[str, ...]:
    asked = {"encoder": place.encoder, "preset": place.preset, "fusion": place.fusion, "folds": result.folds}
    named = ("mean", "sd", "interval", "balanced_accuracy", "seconds", "difference", "p")
    figures = {name: value for name, value in place.to_dict().items() if name in named}
    return track_run(tracker, place.name, {**asked, "seeds": place.seeds, "measure": result.measure}, figures)


def _settings(presets: Presets, seeds: int, folds: int | None, asked: Mapping[str, Any]) -> dict[str, TrainingSettings]:
    if seeds < 1 or (folds is not None and folds < 1) or not presets:
        raise ConfigError(
            f"got {seeds} seeds, {folds} folds and {len(presets)} presets; expected at least one of each."
        )
    named = presets if isinstance(presets, Mapping) else {name: name for name in presets}
    made = {name: _settings_of(given, asked) for name, given in named.items()}
    tasks = {each.task.name for each in made.values()}
    if len(tasks) > 1 or (folds == 1 and tasks != {"classification"}):
        what = f"tasks {', '.join(sorted(tasks))}" if len(tasks) > 1 else f"one fold of the task {tasks.pop()}"
        raise ConfigError(
            f"got {what}; expected presets of one task, and two folds or more of other tasks than classes."
        )
    return made


def _weighted(settings: Mapping[str, TrainingSettings]) -> list[str]:
    found = [name for name, each in settings.items() if each.parameters.get("class_weight") is not None]
    told = f"the score of {', '.join(found)} is the accuracy of rows that count by their class's weight"
    return [told] if found else []


def _settings_of(given: Any, asked: Mapping[str, Any]) -> TrainingSettings:
    known = isinstance(given, (str, TrainingSettings))
    return training_settings(given, **asked) if known else training_settings(estimator=given, **asked)


def _sources(
    given: Any, folder: Path | None, encoders: Encoders, options: EncodeOptions, report: Progress
) -> dict[str, SourceLike]:
    datasets = _datasets(given)
    if folder is None and (datasets or not _is_one(given)):
        raise ConfigError("stores and links of a comparison need a place; name a folder.")
    if datasets and folder is not None:
        return sources_of(encoded_sides(datasets, encoders, folder, options, report), folder)
    return named_sources([given] if _is_one(given) else given, folder or Path())


def _is_one(given: Any) -> bool:
    return isinstance(given, (str, Path)) or not isinstance(given, (Mapping, Sequence))


def _datasets(given: Any) -> dict[str, Dataset]:
    if isinstance(given, Dataset):
        return {given.modality: given}
    if isinstance(given, Mapping) and given and all(isinstance(each, Dataset) for each in given.values()):
        return dict(given)
    return {}
