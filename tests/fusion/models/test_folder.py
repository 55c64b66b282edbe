from __future__ import annotations

import json
import os
import pickle
import shutil
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers.made_functas import CLASSES, functa_rows
from helpers.made_pairs import linked, pair_functas
from helpers.model_files import Hostile, rewrite, sign

from fusion import train
from fusion.errors import DataError, ModelError
from fusion.estimators.xgboost import FunctaClassifier
from fusion.metrics import evaluate_predictions
from fusion.models.folder import load_model, save_model

GOLDEN = Path(__file__).parent / "golden"


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


def test_figures_stand_beside_the_model(model, tmp_path, rows):
    evaluation = evaluate_predictions(rows.labels, model.predict(rows.functas), groups=rows.groups)
    folder = save_model(model, tmp_path / "model", evaluation)
    names = {"model.json", "model.ubj", "arrays.npz", "metrics.json"}
    assert {entry.name for entry in folder.iterdir()} == names
    assert json.loads((folder / "metrics.json").read_text())["accuracy"] == evaluation.accuracy


def test_a_folder_with_the_picture_of_earlier_versions_is_replaced(model, tmp_path):
    folder = save_model(model, tmp_path / "model")
    (folder / "confusion.png").touch()
    save_model(model, folder)
    assert not (folder / "confusion.png").exists()


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


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": "pickle"}, "does not say format = 'functa-fusion-model'"),
        ({"format_version": 5}, "has format version 5; this release reads up to 4. Upgrade functa-fusion"),
        ({"classes": [1, 2]}, "is damaged at 'classes.0': Input should be a valid string"),
        ({"classes": ["a", "b"]}, r"values of shape \(3,\) per row but the model lists 2 classes"),
        ({"blocks": []}, "lists no feature branches; expected at least one"),
        ({"parameters": {"exec": "rm"}}, r"has unknown parameters \['exec'\]"),
        ({"surprise": 1}, "is damaged at 'surprise': Extra inputs are not permitted"),
        ({"sha256": {}}, "arrays.npz of the model in .* is damaged or foreign: its checksum is .*, expected none"),
    ],
)
def test_a_wrong_card_is_explained(folder, changes, message):
    rewrite(folder, lambda card: card.update(changes))
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


def test_a_saved_fusion_predicts_the_same(fused, fused_folder):
    loaded = load_model(fused_folder)
    assert loaded.fusion == fused.fusion
    np.testing.assert_array_equal(loaded.predict_proba(pair_functas()), fused.model.predict_proba(pair_functas()))
    np.testing.assert_allclose(loaded.predict_proba(pair_functas()).sum(axis=1), 1, atol=1e-5)


def test_every_booster_of_a_fusion_is_checked(fused_folder):
    for path in fused_folder.glob("*.ubj"):
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
        with pytest.raises(ModelError, match=f"{path.name} of the model in .* is damaged or foreign"):
            load_model(fused_folder)
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    load_model(fused_folder)


def test_version_1_is_still_read():
    model = load_model(GOLDEN / "model-v1")
    assert model.fusion is None
    expected = np.load(GOLDEN / "model-v1-probabilities.npy")
    np.testing.assert_allclose(model.predict_proba(functa_rows().functas), expected, rtol=1e-5)


def test_a_model_of_several_boosters_is_replaced_as_a_whole(fusions, tmp_path):
    folder = shutil.copytree(fusions["early"].folder, tmp_path / "model")
    quick = FunctaClassifier(n_estimators=3, n_jobs=1)
    pair = linked(tmp_path / "pair", subjects=6, each=8)
    train(pair, folder, fusion="late", classifier=quick)
    assert not (folder / "model.ubj").exists()
    assert load_model(folder).fusion == "late"


def test_a_model_loaded_to_predict_only(model, folder, rows, tmp_path):
    light = load_model(folder, only_predict=True)
    np.testing.assert_array_equal(light.predict_proba(rows.functas), model.predict_proba(rows.functas))
    assert light.classes == model.classes
    with pytest.raises(DataError, match="expected"):
        light.predict(rows.functas[:, :5])
    with pytest.raises(ModelError, match="loaded to predict only"):
        save_model(light, tmp_path / "copy")
