"""The linear booster over a Dask cluster is that of one process, and the client reads no rows."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.made_functas import functa_rows
from helpers.made_tasks import linked_tasks
from numpy.typing import NDArray

from fusion.cluster.partitions import WorkerPartitions
from fusion.cluster.pool import ClusterError
from fusion.cluster.training import dask_trainer
from fusion.estimators.boosted import FunctaBooster
from fusion.estimators.presets import training_settings
from fusion.estimators.xgboost import FunctaClassifier
from fusion.features.items import read_items
from fusion.features.matrix import DesignRows, fit_features
from fusion.models.training import train
from store import Rows

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

LINEAR = {"penalties": [0.01, 0.1]}
SUBJECTS, EACH = 20, 12
PLACE = np.arange(SUBJECTS * EACH)
NOISE = np.random.default_rng(6).normal(size=len(PLACE))
NAMES = {
    "two classes": ("walk", "sit", "sit"),
    "classification": ("walk", "sit", "lie"),
    "multilabel": ("a", "a;b", "b"),
}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    from distributed import Client

    with started() as running:
        yield running
        # A nanny that is just starting a worker anew cannot be closed.
        with Client(running.scheduler_address) as client:
            client.wait_for_workers(2, timeout=60)


def started() -> Any:
    from distributed import LocalCluster

    return LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50)


def unsure_rows(**columns: Any) -> Rows:
    """Rows whose classes no line tells apart for sure."""
    rows = functa_rows(SUBJECTS, EACH, seed=4, **columns)
    rows.functas[:, :2] += np.random.default_rng(5).normal(size=(len(PLACE), 2)).astype(np.float32)
    return rows


@pytest.fixture
def design(make_store: Any) -> tuple[DesignRows, NDArray[np.object_], NDArray[np.object_]]:
    store = make_store(unsure_rows())
    items = read_items(store)
    rows = DesignRows({"sensor": store}, items, {"sensor": fit_features(store, items.ids)})
    return rows, items.labels, items.groups


def linear() -> FunctaClassifier:
    return FunctaClassifier(booster="gblinear", linear=LINEAR, n_jobs=1)


def require_same(there: FunctaBooster, here: FunctaBooster) -> None:
    told = [
        np.array(json.loads(each.booster_.save_raw("json"))["learner"]["gradient_booster"]["model"]["weights"])
        for each in (there, here)
    ]
    assert there.penalty_ == here.penalty_
    np.testing.assert_allclose(*told, rtol=1e-3, atol=1e-4 * np.abs(told[1]).max())


@pytest.mark.parametrize("task", ["two classes", "classification", "multilabel", "regression"])
def test_workers_train_the_linear_booster_of_one_process(cluster: Any, make_store: Any, task: str) -> None:
    names = NAMES.get(task) or [f"{place % 3 + noise:.3f}" for place, noise in zip(PLACE, NOISE, strict=True)]
    subject = PLACE // EACH
    store = make_store(
        unsure_rows(
            labels=[None if place % 11 == 5 else names[place % len(names)] for place in PLACE],
            splits=[None if place % 10 == 4 else "test" if subject[place] >= 15 else "train" for place in PLACE],
        )
    )
    settings = training_settings("linear", task=None if task == "two classes" else task, linear=LINEAR)
    with dask_trainer(cluster.scheduler_address) as trainer:
        there = train(store, preset=settings, trainer=trainer)
    here = train(store, preset=settings)
    require_same(there.model.classifier, here.model.classifier)
    assert there.rows_train == here.rows_train < len(PLACE)
    assert there.score == pytest.approx(here.score, abs=1e-4)


def test_several_modalities_fuse_early_at_the_scales_of_one_process(cluster: Any, tmp_path: Path) -> None:
    table = linked_tasks(tmp_path, lacking=5)
    settings = training_settings("linear", linear=LINEAR)
    with dask_trainer(cluster.scheduler_address) as trainer:
        there = train(table, preset=settings, trainer=trainer).model.classifier
    here = train(table, preset=settings).model.classifier
    require_same(there.head, here.head)
    for name in here.members:
        require_same(there.members[name], here.members[name])


def test_no_row_comes_to_the_client(cluster: Any, design: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    here = linear().fit_rows(*design)
    monkeypatch.setattr(DesignRows, "__getitem__", None)
    with dask_trainer(cluster.scheduler_address) as trainer:
        require_same(linear().fit_rows(*design, trainer=trainer), here)


def test_a_lost_worker_changes_nothing(cluster: Any, design: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    total, asked = WorkerPartitions.total, []

    def kill_one(self: WorkerPartitions[Any]) -> Any:
        asked.append(len(self.futures))
        if len(asked) == 5:
            next(iter(cluster.workers.values())).process.process._process.kill()
        return total(self)

    monkeypatch.setattr(WorkerPartitions, "total", kill_one)
    with dask_trainer(cluster.scheduler_address) as trainer:
        there = linear().fit_rows(*design, trainer=trainer)
    assert len(asked) > 5
    assert set(asked) == {2}
    require_same(there, linear().fit_rows(*design))


def test_a_lost_scheduler_is_one_line_and_nothing_is_written(
    make_store: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    total, asked = WorkerPartitions.total, []

    def close(self: WorkerPartitions[Any]) -> Any:
        asked.append(self)
        if len(asked) == 5:
            self.client.cluster.close()
        return total(self)

    monkeypatch.setattr(WorkerPartitions, "total", close)
    store, settings = make_store(unsure_rows()), training_settings("linear", linear=LINEAR)
    with (
        started() as lost,
        lost.get_client() as client,
        pytest.raises(
            ClusterError, match=r"^the Dask scheduler at tcp://[^\n]* is gone [^\n]*; nothing was written[^\n]*$"
        ),
        dask_trainer(client) as trainer,
    ):
        train(store, tmp_path / "model", preset=settings, trainer=trainer)
    assert not (tmp_path / "model").exists()


def test_a_task_that_ends_every_worker_is_one_line(cluster: Any) -> None:
    with (
        pytest.raises(ClusterError, match=r"^a task of the training ended every worker[^\n]*--sample[^\n]*$"),
        dask_trainer(cluster.scheduler_address) as trainer,
    ):
        trainer.client.submit(os._exit, 1).result()
