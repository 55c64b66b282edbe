from __future__ import annotations

import io
import json
import os
import pickle
import shutil
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers.made_functas import CLASSES, functa_rows, stored

import fusion.models.folder
from fusion.errors import DataError, ModelError
from fusion.estimators.xgboost import FunctaClassifier
from fusion.features.matrix import fit_features
from fusion.metrics import evaluate_predictions
from fusion.models.folder import Model, ModelBranch, Training, load_model, save_model


@pytest.fixture(scope="module")
def rows():
    return functa_rows()


@pytest.fixture(scope="module")
def model(tmp_path_factory, rows):
    store = stored(tmp_path_factory.mktemp("store") / "functas.zarr", rows)
    features = fit_features(store, rows.ids)
    classifier = FunctaClassifier(n_estimators=5, n_jobs=1, early_stopping_rounds=None)
    classifier.fit(features.transform(rows.functas), rows.labels)
    training = Training(
        rows=len(rows), groups=8, classes=dict.fromkeys(CLASSES, 16), seconds=0.5, train_splits=("train",)
    )
    return Model((ModelBranch.of_store("sensor", store, features),), classifier, training)


@pytest.fixture(scope="module")
def saved(model, tmp_path_factory):
    return save_model(model, tmp_path_factory.mktemp("saved") / "model")


@pytest.fixture
def folder(saved, tmp_path):
    return shutil.copytree(saved, tmp_path / "model")


def test_what_was_saved_predicts_the_same(model, folder, rows):
    loaded = load_model(folder)
    np.testing.assert_array_equal(loaded.predict_proba(rows.functas), model.predict_proba(rows.functas))
    assert loaded.predict(rows.functas).tolist() == model.predict(rows.functas).tolist()
    assert loaded.classes == tuple(sorted(CLASSES))
    assert loaded.training == model.training
    assert loaded.classifier.get_params() == model.classifier.get_params() | {"n_jobs": None}
    assert loaded.path == folder


def test_a_full_disk_is_one_line(model, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(ModelError, match=r"could not be written: .*No space left on device.* What was there is kept"):
        save_model(model, tmp_path / "model")
    assert not list(tmp_path.iterdir())


def test_the_folder_carries_what_encoding_needs(model, folder):
    branch = load_model(folder).branches[0]
    assert branch.header["encoder"] == {"kind": "functa", "steps": 10}
    assert branch.header["layout"] == [["dense/kernel", [12], 0]]
    assert (branch.modality, branch.k, branch.fingerprint) == ("sensor", 12, model.branches[0].fingerprint)
    for name, array in model.branches[0].state.items():
        np.testing.assert_array_equal(branch.state[name], array)
        assert branch.state[name].dtype == array.dtype


def test_figures_and_plot_stand_beside_the_model(model, tmp_path, rows):
    evaluation = evaluate_predictions(rows.labels, model.predict(rows.functas), groups=rows.groups)
    folder = save_model(model, tmp_path / "model", evaluation)
    names = {"model.json", "model.ubj", "arrays.npz", "metrics.json", "confusion.png"}
    assert {entry.name for entry in folder.iterdir()} == names
    assert json.loads((folder / "metrics.json").read_text())["accuracy"] == evaluation.accuracy
    assert (folder / "confusion.png").read_bytes().startswith(b"\x89PNG")


def test_a_model_is_replaced_as_a_whole(model, tmp_path, rows):
    evaluation = evaluate_predictions(rows.labels, rows.labels)
    save_model(model, tmp_path / "model", evaluation)
    folder = save_model(replace(model, created="later"), tmp_path / "model")
    assert load_model(folder).created == "later"
    assert not (folder / "metrics.json").exists()
    assert [entry.name for entry in tmp_path.iterdir() if "model" in entry.name] == ["model"]


@pytest.mark.parametrize("step", range(12))
def test_a_failure_on_the_way_leaves_the_old_model(model, folder, monkeypatch, step):
    calls = []

    def fail(original):
        def wrapped(*args, **kwargs):
            calls.append(original)
            if len(calls) == step + 1:
                raise OSError(28, "No space left on device")
            return original(*args, **kwargs)

        return wrapped

    for owner, name in ((Path, "mkdir"), (Path, "open"), (Path, "rename"), (os, "fsync")):
        monkeypatch.setattr(owner, name, fail(getattr(owner, name)))
    with suppress(ModelError):
        save_model(replace(model, created="later"), folder)
    monkeypatch.undo()
    assert load_model(folder).created in (model.created, "later")
    assert not list(folder.parent.glob(".model*.tmp"))


def test_other_folders_are_not_replaced(model, tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter-1.tex").write_text("years of work")
    with pytest.raises(
        ModelError, match=r"thesis is not a model folder \(it holds chapter-1.tex\) and would be replaced"
    ):
        save_model(model, tmp_path / "thesis")
    assert (tmp_path / "thesis" / "chapter-1.tex").read_text() == "years of work"


def test_a_model_folder_with_foreign_files_is_not_replaced(model, folder):
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(ModelError, match=r"it holds notes.txt"):
        save_model(model, folder)


def test_a_file_is_not_replaced(model, tmp_path):
    (tmp_path / "m").write_text("x")
    with pytest.raises(ModelError, match="is a file; expected a new, empty or model folder"):
        save_model(model, tmp_path / "m")


def test_an_empty_folder_is_filled(model, tmp_path):
    (tmp_path / "empty").mkdir()
    assert load_model(save_model(model, tmp_path / "empty")).classes == model.classes


def rewrite(folder, **changes):
    card = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps(card | changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": "pickle"}, "does not say format = 'functa-fusion-model'"),
        ({"format_version": 3}, "has format version 3; this release reads up to 2. Upgrade functa-fusion"),
        ({"classes": [1, 2]}, "is damaged at 'classes.0': Input should be a valid string"),
        ({"classes": ["a", "b"]}, r"values of shape \(3,\) per row but the model lists 2 classes"),
        ({"blocks": []}, "lists no feature branches; expected at least one"),
        ({"parameters": {"exec": "rm"}}, r"has unknown parameters \['exec'\]"),
        ({"surprise": 1}, "is damaged at 'surprise': Extra inputs are not permitted"),
        ({"sha256": {}}, "arrays.npz of the model in .* is damaged or foreign: its checksum is .*, expected none"),
    ],
)
def test_a_wrong_card_is_explained(folder, changes, message):
    rewrite(folder, **changes)
    with pytest.raises(ModelError, match=message):
        load_model(folder)


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff\xfe", b"[" * 100_000, b'{"format": NaN}'])
def test_a_card_that_is_no_json_object_is_explained(folder, content):
    (folder / "model.json").write_bytes(content)
    with pytest.raises(ModelError, match=r"model\.json of"):
        load_model(folder)


@pytest.mark.parametrize("name", ["model.ubj", "arrays.npz"])
def test_a_flipped_byte_is_noticed(folder, name):
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(ModelError, match=f"{name} of the model in .* is damaged or foreign"):
        load_model(folder)


@pytest.mark.parametrize("name", ["model.ubj", "arrays.npz"])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(ModelError, match=f"{name} of the model in .* cannot be read: No such file"):
        load_model(folder)


def test_no_model_folder_is_explained(tmp_path):
    with pytest.raises(ModelError, match=r"there is no model folder at .*nowhere"):
        load_model(tmp_path / "nowhere")
    with pytest.raises(ModelError, match=r"has no model\.json, so it is not a model folder"):
        load_model(tmp_path)


class Hostile:
    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return os.mkdir, (str(self.target),)


def sign(folder, name, content):
    """Replace a file and its checksum, as somebody who means harm would."""
    (folder / name).write_bytes(content)
    card = json.loads((folder / "model.json").read_text())
    card["sha256"][name] = fusion.models.folder.hashlib.sha256(content).hexdigest()
    (folder / "model.json").write_text(json.dumps(card))


def test_a_pickle_in_the_arrays_is_not_executed(folder, tmp_path):
    buffer = io.BytesIO()
    np.savez(buffer, **{"0/keep": np.array([Hostile(tmp_path / "owned")], dtype=object)})
    sign(folder, "arrays.npz", buffer.getvalue())
    with pytest.raises(ModelError, match="is not an archive of plain arrays"):
        load_model(folder)
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize("name", ["arrays.npz", "model.ubj", "model.json"])
def test_a_pickle_instead_of_a_file_is_not_executed(folder, tmp_path, name):
    content = pickle.dumps(Hostile(tmp_path / "owned"))
    if name == "model.json":
        (folder / name).write_bytes(content)
    else:
        sign(folder, name, content)
    with pytest.raises(ModelError):
        load_model(folder)
    assert not (tmp_path / "owned").exists()


def test_arrays_of_another_model_are_noticed(folder):
    buffer = io.BytesIO()
    np.savez(buffer, **{"0/keep": np.ones(7, bool), "0/mean": np.zeros(7), "0/scale": np.ones(7)})
    sign(folder, "arrays.npz", buffer.getvalue())
    with pytest.raises(
        ModelError, match=r"keep of branch 'sensor' .* is bool of shape \(7,\); expected bool of shape \(12,\)"
    ):
        load_model(folder)


def test_trees_of_another_model_are_noticed(folder, rows):
    other = FunctaClassifier(n_estimators=2, n_jobs=1).fit(rows.functas[:, :4], rows.labels)
    sign(folder, "model.ubj", bytes(other.booster_.save_raw("ubj")))
    with pytest.raises(ModelError, match=r"model\.ubj of .* reads 4 columns but the branches make 11"):
        load_model(folder)


def test_predicting_wants_the_right_functas(model, rows):
    with pytest.raises(ValueError, match="X has 5 features, but FunctaFeatures is expecting 12 features"):
        model.predict(rows.functas[:, :5])
    with pytest.raises(
        DataError, match=r"functas were given for \['video'\] with \[48\] rows; expected one or more of"
    ):
        model.predict({"video": rows.functas})


def test_two_modalities_predict_with_one_missing(model, make_store, rows):
    video = make_store(functa_rows(seed=9, k=7), "video", modality="video")
    branch = ModelBranch.of_store("video", video, fit_features(video, rows.ids))
    sensor = model.branches[0]
    both = np.hstack([sensor.features.transform(rows.functas), branch.features.transform(video.read().functas)])
    classifier = FunctaClassifier(n_estimators=5, n_jobs=1).fit(both, rows.labels)
    fused = Model((sensor, branch), classifier, model.training)
    given = {"video": video.read().functas, "sensor": rows.functas}
    np.testing.assert_array_equal(fused.predict_proba(given), classifier.predict_proba(both))
    both[:, sensor.columns :] = np.nan
    np.testing.assert_array_equal(fused.predict_proba({"sensor": rows.functas}), classifier.predict_proba(both))
    with pytest.raises(
        DataError, match="this model has 2 modalities; give functas as a mapping by name: sensor, video"
    ):
        fused.predict(rows.functas)
