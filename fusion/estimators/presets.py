"""How a run trains, in one description, and named ones: the paper's, one that is faster, and some that are better."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from fusion.errors import ConfigError
from fusion.estimators.boosted import FunctaBooster
from fusion.estimators.fused import check_fusion
from fusion.estimators.targets import weights_by_name
from fusion.estimators.tasks import TASKS, Task, task_of
from fusion.estimators.wrapped import WrappedEstimator, require_wrappable
from fusion.features.transformer import check_features
from fusion.settings import or_none, require

__all__ = ["TRAINING_PRESETS", "TrainingSettings", "training_settings"]


@dataclass(frozen=True)
class TrainingSettings:
    """How to train, whatever is trained on.

    Attributes
    ----------
    parameters : mapping of str to object
        Of `FunctaClassifier`, or of the estimator of another task, where they differ from the paper's.
    max_columns : int or None
        Weights of each modality that are kept, drawn at random; None = all that vary. See `FunctaFeatures`.
    features : {"delta", "weights"}
        "delta" (weights minus the encoder's start) or "weights".
    fusion : {"early", "late", "stacked"} or None
        Of several modalities: "early" (None) = one classifier on all columns side by side; "late" = the probabilities
        of each modality's classifier, averaged; "stacked" = a linear classifier on those. The last two learn on
        probabilities of training groups left out.
    tune : bool
        Choose booster and parameters by cross-validation over the groups of the training rows: of each modality, of
        what fuses them, and anew in each fold.
    choices : tuple of str
        Presets to choose from by cross-validation over the groups of the training rows, anew in each fold; empty = as
        the other fields say. See `fusion.models.choosing`.
    thresholds : bool
        Choose, by the classes or labels of training groups left out, from which probability on each is named; see
        `fusion.models.thresholds`.
    estimator : estimator of scikit-learn, optional
        In the place of XGBoost; the parameters then are `seed` and `n_jobs` at most.
    task : Task
        What is predicted: one of `TASKS`, or what `task_of` returned.

    Raises
    ------
    ConfigError
        Features or a fusion that do not exist, or both choices and `tune`.
    """

    parameters: Mapping[str, Any] = field(default_factory=dict)
    max_columns: int | None = None
    features: str = "delta"
    fusion: str | None = None
    tune: bool = False
    choices: tuple[str, ...] = ()
    thresholds: bool = False
    estimator: Any = None
    task: Task = TASKS["classification"]

    def __post_init__(self) -> None:
        if self.choices and self.tune:
            raise ConfigError("the preset 'auto' and tune both choose how to train; expected one of them.")
        if self.thresholds and self.task.name == "regression":
            raise ConfigError("thresholds are asked for of numbers; expected a task of classes or labels.")
        check_features(self.features)
        check_fusion(self.fusion or "early")

    def classifier(self) -> FunctaBooster | WrappedEstimator:
        """Return an untrained estimator of the task."""
        if self.estimator is not None:
            return WrappedEstimator(self.estimator, **self.parameters)
        return self.task.estimator(self.parameters)


_SLOW: Mapping[str, Any] = {
    "max_depth": 4,
    "eta": 0.1,
    "early_stopping_rounds": 30,
    "parameters": {"colsample_bytree": 0.05, "subsample": 0.7},
}

TRAINING_PRESETS: Mapping[str, TrainingSettings] = {
    "paper": TrainingSettings(),
    "fast": TrainingSettings(
        max_columns=1500,
        parameters={"max_depth": 3, "max_bin": 16, "parameters": {"colsample_bytree": 0.3}},
    ),
    "slow": TrainingSettings(parameters=_SLOW),
    "linear": TrainingSettings(parameters={"booster": "gblinear"}),
    "stacked": TrainingSettings(
        parameters={
            "booster": "stacked",
            "tree_columns": 1500,
            "max_depth": 3,
            "max_bin": 16,
            "eta": 0.1,
            "parameters": {"colsample_bytree": 0.3},
        }
    ),
    "auto": TrainingSettings(choices=("fast", "linear")),
}
"""`fast` was chosen on the training subjects of UCI-HAR alone, in three folds of whole subjects with early stopping:

======================================================  ========  ===========
parameters                                              accuracy  CPU seconds
======================================================  ========  ===========
paper: 9,097 columns, depth 6, 32 bins                  0.884     40
9,097 columns, depth 3, 32 bins                         0.892     32
1,500 random columns, depth 3, 32 bins                  0.884     5.1
1,500 random columns, depth 3, 16 bins                  0.888     4.8
... and 0.3 of them for each tree (`fast`)              0.890     4.3
1,500 random columns, depth 4, 16 bins                  0.884     4.3
1,500 random columns, depth 2, 16 bins                  0.883     4.2
1,500 random columns, depth 3, 16 bins, eta 0.5         0.877     3.4
1,000 random columns, depth 3, 16 bins                  0.883     3.0
======================================================  ========  ===========

The weights of a functa are redundant: the 900 columns with the highest F statistic, copies of each other, did worse
than 900 random ones (0.851 and 0.864 in two of the folds, depth 6). XGBoost builds the histograms of all columns
however few it samples, so columns save time only where they are left out of the matrix; trees of all classes at once
(``multi_output_tree``) took longer at equal accuracy. On the test subjects, once, in one run of ``functa bench train``:
0.911 (`fast`) and 0.912 (`paper`) in a tenth of the time.

`slow`, `linear` and `stacked` are for wide dense columns such as the pooled codes of local functas, where trees of few
rows find too little. Mean accuracy over four folds of whole training groups of 1,200 such codes, the linear booster
with two penalties (0.1 and 0.3) and at most three rounds to choose from:

====================================================  ===========  =====================
preset                                                UCI-HAR      UTD-MHAD, inertial
====================================================  ===========  =====================
`slow`: depth 4, eta 0.1, 5 % of columns, 70 % rows   0.922        0.801
`linear`                                              0.931        0.828
`stacked`: trees from half the linear margins         0.925        0.840
... from a quarter                                                 0.835
... from whole ones                                                0.826
====================================================  ===========  =====================

The trees of `stacked` were those of `slow` then. Since 0.2 they are as shallow and see as many columns as those of
`fast`, in smaller steps. Mean accuracy over folds of whole training groups, of the codes of the presets of local
functas (UTD-MHAD's four people one at a time, ESC-10's recordings in four folds), and the processor seconds of all:

==============================================  ========  ========  ======  =======
trees                                           skeleton  inertial  ESC-10  seconds
==============================================  ========  ========  ======  =======
none (`linear`)                                 0.896     0.907     0.921   8
those of `slow`                                 0.891     0.903     0.928   230
1,500 columns, depth 3, 16 bins, 0.3 of them    0.907     0.910     0.923   52
... and eta 0.3                                 0.893
... and 70 % of the rows                        0.893
1,500 columns, depth 4, half of them, 70 %      0.886
==============================================  ========  ========  ======  =======

None of them is the best on every data set: ``tune`` tries them on the training groups at hand. A signed square root of
the codes was worth a point on one set and cost half a point on the other, so columns are only standardised.
"""


_OF_ALL = frozenset({"seed", "n_jobs", "class_weight"})
"""Parameters that say nothing of how to train."""


def training_settings(
    preset: str | TrainingSettings | None = "paper",
    *,
    features: str | None = None,
    fusion: str | None = None,
    tune: bool | None = None,
    thresholds: bool | None = None,
    classifier: FunctaBooster | None = None,
    estimator: Any = None,
    task: str | Task | None = None,
    on_cluster: bool = False,
    **parameters: Any,
) -> TrainingSettings:
    """Describe a training run: a preset, and what differs from it; None = as the preset says.

    Parameters
    ----------
    preset : str or TrainingSettings or None
        Name of one of `TRAINING_PRESETS`, or settings to start from. None = "auto"; where a classifier, an estimator,
        `tune` or parameters such as `max_depth` say how to train, or on a cluster, "paper".
    features : {"delta", "weights"}, optional
    fusion : {"early", "late", "stacked"}, optional
    tune, thresholds : bool, optional
        See `TrainingSettings`.
    classifier : FunctaClassifier, optional
        Parameters to train with, all of them, in place of a preset's; it stays untouched.
    estimator : estimator of scikit-learn, optional
        To train in place of XGBoost: a classifier with `predict_proba`, or a regressor; it stays untouched.
    task : {"classification", "regression", "multilabel"} or Task, optional
    on_cluster : bool
        Whether the trainer is a cluster's, which tries no presets.
    **parameters
        Of `FunctaClassifier`, or of the estimator of another task, in place of the preset's.

    Raises
    ------
    ConfigError
        There is no preset or task of that name, a classifier or an estimator is given beside a preset, what an
        estimator does not know, or ``class_weight`` for another task than classification.

    Examples
    --------
    >>> settings = training_settings("fast", max_depth=4, tune=True)
    >>> settings.max_columns, settings.tune, settings.classifier().max_depth
    (1500, True, 4)
    """
    given = {name: value for name, value in parameters.items() if value is not None}
    expected = "a FunctaClassifier, FunctaRegressor or FunctaLabeller; other estimators are given as estimator"
    require("classifier", classifier, or_none(lambda one: isinstance(one, FunctaBooster)), expected)
    if preset is None:
        told = classifier is not None or estimator is not None or tune or not _OF_ALL.issuperset(given)
        preset = "paper" if told or on_cluster else "auto"
    if isinstance(preset, str) and preset not in TRAINING_PRESETS:
        raise ConfigError(f"preset is {preset!r}; expected one of {', '.join(TRAINING_PRESETS)}.")
    settings = TRAINING_PRESETS[preset] if isinstance(preset, str) else preset
    if classifier is not None:
        if settings != TRAINING_PRESETS["paper"] or given:
            raise ConfigError(
                f"a classifier and the preset {preset!r} both say how to train; expected one of them. To change "
                "parameters of a preset use training_settings, such as training_settings('fast', max_depth=4)."
            )
        given = {name: value for name, value in classifier.get_params().items() if value is not None}
    asked = task_of(task) if isinstance(task, str) else task
    named = (asked or settings.task).name
    if "class_weight" in given and named != "classification":
        raise ConfigError(f"class_weight is given for the task {named!r}; expected it with 'classification' only.")
    if isinstance(given.get("class_weight"), Mapping):
        given["class_weight"] = weights_by_name(given["class_weight"])
    if estimator is not None:
        _require_alone(estimator, settings, preset, given, named, tune=bool(tune))
    changes: dict[str, Any] = {"features": features, "fusion": fusion, "tune": tune, "thresholds": thresholds}
    changes |= {"task": asked, "estimator": estimator}
    return replace(
        settings,
        parameters={**settings.parameters, **given},
        **{name: value for name, value in changes.items() if value is not None},
    )


def _require_alone(
    estimator: Any, settings: TrainingSettings, preset: object, given: Mapping[str, Any], task: str, *, tune: bool
) -> None:
    """Refuse what says how XGBoost trains beside an estimator of scikit-learn."""
    require_wrappable(estimator, task)
    name = type(estimator).__name__
    others = [repr(name) for name in given if name not in ("seed", "n_jobs")]
    others += [f"the preset {preset!r}"] if settings != TRAINING_PRESETS["paper"] else []
    others += ["tune"] if tune else []
    if others:
        raise ConfigError(
            f"{', '.join(others)} and the estimator {name} both say how to train; expected one of them. Give the "
            "estimator its own parameters."
        )
