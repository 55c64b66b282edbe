from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from helpers.made_functas import functa_rows, rebuilt

from fusion.errors import ConfigError, DataError
from fusion.estimators.tasks import TASKS
from fusion.features.items import Items
from fusion.models.evaluating import evaluate
from fusion.models.figures import Judge
from fusion.models.shared_groups import SharedGroups, mark_shared
from fusion.models.training import train
from fusion.reporting import report

QUICK = {"preset": "linear"}


def shared_rows():
    """Rows in a training and a test split, with half of a tested subject's rows moved to training."""
    rows = functa_rows(seed=3)
    rows = rebuilt(rows, labels=np.where(np.arange(len(rows)) % 7 == 1, "rest", rows.labels))
    splits, first = np.array(rows.splits, dtype=object), rows.groups[list(rows.splits).index("test")]
    moved = np.flatnonzero(rows.groups == first)[::2]
    splits[moved] = "train"
    kept = np.flatnonzero((rows.groups == first) & (splits == "test"))
    return rebuilt(rows, splits=list(splits)), kept


def test_a_published_split_is_taken_as_it_is_and_told(make_store, tmp_path):
    rows, kept = shared_rows()
    store = make_store(rows)
    with pytest.raises(DataError, match=r"1 groups are on both sides .* --shared-groups, or shared_groups=True"):
        train(store, tmp_path / "model", **QUICK)
    result = train(store, tmp_path / "model", shared_groups=True, **QUICK)
    assert (result.shared_groups.groups, result.shared_groups.rows) == (1, len(kept))
    apart = [None if place in kept else split for place, split in enumerate(rows.splits)]
    alone = train(make_store(rebuilt(rows, splits=apart), "alone"), **QUICK)
    assert result.shared_groups.score == result.accuracy
    assert result.shared_groups.score_without == alone.accuracy != result.accuracy
    told = (
        "1 groups are on both sides of the split, which was taken as it is: 3 of 9 test rows are of them; without them"
    )
    assert result.warnings[0].startswith(told)
    assert result.to_dict()["shared_groups"]["accuracy_without"] == alone.accuracy
    assert alone.shared_groups is None
    assert "shared_groups" not in alone.to_dict()


def test_the_folder_says_which_rows_and_the_command(make_store, tmp_path):
    rows, kept = shared_rows()
    store = make_store(rows)
    train(store, tmp_path / "model", shared_groups=True, **QUICK)
    metrics = json.loads((tmp_path / "model" / "metrics.json").read_text())
    assert metrics["shared_groups"]["rows"] == len(kept)
    assert "1 groups are on both sides of the split" in report(tmp_path / "model").read_text()
    assert metrics["command"].endswith("--shared-groups")
    table = pd.read_parquet(tmp_path / "model" / "predictions.parquet")
    assert set(table["id"][table["shared_group"]]) == set(rows.ids[kept])
    assert evaluate(tmp_path / "model", store).shared_groups.rows == len(kept)
    assert evaluate(tmp_path / "model", store, splits=["train"]).shared_groups is None


def test_folds_with_a_group_in_two_of_them_are_taken_as_they_are(make_store):
    rows = functa_rows(seed=3)
    folds = np.array([f"fold-{int(group[-1]) // 2 + 1}" for group in rows.groups], dtype=object)
    folds[0] = next(fold for fold in folds if fold != folds[0])
    store = make_store(rebuilt(rows, splits=list(folds)))
    with pytest.raises(DataError, match="1 groups are on both sides"):
        train(store, cv="folds", **QUICK)
    result = train(store, cv="folds", shared_groups=True, **QUICK)
    expected = int((rows.groups == rows.groups[0]).sum())
    assert (result.shared_groups.groups, result.shared_groups.rows, result.rows_test) == (1, expected, len(rows))
    with_none = train(store, cv="group", shared_groups=True, **QUICK)
    assert with_none.shared_groups is None


def test_a_group_that_only_one_modality_knows_is_counted_by_its_name():
    ids, nobody = np.array(["a", "b"], dtype=object), np.full(2, None, dtype=object)
    training, test = (
        Items(ids, ids, nobody, nobody, {"video": ids}, branch_groups={"video": np.array(films, dtype=object)})
        for films in (["film-1", "film-2"], ["film-2", "film-3"])
    )
    table = pd.DataFrame({"id": ids, "label": ids, "predicted": ids[::-1], "group": nobody})
    marked = mark_shared(table, training, test)
    judge = Judge(TASKS["classification"], ("a", "b"))
    found = SharedGroups.of(marked, judge, judge.evaluate(marked))
    assert (found.groups, found.rows, list(marked["shared_group"])) == (1, 1, [True, False])


def test_a_sample_and_shared_groups_exclude_each_other(make_store):
    with pytest.raises(ConfigError, match="sample is drawn from whole groups"):
        train(make_store(), sample=0.5, shared_groups=True)
