"""Training: one estimator of one modality, or those of several and what fuses them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from fusion.encoders.options import Progress
from fusion.errors import DataError
from fusion.estimators.boosted import FunctaBooster
from fusion.estimators.fused import FusedEstimator
from fusion.estimators.presets import TrainingSettings
from fusion.estimators.tasks import Task
from fusion.estimators.trainers import Trainer
from fusion.estimators.tuning import Tuning, tune_classifier
from fusion.estimators.wrapped import WrappedEstimator
from fusion.features.batches import batches
from fusion.features.items import Items
from fusion.features.matrix import DesignRows, fit_features
from fusion.features.transformer import FunctaFeatures
from fusion.models.choosing import choose_preset
from fusion.models.model import Model, ModelBranch, Training
from fusion.splits import classes_of_one_group, group_folds
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
        What was tried to choose an estimator, one after the other; filled by training.
    shared : SharedParts or None
        What runs that differ in their fusion alone take over from each other.
    advise : bool
        Try for some seconds what else might be better.
    sample : float or None
        Share of the training groups to train on.
    shared_groups : bool
        Take splits with a group on both sides as they are.
    """

    settings: TrainingSettings
    trainer: Trainer
    progress: Progress
    tuned: list[Tuning] = field(default_factory=list)
    shared: SharedParts | None = None
    advise: bool = False
    sample: float | None = None
    shared_groups: bool = False

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
    given, task = run.settings, run.settings.task
    learn = partial(fit_features, features=given.features, max_columns=given.max_columns, seed=given.classifier().seed)
    for name in items.rows:
        if not items.present(name).any():
            raise DataError(f"no training row has the modality {name!r}; expected some. Link the stores again.")
    features = {name: learn(stores[name], ids) for name, ids in items.rows.items()}
    classifier: FunctaBooster | FusedEstimator
    if len(features) == 1:
        classifier = _boosted(stores, items, features, run)
    else:
        classifier = _Fusing(stores, items, features, run).fit()
    training = Training(
        rows=len(items),
        groups=len({group for group in items.groups if group is not None}),
        classes=task.counts(items.labels),
        seconds=round(time.perf_counter() - begin, 3),
        mean=None if task.counts(items.labels) else float(np.mean(items.labels)),
    )
    branches = tuple(ModelBranch.of_store(name, stores[name], features[name]) for name in features)
    return Model(branches, classifier, training, task=task)


def _chosen(stores: Mapping[str, FunctaStore], items: Items, run: TrainingRun) -> TrainingRun:
    settings, tried = choose_preset(stores, items, run.settings, trainer=run.trainer, progress=run.progress)
    run.tuned.append(tried)
    return replace(run, settings=settings)


def _boosted(
    stores: Mapping[str, FunctaStore],
    items: Items,
    features: Mapping[str, FunctaFeatures],
    run: TrainingRun,
    names: NDArray[np.object_] | None = None,
) -> FunctaBooster:
    """Train on rows; `names` are those of the outputs, told from their labels when not given."""
    rows = DesignRows(stores, items, features)
    report = run.rounds_reporter()
    task, classifier = run.settings.task, run.settings.classifier()
    if run.settings.tune:
        found = tune_classifier(
            classifier,
            rows,
            items.labels,
            items.groups,
            task=task,
            trainer=run.trainer,
            progress=lambda done, most: run.progress("tune", done, most),
        )
        run.tuned.append(found)
        classifier = found.classifier
    known = task.names(items.labels) if names is None else names
    learned = task.learned(items.labels, known)
    trained = classifier.fit_rows(rows, learned, items.groups, trainer=run.trainer, progress=report)
    return task.named(trained, known)


@dataclass(frozen=True, eq=False)
class _Fusing:
    """Training of several modalities."""

    stores: Mapping[str, FunctaStore]
    items: Items
    features: Mapping[str, FunctaFeatures]
    run: TrainingRun

    @property
    def task(self) -> Task:
        return self.run.settings.task

    @cached_property
    def names(self) -> NDArray[np.object_]:
        return self.task.names(self.items.labels)

    def fit(self) -> FusedEstimator:
        shared = self.run.shared or SharedParts()
        members = shared.once("members", lambda: {name: self._member(name) for name in self.features})
        columns = {name: int(transformer.keep_.sum()) for name, transformer in self.features.items()}
        fusion = self.run.settings.fusion or "early"
        make = partial(FusedEstimator, fusion, columns, members, self.names, task=self.task)
        if fusion == "early":
            return make(head=self._early())
        own = shared.once(
            "out of fold", lambda: np.stack([self._out_of_fold(name, member) for name, member in members.items()])
        )
        if fusion == "late":
            learned = self.task.learned(self.items.labels, self.names)
            weights = self.task.weights(self.items.labels, self.run.settings.parameters)
            return make(pool=self.task.learn_pool(own, learned, weights))
        return make(head=self._stacked(own))

    def _member(self, name: str) -> FunctaBooster:
        return _boosted(self.stores, self.items.having(name), {name: self.features[name]}, self.run, self._kept)

    @property
    def _kept(self) -> NDArray[np.object_] | None:
        """Names that every estimator gives an output for; of classes each has those it meets."""
        return None if self.task.name == "classification" else self.names

    def _early(self) -> FunctaBooster:
        places, kept = self._together()
        items = self.items.take(places)
        for column, name in enumerate(items.rows):
            items = items.without(name, ~kept[:, column])
        return _boosted(self.stores, items, self.features, self.run, self._kept)

    def _together(self) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
        """Return what the fusing estimator learns from: places of items (r,), and their modalities (r, branches).

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

    def _out_of_fold(self, name: str, member: FunctaBooster) -> NDArray[np.float32]:
        """Return outputs of each item by an estimator that saw nobody of its group, shape (n, outputs).

        NaN where its class is of one fold alone: who left the fold out does not know the class. Filter, normalisation
        and number of rounds are the member's: they were learned on these training rows, without the test rows.
        """
        here = np.flatnonzero(self.items.present(name))
        items = self.items.having(name)
        learned = self.task.learned(items.labels, self.names)
        found = np.full((len(self.items), self.task.outputs(self.names)), np.nan, dtype=np.float32)
        fresh = _settled(member)
        strata = self.task.strata(items.labels)
        folds = _folds(items, strata)
        for number in np.unique(folds):
            inside, outside = np.flatnonzero(folds != number), np.flatnonzero(folds == number)
            classifier = clone(fresh)
            train, test = (
                DesignRows(self.stores, items.take(part), {name: self.features[name]}) for part in (inside, outside)
            )
            classifier.fit_rows(train, learned[inside], trainer=self.run.trainer)
            for batch in batches(len(outside), 4 * test.shape[1]):
                part = np.arange(len(outside))[batch]
                outputs = classifier.outputs(test[part])
                found[here[outside[part]]] = self.task.spread(outputs, classifier.classes_, self.names)
        found[here[np.isin(strata, classes_of_one_group(strata, folds))]] = np.nan
        return found

    def _stacked(self, own: NDArray[np.float32]) -> FunctaBooster:
        """Train the second estimator, XGBoost's linear booster, on the log probabilities or the numbers.

        On UTD-MHAD (inertial and skeleton, 431 training rows) a linear model of them reached 0.760, trees 0.60 to 0.70.
        """
        places, kept = self._together()
        kept &= ~np.isnan(own[:, places, 0]).T
        told = kept.sum(axis=1) > 1
        places, kept = places[told], kept[told]
        self._require_two_classes(places)
        rows = np.where(kept.T[:, :, None], own[:, places], np.float32(np.nan))
        given = self.run.settings.parameters
        own_choice = {name: given[name] for name in ("seed", "n_jobs", "class_weight") if name in given}
        head = self.task.estimator({"booster": "gblinear", **own_choice})
        learned = self.task.learned(self.items.labels[places], self.names)
        head.fit_rows(self.task.head_rows(rows), learned, self.items.groups[places])
        return self.task.named(head, self.names)

    def _require_two_classes(self, places: NDArray[np.intp]) -> None:
        if self.task.name == "classification" and (known := len(set(self.items.labels[places]))) < 2:
            raise DataError(
                f"stacked fusion learns from rows left out, of classes that others have too, but of {len(self.names)} "
                f"classes in {len(self.items)} training rows {known} have such rows; "
                "expected two or more. Add training rows of each class, or fuse late."
            )


def _settled(member: FunctaBooster | WrappedEstimator) -> FunctaBooster:
    """Return an untrained estimator that trains as this one did, without searching rounds or penalty again."""
    if isinstance(member, WrappedEstimator):
        same: FunctaBooster = clone(member)
        return same
    rounds = max(int(member.n_rounds_), 1)
    fresh: FunctaBooster = clone(member).set_params(n_estimators=rounds, early_stopping_rounds=None)
    if member.booster == "gbtree":
        return fresh
    fresh.set_params(linear={"penalties": [member.penalty_]})
    return fresh


def _folds(items: Items, strata: NDArray[np.intp]) -> NDArray[np.intp]:
    """Deal items into up to five folds of whole groups, shape (n,)."""
    folds = group_folds(items.groups, codes=strata)
    if not folds.any():
        raise DataError(
            f"late and stacked fusion learn from groups left out, but the {len(items)} training rows are of one group; "
            "expected two or more. Encode with groups, or fuse early."
        )
    return folds


def _drawn_presence(rows: int, branches: int, seed: int) -> NDArray[np.bool_]:
    """Draw for each row which two or more, but not all, of its modalities a copy keeps."""
    random = np.random.default_rng(seed)
    ranks = random.random((rows, branches)).argsort(axis=1).argsort(axis=1)
    kept = random.integers(2, branches, size=rows)
    return np.asarray(ranks < kept[:, None])
