"""From a store of functas to a trained, evaluated and saved model."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit
from sklearn.base import clone

from fusion.boosting import LocalTrainer, Trainer
from fusion.classifiers import FunctaClassifier
from fusion.design import DesignRows, fit_features
from fusion.errors import DataError
from fusion.evaluation import Evaluation, evaluate_predictions
from fusion.items import Items, fold_items, labelled_items, read_items, require_disjoint_groups
from fusion.model import Model, ModelBlock, Training, load_model, require_replaceable, save_model
from fusion.presets import training_preset
from fusion.results import Predictions, TrainResult, result_of
from store import FunctaStore, open_store

__all__ = ["Predictions", "Progress", "TrainResult", "cross_validate", "evaluate", "predict_store", "train"]

_PREDICTED_AT_ONCE = 1024

Progress = Callable[[str, int, int], None]
"""Called with a stage ("read", "train", "evaluate", "fold"), what is done and how much there is at most."""


@dataclass(frozen=True)
class _Settings:
    features: str
    classifier: FunctaClassifier
    max_columns: int | None
    trainer: Trainer
    progress: Progress

    def rounds_reporter(self) -> Callable[[int, int], None]:
        return lambda done, most: self.progress("train", done, most)


def train(
    store: FunctaStore | str | Path,
    model_dir: str | Path | None = None,
    *,
    features: str = "delta",
    classifier: FunctaClassifier | None = None,
    train_splits: Collection[str] = ("train",),
    test_splits: Collection[str] = ("test",),
    cv: Literal["folds", "group"] | None = None,
    preset: str = "paper",
    trainer: Trainer | None = None,
    progress: Progress | None = None,
) -> TrainResult:
    """Train on the labelled training rows of a store, evaluate on its test rows, and save the model.

    Parameters
    ----------
    store
        An open store, or its path.
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
        "paper", or "fast": several times faster at equal accuracy. See `fusion.presets.PRESETS`.
    trainer
        Where to train. None = in this process; ``LocalTrainer(external_memory=True)`` keeps its bins in files; see also
        `fusion.dask_trainer`.
    progress
        Called as training proceeds.

    Raises
    ------
    DataError
        No training or test rows, a group on both sides, one class only.
    ModelError
        The model folder cannot be written.
    """
    if cv is not None:
        return cross_validate(
            store,
            model_dir,
            on=cv,
            features=features,
            classifier=classifier,
            preset=preset,
            trainer=trainer,
            progress=progress,
        )
    begin = time.perf_counter()
    if model_dir is not None:
        require_replaceable(model_dir)
    settings = _settings(features, classifier, progress, preset, trainer)
    with _opened(store) as source:
        stores, items = _read(source, settings)
        training = labelled_items(items, train_splits, "training")
        test = labelled_items(items, test_splits, "test")
        require_disjoint_groups(training, test)
        model = _fit(stores, training, settings)
        evaluation = _evaluate(model, stores, test, settings.progress)
    used = replace(model.training, train_splits=tuple(train_splits), test_splits=tuple(test_splits))
    model = replace(model, training=used)
    return _finish(model, model_dir, evaluation, begin)


def cross_validate(
    store: FunctaStore | str | Path,
    model_dir: str | Path | None = None,
    *,
    on: Literal["folds", "group"] = "folds",
    features: str = "delta",
    classifier: FunctaClassifier | None = None,
    preset: str = "paper",
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
        Fewer than two folds or groups, or a group in two folds.
    """
    begin = time.perf_counter()
    if model_dir is not None:
        require_replaceable(model_dir)
    settings = _settings(features, classifier, progress, preset, trainer)
    with _opened(store) as source:
        stores, items = _read(source, settings)
        labelled, folds = fold_items(items, on)
        names = sorted(set(folds))
        predicted = np.full(len(labelled), None, dtype=object)
        for number, name in enumerate(names):
            settings.progress("fold", number, len(names))
            inside = folds == name
            model = _fit(stores, labelled.take(~inside), settings)
            predicted[inside] = _predict(model, stores, labelled.take(inside))[0]
        final = model if model_dir is None else _fit(stores, labelled, settings)
    correct = predicted == labelled.labels
    accuracies = [float(np.mean(correct[folds == name])) for name in names]
    pooled = evaluate_predictions(labelled.labels, predicted, groups=labelled.groups)
    final = replace(final, training=replace(final.training, cv=on))
    result = _finish(final, model_dir, _over_folds(pooled, accuracies), begin)
    return replace(result, rows_train=len(labelled), folds=tuple(accuracies))


def evaluate(
    model: Model | str | Path,
    store: FunctaStore | str | Path,
    *,
    splits: Collection[str] | None = None,
    progress: Progress | None = None,
) -> TrainResult:
    """Evaluate a model on the labelled test rows of a store that the same encoder filled.

    Parameters
    ----------
    model
        A model, or its folder.
    store
        The training store or another one of the same encoder and start.
    splits
        Which splits to evaluate. None = the model's test splits; of another store than the model was trained on whose
        rows carry no split, all labelled rows.

    Raises
    ------
    StoreMismatchError
        The store was filled by another encoder; the message names the fields that differ.
    DataError
        No labelled rows to evaluate.
    """
    begin = time.perf_counter()
    trained = model if isinstance(model, Model) else load_model(model)
    with _opened(store) as source:
        stores = _matching(trained, source)
        items = read_items(source)
        test = _test_items(trained, source, items, splits)
        evaluation = _evaluate(trained, stores, test, progress or _silent)
    return result_of(trained, evaluation, begin)


def predict_store(
    model: Model | str | Path,
    store: FunctaStore | str | Path,
    *,
    splits: Collection[str] | None = None,
) -> Predictions:
    """Predict every usable row of a store, or those of some splits, sorted by ID.

    Raises
    ------
    StoreMismatchError
        The store was filled by another encoder.
    """
    trained = model if isinstance(model, Model) else load_model(model)
    with _opened(store) as source:
        stores = _matching(trained, source)
        items = read_items(source)
        if splits is not None:
            items = items.take(np.array([split in splits for split in items.splits], dtype=bool))
        labels, probabilities = _predict(trained, stores, items)
    return Predictions(items.ids, labels, probabilities, trained.classes)


@contextmanager
def _opened(store: FunctaStore | str | Path) -> Iterator[FunctaStore]:
    if isinstance(store, str | Path):
        with open_store(store) as opened:
            yield opened
    else:
        yield store


def _settings(
    features: str,
    classifier: FunctaClassifier | None,
    progress: Progress | None,
    preset: str,
    trainer: Trainer | None,
) -> _Settings:
    named = training_preset(preset)
    classifier = named.classifier() if classifier is None else classifier
    return _Settings(features, classifier, named.max_columns, trainer or LocalTrainer(), progress or _silent)


def _silent(stage: str, done: int, most: int) -> None:
    del stage, done, most


def _read(store: FunctaStore, settings: _Settings) -> tuple[dict[str, FunctaStore], Items]:
    settings.progress("read", 0, len(store))
    items = read_items(store)
    return {store.modality: store}, items


def _fit(stores: Mapping[str, FunctaStore], items: Items, settings: _Settings) -> Model:
    begin = time.perf_counter()
    learn = partial(fit_features, features=settings.features, max_columns=settings.max_columns)
    features = {name: learn(stores[name], ids) for name, ids in items.rows.items()}
    rows = DesignRows(stores, items, features)
    report = settings.rounds_reporter()
    classifier = clone(settings.classifier)
    classifier.fit_rows(rows, items.labels, items.groups, trainer=settings.trainer, progress=report)
    training = Training(
        rows=len(items),
        groups=len({group for group in items.groups if group is not None}),
        classes=dict(sorted(Counter(items.labels.tolist()).items())),
        seconds=round(time.perf_counter() - begin, 3),
    )
    blocks = tuple(ModelBlock.of_store(name, stores[name], features[name]) for name in features)
    return Model(blocks, classifier, training)


def _predict(
    model: Model, stores: Mapping[str, FunctaStore], items: Items
) -> tuple[NDArray[np.object_], NDArray[np.float32]]:
    rows = DesignRows(stores, items, {block.name: block.features for block in model.blocks})
    probabilities = np.zeros((len(rows), len(model.classes)), np.float32)
    for first in range(0, len(rows), _PREDICTED_AT_ONCE):
        part = np.arange(first, min(first + _PREDICTED_AT_ONCE, len(rows)))
        probabilities[part] = model.classifier.predict_proba(rows[part])
    return np.asarray(model.classes, dtype=object)[probabilities.argmax(axis=1)], probabilities


def _evaluate(model: Model, stores: Mapping[str, FunctaStore], test: Items, progress: Progress) -> Evaluation:
    progress("evaluate", 0, len(test))
    predicted, _ = _predict(model, stores, test)
    progress("evaluate", len(test), len(test))
    return evaluate_predictions(test.labels, predicted, classes=model.classes, groups=test.groups)


def _matching(model: Model, store: FunctaStore) -> dict[str, FunctaStore]:
    """Return the store under the name of its block, once it is sure that the same encoder filled it."""
    names = [block.name for block in model.blocks if block.modality == store.modality]
    if len(model.blocks) != 1 or not names:
        expected = ", ".join(f"{block.name} ({block.modality})" for block in model.blocks)
        raise DataError(f"the store holds {store.modality} functas; expected stores for {expected}. Give those.")
    block = model.blocks[0]
    store.require_same(encoder=dict(block.header["encoder"]), state=dict(block.state))
    return {names[0]: store}


def _test_items(model: Model, store: FunctaStore, items: Items, splits: Collection[str] | None) -> Items:
    chosen = splits or model.training.test_splits or None
    if store.fingerprint in {block.fingerprint for block in model.blocks}:
        if chosen is None:
            raise DataError(
                f"the model was trained on all labelled rows of store {store.path}, so none is left to evaluate it on; "
                "expected another store. Its cross-validated figures are in metrics.json of the model folder."
            )
    elif splits is None and all(split is None for split in items.splits):
        chosen = None
    return labelled_items(items, chosen, "test")


def _over_folds(pooled: Evaluation, accuracies: list[float]) -> Evaluation:
    mean, deviation = float(np.mean(accuracies)), float(np.std(accuracies, ddof=1))
    reach = float(stdtrit(len(accuracies) - 1, 0.975)) * deviation / len(accuracies) ** 0.5
    interval = (max(mean - reach, 0.0), min(mean + reach, 1.0))
    intervals = {**pooled.accuracy_intervals, "folds": interval}
    return replace(pooled, accuracy=mean, accuracy_interval=interval, accuracy_intervals=intervals)


def _finish(model: Model, model_dir: str | Path | None, evaluation: Evaluation, begin: float) -> TrainResult:
    if model_dir is not None:
        model = replace(model, path=save_model(model, model_dir, evaluation))
    return result_of(model, evaluation, begin)
