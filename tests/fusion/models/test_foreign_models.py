"""A model folder that somebody else made: one line, whatever its files hold, and this process goes on."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.made_functas import functa_rows, stored

from fusion.errors import ModelError
from fusion.estimators.xgboost import FunctaClassifier
from fusion.features.matrix import fit_features
from fusion.models import booster_check
from fusion.models.booster_child import check, check_tree
from fusion.models.folder import Model, ModelBranch, Training, load_model, save_model


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = functa_rows()
    store = stored(tmp_path_factory.mktemp("store") / "functas.zarr", rows)
    features = fit_features(store, rows.ids)
    classifier = FunctaClassifier(n_estimators=5, n_jobs=1, early_stopping_rounds=None)
    classifier.fit(features.transform(rows.functas), rows.labels)
    training = Training(rows=len(rows), groups=8, classes={}, seconds=0.5, train_splits=("train",))
    model = Model((ModelBranch.of_store("sensor", store, features),), classifier, training)
    return save_model(model, tmp_path_factory.mktemp("saved") / "model")


@pytest.fixture
def folder(saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return Path(shutil.copytree(saved, tmp_path / "model"))


def put(folder: Path, name: str, content: bytes) -> None:
    """Replace a file, with its checksum made right."""
    (folder / name).write_bytes(content)
    card = json.loads((folder / "model.json").read_text())
    card["sha256"][name] = hashlib.sha256(content).hexdigest()
    (folder / "model.json").write_text(json.dumps(card))


def mutants(content: bytes, count: int, seed: int) -> list[bytes]:
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        data = bytearray(content)
        for at in rng.integers(len(data), size=int(rng.integers(1, 4))):
            data[at] = int(rng.integers(256))
        made.append(bytes(data))
    return made


@pytest.mark.parametrize("count", [2, pytest.param(134, marks=[pytest.mark.slow, pytest.mark.timeout(1800)])])
def test_a_mutated_booster_is_one_line_or_harmless(folder: Path, count: int) -> None:
    refused = 0
    for content in mutants((folder / "model.ubj").read_bytes(), count, seed=1):
        put(folder, "model.ubj", content)
        try:
            load_model(folder)
        except ModelError as error:
            refused += 1
            message = str(error)
            assert "\n" not in message
    assert refused > count / 4


def test_a_booster_that_ends_the_process_that_reads_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    killed = [sys.executable, "-c", "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"]
    run = booster_check.subprocess.run
    monkeypatch.setattr(booster_check.subprocess, "run", lambda _, **how: run(killed, **how))
    with pytest.raises(ModelError, match=r"model\.ubj of .* is not an XGBoost model: it ends the process .*SIGSEGV"):
        load_model(folder)


def test_what_was_parsed_once_is_not_parsed_apart_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load_model(folder)
    monkeypatch.setattr(booster_check.subprocess, "run", lambda *_, **__: pytest.fail("parsed again"))
    load_model(folder)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("left_children", lambda values: [0, *values[1:]], "are not a tree"),
        ("right_children", lambda values: [10**6, *values[1:]], "are not a tree"),
        ("split_indices", lambda values: [10**6, *values[1:]], "looks at column 1000000"),
    ],
)
def test_trees_that_are_none(folder: Path, name: str, change: Any, message: str) -> None:
    import xgboost

    booster = xgboost.Booster()
    booster.load_model(bytearray((folder / "model.ubj").read_bytes()))
    whole = json.loads(booster.save_raw("json"))
    trees = whole["learner"]["gradient_booster"]["model"]["trees"]
    number, tree = next((i, tree) for i, tree in enumerate(trees) if tree["left_children"][0] != -1)
    check_tree(number, tree, 100)
    with pytest.raises(ValueError, match=message):
        check_tree(number, tree | {name: change(tree[name])}, 100)


def test_a_sound_booster_is_let_through(folder: Path) -> None:
    check((folder / "model.ubj").read_bytes())
    with pytest.raises(Exception, match=r".+"):
        check(b"{L\0\0\0\0")


def test_parameters_of_another_kind(folder: Path) -> None:
    card = json.loads((folder / "model.json").read_text())
    for name, value in (
        ("booster", 5),
        ("booster", "forest"),
        ("n_estimators", "many"),
        ("parameters", [1]),
        ("eta", {}),
    ):
        changed = card | {"parameters": card["parameters"] | {name: value}}
        (folder / "model.json").write_text(json.dumps(changed))
        with pytest.raises(ModelError, match=f"has the parameter '{name}"):
            load_model(folder)


def npy(header: str, data: bytes = b"") -> bytes:
    text = header.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + data


@pytest.mark.parametrize(
    "array",
    [
        npy(f"{{'descr': '<f8', 'fortran_order': False, 'shape': ({10**21},), }}"),
        npy("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }"),
        npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", b"12345678"),
        npy("{'descr': 'nonsense', 'fortran_order': False, 'shape': (1,), }"),
        npy("{'descr': "),
        npy("(" * 100),
        b"\x93NUMPY\x09\x00",
        b"",
    ],
    ids=range(8),
)
def test_an_array_that_is_none(folder: Path, array: bytes) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("0/keep.npy", array)
    put(folder, "arrays.npz", archive.getvalue())
    with pytest.raises(ModelError, match="is not an archive of plain arrays"):
        load_model(folder)


@pytest.mark.parametrize(("name", "value"), [("scale", 0.0), ("scale", -1.0), ("scale", np.nan), ("mean", np.inf)])
def test_a_scale_that_nothing_can_be_divided_by(folder: Path, name: str, value: float) -> None:
    with np.load(folder / "arrays.npz") as found:
        arrays = {key: found[key] for key in found.files}
    arrays[f"0/{name}"][0] = value
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    put(folder, "arrays.npz", buffer.getvalue())
    with pytest.raises(ModelError, match="is not finite or not above 0"):
        load_model(folder)
