"""Training: one classifier of one modality, or those of several and what fuses them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from fusion.encoders.options import Progress
from fusion.errors import DataError
from fusion.estimators.averaging import learn_pool
from fusion.estimators.fused import FusedClassifier, spread, stacked_features
from fusion.estimators.presets import TrainingSettings
from fusion.estimators.trainers import Trainer
from fusion.estimators.tuning import Tuning, tune_classifier
from fusion.estimators.wrapped import WrappedEstimator
from fusion.estimators.xgboost import FunctaClassifier
from fusion.features.batches import batches
from fusion.features.items import Items
from fusion.features.matrix import DesignRows, fit_features
from fusion.features.transformer import FunctaFeatures
from fusion.models.choosing import choose_preset
from fusion.models.model import Model, ModelBranch, Training
from fusion.splits import group_folds
from store import FunctaStore

__all__ = ["SharedParts", "TrainingRun", "fit_model"]

PartT = TypeVar("PartT")


@dataclass
class SharedParts:
    """What trainings on the same rows, with the same settings but the fusion, have in common, made once.

    Attributes
    ----------
    made : dict of str to object
        The parts by name.
    took : dict of str to float
        Seconds that each took to make.
    saved : float
        Seconds that were saved by taking parts over.
    """

    made: dict[str, Any] = field(default_factory=dict)
    took: dict[str, float] = field(default_factory=dict)
    saved: float = 0.0

    def once(self, name: str, make: Callable[[], PartT]) -> PartT:
        """Make a part, or take it over."""
        if name in self.made:
            self.saved += self.took[name]
        else:
            begin = time.perf_counter()
            self.made[name] = make()
            self.took[name] = time.perf_counter() - begin
        part: PartT = self.made[name]
        return part


@dataclass(frozen=True)
class TrainingRun:
    """Settings on their way through a training run.

    Attributes
    ----------
    settings : TrainingSettings
        How to train.
    trainer : Trainer
        Where to train.
    progress : callable
        Called as training proceeds.
    tuned : list of Tuning
        What was tried to choose a classifier, one after the other; filled by training.
    shared : SharedParts or None
        What runs that differ in their fusion alone take over from each other.
    advise : bool
        Try for some seconds what else might be better.
    """

    settings: TrainingSettings
    trainer: Trainer
    progress: Progress
    tuned: list[Tuning] = field(default_factory=list)
    shared: SharedParts | None = None
    advise: bool = False

    def rounds_reporter(self) -> Callable[[int, int], None]:
        """Return what reports boosting rounds."""
        return lambda done, most: self.progress("train", done, most)


def fit_model(stores: Mapping[str, FunctaStore], items: Items, run: TrainingRun) -> Model:
    """Train on all of these items.

    Raises
    ------
    DataError
        One class only, or a modality that no item has.
    """
    begin = time.perf_counter()
    if run.settings.choices:
        run = _chosen(stores, items, run)
    given = run.settings
    learn = partial(fit_features, features=given.features, max_columns=given.max_columns, seed=given.classifier().seed)
    for name in items.rows:
        if not items.present(name).any():
            raise DataError(f"no training row has the modality {name!r}; expected some. Link the stores again.")
    features = {name: learn(stores[name], ids) for name, ids in items.rows.items()}
    classifier: FunctaClassifier | FusedClassifier
    if len(features) == 1:
        classifier = _boosted(stores, items, features, run)
    else:
        classifier = _Fusing(stores, items, features, run).fit()
    training = Training(
        rows=len(items),
        groups=len({group for group in items.groups if group is not None}),
        classes=dict(sorted(Counter(items.labels.tolist()).items())),
        seconds=round(time.perf_counter() - begin, 3),
    )
    branches = tuple(ModelBranch.of_store(name, stores[name], features[name]) for name in features)
    return Model(branches, classifier, training)


def _chosen(stores: Mapping[str, FunctaStore], items: Items, run: TrainingRun) -> TrainingRun:
    settings, tried = choose_preset(stores, items, run.settings, trainer=run.trainer, progress=run.progress)
    run.tuned.append(tried)
    return replace(run, settings=settings)


def _boosted(
    stores: Mapping[str, FunctaStore], items: Items, features: Mapping[str, FunctaFeatures], run: TrainingRun
) -> FunctaClassifier:
    rows = DesignRows(stores, items, features)
    report = run.rounds_reporter()
    classifier = run.settings.classifier()
    if run.settings.tune:
        found = tune_classifier(
            classifier,
            rows,
            items.labels,
            items.groups,
            trainer=run.trainer,
            progress=lambda done, most: run.progress("tune", done, most),
        )
        run.tuned.append(found)
        classifier = found.classifier
    return classifier.fit_rows(rows, items.labels, items.groups, trainer=run.trainer, progress=report)


@dataclass(frozen=True)
class _Fusing:
    """Training of several modalities."""

    stores: Mapping[str, FunctaStore]
    items: Items
    features: Mapping[str, FunctaFeatures]
    run: TrainingRun

    def fit(self) -> FusedClassifier:
        classes = np.array(sorted(set(self.items.labels)), dtype=object)
        shared = self.run.shared or SharedParts()
        members = shared.once("members", lambda: {name: self._member(name) for name in self.features})
        columns = {name: int(transformer.keep_.sum()) for name, transformer in self.features.items()}
        fusion = self.run.settings.fusion or "early"
        make = partial(FusedClassifier, fusion, columns, members, classes)
        if fusion == "early":
            return make(head=self._early())
        own = shared.once(
            "out of fold",
            lambda: np.stack([self._out_of_fold(name, member, classes) for name, member in members.items()]),
        )
        if fusion == "late":
            return make(pool=learn_pool(own, np.searchsorted(classes.astype(str), self.items.labels.astype(str))))
        return make(head=self._stacked(own))

    def _member(self, name: str) -> FunctaClassifier:
        return _boosted(self.stores, self.items.having(name), {name: self.features[name]}, self.run)

    def _early(self) -> FunctaClassifier:
        places, kept = self._together()
        items = self.items.take(places)
        for column, name in enumerate(items.rows):
            items = items.without(name, ~kept[:, column])
        return _boosted(self.stores, items, self.features, self.run)

    def _together(self) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
        """Return what the fusing classifier learns from: places of items (r,), and their modalities (r, branches).

        Rows with one modality never come to it, so they are left out. Of three modalities or more each item comes a
        second time with some of them missing, drawn at random.
        """
        present = np.stack([self.items.present(name) for name in self.items.rows], axis=1)
        places = np.flatnonzero(present.sum(axis=1) > 1)
        kept = present[places]
        if not len(places):
            raise DataError("no training row has two modalities; expected some to learn their fusion from.")
        if present.shape[1] > 2:
            fewer = kept & _drawn_presence(len(kept), kept.shape[1], self.run.settings.classifier().seed)
            still = fewer.sum(axis=1) > 1
            places, kept = np.concatenate([places, places[still]]), np.concatenate([kept, fewer[still]])
        return places, kept

    def _out_of_fold(self, name: str, member: FunctaClassifier, classes: NDArray[np.object_]) -> NDArray[np.float32]:
        """Return probabilities of each item by a classifier that saw nobody of its group, shape (n, classes).

        Filter, normalisation and number of rounds are the member's: they were learned on these training rows, without
        the test rows.
        """
        here = np.flatnonzero(self.items.present(name))
        items = self.items.having(name)
        probabilities = np.full((len(self.items), len(classes)), np.nan, dtype=np.float32)
        fresh = _settled(member)
        for inside, outside in folds_of(items):
            classifier = clone(fresh)
            train, test = (
                DesignRows(self.stores, items.take(part), {name: self.features[name]}) for part in (inside, outside)
            )
            classifier.fit_rows(train, items.labels[inside], trainer=self.run.trainer)
            for batch in batches(len(outside), 4 * test.shape[1]):
                part = np.arange(len(outside))[batch]
                probabilities[here[outside[part]]] = spread(classifier.predict_proba(test[part]), classifier, classes)
        return probabilities

    def _stacked(self, own: NDArray[np.float32]) -> FunctaClassifier:
        """Train the second classifier, XGBoost's linear booster, on the log probabilities.

        On UTD-MHAD (inertial and skeleton, 431 training rows) a linear model of them reached 0.760, trees 0.60 to 0.70.
        """
        places, kept = self._together()
        rows = np.where(kept.T[:, :, None], own[:, places], np.float32(np.nan))
        given = self.run.settings.classifier()
        head = FunctaClassifier(booster="gblinear", seed=given.seed, n_jobs=given.n_jobs)
        return head.fit_rows(stacked_features(rows), self.items.labels[places], self.items.groups[places])


def _settled(member: FunctaClassifier) -> FunctaClassifier:
    """Return an untrained classifier that trains as this one did, without searching rounds or penalty again."""
    if isinstance(member, WrappedEstimator):
        same: FunctaClassifier = clone(member)
        return same
    rounds = max(int(member.n_rounds_), 1)
    fresh: FunctaClassifier = clone(member).set_params(n_estimators=rounds, early_stopping_rounds=None)
    if member.booster == "gbtree":
        return fresh
    fresh.set_params(linear={"penalties": [member.penalty_]})
    return fresh


def folds_of(items: Items) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Return up to five folds of whole groups as places to train on and to predict.

    Raises
    ------
    DataError
        All items are of one group.
    """
    folds = group_folds(items.groups)
    if not folds.any():
        raise DataError(
            f"late and stacked fusion learn from groups left out, but the {len(items)} training rows are of one group; "
            "expected two or more. Encode with groups, or fuse early."
        )
    return [(np.flatnonzero(folds != number), np.flatnonzero(folds == number)) for number in np.unique(folds)]


def _drawn_presence(rows: int, branches: int, seed: int) -> NDArray[np.bool_]:
    """Draw for each row which two or more, but not all, of its modalities a copy keeps."""
    random = np.random.default_rng(seed)
    ranks = random.random((rows, branches)).argsort(axis=1).argsort(axis=1)
    kept = random.integers(2, branches, size=rows)
    return np.asarray(ranks < kept[:, None])
