"""From functas of one modality, or of several that are linked, to a trained, evaluated and saved model."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fusion.errors import ConfigError, DataError
from fusion.estimators.fused import Fusion
from fusion.estimators.trainers import Trainer
from fusion.estimators.xgboost import FunctaClassifier
from fusion.features.items import Items, fold_items, labelled_items, require_disjoint_groups
from fusion.features.source import Source, SourceLike, opened_source
from fusion.models.figures import evaluate_table, fold_accuracies, modality_figures
from fusion.models.fitting import Progress, Settings, fit_model, settings_of, silent
from fusion.models.folder import Model, Record, load_model, require_replaceable, save_model
from fusion.models.leakage import require_unseen
from fusion.models.matching import Matched, matched
from fusion.models.results import Predictions, TrainResult, result_of
from fusion.models.scoring import predict_items, score

__all__ = ["Predictions", "Progress", "TrainResult", "cross_validate", "evaluate", "predict_store", "train"]


def train(
    source: SourceLike,
    model_dir: str | Path | None = None,
    *,
    features: str = "delta",
    classifier: FunctaClassifier | None = None,
    train_splits: Collection[str] = ("train",),
    test_splits: Collection[str] = ("test",),
    cv: Literal["folds", "group"] | None = None,
    preset: str = "paper",
    fusion: Fusion | None = None,
    tune: bool = False,
    trainer: Trainer | None = None,
    progress: Progress | None = None,
) -> TrainResult:
    """Train on the labelled training rows of a store or a link table, evaluate on its test rows, and save the model.

    Of a link table each modality's own model is trained too; it serves for comparison, in late and stacked fusion, and
    for items of which the other modalities are missing.

    Parameters
    ----------
    source
        An open store or its path; a link table or its file.
    model_dir
        Where to save the model; None = nowhere.
    features
        "delta" (weights minus the encoder's start) or "weights".
    classifier
        Parameters to train with; it stays untouched. None = the preset's.
    train_splits, test_splits
        Which splits count as training and as test rows.
    cv
        "folds" = each fold of the store is the test set once; "group" = five folds of whole groups, over all labelled
        rows whatever their split. The model that is saved is then trained on all of them.
    preset
        "paper", or "fast": several times faster at equal accuracy. See `fusion.estimators.presets.TRAINING_PRESETS`.
    fusion
        Of a link table: "early" (None) = one classifier on all columns side by side; "late" = the probabilities of each
        modality's classifier, averaged; "stacked" = a linear classifier on those. The last two learn on probabilities
        of training groups left out.
    tune
        Choose booster and parameters by cross-validation over the groups of the training rows: of each modality, of
        what fuses them, and anew in each fold. What was chosen is in the model's parameters, what was tried last in
        `TrainResult.tuning`.
    trainer
        Where to train. None = in this process; ``LocalTrainer(external_memory=True)`` keeps its bins in files; see also
        `fusion.cluster.dask_trainer`.
    progress
        Called as training proceeds.

    Raises
    ------
    DataError
        No training or test rows, a group on both sides, one class only, a dictionary learned from test rows.
    ModelError
        The model folder cannot be written.
    """
    settings = settings_of(
        features=features,
        classifier=classifier,
        preset=preset,
        trainer=trainer,
        progress=progress,
        fusion=fusion,
        tune=tune,
    )
    if cv is not None:
        return _cross_validated(source, model_dir, settings, cv)
    return _trained(source, model_dir, settings, tuple(train_splits), tuple(test_splits))


def cross_validate(
    source: SourceLike,
    model_dir: str | Path | None = None,
    *,
    on: Literal["folds", "group"] = "folds",
    features: str = "delta",
    classifier: FunctaClassifier | None = None,
    preset: str = "paper",
    fusion: Fusion | None = None,
    tune: bool = False,
    trainer: Trainer | None = None,
    progress: Progress | None = None,
) -> TrainResult:
    """Train and test once per fold; with a model folder, train on all labelled rows at the end and save that model.

    Filter, normalisation and early stopping are learned anew from the training rows of each fold. The accuracy is the
    mean over the folds, its interval Student's at 95 %; the other figures are those of all folds' predictions together.
    Parameters are those of `train`.

    Raises
    ------
    DataError
        Fewer than two folds or groups, a group in two folds, or an encoder that learned from the folds it is tested on
        more than a start; see `fusion.models.leakage.require_unseen`.
    """
    settings = settings_of(
        features=features,
        classifier=classifier,
        preset=preset,
        trainer=trainer,
        progress=progress,
        fusion=fusion,
        tune=tune,
    )
    return _cross_validated(source, model_dir, settings, on)


def evaluate(
    model: Model | str | Path,
    source: SourceLike,
    *,
    splits: Collection[str] | None = None,
    progress: Progress | None = None,
) -> TrainResult:
    """Evaluate a model on labelled test rows that the same encoders filled.

    Parameters
    ----------
    model
        A model, or its folder.
    source
        A store or a link table, the one of the training or another one of the same encoders and starts. A fusion takes
        a store of one of its modalities, too, or a table of some: the others are missing then.
    splits
        Which splits to evaluate. None = the model's test splits; of other stores than the model was trained on whose
        rows carry no split, all labelled rows.

    Raises
    ------
    StoreMismatchError
        The store was filled by another encoder; the message names the fields that differ.
    DataError
        No labelled rows to evaluate, or a modality that the model does not have.
    """
    begin = time.perf_counter()
    trained = model if isinstance(model, Model) else load_model(model)
    report = progress or silent
    with opened_source(source) as opened:
        found = matched(trained, opened)
        test = _test_items(trained, found, splits)
        report("evaluate", 0, len(test))
        table = score(trained, found.stores, test)
        report("evaluate", len(test), len(test))
        warnings = () if opened.link is None else opened.link.summary.warnings
    evaluation = evaluate_table(table, trained.classes)
    modalities = modality_figures(table, [block.name for block in trained.blocks], trained.classes)
    return result_of(trained, evaluation, begin, modalities=modalities, predictions=table, warnings=warnings)


def predict_store(
    model: Model | str | Path,
    source: SourceLike,
    *,
    splits: Collection[str] | None = None,
) -> Predictions:
    """Predict every usable row of a store or a link table, or those of some splits, sorted by ID.

    Raises
    ------
    StoreMismatchError
        The store was filled by another encoder.
    """
    trained = model if isinstance(model, Model) else load_model(model)
    with opened_source(source) as opened:
        found = matched(trained, opened)
        items = found.items
        if splits is not None:
            items = items.take(np.array([split in splits for split in items.splits], dtype=bool))
        probabilities = predict_items(trained, found.stores, items)
    labels: NDArray[np.object_] = np.asarray(trained.classes, dtype=object)[probabilities.argmax(axis=1)]
    return Predictions(items.ids, labels, probabilities, trained.classes)


def _trained(
    source: SourceLike,
    model_dir: str | Path | None,
    settings: Settings,
    train_splits: tuple[str, ...],
    test_splits: tuple[str, ...],
) -> TrainResult:
    begin = _begun(model_dir, settings)
    with opened_source(source) as opened:
        _require_several(opened, settings.fusion)
        training = labelled_items(opened.items, train_splits, "training")
        test = labelled_items(opened.items, test_splits, "test")
        require_disjoint_groups(training, test)
        notes = require_unseen(opened.stores, test)
        model = fit_model(opened.stores, training, settings)
        settings.progress("evaluate", 0, len(test))
        table = score(model, opened.stores, test)
        settings.progress("evaluate", len(test), len(test))
        told = _told(opened, notes)
    used = replace(model.training, train_splits=train_splits, test_splits=test_splits)
    result = _finish(replace(model, training=used), model_dir, table, told, begin)
    return replace(result, tuning=settings.tuned[-1] if settings.tuned else None)


def _cross_validated(
    source: SourceLike, model_dir: str | Path | None, settings: Settings, on: Literal["folds", "group"]
) -> TrainResult:
    begin = _begun(model_dir, settings)
    with opened_source(source) as opened:
        _require_several(opened, settings.fusion)
        labelled, folds = fold_items(opened.items, on)
        notes = require_unseen(opened.stores, labelled, cv=on)
        names = sorted(set(folds))
        tables = []
        for number, name in enumerate(names):
            settings.progress("fold", number, len(names))
            inside = folds == name
            training, test = labelled.take(~inside), labelled.take(inside)
            require_disjoint_groups(training, test)
            model = fit_model(opened.stores, training, settings)
            tables.append(score(model, opened.stores, test).assign(fold=name))
        final = model if model_dir is None else fit_model(opened.stores, labelled, settings)
        told = _told(opened, notes)
    table = pd.concat(tables, ignore_index=True)
    final = replace(final, training=replace(final.training, cv=on))
    result = _finish(final, model_dir, table, told, begin, cv=True)
    tuning = settings.tuned[-1] if settings.tuned else None
    return replace(result, rows_train=len(labelled), folds=tuple(fold_accuracies(table)), tuning=tuning)


def _begun(model_dir: str | Path | None, settings: Settings) -> float:
    """Refuse a model folder before any work is done, and start the clock."""
    begin = time.perf_counter()
    if model_dir is not None:
        require_replaceable(model_dir)
    settings.progress("read", 0, 0)
    return begin


def _require_several(source: Source, fusion: str | None) -> None:
    if fusion is not None and len(source.stores) < 2:
        raise ConfigError(
            f"fusion is {fusion!r}, but the source holds one modality, {next(iter(source.stores))}; expected a link "
            "table. Link the stores first (functa link), or leave the fusion out."
        )


def _told(source: Source, notes: tuple[str, ...]) -> dict[str, Any]:
    """Tell what a report needs to know of the source."""
    stores = {name: str(_absolute(store.path)) for name, store in source.stores.items()}
    told: dict[str, Any] = {"stores": stores, "warnings": list(notes)}
    return told if source.link is None else told | {"link": source.link.to_dict()}


def _absolute(path: str | Path) -> str | Path:
    return path if "://" in str(path) else Path(path).absolute()


def _test_items(model: Model, source: Matched, splits: Collection[str] | None) -> Items:
    chosen = splits or model.training.test_splits or None
    if source.trained_on:
        if chosen is None:
            raise DataError(
                f"the model was trained on all labelled rows of store {source.trained_on}, so none is left to evaluate "
                "it on; expected another store. Its cross-validated figures are in metrics.json of the model folder."
            )
    elif splits is None and all(split is None for split in source.items.splits):
        chosen = None
    return labelled_items(source.items, chosen, "test")


def _finish(
    model: Model,
    model_dir: str | Path | None,
    table: pd.DataFrame,
    told: Mapping[str, Any],
    begin: float,
    *,
    cv: bool = False,
) -> TrainResult:
    names = [block.name for block in model.blocks]
    classes = None if cv else model.classes
    evaluation = evaluate_table(table, classes, cv=cv)
    modalities = modality_figures(table, names, classes, cv=cv)
    if model_dir is not None:
        metrics = dict(told)
        if modalities:
            metrics |= {
                "fusion": model.fusion,
                "modalities": {name: each.to_dict() for name, each in modalities.items()},
            }
        if cv:
            metrics["folds"] = fold_accuracies(table)
        model = replace(model, path=save_model(model, model_dir, evaluation, Record(metrics, table)))
    warnings = (*told["warnings"], *told.get("link", {}).get("warnings", ()))
    return result_of(model, evaluation, begin, modalities=modalities, predictions=table, warnings=warnings)
