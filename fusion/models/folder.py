"""The model folder: everything that is needed to predict, as data that cannot execute anything.

=======================  =============================================================================================
``model.json``           format, task, classes, branches with their stores' headers, parameters, versions, checksums
``model.ubj``            the booster, in XGBoost's own format; of a fusion what fuses, and ``block-0.ubj``, ... of each
                         modality alone; further boosters of one classifier as ``model-NAME.ubj``;
                         ``.skops`` in place of ``.ubj`` of estimators of scikit-learn, see `fusion.models.skops_files`
``arrays.npz``           filter and normalisation of each branch, and its encoder's state (start, value limits, ...)
``metrics.json``         what `Evaluation.to_dict` returned, when the model was evaluated, and what `Record` adds
``predictions.parquet``  the test items: what was predicted of each, how well its functas reproduce it; see `score`
``run.json``             what was asked, of which data, and what came out: of the training and of later evaluations
=======================  =============================================================================================

A folder is written beside its place and renamed, so there is a whole model or none. Nothing is ever unpickled, and the
checksums are compared before any other reader sees a file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from os import fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from fusion.errors import ConfigError, ModelError
from fusion.estimators.fused import FusedEstimator
from fusion.estimators.tasks import Multilabel, Task, task_of
from fusion.models.booster_files import (
    BOOSTER_FILE,
    ClassifierCard,
    FusionCard,
    booster_files,
    fusion_card,
    own_parameters,
    restore_classifier,
)
from fusion.models.branch_files import BranchCard, branch_card, pack_arrays, restore_branch, unpack_arrays
from fusion.models.model import Model, ModelBranch, Training
from fusion.models.records import RUN_FILE, Run, run_document
from fusion.settings import require
from store.files import whole_folder

if TYPE_CHECKING:
    import pandas as pd

    from fusion.metrics import Figures

__all__ = ["Model", "ModelBranch", "Record", "Training", "load_model", "require_replaceable", "save_model"]

FORMAT = "functa-fusion-model"
FORMAT_VERSION = 4
"""2 added `fusion`, the models of several modalities; 3 `task`, those of numbers and of sets of labels; 4 `thresholds`,
from which probability on a class or a label is named."""
_PLOTS = {"confusion.png", "residuals.png"}  # of earlier versions, and of studies
_FILES = {"model.json", "arrays.npz", "metrics.json", "predictions.parquet", "report.html", RUN_FILE, *_PLOTS}


@dataclass(frozen=True, eq=False)
class Record:
    """What is kept beside a model for its report.

    Attributes
    ----------
    metrics : mapping of str to object
        Further entries of ``metrics.json``.
    predictions : DataFrame
        Table of the test items, as `fusion.models.scoring.score` returns it.
    run : Run
        The training.
    """

    metrics: Mapping[str, Any]
    predictions: pd.DataFrame
    run: Run


class _Card(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", populate_by_name=True)
    format: str
    format_version: int
    created: str
    versions: dict[str, str]
    classes: list[str]
    branches: list[BranchCard] = Field(alias="blocks")
    parameters: dict[str, Any]
    rounds: int
    fusion: FusionCard | None = None
    task: str = "classification"
    label_separator: str | None = None
    thresholds: dict[str, FiniteFloat] | None = None
    training: Training
    sha256: dict[str, str]


def save_model(model: Model, path: str | Path, evaluation: Figures | None = None, record: Record | None = None) -> Path:
    """Write the model folder as a whole, with the evaluation's figures beside the model.

    Parameters
    ----------
    model : Model
        Trained model.
    path : path
        New or empty folder, or a model folder, which is replaced.
    evaluation : Figures, optional
        What the model reached on its test rows.
    record : Record, optional
        What a report needs besides.

    Raises
    ------
    ModelError
        The path holds something else than a model, or cannot be written; the model was loaded to predict only.
    """
    target = Path(path).resolve()
    require_replaceable(target)
    model.require_whole()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with whole_folder(target) as folder:
            _write_files(model, folder, evaluation, record)
    except OSError as error:
        raise ModelError(f"the model folder {target} could not be written: {error}. What was there is kept.") from error
    return target


def load_model(path: str | Path, *, only_predict: bool = False) -> Model:
    """Read a model folder, checking every file before it is used.

    Parameters
    ----------
    path : path
        Folder that training wrote.
    only_predict : bool
        Leave out what trains, evaluates and explains, and with it the second that importing scikit-learn takes.

    Raises
    ------
    ModelError
        Not a model folder, a newer format, a missing or damaged file, or files that do not belong together.
    ConfigError
        No path.
    """
    require("the model", path, fspath, "the path of a model folder")
    folder = Path(path)
    card = _read_card(folder)
    arrays = unpack_arrays(folder, _read_file(folder, "arrays.npz", card))
    branches = tuple(
        restore_branch(folder, number, branch, arrays, only_predict=only_predict)
        for number, branch in enumerate(card.branches)
    )
    columns = {branch.name: branch.columns for branch in branches}
    if len(columns) != len(branches):
        raise ModelError(f"model.json of {folder} has two feature branches of one name. Train again.")
    whole, task = (
        ClassifierCard(classes=card.classes, parameters=card.parameters, rounds=card.rounds),
        _task(folder, card),
    )
    read = partial(_read_file, folder, card=card)
    classifier = restore_classifier(folder, whole, card.fusion, columns, read, task=task, only_predict=only_predict)
    told = (card.training, card.created, card.versions, folder.resolve(), task, _thresholds(folder, card))
    return Model(branches, classifier, *told)


def _task(folder: Path, card: _Card) -> Task:
    try:
        return task_of(card.task, label_separator=card.label_separator)
    except ConfigError as error:
        raise ModelError(f"model.json of {folder} is damaged: {error} Train again.") from error


def _thresholds(folder: Path, card: _Card) -> dict[str, float] | None:
    found = card.thresholds
    if found is not None and (set(found) != set(card.classes) or not all(0 < each < 1 for each in found.values())):
        raise ModelError(
            f"model.json of {folder} is damaged at 'thresholds': expected a number between 0 and 1 for each of the "
            f"{len(card.classes)} classes. Train again."
        )
    return found


def require_replaceable(path: str | Path) -> None:
    """Refuse a path that holds something else than a model; a new or empty folder is fine.

    Raises
    ------
    ModelError
        Naming what is there.
    """
    target = Path(path)
    if not target.exists() or (target.is_dir() and not any(target.iterdir())):
        return
    if not target.is_dir():
        raise ModelError(f"{target} is a file; expected a new, empty or model folder. Choose another path.")
    foreign = sorted(entry.name for entry in target.iterdir() if not _is_ours(entry.name))
    if foreign or not _is_model(target):
        found = ", ".join(foreign[:5]) if foreign else "a model.json that is damaged or of another program"
        raise ModelError(
            f"{target} is not a model folder (it holds {found}) and would be replaced; expected a new, empty or model "
            "folder. Choose another path."
        )


def _is_ours(name: str) -> bool:
    return name in _FILES or BOOSTER_FILE.fullmatch(name) is not None


def _is_model(folder: Path) -> bool:
    try:
        _read_json(folder)
    except ModelError:
        return False
    return True


def _write_files(model: Model, folder: Path, evaluation: Figures | None, record: Record | None) -> None:
    contents = {**booster_files(model.classifier), "arrays.npz": pack_arrays(model.branches)}
    checksums = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    contents["model.json"] = _json(_card(model, checksums).model_dump(by_alias=True))
    if evaluation is not None:
        contents["metrics.json"] = _json({**evaluation.to_dict(), **(record.metrics if record else {})})
    if record is not None:
        contents["predictions.parquet"] = record.predictions.to_parquet(index=False)
        contents[RUN_FILE] = run_document([record.run]).encode()
    for name, content in contents.items():
        (folder / name).write_bytes(content)


def _card(model: Model, checksums: dict[str, str]) -> _Card:
    branches = [branch_card(branch) for branch in model.branches]
    return _Card(
        format=FORMAT,
        format_version=FORMAT_VERSION,
        created=model.created,
        versions=dict(model.versions),
        classes=list(model.classes),
        blocks=branches,
        parameters=_own_parameters(model),
        rounds=model.classifier.n_rounds_,
        fusion=fusion_card(model.classifier) if isinstance(model.classifier, FusedEstimator) else None,
        task=model.task.name,
        label_separator=model.task.separator if isinstance(model.task, Multilabel) else None,
        thresholds=None if model.thresholds is None else dict(model.thresholds),
        training=model.training,
        sha256=checksums,
    )


def _own_parameters(model: Model) -> dict[str, Any]:
    classifier = model.classifier
    first = next(iter(classifier.members.values())) if isinstance(classifier, FusedEstimator) else classifier
    return own_parameters(first)


def _json(value: object) -> bytes:
    text = json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False, default=lambda number: number.item())
    return text.encode() + b"\n"


def _read_json(folder: Path) -> dict[str, Any]:
    if not folder.is_dir():
        raise ModelError(
            f"there is no model folder at {folder}; expected the folder that training wrote. Check the path."
        )
    try:
        card = json.loads((folder / "model.json").read_bytes())
    except FileNotFoundError as error:
        raise ModelError(f"{folder} has no model.json, so it is not a model folder. Check the path.") from error
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(
            f"model.json of {folder} cannot be read: {error}. Restore the folder or train again."
        ) from error
    if not isinstance(card, dict) or card.get("format") != FORMAT:
        raise ModelError(f"model.json of {folder} does not say format = {FORMAT!r}, so this is not a model folder.")
    return card


def _read_card(folder: Path) -> _Card:
    content = _read_json(folder)
    found = content.get("format_version")
    if not isinstance(found, int) or found > FORMAT_VERSION:
        raise ModelError(
            f"the model in {folder} has format version {found!r}; this release reads up to {FORMAT_VERSION}. "
            "Upgrade functa-fusion, or train again."
        )
    try:
        card = _Card.model_validate_json(json.dumps(content))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ModelError(f"model.json of {folder} is damaged at {place!r}: {first['msg']}. Train again.") from error
    if not card.branches:
        raise ModelError(f"model.json of {folder} lists no feature branches; expected at least one. Train again.")
    return card


def _read_file(folder: Path, name: str, card: _Card) -> bytes:
    try:
        content = (folder / name).read_bytes()
    except OSError as error:
        raise ModelError(f"{name} of the model in {folder} cannot be read: {error.strerror}. Restore it.") from error
    found, expected = hashlib.sha256(content).hexdigest(), card.sha256.get(name, "none")
    if found != expected:
        raise ModelError(
            f"{name} of the model in {folder} is damaged or foreign: its checksum is {found[:12]}, expected "
            f"{expected[:12]}. Restore the folder or train again."
        )
    return content
