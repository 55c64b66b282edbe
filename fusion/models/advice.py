"""What a user should know or try after training, when the data say so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from fusion.estimators.presets import TrainingSettings
from fusion.features.items import Items
from fusion.metrics import Evaluation, Figures
from fusion.models.choosing import choose_preset
from store import FunctaStore

__all__ = ["advice_on_groups", "advice_on_linear", "advice_on_silent_classes"]

FEW_ROWS = 1000
"""Up to so many training rows a linear model is tried beside trees."""
_WORTH = 0.01


def advice_on_linear(stores: Mapping[str, FunctaStore], items: Items, settings: TrainingSettings) -> tuple[str, ...]:
    """Try a linear model where trees were trained on few rows, and tell if it is better on groups left out.

    The trees of the trial are those of the preset `fast`, with the parameters that were given: it takes seconds.
    """
    if len(items) > FEW_ROWS or settings.tune or settings.choices or settings.classifier().booster != "gbtree":
        return ()
    given = {name: value for name, value in settings.parameters.items() if name != "booster"}
    _, tuning = choose_preset(stores, items, replace(settings, parameters=given, choices=("fast", "linear")))
    trees, linear = (tried.score for tried in tuning.tried)
    if linear < trees + _WORTH:
        return ()
    told = f"{linear:.2f} against {trees:.2f} of fast trees"
    return (f"{len(items):,} training rows: try --preset linear, which cross-validates at {told}",)


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


def advice_on_groups(items: Items) -> tuple[str, ...]:
    """Tell that no row has a group."""
    if any(group is not None for group in items.groups):
        return ()
    told = "if several are of one person or recording, some may be on both sides of a split; encode with groups"
    return (f"no training row has a group: {told}",)
