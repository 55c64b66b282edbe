"""Classifiers as files of a model folder: one file per booster, in XGBoost's own format."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, FiniteFloat, ValidationError

from fusion.errors import ModelError
from fusion.estimators.averaging import Pool
from fusion.estimators.fused import FusedEstimator
from fusion.estimators.native import NativeBooster, NativeEstimator
from fusion.estimators.tasks import Task
from fusion.models.booster_check import remember, why_not
from fusion.models.skops_files import estimator_bytes, read_estimator

if TYPE_CHECKING:
    import xgboost

    from fusion.estimators.boosted import FunctaBooster
    from fusion.estimators.wrapped import WrappedEstimator

__all__ = ["BOOSTER_FILE", "ClassifierCard", "FusionCard", "booster_files", "fusion_card", "restore_classifier"]

BOOSTER_FILE = re.compile(r"(model|block-\d{1,3})((-[a-z]{1,20})?\.ubj|\.skops)")
"""Names of such files: of the model or the head of a fusion, and of each modality's own classifier."""

_ESTIMATOR = "estimator"
"""A parameter that only estimators of scikit-learn have on their card."""
_STRICT = ConfigDict(strict=True, extra="forbid")
ReadFile = Callable[[str], bytes]


class _Parameters(BaseModel):
    """What a classifier is made with."""

    model_config = ConfigDict(strict=True, extra="ignore")
    booster: Literal["gbtree", "gblinear", "stacked"] = "gbtree"
    n_estimators: int = 1
    max_depth: int = 1
    eta: FiniteFloat = 1.0
    max_bin: int = 2
    early_stopping_rounds: int | None = None
    validation_fraction: FiniteFloat = 0.0
    refit: bool = True
    seed: int = 0
    parameters: dict[str, Any] | None = None
    linear: dict[str, Any] | None = None
    tree_columns: int | None = None
    class_weight: str | dict[str, FiniteFloat] | None = None


class ClassifierCard(BaseModel):
    """One classifier."""

    model_config = _STRICT
    classes: list[str]
    parameters: dict[str, Any]
    rounds: int


class PoolCard(BaseModel):
    """The average of late fusion."""

    model_config = _STRICT
    mean: Literal["arithmetic", "geometric"]
    weights: list[FiniteFloat]


class FusionCard(BaseModel):
    """What there is besides the branches of a model of several modalities."""

    model_config = _STRICT
    fusion: Literal["early", "late", "stacked"]
    members: list[ClassifierCard]
    head: ClassifierCard | None = None
    pool: PoolCard | None = None


def classifier_card(classifier: FunctaBooster) -> ClassifierCard:
    """Describe a classifier."""
    return ClassifierCard(
        classes=[str(name) for name in classifier.classes_],
        parameters=own_parameters(classifier),
        rounds=int(classifier.n_rounds_),
    )


def own_parameters(classifier: FunctaBooster | WrappedEstimator) -> dict[str, Any]:
    """Return the parameters that a card tells; of an estimator of scikit-learn its name and seed."""
    from fusion.estimators.wrapped import WrappedEstimator

    if isinstance(classifier, WrappedEstimator):
        return {_ESTIMATOR: classifier.name, "seed": classifier.seed}
    parameters: dict[str, Any] = classifier.get_params()
    return parameters


def fusion_card(classifier: FusedEstimator) -> FusionCard:
    """Describe what fuses several modalities."""
    pool = classifier.pool
    return FusionCard(
        fusion=classifier.fusion,  # type: ignore[arg-type]
        members=[classifier_card(member) for member in classifier.members.values()],
        head=None if classifier.head is None else classifier_card(classifier.head),
        pool=None if pool is None else PoolCard(mean=pool.mean, weights=pool.weights.tolist()),
    )


def booster_files(classifier: FunctaBooster | FusedEstimator) -> dict[str, bytes]:
    """Return the content of each file."""
    if not isinstance(classifier, FusedEstimator):
        return _files("model", classifier)
    files = {} if classifier.head is None else _files("model", classifier.head)
    for number, member in enumerate(classifier.members.values()):
        files |= _files(f"block-{number}", member)
    return files


def restore_classifier(
    folder: object,
    card: ClassifierCard,
    fusion: FusionCard | None,
    columns: dict[str, int],
    read: ReadFile,
    *,
    task: Task,
    only_predict: bool = False,
) -> FunctaBooster | FusedEstimator:
    """Read a classifier back.

    Parameters
    ----------
    folder : object
        Named in messages.
    card : ClassifierCard
        Of the model's classes and parameters.
    fusion : FusionCard or None
        Of several modalities.
    columns : dict of str to int
        Of each branch.
    read : callable
        Returns a file whose checksum is right.
    task : Task
        What the model predicts.
    only_predict : bool
        Without what trains, which takes a second to import.

    Raises
    ------
    ModelError
        A file that is no booster, or one of another model.
    """
    boosted = partial(_native if only_predict else _restored, task=task)

    def restored(stem: str, card: ClassifierCard, columns: int) -> Any:
        how: Callable[..., Any] = _unwrapped if _ESTIMATOR in card.parameters else boosted
        return how(folder, read, stem, card, columns)

    if fusion is None:
        alone: FunctaBooster = restored("model", card, sum(columns.values()))
        return alone
    fits = len(fusion.members) == len(columns) and (fusion.pool is None or len(fusion.pool.weights) == len(columns))
    if (
        not fits
        or (fusion.fusion == "late") != (fusion.pool is not None)
        or (fusion.pool is None) == (fusion.head is None)
    ):
        raise ModelError(
            f"model.json of {folder} describes {fusion.fusion} fusion of {len(fusion.members)} members, but there are "
            f"{len(columns)} feature branches or a part is missing. Train again."
        )
    unknown = {label for member in [*fusion.members, *filter(None, [fusion.head])] for label in member.classes}
    unknown -= set(card.classes)
    if unknown or sorted(card.classes) != card.classes:
        raise ModelError(f"model.json of {folder} lists other classes than its classifiers. Train again.")
    members = {
        name: restored(f"block-{number}", member, width)
        for number, (member, (name, width)) in enumerate(zip(fusion.members, columns.items(), strict=True))
    }
    wide = sum(columns.values()) if fusion.fusion == "early" else len(columns) * task.outputs(card.classes)
    head = None if fusion.head is None else restored("model", fusion.head, wide)
    pool = None if fusion.pool is None else Pool(fusion.pool.mean, np.array(fusion.pool.weights, dtype=np.float64))
    return FusedEstimator(fusion.fusion, columns, members, np.array(card.classes, dtype=object), head, pool, task)


def _files(stem: str, classifier: FunctaBooster | WrappedEstimator) -> dict[str, bytes]:
    from fusion.estimators.wrapped import WrappedEstimator

    if isinstance(classifier, WrappedEstimator):
        return {f"{stem}.skops": estimator_bytes(classifier)}
    files = {_file(stem, name): bytes(booster.save_raw("ubj")) for name, booster in classifier.boosters_.items()}
    for content in files.values():
        remember(content)
    return files


def _file(stem: str, name: str) -> str:
    return f"{stem}.ubj" if name == "model" else f"{stem}-{name}.ubj"


def _unwrapped(folder: object, read: ReadFile, stem: str, card: ClassifierCard, columns: int) -> WrappedEstimator:
    from fusion.estimators.wrapped import WrappedEstimator

    file = f"{stem}.skops"
    estimator = read_estimator(folder, file, read(file))
    found = [str(name) for name in getattr(estimator, "classes_", ())], getattr(estimator, "n_features_in_", None)
    if found != (card.classes, columns):
        raise ModelError(
            f"{file} of {folder} knows {len(found[0])} classes and {found[1]} columns, but model.json lists "
            f"{len(card.classes)} classes and the branches make {columns} columns. Train again."
        )
    seed = card.parameters.get("seed")
    return WrappedEstimator(estimator, seed=seed if isinstance(seed, int) else 42).restore(estimator, columns)


def _native(
    folder: object, read: ReadFile, stem: str, card: ClassifierCard, columns: int, *, task: Task
) -> NativeEstimator:
    kind = str(card.parameters.get("booster", "gbtree"))
    names = ("model", "linear") if kind == "stacked" else ("model",)
    try:
        boosters = {name: NativeBooster(_harmless(folder, _file(stem, name), read)) for name in names}
    except ModelError as error:
        raise ModelError(_not_xgboost(folder, f"{stem}.ubj", error)) from error
    classes = np.array(card.classes, dtype=object)
    classifier = NativeEstimator(kind, boosters, classes, task.outputs(card.classes))
    _require_columns(folder, stem, classifier, columns)
    return classifier


def _restored(
    folder: object, read: ReadFile, stem: str, card: ClassifierCard, columns: int, *, task: Task
) -> FunctaBooster:
    import xgboost

    from fusion.estimators.boosted import BOOSTERS

    known = task.estimator({}).get_params()
    unknown = sorted(set(card.parameters) - set(known))
    if unknown:
        raise ModelError(
            f"model.json of {folder} has unknown parameters {unknown}; expected {sorted(known)}. Train again."
        )
    _require_kinds(folder, card.parameters)
    # threads are a matter of this machine, not of the one that trained
    classifier = task.estimator(card.parameters | {"n_jobs": None})
    names = BOOSTERS[classifier.booster]
    boosters = {name: _booster(folder, _file(stem, name), read) for name in names}
    try:
        classifier.restore(boosters, card.classes)
    except (xgboost.core.XGBoostError, ValueError) as error:
        raise ModelError(_not_xgboost(folder, f"{stem}.ubj", error)) from error
    _require_columns(folder, stem, classifier, columns)
    return classifier


def _require_columns(folder: object, stem: str, classifier: Any, columns: int) -> None:
    if classifier.n_features_in_ != columns:
        raise ModelError(
            f"{stem}.ubj of {folder} reads {classifier.n_features_in_} columns but the branches make {columns}. "
            "The files belong to different models: train again."
        )


def _require_kinds(folder: object, parameters: Mapping[str, Any]) -> None:
    """Refuse parameters of another kind than the classifier's own; their ranges are checked where they are used."""
    try:
        _Parameters.model_validate(parameters)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise ModelError(f"model.json of {folder} has the parameter {place!r}: {first['msg']}. Train again.") from error


def _booster(folder: object, name: str, read: ReadFile) -> xgboost.Booster:
    import xgboost

    booster = xgboost.Booster()
    try:
        booster.load_model(bytearray(_harmless(folder, name, read)))
    except (xgboost.core.XGBoostError, ValueError) as error:
        raise ModelError(_not_xgboost(folder, name, error)) from error
    return booster


def _harmless(folder: object, name: str, read: ReadFile) -> bytes:
    content = read(name)
    reason = why_not(content)
    if reason:
        raise ModelError(_not_xgboost(folder, name, ValueError(reason)))
    return content


def _not_xgboost(folder: object, name: str, error: Exception) -> str:
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return f"{name} of {folder} is not an XGBoost model: {reason}. Train again."
