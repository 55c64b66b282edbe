"""The options of `functa train`, by what they are about, and the settings that they make."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.encode_options import named_option

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fusion.estimators import TrainingSettings

_DATA, _CLASSIFIER, _RUN = "Data", "Classifier", "Run"

Source = Annotated[Path, typer.Argument(help="Store of functas, or a link table (.parquet, .csv).", metavar="SOURCE")]
ModelFolder = Annotated[
    Path, named_option(_DATA, "Folder for the model; one that is there is replaced.", metavar="PATH")
]
TrainSplit = Annotated[list[str] | None, named_option(_DATA, "Split to train on; repeatable. [train]", metavar="NAME")]
TestSplit = Annotated[list[str] | None, named_option(_DATA, "Split to test on; repeatable. [test]", metavar="NAME")]
Folds = Annotated[
    str | None,
    named_option(
        _DATA, "Cross-validate: a number of folds, such as 5; group; or folds. [one test split]", metavar="HOW"
    ),
]
Seeds = Annotated[int, named_option(_DATA, "Repeat with so many seeds: mean and deviation. [1]", metavar="N", least=1)]
Sample = Annotated[
    float | None,
    named_option(
        _DATA, "Share of the training groups (of IDs without groups) to train on, such as 0.1. [all]", metavar="SHARE"
    ),
]
SharedGroups = Annotated[
    bool,
    named_option(
        _DATA, "Take published splits as they are where a group is on both sides; told with figures.", "--shared-groups"
    ),
]
FusionName = Annotated[
    str | None,
    named_option(
        _CLASSIFIER,
        "Of a link table: early (all columns side by side), late (averaged probabilities) or stacked (a linear model "
        "on probabilities). [early]",
        "--fusion",
        metavar="NAME",
    ),
]
TaskName = Annotated[
    str | None,
    named_option(
        _CLASSIFIER,
        "classification, regression (the target is a number) or multilabel (labels such as dog;cat). [classification]",
        "--task",
        metavar="NAME",
    ),
]
LabelSeparator = Annotated[
    str | None, named_option(_CLASSIFIER, "Of multilabel: between the labels of a row. [;]", metavar="TEXT")
]
ClassWeight = Annotated[
    str | None,
    named_option(_CLASSIFIER, "balanced, or such as walk=1,fall=5: how much rows count. [alike]", metavar="HOW"),
]
Estimators = Annotated[
    list[str] | None,
    named_option(
        _CLASSIFIER, "Of scikit-learn, such as 'LogisticRegression(max_iter=1000)'; repeatable. [none]", "--estimator"
    ),
]
EstimatorName = Annotated[
    str | None,
    named_option(
        _CLASSIFIER,
        "Of scikit-learn in XGBoost's place, such as 'LogisticRegression(max_iter=1000)'. [XGBoost]",
        "--estimator",
        metavar="NAME",
    ),
]
Features = Annotated[str, named_option(_CLASSIFIER, "delta (weights minus start) or weights.", metavar="NAME")]
Preset = Annotated[
    str | None,
    named_option(
        _CLASSIFIER,
        "paper (the paper's), fast (as accurate), slow (better), linear, stacked, or auto (fast or linear, by training "
        "groups). [auto; paper where other options say how to train]",
        metavar="NAME",
    ),
]
Booster = Annotated[
    str | None,
    named_option(
        _CLASSIFIER, "gbtree, gblinear (for few rows) or stacked (trees on it). [the preset's]", metavar="NAME"
    ),
]
Tune = Annotated[
    bool, named_option(_CLASSIFIER, "Choose booster and parameters by folds of training groups.", "--tune")
]
Thresholds = Annotated[
    bool,
    named_option(
        _CLASSIFIER, "Choose by training groups from which probability on each is named, for predict.", "--thresholds"
    ),
]
Rounds = Annotated[int | None, named_option(_CLASSIFIER, "Most boosting rounds. [300]", metavar="N", least=1)]
Depth = Annotated[int | None, named_option(_CLASSIFIER, "Of the trees. [the preset's, paper 6]", metavar="N", least=1)]
Eta = Annotated[
    float | None, named_option(_CLASSIFIER, "Learning rate. [the preset's, paper 0.3]", metavar="X", least=0.0)
]
Seed = Annotated[
    int, named_option(_CLASSIFIER, "Of XGBoost and of the rows held out for early stopping.", metavar="N", least=0)
]
Predictions = Annotated[
    Path | None, named_option(_RUN, "Table of the test rows to write: .csv or .parquet. [none]", metavar="PATH")
]
Track = Annotated[
    str | None,
    named_option(
        _RUN, "Send settings and figures there: mlflow, mlflow:URI or tensorboard:FOLDER. [nowhere]", metavar="WHERE"
    ),
]
Threads = Annotated[int | None, named_option(_RUN, "Threads. [one per core]", metavar="N", least=1)]
ExternalMemory = Annotated[
    bool,
    named_option(_RUN, "Keep what is trained on in files: for stores beyond memory; slower.", "--external-memory"),
]
Scheduler = Annotated[str | None, named_option(_RUN, "Dask cluster to train on. [this machine]", metavar="ADDRESS")]


def settings_of(asked: Mapping[str, Any]) -> TrainingSettings:
    """Give the settings of a training, of the options by name."""
    from fusion.estimators import estimator_named, training_settings

    return training_settings(
        asked["preset"],
        features=asked["features"],
        fusion=asked["fusion_"],
        tune=asked["tune"],
        thresholds=asked["thresholds"],
        estimator=None if asked["estimator"] is None else estimator_named(asked["estimator"]),
        on_cluster=asked["scheduler"] is not None,
        **answers_of(asked),
        booster=asked["booster"],
        n_estimators=asked["rounds"],
        max_depth=asked["max_depth"],
        eta=asked["eta"],
        seed=asked["seed"],
        n_jobs=asked["threads"],
    )


def answers_of(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Give what is predicted, and how much rows count: of `fusion.train`, `fusion.compare`, `training_settings`."""
    from fusion.estimators import task_of

    name = asked["task"] or ("multilabel" if asked["label_separator"] else "classification")
    return {
        "task": task_of(name, label_separator=asked["label_separator"]),
        "class_weight": _class_weight(asked["class_weight"]),
    }


def cross_validation(text: str | None) -> int | str | None:
    """Give what `fusion.train` takes: a number of folds, or a word."""
    return int(text) if text is not None and text.isdecimal() else text


def _class_weight(text: str | None) -> str | dict[str, float] | None:
    """Read ``balanced``, or ``walk=1,fall=5``; a class may hold an equals sign, but no comma."""
    if text is None or "=" not in text:
        return text
    pairs = [part.rpartition("=") for part in text.split(",")]
    try:
        return {name.strip(): float(weight) for name, _, weight in pairs if name or weight}
    except ValueError:
        raise typer.BadParameter(
            f"--class-weight {text}: expected balanced, or classes and numbers such as walk=1,fall=5"
        ) from None


def place_to_train(asked: Mapping[str, Any]) -> AbstractContextManager[Any]:
    """Give where to train: this process, or a cluster."""
    import fusion

    if asked["scheduler"] is not None:
        cluster: AbstractContextManager[Any] = fusion.cluster.dask_trainer(asked["scheduler"])
        return cluster
    where = fusion.inr.chosen_backend(asked["device"])
    return nullcontext(fusion.estimators.LocalTrainer(external_memory=asked["external_memory"], device=where))
