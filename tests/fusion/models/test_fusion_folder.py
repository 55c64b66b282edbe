from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from helpers.made_functas import functa_rows
from helpers.made_pairs import linked

from fusion import load_model, train
from fusion.errors import ModelError
from fusion.estimators.xgboost import FunctaClassifier

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fused")
    quick = FunctaClassifier(n_estimators=5, n_jobs=1)
    pair = linked(folder / "pair", subjects=6, each=8)
    return {
        fusion: train(pair, folder / fusion, fusion=fusion, classifier=quick) for fusion in ("early", "late", "stacked")
    }


@pytest.fixture(params=["early", "late", "stacked"])
def result(request, saved):
    return saved[request.param]


@pytest.fixture
def folder(result, tmp_path):
    return shutil.copytree(result.folder, tmp_path / "model")


def functas(count=20):
    random = np.random.default_rng(1)
    made = {name: random.normal(0.5, 0.5, size=(count, 6)).astype(np.float32) for name in ("sensor", "camera")}
    made["camera"][::3] = np.nan
    return made


def test_what_was_saved_predicts_the_same(result, folder):
    loaded = load_model(folder)
    assert loaded.fusion == result.fusion
    np.testing.assert_array_equal(loaded.predict_proba(functas()), result.model.predict_proba(functas()))
    np.testing.assert_allclose(loaded.predict_proba(functas()).sum(axis=1), 1, atol=1e-5)


def test_a_branch_left_out_is_a_missing_modality(result):
    given = functas()
    given["camera"][:] = np.nan
    alone = result.model.predict_proba({"sensor": given["sensor"]})
    np.testing.assert_array_equal(alone, result.model.predict_proba(given))
    member = result.model.classifier.members["sensor"]
    features = result.model.branches[0].features
    np.testing.assert_array_equal(alone, member.predict_proba(features.transform(given["sensor"])))


def test_every_booster_is_checked(folder):
    for path in folder.glob("*.ubj"):
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
        with pytest.raises(ModelError, match=f"{path.name} of the model in .* is damaged or foreign"):
            load_model(folder)
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    load_model(folder)


def rewrite(folder, change):
    card = json.loads((folder / "model.json").read_text())
    change(card)
    (folder / "model.json").write_text(json.dumps(card))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda card: card["fusion"]["members"].pop(), "fusion of 1 members, but there are 2 feature branches"),
        (lambda card: card["fusion"].update(fusion="middle"), "is damaged at 'fusion.fusion'"),
        (lambda card: card["fusion"].update(extra=1), "is damaged at 'fusion.extra'"),
        (lambda card: card["fusion"].update(head=None, pool=None), "or a part is missing"),
        (lambda card: card["fusion"]["members"][0]["classes"].append("swim"), "lists other classes"),
        (lambda card: card["fusion"]["members"][0]["parameters"].update(exec="rm"), r"unknown parameters \['exec'\]"),
        (lambda card: card["blocks"][0].update(name="camera"), "has two feature branches of one name"),
    ],
)
def test_a_wrong_card_is_explained(folder, change, message):
    rewrite(folder, change)
    with pytest.raises(ModelError, match=message):
        load_model(folder)


def test_weights_that_are_no_numbers_are_refused(saved, tmp_path):
    folder = shutil.copytree(saved["late"].folder, tmp_path / "model")
    content = (folder / "model.json").read_text()
    weight = json.loads(content)["fusion"]["pool"]["weights"][0]
    (folder / "model.json").write_text(content.replace(repr(weight), "NaN"))
    with pytest.raises(ModelError, match="is damaged at"):
        load_model(folder)


def test_boosters_of_another_model_are_noticed(saved, tmp_path):
    folder = shutil.copytree(saved["early"].folder, tmp_path / "model")
    shutil.copy(folder / "block-0.ubj", folder / "model.ubj")
    rewrite(folder, lambda card: card["sha256"].update({"model.ubj": card["sha256"]["block-0.ubj"]}))
    with pytest.raises(ModelError, match=r"model\.ubj of .* reads 6 columns but the branches make 12"):
        load_model(folder)


def test_version_1_is_still_read():
    model = load_model(GOLDEN / "model-v1")
    assert model.fusion is None
    expected = np.load(GOLDEN / "model-v1-probabilities.npy")
    np.testing.assert_allclose(model.predict_proba(functa_rows().functas), expected, rtol=1e-5)


def test_a_model_of_several_boosters_is_replaced_as_a_whole(saved, tmp_path):
    folder = shutil.copytree(saved["early"].folder, tmp_path / "model")
    quick = FunctaClassifier(n_estimators=3, n_jobs=1)
    pair = linked(tmp_path / "pair", subjects=6, each=8)
    train(pair, folder, fusion="late", classifier=quick)
    assert not (folder / "model.ubj").exists()
    assert load_model(folder).fusion == "late"
