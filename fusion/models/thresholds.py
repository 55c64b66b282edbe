"""From which probability on a model names a class or a label, chosen on training groups left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fusion.encoders.options import silent
from fusion.errors import DataError
from fusion.features.items import Items
from fusion.models.fitting import TrainingRun, fit_model
from fusion.models.model import Model
from fusion.models.scoring import predict_items
from fusion.splits import GROUP_FOLDS, group_codes, stratified_folds
from store import FunctaStore

__all__ = ["with_thresholds"]


def with_thresholds(model: Model, stores: Mapping[str, FunctaStore], items: Items, run: TrainingRun) -> Model:
    """Return a model with the thresholds that its settings do best with, if the run asks for them.

    Parameters
    ----------
    model : Model
        Trained on the items.
    stores : mapping of str to FunctaStore
    items : Items
        Training rows with labels.
    run : TrainingRun
        Of the model.

    Raises
    ------
    DataError
        All rows are of one group, or one of each class.

    Notes
    -----
    The same settings train anew, on five folds of whole groups, so that every row has an answer of a model that saw
    none of its group: five times the work. The model itself was trained on all of the rows and is a little surer.
    """
    if not run.settings.thresholds:
        return model
    names = np.asarray(model.classes, dtype=object)
    outputs = _out_of_fold(names, stores, items, run)
    found = model.task.learn_thresholds(outputs, items.labels, names)
    return replace(model, thresholds=dict(zip(model.classes, found.tolist(), strict=True)))


def _out_of_fold(
    names: NDArray[np.object_], stores: Mapping[str, FunctaStore], items: Items, run: TrainingRun
) -> NDArray[np.float32]:
    """Return the probability of each class or label by models that saw nobody of the row's group, shape (n, names)."""
    task, seed = run.settings.task, run.settings.classifier().seed
    folds = stratified_folds(task.strata(items.labels), group_codes(items.groups), most=GROUP_FOLDS, seed=seed)
    count = int(folds.max()) + 1
    if count < 2:
        raise DataError(
            f"thresholds are chosen on groups left out, but the {len(items)} training rows are of one group, or one of "
            "each class; expected two groups or more. Encode with groups, add rows, or train without thresholds."
        )
    found = np.zeros((len(items), len(names)), np.float32)
    quiet = replace(run, progress=silent, tuned=[], shared=None)
    for number in range(count):
        run.progress("thresholds", number, count)
        inside = folds == number
        model = fit_model(stores, items.take(~inside), quiet)
        places = np.searchsorted(names.astype(str), np.asarray(model.classes))
        found[np.ix_(inside, places)] = predict_items(model, stores, items.take(inside))
    return found
