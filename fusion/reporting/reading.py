"""From a model folder to what its report says."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from fusion.encoders.repeating import encode_command
from fusion.errors import ModelError
from fusion.estimators.fused import FusedEstimator
from fusion.models.figures import Judge, ModalityFigures
from fusion.models.folder import Model, load_model
from fusion.models.modality_comparison import FUSED, Comparison, compared
from fusion.models.results import baselines
from fusion.reporting.breakdown import by_group, calibration, is_number, mistakes
from fusion.reporting.charts import residuals_chart
from fusion.reporting.content import Branch, ByThreshold, ModalityPart, ModelFigures, Reconstruction, Report

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fusion.estimators.boosted import FunctaBooster
    from fusion.metrics import Figures
    from fusion.reporting.content import Exhibit

_LINK_FACTS = {"on": "joined by", "how": "kept", "rows": "items", "matched": "in every store", "groups": "groups"}


@dataclass(frozen=True, eq=False)
class ModelFolder:
    """A model with the figures and predictions that were saved beside it."""

    model: Model
    metrics: Mapping[str, Any]
    predictions: pd.DataFrame

    @classmethod
    def read(cls, path: str | Path) -> ModelFolder:
        """Read a model folder.

        Raises
        ------
        ModelError
            Not a model folder, or one without evaluation.
        """
        model, folder = load_model(path), Path(path)
        try:
            metrics = json.loads((folder / "metrics.json").read_bytes())
            predictions = pd.read_parquet(folder / "predictions.parquet")
        except FileNotFoundError as error:
            raise ModelError(
                f"{folder} holds no evaluation ({Path(str(error.filename)).name} is missing); expected the folder that "
                "`functa train` wrote. Train again."
            ) from error
        except (OSError, ValueError) as error:
            raise ModelError(f"the evaluation in {folder} cannot be read: {error}. Train again.") from error
        return cls(model, metrics, predictions)

    @property
    def names(self) -> list[str]:
        """Names of the branches."""
        return [branch.name for branch in self.model.branches]

    @property
    def cross_validated(self) -> bool:
        """Whether the figures are of a cross-validation."""
        return "fold" in self.predictions

    @property
    def judge(self) -> Judge:
        """Evaluates the predictions; of a cross-validation each fold had its own classes."""
        return Judge(self.model.task, None if self.cross_validated else self.model.classes, self.cross_validated)

    def modalities(self) -> dict[str, ModalityFigures]:
        """Figures of each modality of a fusion; of one modality none."""
        if len(self.names) < 2:
            return {}
        return self.judge.modalities(self.predictions, self.names)

    def comparison(self) -> Comparison:
        """Compare a fusion with its modalities on the rows that have all of them."""
        return compared(self.predictions, self.names, self.judge, fusion=self.model.fusion)


def report_of(folder: ModelFolder, exhibits: Sequence[Exhibit] = (), notes: Sequence[str] = ()) -> Report:
    """Put together everything that the page shows."""
    model, own = folder.model, folder.modalities()
    same, models = folder.comparison(), _models(folder, own)
    worst, wrong = mistakes(folder.predictions, model.task)
    return Report(
        title=_title(folder),
        models=models,
        facts=_facts(folder),
        branches=[_branch(folder, number) for number in range(len(model.branches))],
        parameters=_json(_parameters(model.classifier)),
        versions=model.versions,
        created=model.created,
        link=_link(folder),
        notes=[*same.notes, *_warnings(folder), *notes],
        parts=_parts(own),
        reconstructions=_reconstructions(folder),
        exhibits=exhibits,
        missing=same.missing_in_words,
        baselines=baselines(models[0].evaluation, model.training),
        groups=by_group(folder.predictions, model.task),
        mistakes=worst,
        wrong=wrong,
        calibration=calibration(folder.predictions),
        residuals=residuals_chart(folder.predictions) if is_number(model.task) else "",
        commands=_commands(folder),
        at_thresholds=folder.judge.at_thresholds(folder.predictions),
        thresholds=_by_threshold(folder, models[0].evaluation),
    )


def _title(folder: ModelFolder) -> str:
    names = folder.names
    if len(names) == 1:
        what = {"regression": "A number", "multilabel": "Labels"}.get(folder.model.task.name, "Classified")
        return f"{what} by {names[0]}"
    return f"{str(folder.model.fusion).capitalize()} fusion of {', '.join(names)}"


def _warnings(folder: ModelFolder) -> list[str]:
    metrics = folder.metrics
    return [*metrics.get("warnings", ()), *metrics.get("link", {}).get("warnings", ())]


def _models(folder: ModelFolder, own: Mapping[str, ModalityFigures]) -> list[ModelFigures]:
    main = folder.judge.evaluate(folder.predictions)
    name = f"{folder.model.fusion} fusion" if own else folder.names[0]
    same = folder.comparison().evaluations
    alone = [
        ModelFigures(f"{modality} alone", found.alone, same_rows=same.get(modality)) for modality, found in own.items()
    ]
    return [ModelFigures(name, main, fused=bool(own), same_rows=same.get(FUSED)), *alone]


def _facts(folder: ModelFolder) -> dict[str, str]:
    training, table = folder.model.training, folder.predictions
    groups = table["group"].dropna().nunique()
    facts = {
        "trained on": f"{training.rows:,} rows" + (f" of {training.groups:,} groups" if training.groups else ""),
        "tested on": f"{len(table):,} rows" + (f" of {groups:,} groups" if groups else ""),
    }
    if folder.model.classes:
        facts["classes" if folder.model.task.name == "classification" else "labels"] = f"{len(folder.model.classes):,}"
    if training.mean is not None:
        facts["mean of the training rows"] = f"{training.mean:.4g}"
    if training.cv:
        how = f"in {training.cv} folds" if training.cv.isdecimal() else f"by {training.cv}"
        facts["protocol"] = f"cross-validation {how}; a row's fold was not seen by the model that tested it"
    elif training.train_splits:
        facts["protocol"] = f"split {', '.join(training.train_splits)} against {', '.join(training.test_splits)}"
    seed = _first(folder.model.classifier).get_params().get("seed")
    if seed is not None:
        facts["seed"] = str(seed)
    facts["time to train"] = f"{training.seconds:.0f} s"
    return facts


def _first(classifier: FunctaBooster | FusedEstimator) -> FunctaBooster:
    return next(iter(classifier.members.values())) if isinstance(classifier, FusedEstimator) else classifier


def _commands(folder: ModelFolder) -> list[str]:
    """Give what encodes, trains, tests and reports it again, as far as the folder knows."""
    train, stores = folder.metrics.get("command"), folder.metrics.get("stores", {})
    place = shlex.quote(str(folder.model.path))
    encodes = [
        encode_command(branch.header, "SOURCE", stores[branch.name])
        for branch in folder.model.branches
        if branch.name in stores
    ]
    return [*filter(None, encodes), *([train] if train else []), f"functa report {place}"]


def _link(folder: ModelFolder) -> dict[str, str]:
    link = folder.metrics.get("link")
    if not link:
        return {}
    told = {label: str(link[key]) for key, label in _LINK_FACTS.items() if key in link}
    left = {name: count for name, count in link.get("left_over", {}).items() if count}
    told["left over"] = ", ".join(f"{name} {count:,}" for name, count in left.items()) or "nothing"
    told["conflicts"] = str(link.get("conflicts", 0) or "none")
    return told


def _parts(own: Mapping[str, ModalityFigures]) -> list[ModalityPart]:
    return [
        ModalityPart(name, each.score, _number(each.score_without), _number(each.contribution), each.missing)
        for name, each in own.items()
    ]


def _by_threshold(folder: ModelFolder, without: Figures) -> list[ByThreshold]:
    found = folder.judge.at_thresholds(folder.predictions)
    if found is None:
        return []
    chosen, each = folder.model.thresholds or {}, "per_label" if "per_label" in found.to_dict() else "per_class"
    plain = {one["label"]: one["recall"] for one in without.to_dict()[each]}
    return [
        ByThreshold(one["label"], chosen.get(one["label"]), one["precision"], one["recall"], plain[one["label"]])
        for one in found.to_dict()[each]
    ]


def _reconstructions(folder: ModelFolder) -> list[Reconstruction]:
    table = folder.predictions
    shown = []
    for name in folder.names:
        own = f"{name}:predicted"
        predicted = table[own] if own in table else table["predicted"]
        psnr = table[f"{name}:psnr"].to_numpy(dtype=float) if f"{name}:psnr" in table else np.full(len(table), np.nan)
        usable = np.isfinite(psnr) & predicted.notna().to_numpy()
        if usable.any():
            correct = [] if is_number(folder.model.task) else (predicted == table["label"]).to_numpy()[usable].tolist()
            shown.append(Reconstruction(name, psnr[usable].tolist(), correct))
    return shown


def _branch(folder: ModelFolder, number: int) -> Branch:
    branch = folder.model.branches[number]
    encoder = branch.header["encoder"]
    facts = {
        "data set": str(branch.header.get("dataset") or "not named"),
        "modality": branch.modality,
        "encoder": str(encoder.get("kind", "functa")),
        "numbers in a row": f"{branch.k:,}",
        "columns after the filter": f"{branch.columns:,}",
        "store": Path(folder.metrics.get("stores", {}).get(branch.name, "")).name or "not known",
    }
    return Branch(branch.name, facts, _json(encoder))


def _parameters(classifier: FunctaBooster | FusedEstimator) -> dict[str, Any]:
    if not isinstance(classifier, FusedEstimator):
        return dict(classifier.get_params())
    head = {} if classifier.head is None else {classifier.fusion: classifier.head.get_params()}
    pool = {} if classifier.pool is None else {"weights": [round(float(w), 4) for w in classifier.pool.weights]}
    return {**head, **pool} | {name: member.get_params() for name, member in classifier.members.items()}


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
