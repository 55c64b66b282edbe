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
from fusion.metrics import ClassFigures, Evaluation
from fusion.models.comparing import Comparison
from fusion.models.figures import ModalityFigures
from fusion.models.folder import Model
from fusion.models.seeds import Repeats
from fusion.models.table_files import write_table

__all__ = ["TrainResult", "baseline_accuracies", "result_of"]


@dataclass(frozen=True, eq=False)
class TrainResult:
    """What training or evaluating reached.

    Attributes
    ----------
    accuracy : float
    accuracy_interval : tuple of 2 float
        On the test rows; see `Evaluation`. Of a cross-validation the mean over the folds and its interval.
    macro_f1 : float
    rows_train, rows_test : int
        Labelled rows used.
    seconds : float
        Of the whole call.
    folder : Path or None
        The model folder, or None when nothing was saved.
    rounds, columns : int
        Boosting rounds of the model, and its features after the filter.
    evaluation : Evaluation
        All figures, per class too.
    model : Model
        The model itself; of a cross-validation that saves nothing the last fold's.
    folds : tuple of float
        Accuracy of each fold of a cross-validation, else empty.
    warnings : tuple of str
        What a reader of the figures should know.
    fusion : str or None
        How several modalities were fused, else None.
    modalities : mapping of str to ModalityFigures
        Figures of each modality by name, of a fusion.
    comparison : mapping
        The fusion and its modalities on the test rows that have all of them.
    baselines : mapping of str to float
        Accuracy on the test rows of always naming the largest class of the training rows, and of guessing.
    predictions : DataFrame
        Table of the test items; see `fusion.models.scoring.score`.
    tuning : Tuning or None
        What was tried to choose the classifier that was trained last, if it was tuned.
    repeats : Repeats
        Figures of each seed, and what `mean` and `sd` are taken over.
    advice : tuple of str
        What the data say a user should try; empty of an evaluation.
    """

    accuracy: float
    accuracy_interval: tuple[float, float]
    macro_f1: float
    rows_train: int
    rows_test: int
    seconds: float
    folder: Path | None
    rounds: int
    columns: int
    evaluation: Evaluation = field(repr=False)
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

    @property
    def mean(self) -> float:
        """Of the accuracy over seeds, or over the folds of one seed; without either the accuracy itself."""
        found: float = self.repeats.to_dict().get("mean", self.accuracy)
        return found

    @property
    def sd(self) -> float:
        """Deviation of the same, with one degree of freedom less; NaN without either."""
        found: float = self.repeats.to_dict().get("sd", float("nan"))
        return found

    @property
    def classes(self) -> tuple[str, ...]:
        """Classes in the order of `confusion`."""
        return self.evaluation.classes

    @property
    def per_class(self) -> tuple[ClassFigures, ...]:
        """Precision, recall, F1 and support of each class."""
        return self.evaluation.per_class

    @property
    def confusion(self) -> NDArray[np.int64]:
        """Counts, shape (classes, classes): rows true, columns predicted."""
        return self.evaluation.confusion

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the model as plain numbers, strings, lists and dictionaries."""
        figures = {
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
    evaluation: Evaluation,
    begin: float,
    *,
    modalities: Mapping[str, ModalityFigures] | None = None,
    comparison: Comparison | None = None,
    predictions: pd.DataFrame | None = None,
    warnings: Sequence[str] = (),
) -> TrainResult:
    """Put together what a model reached; `begin` is the performance counter when the call began."""
    comparison = comparison or Comparison()
    return TrainResult(
        accuracy=evaluation.accuracy,
        accuracy_interval=evaluation.accuracy_interval,
        macro_f1=evaluation.macro_f1,
        rows_train=model.training.rows,
        rows_test=evaluation.rows,
        seconds=time.perf_counter() - begin,
        folder=model.path,
        rounds=model.classifier.n_rounds_,
        columns=model.classifier.n_features_in_,
        evaluation=evaluation,
        model=model,
        warnings=(*_warn_of_unseen(evaluation, model), *comparison.notes, *warnings),
        fusion=model.fusion,
        modalities=modalities or {},
        comparison=comparison,
        baselines=baseline_accuracies(evaluation, model.training.classes),
        predictions=pd.DataFrame() if predictions is None else predictions,
    )


def baseline_accuracies(evaluation: Evaluation, training: Mapping[str, int]) -> dict[str, float]:
    """Give what one reaches without looking: ``majority``, the largest class of the training rows, and ``chance``."""
    largest = max(training, key=lambda name: training[name])
    support = {figures.label: figures.support for figures in evaluation.per_class}
    return {"majority": support.get(largest, 0) / evaluation.rows, "chance": 1 / len(training)}


def _warn_of_unseen(evaluation: Evaluation, model: Model) -> tuple[str, ...]:
    unseen = [figures for figures in evaluation.per_class if figures.label not in model.classes]
    if not unseen:
        return ()
    names = ", ".join(repr(figures.label) for figures in unseen[:5])
    rows = sum(figures.support for figures in unseen)
    return (f"training lacks {len(unseen)} classes of the test rows, first {names}: their {rows} rows count as wrong.",)
