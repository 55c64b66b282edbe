"""The preset `auto`: which of the named presets, by a quick cross-validation over training groups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from fusion.encoders.options import Progress
from fusion.estimators.presets import TRAINING_PRESETS, TrainingSettings
from fusion.estimators.trainers import Trainer
from fusion.estimators.tuning import Tuning, tune_classifier
from fusion.features.items import Items
from fusion.features.matrix import DesignRows, fit_features
from fusion.splits import group_codes
from store import FunctaStore

__all__ = ["choose_preset"]

_FOLDS = 2
_MOST_ROWS = 2000


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
    Two folds of whole groups (of rows where there is one group): every fit is on half of the rows, so both together
    take about as long as one fit on all of them. Several modalities are tried side by side, as by early fusion.
    """
    seed = settings.classifier().seed
    drawn = _drawn(items, seed)
    groups = drawn.groups if group_codes(drawn.groups).max() else None
    tried: list[Tuning] = []
    for number, name in enumerate(settings.choices):
        resolved = _resolved(settings, name)
        if progress is not None:
            progress("choose", number, len(settings.choices))
        features = {
            branch: fit_features(
                stores[branch], ids, features=resolved.features, max_columns=resolved.max_columns, seed=seed
            )
            for branch, ids in drawn.rows.items()
        }
        tried.append(
            tune_classifier(
                resolved.classifier(),
                DesignRows(stores, drawn, features),
                drawn.labels,
                groups,
                candidates={name: resolved.parameters},
                folds=_FOLDS,
                task=settings.task,
                trainer=trainer,
            )
        )
    every = tuple(each.chosen for each in tried)
    best = max(range(len(every)), key=lambda number: every[number].score)
    return _resolved(settings, every[best].name), Tuning(every, tried[best].classifier)


def _resolved(settings: TrainingSettings, name: str) -> TrainingSettings:
    preset = TRAINING_PRESETS[name]
    parameters = {**preset.parameters, **settings.parameters}
    return replace(settings, choices=(), max_columns=preset.max_columns, parameters=parameters)


def _drawn(items: Items, seed: int) -> Items:
    if len(items) <= _MOST_ROWS:
        return items
    return items.take(np.sort(np.random.default_rng(seed).choice(len(items), _MOST_ROWS, replace=False)))
