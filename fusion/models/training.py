"""From functas of one modality, or of several that are linked, to a trained, evaluated and saved model."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Mapping
from dataclasses import replace
from numbers import Integral
from pathlib import Path
from typing import Any

import pandas as pd

from fusion.encoders.options import Progress, silent
from fusion.errors import ConfigError
from fusion.estimators.boosted import FunctaBooster
from fusion.estimators.fused import Fusion
from fusion.estimators.presets import TrainingSettings, training_settings
from fusion.estimators.tasks import Task
from fusion.estimators.trainers import LocalTrainer, Trainer
from fusion.features.items import Items, fold_items, labelled_items, require_disjoint_groups
from fusion.features.sampling import Sampling, require_share
from fusion.features.source import Source, SourceLike, opened_source
from fusion.models.advice import (
    advice_on_groups,
    advice_on_linear,
    advice_on_lone_groups,
    advice_on_separator,
)
from fusion.models.concluding import concluded, told_of
from fusion.models.fitting import TrainingRun, fit_model
from fusion.models.folder import Model, require_replaceable
from fusion.models.leakage import require_unseen
from fusion.models.repeating import settings_told, train_command
from fusion.models.results import TrainResult
from fusion.models.scoring import score
from fusion.models.seeds import SeedFigures, require_repeats, with_seeds
from fusion.models.seen_rows import filled, mark_seen
from fusion.models.skops_files import require_savable
from fusion.models.thresholds import with_thresholds
from fusion.models.tracking import Tracker, track_run, tracker_of

__all__ = ["train"]

_LOG = logging.getLogger(__name__)


def train(
    source: SourceLike,
    model_dir: str | Path | None = None,
    *,
    preset: str | TrainingSettings | None = None,
    features: str | None = None,
    fusion: Fusion | None = None,
    tune: bool | None = None,
    thresholds: bool | None = None,
    classifier: FunctaBooster | None = None,
    estimator: Any = None,
    task: str | Task | None = None,
    class_weight: str | Mapping[str, float] | None = None,
    train_splits: Collection[str] = ("train",),
    test_splits: Collection[str] = ("test",),
    cv: int | str | None = None,
    seeds: int = 1,
    sample: float | None = None,
    shared_groups: bool = False,
    advise: bool = False,
    track: str | Tracker | None = None,
    trainer: Trainer | None = None,
    progress: Progress | None = None,
) -> TrainResult:
    """Train on the labelled training rows of a store or a link table, evaluate on its test rows, and save the model.

    Of a link table each modality's own model is trained too; it serves for comparison, in late and stacked fusion, and
    for items of which the other modalities are missing.

    Parameters
    ----------
    source : FunctaStore, LinkTable or path
        An open store or its path; a link table or its file.
    model_dir : path, optional
        Where to save the model; None = nowhere.
    preset : str or TrainingSettings, optional
        Name of one of `fusion.estimators.TRAINING_PRESETS`, or what `fusion.estimators.training_settings` returned: a
        preset with other parameters. None = "auto", which chooses between "fast" and "linear" on training groups left
        out; "paper" where `tune`, a classifier, an estimator or a cluster says how to train.
    features : {"delta", "weights"}, optional
    fusion : {"early", "late", "stacked"}, optional
    tune : bool, optional
        Where they differ from the preset's; see `TrainingSettings`. What was tried last when tuning is in
        `TrainResult.tuning`.
    thresholds : bool, optional
        Choose on training groups left out from which probability on each class or label is named. They are kept with
        the model, for those who ask for them, and the figures with them stand in `TrainResult.at_thresholds`.
    classifier : FunctaClassifier, optional
        Parameters to train with, in place of a preset; it stays untouched. Of another task a `FunctaRegressor` or a
        `FunctaLabeller`.
    estimator : estimator of scikit-learn, optional
        To train in place of XGBoost, such as ``LogisticRegression()``: any classifier with `predict_proba`, or a
        regressor. It reads
        all rows at once; a missing value is 0, the column's mean, unless it takes NaN. Saved by skops.
    task : {"classification", "regression", "multilabel"} or Task, optional
        What is predicted: the label as a class, the target as a number, or each of the labels that the label's text
        holds. See `fusion.estimators.task_of` for another separator than ``;``.
    class_weight : "balanced" or mapping of class to float, optional
        How much the rows of each class count; see `FunctaClassifier`.
    train_splits, test_splits : collection of str
        Which splits count as training and as test rows.
    cv : int or {"folds", "group"}, optional
        A number = so many folds over all labelled rows whatever their split, classes as even as can be and groups whole
        where there are groups; "group" = five folds of whole groups; "folds" = each fold of the store is the test set
        once. The model that is saved is then trained on all of them.
    seeds : int >= 1
        Train so often, with the seed and those that follow it, also of the deal into a number of folds; the figures of
        each, their mean and deviation are in `TrainResult.repeats`. Model and other figures are those of the first.
    sample : float, optional
        Train on this share of the groups of the training rows (of their IDs where there are no groups), above 0 and up
        to 1, drawn by the seed. What was drawn stands in `TrainResult.warnings`. Not with `cv`.
    shared_groups : bool
        Take published splits as they are where a subject, film or recording is on both sides, which is refused
        otherwise; the figures without these test rows are told too. Not with `sample`.
    advise : bool
        Where trees were trained on few rows, try for some seconds whether a linear model would be better on training
        groups left out; what comes of it stands in `TrainResult.advice`.
    track : str or Tracker, optional
        Where settings and figures are sent when training is done: ``mlflow``, ``mlflow:URI`` or ``tensorboard:FOLDER``,
        each with the extra of its name. What goes wrong there stands in `TrainResult.warnings`.
    trainer : Trainer, optional
        Where to train. None = in this process; ``LocalTrainer(external_memory=True)`` keeps its bins in files; see also
        `fusion.cluster.dask_trainer`.
    progress : callable, optional
        Called as training proceeds.

    Raises
    ------
    DataError
        No training or test rows, a group on both sides, one class only, labels of another task, a dictionary learned
        from test rows.
    ModelError
        The model folder cannot be written.
    """
    settings = training_settings(
        preset,
        features=features,
        fusion=fusion,
        tune=tune,
        thresholds=thresholds,
        classifier=classifier,
        estimator=estimator,
        task=task,
        on_cluster=not isinstance(trainer or LocalTrainer(), LocalTrainer),
        class_weight=class_weight,
    )
    seeds, cv = require_repeats(seeds), int(cv) if isinstance(cv, Integral) else cv
    require_share(sample)
    tracker = tracker_of(track)
    if sample is not None and cv is not None:
        raise ConfigError(f"sample is {sample:g} and cv is {cv!r}; expected one of them. Sample with a test split.")
    if sample is not None and shared_groups:
        raise ConfigError(
            "sample is drawn from whole groups, but shared_groups lets them be split; expected one of them."
        )
    run = TrainingRun(
        settings,
        trainer or LocalTrainer(),
        progress or silent,
        advise=advise,
        sample=sample,
        shared_groups=shared_groups,
    )
    splits = tuple(train_splits), tuple(test_splits)

    def once(run: TrainingRun, model_dir: str | Path | None, others: tuple[SeedFigures, ...] = ()) -> TrainResult:
        if cv is not None:
            return _cross_validated(source, model_dir, run, cv, others)
        return _trained(source, model_dir, run, *splits, others)

    if model_dir is not None:
        require_replaceable(model_dir)
        if settings.estimator is not None:
            require_savable(settings.estimator)
    others = with_seeds(replace(settings, thresholds=False), seeds)[1:]
    runs = [replace(run, settings=each, advise=False) for each in others]
    further = [once(replace(each, progress=_of_seed(each)), None) for each in runs]
    result = once(run, model_dir, tuple(result.repeats.seeds[0] for result in further))
    asked = {**settings_told(settings), "cv": cv, "seeds": seeds, "sample": sample}
    name = "training" if result.folder is None else result.folder.name
    notes = track_run(tracker, name, asked, result.figures() | {"seconds": result.seconds}, result.folder)
    return _logged(replace(result, warnings=(*result.warnings, *notes)))


def _logged(result: TrainResult) -> TrainResult:
    where, score_of_it = result.folder or "a model", f"{result.score:.3f}"
    _LOG.info("%s: score %s on %d rows, in %.1f s", where, score_of_it, result.rows_test, result.seconds)
    for warning in result.warnings:
        _LOG.info("%s", warning)
    return result


def _trained(
    source: SourceLike,
    model_dir: str | Path | None,
    run: TrainingRun,
    train_splits: tuple[str, ...],
    test_splits: tuple[str, ...],
    others: tuple[SeedFigures, ...],
) -> TrainResult:
    begin, task = _begun(run), run.settings.task
    with opened_source(source, _sampling(run, train_splits, test_splits)) as opened:
        _require_several(opened, run.settings.fusion)
        items, drawn = task.answers(opened.items), opened.drawn
        task.require_weighted(items.labels if drawn is None else drawn.all_labels, run.settings.parameters)
        training = labelled_items(items, train_splits, "training")
        if drawn is not None:
            training = training.take(drawn.holds(training))
        task.require_learnable(training.labels)
        test = labelled_items(items, test_splits, "test")
        _require_apart(training, test, run)
        notes = require_unseen(opened.stores, test)
        if drawn is not None:
            notes = (*notes, drawn.told(len(training)))
        model = with_thresholds(fit_model(opened.stores, training, run), opened.stores, training, run)
        run.progress("evaluate", 0, len(test))
        table = mark_seen(score(model, opened.stores, test), training, test)
        run.progress("evaluate", len(test), len(test))
        command = train_command(
            source,
            model_dir or "MODEL",
            run.settings,
            train_splits=train_splits,
            test_splits=test_splits,
            seeds=len(others) + 1,
            sample=run.sample,
            shared_groups=run.shared_groups,
        )
        told = told_of(opened, notes, command) | {"advice": _advice(opened, training, run, model)}
    used = replace(model.training, train_splits=train_splits, test_splits=test_splits)
    return concluded(replace(model, training=used), model_dir, table, told, begin, run, others)


def _require_apart(training: Items, test: Items, run: TrainingRun) -> None:
    if not run.shared_groups:
        require_disjoint_groups(training, test)


def _sampling(run: TrainingRun, train_splits: tuple[str, ...], test_splits: tuple[str, ...]) -> Sampling | None:
    if run.sample is None:
        return None
    return Sampling(run.sample, run.settings.classifier().seed, train_splits, test_splits, run.settings.task.answers)


def _cross_validated(
    source: SourceLike,
    model_dir: str | Path | None,
    run: TrainingRun,
    on: int | str,
    others: tuple[SeedFigures, ...],
) -> TrainResult:
    begin, how = _begun(run), str(on)
    with opened_source(source) as opened:
        _require_several(opened, run.settings.fusion)
        task, seed = run.settings.task, run.settings.classifier().seed
        items = task.answers(opened.items)
        task.require_weighted(items.labels, run.settings.parameters)
        labelled, folds = fold_items(items, on, seed=seed, strata=task.strata, shared_groups=run.shared_groups)
        task.require_learnable(labelled.labels)
        notes = require_unseen(opened.stores, labelled, cv=how)
        names = sorted(set(folds))
        tables = []
        for number, name in enumerate(names):
            run.progress("fold", number, len(names))
            inside = folds == name
            training, test = labelled.take(~inside), labelled.take(inside)
            _require_apart(training, test, run)
            model = with_thresholds(fit_model(opened.stores, training, run), opened.stores, training, run)
            tables.append(mark_seen(score(model, opened.stores, test), training, test).assign(fold=name))
        final = model
        if model_dir is not None:
            final = with_thresholds(fit_model(opened.stores, labelled, run), opened.stores, labelled, run)
        command = train_command(
            source,
            model_dir or "MODEL",
            run.settings,
            cv=how,
            seeds=len(others) + 1,
            shared_groups=run.shared_groups,
        )
        told = told_of(opened, notes, command) | {
            "advice": _advice(opened, labelled, run, None if model_dir is None else final, tested=True)
        }
    table = filled(pd.concat(tables, ignore_index=True))
    final = replace(final, training=replace(final.training, cv=how))
    result = concluded(final, model_dir, table, told, begin, run, others)
    return replace(result, rows_train=len(labelled))


def _of_seed(run: TrainingRun) -> Progress:
    seed = run.settings.classifier().seed
    return lambda what, done, most: run.progress(f"seed {seed}: {what}", done, most)


def _begun(run: TrainingRun) -> float:
    begin = time.perf_counter()
    run.progress("read", 0, 0)
    return begin


def _require_several(source: Source, fusion: str | None) -> None:
    if fusion is not None and len(source.stores) < 2:
        raise ConfigError(
            f"fusion is {fusion!r}, but the source holds one modality, {next(iter(source.stores))}; expected a link "
            "table. Link the stores first (functa link), or leave the fusion out."
        )


def _advice(
    source: Source, training: Items, run: TrainingRun, model: Model | None, *, tested: bool = False
) -> list[str]:
    """Tell what the data say; `model` is trained on all of the rows, if there is such a one; `tested` if by folds."""
    tried = advice_on_linear(source.stores, training, run.settings, model) if run.advise else ()
    task = run.settings.task
    lone = advice_on_lone_groups(training, task, tested=tested)
    return [*advice_on_separator(training, task), *tried, *advice_on_groups(training), *lone]
