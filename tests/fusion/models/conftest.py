from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from helpers.made_functas import CLASSES, functa_rows, stored
from helpers.made_pairs import linked

from fusion import train
from fusion.estimators.xgboost import FunctaClassifier
from fusion.features.matrix import fit_features
from fusion.linking import LinkTable
from fusion.models import TrainResult
from fusion.models.folder import Model, ModelBranch, Training, save_model
from store import FunctaStore, Rows


@pytest.fixture(scope="session")
def rows() -> Rows:
    return functa_rows()


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory, rows: Rows) -> Model:
    store = stored(tmp_path_factory.mktemp("store") / "functas.zarr", rows)
    features = fit_features(store, rows.ids)
    classifier = FunctaClassifier(n_estimators=5, n_jobs=1, early_stopping_rounds=None)
    classifier.fit(features.transform(rows.functas), rows.labels)
    training = Training(
        rows=len(rows), groups=8, classes=dict.fromkeys(CLASSES, 16), seconds=0.5, train_splits=("train",)
    )
    return Model((ModelBranch.of_store("sensor", store, features),), classifier, training)


@pytest.fixture(scope="session")
def saved(model: Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model(model, tmp_path_factory.mktemp("saved") / "model")


@pytest.fixture
def folder(saved: Path, tmp_path: Path) -> Path:
    """Return a copy of a saved model of one modality, to be damaged."""
    return shutil.copytree(saved, tmp_path / "model")


@pytest.fixture(scope="session")
def pair(tmp_path_factory: pytest.TempPathFactory) -> LinkTable:
    return linked(tmp_path_factory.mktemp("linked") / "pair", subjects=6, each=8)


@pytest.fixture(scope="session")
def wide_pair(tmp_path_factory: pytest.TempPathFactory) -> LinkTable:
    return linked(tmp_path_factory.mktemp("linked") / "pair", subjects=30, each=8)


@pytest.fixture(scope="session")
def fusions(pair: LinkTable, tmp_path_factory: pytest.TempPathFactory) -> dict[str, TrainResult]:
    """Return a small trained and saved model of each kind of fusion."""
    folder = tmp_path_factory.mktemp("fused")
    quick = FunctaClassifier(n_estimators=5, n_jobs=1)
    return {
        fusion: train(pair, folder / fusion, fusion=fusion, classifier=quick) for fusion in ("early", "late", "stacked")
    }


@pytest.fixture(params=["early", "late", "stacked"])
def fused(request: pytest.FixtureRequest, fusions: dict[str, TrainResult]) -> TrainResult:
    return fusions[request.param]


@pytest.fixture
def fused_folder(fused: TrainResult, tmp_path: Path) -> Path:
    """Return a copy of a saved model of two modalities, to be damaged."""
    return shutil.copytree(fused.folder, tmp_path / "model")


@pytest.fixture(scope="session")
def rare(tmp_path_factory: pytest.TempPathFactory) -> FunctaStore:
    """A class of one row in twenty whose functas lie among those of the frequent one, a little aside."""
    random = np.random.default_rng(3)
    count = 1200
    fall = np.arange(count) % 20 == 0
    functas = random.normal(size=(count, 6)).astype(np.float32)
    functas[:, 0] += 1.1 * fall
    groups = [f"subject-{number}" for number in (np.arange(count) // 60)]
    splits = np.where(np.arange(count) >= 800, "test", "train").astype(object)
    rows = Rows.build(
        [f"r{number:04d}" for number in range(count)],
        functas,
        labels=np.where(fall, "fall", "walk").astype(object),
        splits=splits,
        groups=np.where(np.arange(count) >= 800, "t-", "s-").astype(object) + np.array(groups, dtype=object),
    )
    return stored(tmp_path_factory.mktemp("rare") / "rare.zarr", rows)
