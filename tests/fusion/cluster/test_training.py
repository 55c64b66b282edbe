from __future__ import annotations

import numpy as np
import pytest
from helpers.made_functas import functa_rows

from fusion.cluster.pool import ClusterError
from fusion.cluster.training import ClusterTrainer, dask_trainer
from fusion.errors import ConfigError
from fusion.estimators.trainers import LocalTrainer
from fusion.estimators.xgboost import FunctaClassifier
from fusion.models.evaluating import evaluate
from fusion.models.folder import load_model
from fusion.models.training import train


def quick():
    return FunctaClassifier(n_estimators=12, n_jobs=1)


@pytest.fixture(scope="module")
def cluster():
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
    ) as running:
        yield running


@pytest.mark.filterwarnings("ignore")
def test_a_cluster_trains_a_model_as_good_as_the_local_one(cluster, make_store, tmp_path):
    store = make_store(functa_rows(20, 12, seed=4))
    with dask_trainer(cluster.scheduler_address) as trainer:
        there = train(store, tmp_path / "model", classifier=quick(), trainer=trainer)
    here = train(store, classifier=quick(), trainer=LocalTrainer())
    assert there.accuracy == pytest.approx(here.accuracy, abs=0.03)
    assert there.rounds == pytest.approx(here.rounds, abs=3)
    assert load_model(tmp_path / "model").classifier.booster_.num_boosted_rounds() == there.rounds
    assert evaluate(tmp_path / "model", store).accuracy == there.accuracy


def test_a_cluster_wants_rows_of_a_store():
    with pytest.raises(ConfigError, match="a cluster trains on the rows of a store, got ndarray"):
        FunctaClassifier().fit_rows(np.zeros((4, 2), np.float32), ["a", "b"] * 2, trainer=ClusterTrainer(client=None))


@pytest.mark.parametrize("preset", ["stacked", "auto"])
def test_what_does_not_train_on_a_cluster_is_refused_in_a_line(make_store, preset):
    with pytest.raises(ConfigError, match=r"^[^\n]*(cluster|one process)[^\n]*$"):
        train(make_store(), preset=preset, trainer=ClusterTrainer(client=None))


def test_a_scheduler_that_is_not_there_is_named():
    message = r"no Dask cluster with a worker at tcp://127.0.0.1:1 within 1 s"
    with pytest.raises(ClusterError, match=message), dask_trainer("tcp://127.0.0.1:1", timeout=1.0):
        pass
