"""The preset `auto`: which of the named presets, by a quick cross-validation over training groups."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from fusion.encoders.options import Progress
from fusion.estimators.presets import TRAINING_PRESETS, TrainingSettings
from fusion.estimators.trainers import Trainer
from fusion.estimators.tuning import Tried, Tuning
from fusion.features.batches import batches
from fusion.features.items import Items
from fusion.features.matrix import DesignRows, fit_features
from fusion.splits import group_codes, stratified_folds
from store import FunctaStore

__all__ = ["choose_preset"]

_MOST_ROWS = 2000
_CLEAR = 0.05


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
        Training rows with labels; of more than 2,000 as many are drawn.
    settings : TrainingSettings
        With `choices`.
    trainer : Trainer, optional
    progress : callable, optional
        Called with "choose", and how many fits are done.

    Returns
    -------
    settings : TrainingSettings
        Of the preset chosen.
    tuning : Tuning
        What was tried.

    Notes
    -----
    The rows are halved by whole groups (by rows where there is one group). Each preset trains on one half and is tested
    on the other; only where the two best are within 0.05 the halves change places, so that a clear choice takes less
    time than training once. Several modalities are tried side by side, as by early fusion.
    """
    drawn = _drawn(items, settings.classifier().seed)
    first = _first_half(drawn, settings)
    made = {name: _resolved(settings, name) for name in settings.choices}
    scores: dict[str, list[float]] = {name: [] for name in made}
    took = dict.fromkeys(made, 0.0)
    for number, inside in enumerate((first, ~first)):
        for place, (name, resolved) in enumerate(made.items()):
            if progress is not None:
                progress("choose", number * len(made) + place, 2 * len(made))
            begin = time.perf_counter()
            scores[name].append(_score(stores, drawn.take(inside), drawn.take(~inside), resolved, trainer))
            took[name] += time.perf_counter() - begin
        best, second = sorted((found[0] for found in scores.values()), reverse=True)[:2]
        if best - second > _CLEAR:
            break
    measure = settings.task.measure
    tried = tuple(
        Tried(name, dict(resolved.parameters), float(np.mean(scores[name])), round(took[name], 3), measure)
        for name, resolved in made.items()
    )
    chosen = max(tried, key=lambda one: one.score).name
    return made[chosen], Tuning(tried, made[chosen].classifier())


def _first_half(items: Items, settings: TrainingSettings) -> NDArray[np.bool_]:
    strata, seed = settings.task.strata(items.labels), settings.classifier().seed
    groups = group_codes(items.groups)
    folds = stratified_folds(strata, groups if groups.max() else None, most=2, seed=seed)
    return np.asarray(folds == 0)


def _score(
    stores: Mapping[str, FunctaStore],
    training: Items,
    test: Items,
    settings: TrainingSettings,
    trainer: Trainer | None,
) -> float:
    """Train on some items and give the score on others; the lowest there is where nothing can be learned."""
    task, classifier = settings.task, settings.classifier()
    names = task.names(training.labels)
    learned = task.learned(training.labels, names)
    if not len(test) or len({tuple(np.atleast_1d(row)) for row in learned}) < 2:
        return float("-inf")
    learn = partial(fit_features, features=settings.features, max_columns=settings.max_columns, seed=classifier.seed)
    features = {branch: learn(stores[branch], ids) for branch, ids in training.rows.items()}
    classifier.fit_rows(DesignRows(stores, training, features), learned, training.groups, trainer=trainer)
    rows = DesignRows(stores, test, features)
    parts = (np.arange(len(test))[batch] for batch in batches(len(test), 4 * rows.shape[1]))
    outputs = np.concatenate([classifier.outputs(rows[part]) for part in parts])
    weights = task.weights(test.labels, settings.parameters)
    return task.weighted_score(test.labels, task.decided(outputs, names), weights)


def _resolved(settings: TrainingSettings, name: str) -> TrainingSettings:
    preset = TRAINING_PRESETS[name]
    parameters = {**preset.parameters, **settings.parameters}
    return replace(settings, choices=(), max_columns=preset.max_columns, parameters=parameters)


def _drawn(items: Items, seed: int) -> Items:
    if len(items) <= _MOST_ROWS:
        return items
    return items.take(np.sort(np.random.default_rng(seed).choice(len(items), _MOST_ROWS, replace=False)))
