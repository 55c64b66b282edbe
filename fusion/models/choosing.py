"""The preset `auto`: which of the named presets, by a quick cross-validation over training groups."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from fusion.encoders.options import Progress
from fusion.errors import ConfigError
from fusion.estimators.presets import TRAINING_PRESETS, TrainingSettings
from fusion.estimators.tasks import Task
from fusion.estimators.trainers import LocalTrainer, Trainer
from fusion.estimators.tuning import Tried, Tuning, is_linear, plainest
from fusion.features.batches import batches
from fusion.features.items import Items
from fusion.features.matrix import design_matrix
from fusion.features.transformer import FunctaFeatures
from fusion.splits import group_codes, stratified_folds
from store import FunctaStore

__all__ = ["choose_preset", "score_left_out", "with_preset"]

_MOST_ROWS = 1000
_MOST_UNKNOWNS = 16_000
"""Of a linear model: the matrices of its folds take 4 to 6 GB then, and its time grows with their cube."""
_CLEAR = 2.0
"""Standard errors between the two best presets on one half of the rows that make the other half needless."""


def choose_preset(
    stores: Mapping[str, FunctaStore],
    items: Items,
    settings: TrainingSettings,
    *,
    trainer: Trainer | None = None,
    progress: Progress | None = None,
) -> tuple[TrainingSettings, Tuning]:
    """Choose among the presets that the settings leave open; the other settings stay.

    Parameters
    ----------
    stores : mapping of str to FunctaStore
    items : Items
        Training rows with labels; of more than 1,000 as many are drawn, and kept in memory.
    settings : TrainingSettings
        With `choices`.
    trainer : Trainer, optional
        In this process.
    progress : callable, optional
        Called with "choose", and how many fits are done.

    Returns
    -------
    settings : TrainingSettings
        Of the preset chosen.
    tuning : Tuning
        What was tried.

    Raises
    ------
    ConfigError
        The trainer is a cluster's.

    Notes
    -----
    The rows are halved by whole groups (by rows where there is one group). Each preset trains on one half and is tested
    on the other: trees first without training again on what stopped them, which takes half the time. Only where the two
    best are within two standard errors of their difference over the tested rows trees train again, and the halves
    change places. Of scores within half a point the first preset's is taken; where no half has two classes, a linear
    one: trees do not split so few rows. Several modalities are tried side by side,
    as by early fusion. Linear models are left out where both rows and columns are more than 16,000: trees take less
    memory and time then.
    """
    if trainer is not None and not isinstance(trainer, LocalTrainer):
        raise ConfigError(
            "the preset 'auto' tries models that train in one process; expected 'fast' or 'linear' on a cluster."
        )
    drawn = _Drawn.of(stores, _sample(items, settings.classifier().seed))
    first = _first_half(drawn.items, settings)
    made = {name: with_preset(settings, name) for name in _affordable(settings.choices, stores, items)}
    halves = [half for half in (first, ~first) if drawn.teaches(half, settings.task)]
    found: dict[str, list[_Scored]] = {name: [] for name in made}
    took = dict.fromkeys(made, 0.0)
    for number, half in enumerate(halves):
        for place, (name, resolved) in enumerate(made.items()):
            if progress is not None:
                progress("choose", number * len(made) + place, 2 * len(made))
            begin = time.perf_counter()
            if not number:
                found[name] = [drawn.scored(half, resolved, trainer, refit=False)]
            else:
                once = found[name] if _is_linear(name) else [drawn.scored(halves[0], resolved, trainer)]
                found[name] = [*once, drawn.scored(half, resolved, trainer)]
            took[name] += time.perf_counter() - begin
        if _is_clear([each[0] for each in found.values()]):
            break
    measure = settings.task.measure
    tried = tuple(
        Tried(
            name,
            dict(made[name].parameters),
            float(np.mean([one.score for one in each])) if each else None,
            round(took[name], 3),
            measure,
        )
        for name, each in found.items()
    )
    chosen = plainest(tried).name
    return made[chosen], Tuning(tried, made[chosen].classifier())


def score_left_out(
    stores: Mapping[str, FunctaStore], items: Items, inside: NDArray[np.bool_], settings: TrainingSettings
) -> float | None:
    """Train on the items inside and give the score on the others; None where nothing can be learned."""
    drawn = _Drawn.of(stores, items)
    return drawn.scored(inside, settings, None).score if drawn.teaches(inside, settings.task) else None


@dataclass(frozen=True, eq=False)
class _Scored:
    """What a preset reached on tested rows, and how good each prediction was, shape (n,), with the rows' weights."""

    score: float
    hits: NDArray[np.float64]
    weights: NDArray[np.float64] | None


def _affordable(names: Sequence[str], stores: Mapping[str, FunctaStore], items: Items) -> list[str]:
    """Leave out what fits a linear model of too many rows and columns, as long as something is left."""
    unknowns = min(len(items), sum(stores[name].k for name in items.rows))
    trees = [name for name in names if not _is_linear(name)]
    return trees if trees and unknowns > _MOST_UNKNOWNS else list(names)


def _is_linear(name: str) -> bool:
    return is_linear(TRAINING_PRESETS[name].parameters)


def _is_clear(found: Sequence[_Scored]) -> bool:
    if len(found) < 2:
        return True
    best, second = sorted(found, key=lambda one: one.score, reverse=True)[:2]
    difference = best.hits - second.hits
    mean = np.average(difference, weights=best.weights)
    spread = np.sqrt(np.average(np.square(difference - mean), weights=best.weights))
    return bool(mean > _CLEAR * spread / np.sqrt(len(difference)))


@dataclass(frozen=True, eq=False)
class _Columns:
    """Rows of all modalities side by side, in memory."""

    values: NDArray[np.float32]
    blocks: tuple[int, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        return self.values.shape

    def __getitem__(self, positions: NDArray[np.intp]) -> NDArray[np.float32]:
        return self.values[positions]


@dataclass(frozen=True, eq=False)
class _Drawn:
    """Rows to try presets on: their functas by modality, shape (n, k), NaN where one is missing."""

    items: Items
    functas: Mapping[str, NDArray[np.float32]]
    starts: Mapping[str, NDArray[Any] | None]

    @classmethod
    def of(cls, stores: Mapping[str, FunctaStore], items: Items) -> Self:
        """Read each once for all presets."""
        functas = {name: design_matrix(stores, items, {name: _as_they_are(stores[name].k)}) for name in items.rows}
        return cls(items, functas, {name: stores[name].state.get("start") for name in items.rows})

    def teaches(self, inside: NDArray[np.bool_], task: Task) -> bool:
        """Tell whether some items differ in what is learned, and others are left to test on."""
        labels = self.items.labels[inside]
        learned = task.learned(labels, task.names(labels))
        return not inside.all() and len({tuple(np.atleast_1d(row)) for row in learned}) > 1

    def scored(
        self, inside: NDArray[np.bool_], settings: TrainingSettings, trainer: Trainer | None, *, refit: bool = True
    ) -> _Scored:
        """Train on some items and test on the others."""
        task, labels = settings.task, self.items.labels[inside]
        classifier = settings.classifier().set_params(refit=refit)
        names = task.names(labels)
        learned = task.learned(labels, names)
        training, test = self._columns(inside, settings)
        classifier.fit_rows(training, learned, self.items.groups[inside], trainer=trainer)
        parts = batches(len(test.values), 4 * test.shape[1])
        predicted = task.decided(np.concatenate([classifier.outputs(test.values[part]) for part in parts]), names)
        truth = self.items.labels[~inside]
        weights = task.weights(truth, settings.parameters)
        hits = np.asarray(task.hits(truth, predicted), dtype=np.float64)
        return _Scored(task.weighted_score(truth, predicted, weights), hits, weights)

    def _columns(self, inside: NDArray[np.bool_], settings: TrainingSettings) -> tuple[_Columns, _Columns]:
        how: dict[str, Any] = {"max_columns": settings.max_columns, "seed": settings.classifier().seed}
        made = {
            name: FunctaFeatures(settings.features, start=self.starts[name], **how).fit(functas[inside])
            for name, functas in self.functas.items()
        }
        blocks = tuple(int(features.keep_.sum()) for features in made.values())
        training, test = (
            np.hstack([features.transform(self.functas[name][rows]) for name, features in made.items()])
            for rows in (inside, ~inside)
        )
        return _Columns(training, blocks), _Columns(test, blocks)


def _sample(items: Items, seed: int) -> Items:
    if len(items) <= _MOST_ROWS:
        return items
    return items.take(np.sort(np.random.default_rng(seed).choice(len(items), _MOST_ROWS, replace=False)))


def _as_they_are(k: int) -> FunctaFeatures:
    """Return features that are the functas themselves."""
    features = FunctaFeatures("weights", filter_invariant=False, normalise=False)
    return features.restore(np.ones(k, dtype=bool), np.zeros(k), np.ones(k))


def _first_half(items: Items, settings: TrainingSettings) -> NDArray[np.bool_]:
    strata, seed = settings.task.strata(items.labels), settings.classifier().seed
    groups = group_codes(items.groups)
    folds = stratified_folds(strata, groups if groups.max() else None, most=2, seed=seed)
    return np.asarray(folds == 0)


def with_preset(settings: TrainingSettings, name: str) -> TrainingSettings:
    """Return the settings with those of a preset where they say nothing."""
    preset = TRAINING_PRESETS[name]
    parameters = {**preset.parameters, **settings.parameters}
    return replace(settings, choices=(), max_columns=preset.max_columns, parameters=parameters)
