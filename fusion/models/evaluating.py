"""Evaluates a model on labelled rows of other stores."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import pandas as pd

from fusion.encoders.options import Progress, silent
from fusion.errors import DataError
from fusion.features.items import Items, labelled, labelled_items
from fusion.features.source import SourceLike, opened_source
from fusion.models.figures import Judge
from fusion.models.folder import Model, load_model
from fusion.models.matching import Matched, matched
from fusion.models.modality_comparison import compared
from fusion.models.records import Run, add_run, data_of
from fusion.models.results import TrainResult, result_of
from fusion.models.scoring import score
from fusion.models.seen_rows import mark_seen, seen_in

__all__ = ["evaluate"]


def evaluate(
    model: Model | str | Path,
    source: SourceLike,
    *,
    splits: Collection[str] | None = None,
    progress: Progress | None = None,
) -> TrainResult:
    """Evaluate a model on labelled test rows that the same encoders filled.

    Parameters
    ----------
    model : Model or path
        A model, or its folder.
    source : FunctaStore, LinkTable or path
        A store or a link table, the one of the training or another one of the same encoders and starts. A fusion takes
        a store of one of its modalities, too, or a table of some: the others are missing then.
    splits : collection of str, optional
        Which splits to evaluate. None = the model's test splits; of other stores than the model was trained on whose
        rows carry no split, all labelled rows.

    Raises
    ------
    StoreMismatchError
        The store was filled by another encoder; the message names the fields that differ.
    DataError
        No labelled rows to evaluate, or a modality that the model does not have.
    """
    begin = time.perf_counter()
    trained = model if isinstance(model, Model) else load_model(model)
    trained.require_whole()
    report = progress or silent
    with opened_source(source) as opened:
        found = matched(trained, opened)
        test = _test_items(trained, found, splits)
        report("evaluate", 0, len(test))
        table = _with_seen(score(trained, found.stores, test), trained, found, test)
        report("evaluate", len(test), len(test))
        warnings = () if opened.link is None else opened.link.summary.warnings
        data = data_of(opened)
    judge, names = Judge(trained.task, trained.classes), [branch.name for branch in trained.branches]
    evaluation = judge.evaluate(table)
    shared, same, seen = seen_in(table, judge, evaluation)
    result = result_of(
        trained,
        evaluation,
        begin,
        modalities=judge.modalities(table, names),
        comparison=compared(table, names, judge, fusion=trained.fusion),
        predictions=table,
        warnings=(*warnings, *seen),
        shared_groups=shared,
        same_data=same,
        at_thresholds=judge.at_thresholds(table),
    )
    if trained.path is None:
        return result
    asked = {"splits": None if splits is None else list(splits), "fusion": trained.fusion}
    unwritten = add_run(trained.path, Run("evaluate", asked, data, result.figures(), result.seconds))
    return result if unwritten is None else replace(result, warnings=(*result.warnings, unwritten))


def _with_seen(table: pd.DataFrame, model: Model, source: Matched, test: Items) -> pd.DataFrame:
    """Mark rows of groups and data that the model has learned from, where other splits of the same store are tested."""
    used = set(model.training.train_splits)
    if source.trained_on is None or used & set(test.splits):
        return table
    items = model.task.answers(source.items)
    return mark_seen(table, items.take(labelled(items, used)), test)


def _test_items(model: Model, source: Matched, splits: Collection[str] | None) -> Items:
    chosen = splits or model.training.test_splits or None
    if source.trained_on:
        if chosen is None:
            raise DataError(
                f"the model was trained on all labelled rows of store {source.trained_on}, so none is left to evaluate "
                "it on; expected another store. Its cross-validated figures are in metrics.json of the model folder."
            )
    elif splits is None and all(split is None for split in source.items.splits):
        chosen = None
    return labelled_items(model.task.answers(source.items), chosen, "test")
