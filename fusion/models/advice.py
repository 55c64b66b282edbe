"""What a user should know or try after training, when the data say so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fusion.estimators.multilabel import Multilabel
from fusion.estimators.presets import TrainingSettings
from fusion.estimators.tasks import Task
from fusion.estimators.tuning import Tuning
from fusion.features.items import Items
from fusion.metrics import Evaluation, Figures
from fusion.models.choosing import choose_preset, score_left_out, with_preset
from fusion.models.model import Model
from fusion.splits import classes_of_one_group, group_codes
from store import FunctaStore

__all__ = [
    "advice_on_choice",
    "advice_on_groups",
    "advice_on_linear",
    "advice_on_lone_groups",
    "advice_on_separator",
    "advice_on_silent_classes",
]

FEW_ROWS = 1000
"""Up to so many training rows a linear model is tried beside trees."""
_WORTH = 0.02


def advice_on_linear(
    stores: Mapping[str, FunctaStore], items: Items, settings: TrainingSettings, model: Model | None
) -> tuple[str, ...]:
    """Try a linear model where trees were trained on few rows, and tell if it is better on groups left out.

    Parameters
    ----------
    stores : mapping of str to FunctaStore
    items : Items
        Training rows with labels.
    settings : TrainingSettings
    model : Model or None
        Trained on these items. Of one modality its trees were stopped by what they reach on rows left out, so that a
        linear model is trained on the others alone; else fast trees are tried, too.
    """
    if len(items) > FEW_ROWS or settings.tune or settings.choices or settings.classifier().booster != "gbtree":
        return ()
    given = {name: value for name, value in settings.parameters.items() if name != "booster"}
    plain = replace(settings, parameters=given)
    held = None if model is None else getattr(model.classifier, "held_out_", None)
    if model is not None and held is not None:
        return _beside_trees(stores, items, with_preset(plain, "linear"), model, *held)
    _, tuning = choose_preset(stores, items, replace(plain, choices=("fast", "linear")))
    trees, linear = (tried.score for tried in tuning.tried)
    if trees is None or linear is None:
        return (f"{len(items):,} training rows are too few for trees, which do not split them: try --preset linear",)
    return _told(items, linear - trees, f"which cross-validates at {linear:.2f} against {trees:.2f} of fast trees")


def _beside_trees(
    stores: Mapping[str, FunctaStore],
    items: Items,
    linear: TrainingSettings,
    model: Model,
    held: NDArray[np.bool_],
    outputs: NDArray[np.float32],
) -> tuple[str, ...]:
    labels, task = items.labels[held], linear.task
    predicted = task.decided(outputs, np.asarray(model.classes, dtype=object))
    trees = task.weighted_score(labels, predicted, task.weights(labels, linear.parameters))
    parameters = {**linear.parameters, "early_stopping_rounds": None}  # a middle penalty; to choose one takes longest
    found = score_left_out(stores, items, ~held, replace(linear, parameters=parameters))
    if found is None:
        return ()
    told = f"which reaches {found:.2f} on {held.sum():,} of them that were left out, the trees {trees:.2f}"
    return _told(items, found - trees, told)


def _told(items: Items, ahead: float, told: str) -> tuple[str, ...]:
    return () if ahead < _WORTH else (f"{len(items):,} training rows: try --preset linear, {told}",)


def advice_on_choice(tuning: Tuning | None) -> tuple[str, ...]:
    """Tell that what was chosen is not chosen by what it reached."""
    if tuning is None or tuning.compared:
        return ()
    why = "no part of the training rows has two classes to learn from and others to be tested on"
    return (f"{tuning.chosen.name} was taken without a comparison: {why}; more rows of each class would tell",)


def advice_on_silent_classes(evaluation: Figures) -> tuple[str, ...]:
    """Tell of classes that have test rows and are never predicted."""
    if not isinstance(evaluation, Evaluation):
        return ()
    predicted = evaluation.confusion.sum(axis=0)
    silent = [each for each, count in zip(evaluation.per_class, predicted, strict=True) if each.support and not count]
    if not silent:
        return ()
    names = ", ".join(f"{each.label!r} ({each.support:,} test rows)" for each in silent[:3])
    told = f"{len(silent)} of {len(predicted)} classes are never predicted, such as {names}"
    return (f"{told}; try --class-weight balanced or --thresholds, or add training rows of them",)


def advice_on_separator(items: Items, task: Task) -> tuple[str, ...]:
    """Tell that no row has several labels, as where another separator stands between them."""
    if not isinstance(task, Multilabel) or any(task.separator in str(label) for label in items.labels):
        return ()
    told = f"no training row holds the separator {task.separator!r}: each has one label, such as {items.labels[0]!r}"
    return (f"{told}; if it is several, write them with it, or name what stands between with --label-separator",)


def advice_on_groups(items: Items) -> tuple[str, ...]:
    """Tell that no row has a group."""
    if any(group is not None for group in items.groups):
        return ()
    told = "if several are of one person or recording, some may be on both sides of a split; encode with groups"
    return (f"no training row has a group: {told}",)


def advice_on_lone_groups(items: Items, task: Task, *, tested: bool = False) -> tuple[str, ...]:
    """Tell of classes whose training rows, two or more, are all of one group; `tested` where they are left out."""
    if task.name != "classification":
        return ()
    codes = task.strata(items.labels)
    counts = np.bincount(codes)
    alone = [code for code in classes_of_one_group(codes, group_codes(items.groups)) if counts[code] > 1]
    if not alone:
        return ()
    first = int(np.argmax(codes == alone[0]))
    such = f"{str(items.labels[first])!r} ({items.groups[first]})"
    told = f"{len(alone)} of {len(counts)} classes have one training group each, such as {such}"
    what = (
        "the fold that tests it has not learned it"
        if tested
        else "what training chooses, such as rounds or a preset, is chosen on rows of groups that it learns from"
    )
    return (f"{told}: {what}; more groups of each class would tell",)
