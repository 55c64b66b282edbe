"""What training, evaluating and predicting give."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fusion.estimators.tuning import Tuning
from fusion.metrics import ClassFigures, Evaluation, Figures, LabelEvaluation, LabelFigures, NumberEvaluation
from fusion.models.figures import ModalityFigures
from fusion.models.folder import Model, Training
from fusion.models.modality_comparison import Comparison
from fusion.models.result_plots import ResultPlots
from fusion.models.same_data import SameData
from fusion.models.seeds import Repeats
from fusion.models.seen_rows import seen_told
from fusion.models.shared_groups import SharedGroups
from fusion.models.table_files import write_table
from store.html import facts_html

__all__ = ["TrainResult", "baselines", "result_of"]


@dataclass(frozen=True, eq=False)
class TrainResult:
    """What training or evaluating reached.

    Attributes
    ----------
    score : float
    interval : tuple of 2 float
        Accuracy, R2 or micro F1 on the test rows, as the task has it, and its 95 % interval; of a cross-validation the
        mean over the folds and its interval. All figures are in `evaluation`; of classes `accuracy`,
        `accuracy_interval`, `macro_f1`, `classes`, `per_class` and `confusion` stand here too.
    rows_train, rows_test : int
        Labelled rows used.
    seconds : float
        Of the whole call.
    folder : Path or None
        The model folder, or None when nothing was saved.
    rounds, columns : int
        Boosting rounds of the model, and its features after the filter.
    evaluation : Figures
        All figures: an `Evaluation`, a `NumberEvaluation` or a `LabelEvaluation`.
    model : Model
        The model itself; of a cross-validation that saves nothing the last fold's.
    folds : tuple of float
        Score of each fold of a cross-validation, else empty.
    warnings : tuple of str
        What a reader of the figures should know.
    fusion : str or None
        How several modalities were fused, else None.
    modalities : mapping of str to ModalityFigures
        Figures of each modality by name, of a fusion.
    comparison : mapping
        The fusion and its modalities on the test rows that have all of them.
    baselines : mapping of str to float
        Score on the test rows without looking: of classes of always naming the largest of the training rows
        ("majority") and of guessing ("chance"); of numbers of their mean ("mean"); of labels of the one that most
        training rows have ("most frequent").
    predictions : DataFrame
        Table of the test items; see `fusion.models.scoring.score`.
    tuning : Tuning or None
        What was tried to choose the classifier that was trained last, if it was tuned.
    repeats : Repeats
        Figures of each seed, and what `mean` and `sd` are taken over.
    at_thresholds : Figures or None
        All figures where classes or labels are named by the model's thresholds, if it has some.
    advice : tuple of str
        What the data say a user should try; empty of an evaluation.
    shared_groups : SharedGroups or None
        Groups on both sides of a split that was taken as it is, and the score without them.
    same_data : SameData or None
        Test rows that have the data of a training row, and the score without them.
    """

    rows_train: int
    rows_test: int
    seconds: float
    folder: Path | None
    rounds: int
    columns: int
    evaluation: Figures = field(repr=False)
    model: Model = field(repr=False)
    folds: tuple[float, ...] = ()
    warnings: tuple[str, ...] = ()
    fusion: str | None = None
    modalities: Mapping[str, ModalityFigures] = field(default_factory=dict)
    comparison: Comparison = field(default_factory=Comparison, repr=False)
    baselines: Mapping[str, float] = field(default_factory=dict)
    predictions: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)
    tuning: Tuning | None = None
    repeats: Repeats = field(default_factory=Repeats)
    advice: tuple[str, ...] = ()
    shared_groups: SharedGroups | None = None
    same_data: SameData | None = None
    at_thresholds: Figures | None = field(default=None, repr=False)

    @property
    def mean(self) -> float:
        """Of the score over seeds, or over the folds of one seed; without either the score itself."""
        found: float = self.repeats.to_dict().get("mean", self.score)
        return found

    @property
    def sd(self) -> float:
        """Deviation of the same, with one degree of freedom less; NaN without either."""
        found: float = self.repeats.to_dict().get("sd", float("nan"))
        return found

    @property
    def score(self) -> float:
        """Accuracy, R2 or micro F1."""
        return self.evaluation.score

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the score."""
        return self.evaluation.interval

    @property
    def accuracy(self) -> float:
        """Part of the test rows that were classified rightly."""
        return self._classified.accuracy

    @property
    def accuracy_interval(self) -> tuple[float, float]:
        """95 % interval of the accuracy."""
        return self._classified.accuracy_interval

    @property
    def macro_f1(self) -> float:
        """Mean F1 of the classes."""
        return self._classified.macro_f1

    @property
    def classes(self) -> tuple[str, ...]:
        """Classes in the order of `confusion`."""
        return self._classified.classes

    @property
    def per_class(self) -> tuple[ClassFigures, ...]:
        """Precision, recall, F1 and support of each class."""
        return self._classified.per_class

    @property
    def confusion(self) -> NDArray[np.int64]:
        """Counts, shape (classes, classes): rows true, columns predicted."""
        return self._classified.confusion

    @property
    def _classified(self) -> Evaluation:
        if not isinstance(self.evaluation, Evaluation):
            told = f"a model of task {self.model.task.name!r} has other figures; see evaluation"
            raise AttributeError(told)  # noqa: TRY004 - for hasattr
        return self.evaluation

    @property
    def plot(self) -> ResultPlots:
        """Pictures on axes of matplotlib, such as ``result.plot.confusion(ax=...)``; see `ResultPlots`."""
        return ResultPlots(self.model.task.name, self.evaluation, self.predictions, self.modalities, self.fusion)

    def _repr_html_(self) -> str:
        low, high = self.interval
        facts: dict[str, object] = {
            "score": f"{self.score:.3f} (95 %: {low:.3f} to {high:.3f})",
            "without looking": ", ".join(f"{name} {score:.3f}" for name, score in self.baselines.items()),
            "rows": f"{self.rows_train:,} for training, {self.rows_test:,} for the test",
            **{f"{name} alone": found.alone.score for name, found in self.modalities.items()},
            "folds": ", ".join(f"{score:.3f}" for score in self.folds),
            "rounds, columns": f"{self.rounds:,}, {self.columns:,}",
            "seconds": f"{self.seconds:.1f}",
            "model": self.folder or "",
        }
        title = f"{self.model.task.name.capitalize()}{f', {self.fusion} fusion' if self.fusion else ''}"
        shown = {name: value for name, value in facts.items() if value != ""}
        return facts_html(title, shown, (*self.warnings, *self.advice))

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the model as plain numbers, strings, lists and dictionaries."""
        figures = {
            "task": self.model.task.name,
            **self.evaluation.to_dict(),
            "rows_train": self.rows_train,
            "rows_test": self.rows_test,
            "seconds": self.seconds,
            "model": None if self.folder is None else str(self.folder),
            "rounds": self.rounds,
            "columns": self.columns,
            "baselines": dict(self.baselines),
            "warnings": list(self.warnings),
            "advice": list(self.advice),
            **self.repeats.to_dict(),
        }
        del figures["rows"]
        if self.fusion is not None:
            figures["fusion"] = self.fusion
            figures["modalities"] = {name: found.to_dict() for name, found in self.modalities.items()}
            figures |= self.comparison.to_dict()
        if self.tuning is not None:
            figures["tuning"] = self.tuning.to_dict()
        figures |= told_at_thresholds(self.model.thresholds, self.at_thresholds)
        figures |= seen_told(self.shared_groups, self.same_data)
        return figures | ({"folds": list(self.folds)} if self.folds else {})

    def figures(self) -> dict[str, Any]:
        """Return what `to_dict` has without tables: what a list of runs has room for."""
        left_out = ("classes", "seconds", "model", "warnings", "advice", "tuning", "seeds")
        return _brief({name: value for name, value in self.to_dict().items() if name not in left_out})

    def save_predictions(self, path: str | Path) -> Path:
        """Write `predictions` as CSV or Parquet, by the suffix.

        Raises
        ------
        ConfigError
            Another suffix, or no such folder.
        """
        return write_table(self.predictions, path)


def told_at_thresholds(thresholds: Mapping[str, float] | None, figures: Figures | None) -> dict[str, Any]:
    """Tell thresholds and the figures at them as plain values; nothing where there are none."""
    if figures is None or thresholds is None:
        return {}
    return {"thresholds": dict(thresholds), "at_thresholds": figures.to_dict()}


def _brief(values: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out lists of lists and of mappings, at any depth."""
    nested = {name: _brief(value) for name, value in values.items() if isinstance(value, Mapping)}
    flat = {
        name: value
        for name, value in values.items()
        if name not in nested
        and not (isinstance(value, list) and any(isinstance(one, (list, Mapping)) for one in value))
    }
    return flat | nested


def result_of(
    model: Model,
    evaluation: Figures,
    begin: float,
    *,
    modalities: Mapping[str, ModalityFigures] | None = None,
    comparison: Comparison | None = None,
    predictions: pd.DataFrame | None = None,
    warnings: Sequence[str] = (),
    shared_groups: SharedGroups | None = None,
    same_data: SameData | None = None,
    at_thresholds: Figures | None = None,
) -> TrainResult:
    """Put together what a model reached; `begin` is the performance counter when the call began."""
    comparison = comparison or Comparison()
    return TrainResult(
        rows_train=model.training.rows,
        rows_test=evaluation.rows,
        seconds=time.perf_counter() - begin,
        folder=model.path,
        rounds=model.classifier.n_rounds_,
        columns=model.classifier.n_features_in_,
        evaluation=evaluation,
        model=model,
        warnings=(*_warn_of_unseen(evaluation, model), *comparison.notes, *warnings),
        shared_groups=shared_groups,
        same_data=same_data,
        fusion=model.fusion,
        modalities=modalities or {},
        comparison=comparison,
        baselines=baselines(evaluation, model.training),
        predictions=pd.DataFrame() if predictions is None else predictions,
        at_thresholds=at_thresholds,
    )


def baselines(evaluation: Figures, training: Training) -> dict[str, float]:
    """Give the score of what one says without looking; see `TrainResult.baselines`."""
    if isinstance(evaluation, Evaluation):
        largest = max(training.classes, key=lambda name: training.classes[name])
        support = {figures.label: figures.support for figures in evaluation.per_class}
        return {"majority": support.get(largest, 0) / evaluation.rows, "chance": 1 / len(training.classes)}
    if isinstance(evaluation, LabelEvaluation):
        frequent = max(training.classes, key=lambda name: training.classes[name])
        held = {figures.label: figures.support for figures in evaluation.per_label}
        return {"most frequent": 2 * held.get(frequent, 0) / (evaluation.rows + sum(held.values()))}
    if isinstance(evaluation, NumberEvaluation) and training.mean is not None and evaluation.deviation > 0:
        return {"mean": -(((training.mean - evaluation.mean) / evaluation.deviation) ** 2)}
    return {}


def _warn_of_unseen(evaluation: Figures, model: Model) -> tuple[str, ...]:
    found: Sequence[ClassFigures | LabelFigures] = ()
    if isinstance(evaluation, Evaluation):
        found = evaluation.per_class
    elif isinstance(evaluation, LabelEvaluation):
        found = evaluation.per_label
    unseen = [figures for figures in found if figures.label not in model.classes]
    if not unseen:
        return ()
    names = ", ".join(repr(figures.label) for figures in unseen[:5])
    rows = sum(figures.support for figures in unseen)
    return (f"training lacks {len(unseen)} classes of the test rows, first {names}: their {rows} rows count as wrong.",)
