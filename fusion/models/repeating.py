"""The command that trains a model again."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from fusion.errors import ConfigError
from fusion.estimators.by_name import estimator_named
from fusion.estimators.presets import TRAINING_PRESETS, TrainingSettings
from fusion.estimators.tasks import TASKS, Multilabel

__all__ = ["settings_told", "train_command"]

_OPTIONS = {
    "booster": "--booster",
    "n_estimators": "--rounds",
    "max_depth": "--max-depth",
    "eta": "--eta",
    "seed": "--seed",
    "n_jobs": "--threads",
    "class_weight": "--class-weight",
}


def train_command(
    source: object,
    model_dir: str | Path,
    settings: TrainingSettings,
    *,
    train_splits: Sequence[str] = (),
    test_splits: Sequence[str] = (),
    cv: str | None = None,
    seeds: int = 1,
    sample: float | None = None,
    shared_groups: bool = False,
) -> str | None:
    """Write the command line of a training; None where none says the same.

    Parameters
    ----------
    source : path
        A path, or what knows its own.
    model_dir : path
        Where the model goes.
    settings : TrainingSettings
        How it is trained.
    train_splits, test_splits, cv, seeds, sample, shared_groups : see `fusion.models.training.train`
        As for `fusion.train`.
    """
    if settings.estimator is not None and not _is_named(settings.estimator):
        return None
    path = source if isinstance(source, (str, Path)) else getattr(source, "path", None)
    preset = _preset_of(settings)
    if path is None or preset is None:
        return None
    words = ["functa", "train", str(path), "--model", str(model_dir), "--preset", preset]
    words += [word for option, value in _differing(preset, settings) for word in (option, str(value))]
    words += ["--tune"] if settings.tune else []
    words += ["--thresholds"] if settings.thresholds else []
    words += ["--cv", cv] if cv else []
    words += ["--seeds", str(seeds)] if seeds > 1 else []
    words += [] if sample is None else ["--sample", str(sample)]
    words += ["--shared-groups"] if shared_groups else []
    words += [word for split in train_splits if list(train_splits) != ["train"] for word in ("--train-split", split)]
    words += [word for split in test_splits if list(test_splits) != ["test"] for word in ("--test-split", split)]
    return shlex.join(words)


def settings_told(settings: TrainingSettings) -> dict[str, Any]:
    """Tell settings as plain values: the preset that they come from, if one does, and all parameters.

    Examples
    --------
    >>> told = settings_told(TRAINING_PRESETS["fast"])
    >>> told["preset"], told["seed"], told["parameters"]["max_depth"]
    ('fast', 42, 3)
    """
    parameters = _all(settings)
    chosen = {name: getattr(settings, name) for name in ("features", "fusion", "tune", "thresholds", "max_columns")}
    told: dict[str, Any] = {"task": settings.task.name, "preset": _preset_of(settings), "seed": parameters["seed"]}
    if settings.estimator is not None:
        parameters = {"seed": parameters["seed"], **settings.estimator.get_params()}
        told["preset"] = None
        chosen["estimator"] = repr(settings.estimator)
    return {**told, **chosen, "parameters": parameters}


def _is_named(estimator: Any) -> bool:
    """Tell whether the text of an estimator makes the same one."""
    try:
        same: bool = estimator_named(repr(estimator)).get_params() == estimator.get_params()
    except ConfigError:
        return False
    return same


def _preset_of(settings: TrainingSettings) -> str | None:
    return next((name for name in TRAINING_PRESETS if _says(name, settings)), None)


def _says(preset: str, settings: TrainingSettings) -> bool:
    """Tell whether a preset differs from settings only in what options can say."""
    own = TRAINING_PRESETS[preset]
    if (own.max_columns, own.choices) != (settings.max_columns, settings.choices):
        return False
    asked = {name: getattr(settings, name) for name in ("features", "fusion", "tune", "task")}
    return _fixed(replace(own, **asked)) == _fixed(settings)


def _all(settings: TrainingSettings) -> dict[str, Any]:
    parameters: dict[str, Any] = settings.task.estimator({}).get_params()
    return parameters | dict(settings.parameters)


def _fixed(settings: TrainingSettings) -> dict[str, Any]:
    return {name: value for name, value in _all(settings).items() if name not in _OPTIONS}


def _differing(preset: str, settings: TrainingSettings) -> list[tuple[str, Any]]:
    usual, own = _all(replace(TRAINING_PRESETS[preset], task=settings.task)), _all(settings)
    options = {name: option for name, option in _OPTIONS.items() if name in own}
    found = [
        (option, _written(own[name])) for name, option in options.items() if own[name] != usual[name] or name == "seed"
    ]
    if settings.task != TASKS["classification"]:
        found.insert(0, ("--task", settings.task.name))
    if isinstance(settings.task, Multilabel) and settings.task != TASKS["multilabel"]:
        found.append(("--label-separator", settings.task.separator))
    if settings.estimator is not None:
        found.append(("--estimator", repr(settings.estimator)))
    if settings.fusion is not None:
        found.insert(0, ("--fusion", settings.fusion))
    return found + ([("--features", settings.features)] if settings.features != "delta" else [])


def _written(value: Any) -> Any:
    """Write a mapping of classes to weights as the option takes it."""
    return ",".join(f"{name}={weight:g}" for name, weight in value.items()) if isinstance(value, Mapping) else value
