from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.har_files import write_har

from fusion.estimators.xgboost import FunctaClassifier
from fusion.reproduction import Study, shuffled
from fusion.reproduction.audit import audit
from fusion.reproduction.table import Check
from fusion.reproduction.uci_har import HAR
from store import Rows, create_store, open_store

HALF = HAR.changed(architecture="paper-half")
Audited = Callable[..., dict[str, Check]]


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    folder = tmp_path_factory.mktemp("audit")
    write_har(folder / "data", per_class=8, test_per_class=4)
    return Study(folder / "data", folder / "out", workers=1)


@pytest.fixture(scope="module")
def honest(study: Study) -> Path:
    return study.store("honest", HALF)[0]


@pytest.fixture
def audited(study: Study, honest: Path, tmp_path: Path) -> Audited:
    """Return a function that plants something in a copy of the store and audits it."""

    def run(plant: Callable[[Rows, dict[str, Any]], None], **conventions: Any) -> dict[str, Check]:
        with open_store(honest) as store:
            rows, header, state = store.read(), store.header, dict(store.state)
        names = ("labels", "splits", "groups", "psnr", "source_hash")
        columns = {name: getattr(rows, name).copy() for name in names}
        functas = rows.functas.copy()
        plant(rows, columns | {"functas": functas})
        settings = {"modality": header.modality, "layout": header.layout, "encoder": header.encoder, "state": state}
        told = {**header.conventions, **conventions}
        with create_store(tmp_path / "planted.zarr", conventions=told, **settings) as made:
            made.append(Rows.build(rows.ids, functas, **columns))
        found = audit(study, HALF, tmp_path / "planted.zarr")
        found.append(shuffled.shuffled_labels(tmp_path / "planted.zarr", test_splits=("test",), seed=42))
        return {check.question: check for check in found}

    return run


def nothing(rows: Rows, columns: dict[str, Any]) -> None:
    pass


def failed(checks: dict[str, Check]) -> list[str]:
    return [question for question, check in checks.items() if check.passed is False]


def test_an_honest_store_passes(audited: Audited) -> None:
    checks = audited(nothing)
    assert failed(checks) == []
    assert checks["rows that the start was learned from"].found.endswith("learned from split train")


def test_a_person_on_both_sides_is_found(audited: Audited) -> None:
    def plant(rows: Rows, columns: dict[str, Any]) -> None:
        columns["groups"][np.flatnonzero(rows.splits == "test")[0]] = rows.groups[rows.splits == "train"][0]

    checks = audited(plant)
    assert failed(checks) == ["groups in training and test"]
    assert checks["groups in training and test"].values == {"shared": 1}


def test_a_training_sample_copied_into_the_test_is_found(audited: Audited) -> None:
    def plant(rows: Rows, columns: dict[str, Any]) -> None:
        training, test = (np.flatnonzero(rows.splits == split) for split in ("train", "test"))
        columns["source_hash"][test[3]] = rows.source_hash[training[5]]

    checks = audited(plant)
    assert failed(checks) == ["equal data in training and test"]
    assert checks["equal data in training and test"].found.startswith("1 of 24 test samples are equal")


def test_a_start_learned_from_the_test_split_is_found(audited: Audited) -> None:
    checks = audited(nothing, train_splits=["train", "test"])
    assert failed(checks) == ["rows that the start was learned from"]


def test_a_state_that_passes_from_fit_to_fit_is_found(audited: Audited) -> None:
    def plant(rows: Rows, columns: dict[str, Any]) -> None:
        columns["functas"] += 0.001 * np.arange(len(rows), dtype=np.float32)[:, None]

    assert failed(audited(plant)) == ["state carried from one fit to the next"]


def test_a_psnr_that_gives_the_class_away_is_told(audited: Audited) -> None:
    def plant(rows: Rows, columns: dict[str, Any]) -> None:
        columns["psnr"][:] = 20 + 5 * np.unique(rows.labels.astype(str), return_inverse=True)[1]

    found = audited(plant)["PSNR against label"]
    assert found.passed is None
    assert found.values["correlation_ratio"] == pytest.approx(1)
    assert found.values["accuracy_from_psnr"] > 0.9


def test_classes_too_small_for_folds_leave_the_tree_out(audited: Audited) -> None:
    def plant(rows: Rows, columns: dict[str, Any]) -> None:
        columns["labels"][:] = [f"class {row // 4}" for row in range(len(rows))]

    found = audited(plant)["PSNR against label"]
    assert found.values["accuracy_from_psnr"] is None
    assert found.found.endswith("too few rows for a tree")


def test_labels_that_reach_the_prediction_past_the_training_labels_are_found(
    audited: Audited, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Leaky(FunctaClassifier):
        """Knows the class of each test row, whatever it was trained on."""

        def predict(self, X: Any) -> Any:  # noqa: N803 - scikit-learn's name
            return answers

    def plant(rows: Rows, columns: dict[str, Any]) -> None:
        answers.extend(rows.labels[rows.splits == "test"])

    answers: list[str] = []
    monkeypatch.setattr(shuffled, "FunctaClassifier", Leaky)
    assert failed(audited(plant)) == ["training on shuffled labels"]
