from __future__ import annotations

import gc
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from helpers.made_functas import functa_rows

from fusion.estimators.trainers import LocalTrainer
from fusion.estimators.xgboost import FunctaClassifier
from fusion.features.batches import batches
from fusion.features.items import read_items
from fusion.features.matrix import DesignRows, fit_features
from fusion.models.training import train


@pytest.fixture
def design(make_store):
    store = make_store(functa_rows(20, 6))
    items = read_items(store)
    return DesignRows({"sensor": store}, items, {"sensor": fit_features(store, items.ids)}), items


SMALL = LocalTrainer(chunk_bytes=4 * 11 * 10)


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    monkeypatch.setattr("fusion.features.matrix.batches", partial(batches, at_most=4 * 12 * 7))


def quick():
    return FunctaClassifier(n_estimators=12, n_jobs=1)


def trees(classifier):
    return bytes(classifier.booster_.save_raw())


def test_rows_come_by_position_in_any_order_and_repeatedly(design):
    rows, items = design
    whole = rows[np.arange(len(rows))]
    wanted = np.array([7, 3, 119, 3, 0])
    assert whole.shape == rows.shape == (len(items), 11)
    np.testing.assert_array_equal(rows[wanted], whole[wanted])


def test_another_process_reads_the_same_rows(design):
    rows, _ = design
    wanted = np.arange(40, 75)
    np.testing.assert_array_equal(rows.part(wanted).read(), rows[wanted])


def test_streamed_rows_grow_the_trees_of_the_matrix_in_memory(design):
    rows, items = design
    whole = quick().fit(rows[np.arange(len(rows))], items.labels, items.groups)
    streamed = quick().fit_rows(rows, items.labels, items.groups, trainer=SMALL)
    assert trees(streamed) == trees(whole)
    assert streamed.n_rounds_ == whole.n_rounds_


def test_external_memory_grows_the_same_trees_and_leaves_no_file(design, tmp_path: Path):
    rows, items = design
    folder = tmp_path / "pages"
    folder.mkdir()
    trainer = replace(SMALL, external_memory=True, folder=folder)
    used = []
    external = quick().fit_rows(
        rows, items.labels, items.groups, trainer=trainer, progress=lambda *_: used.append(any(folder.iterdir()))
    )
    assert all(used)
    inside = quick().fit_rows(rows, items.labels, items.groups, trainer=SMALL)
    assert external.n_rounds_ == inside.n_rounds_
    matrix = rows[np.arange(len(rows))]
    np.testing.assert_allclose(external.predict_proba(matrix), inside.predict_proba(matrix), atol=1e-6)
    gc.collect()
    assert not any(folder.iterdir())


def test_the_order_of_the_store_changes_no_tree(make_store):
    rows = functa_rows()
    shuffled = rows.take(np.random.default_rng(2).permutation(len(rows)))
    first, second = (
        train(make_store(content, name), classifier=quick(), trainer=SMALL).model
        for name, content in (("a", rows), ("b", shuffled))
    )
    assert trees(first.classifier) == trees(second.classifier)
    np.testing.assert_array_equal(first.branches[0].features.mean_, second.branches[0].features.mean_)
