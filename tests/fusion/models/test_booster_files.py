from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from helpers.model_files import rewrite, sign

from fusion.errors import ModelError
from fusion.estimators.xgboost import FunctaClassifier
from fusion.models.booster_files import BOOSTER_FILE, booster_files, classifier_card, fusion_card, restore_classifier
from fusion.models.folder import load_model


def test_the_classifiers_of_a_fusion_come_back_as_they_were(fused, tmp_path):
    classifier = fused.model.classifier
    files = booster_files(classifier)
    assert all(BOOSTER_FILE.fullmatch(name) for name in files)
    assert ("model.ubj" in files) == (fused.fusion != "late")
    card = classifier_card(next(iter(classifier.members.values())))
    columns = {branch.name: branch.columns for branch in fused.model.branches}
    cards, task = (card, fusion_card(classifier)), fused.model.task
    again = restore_classifier(tmp_path, *cards, columns, files.__getitem__, task=task)
    matrix = np.random.default_rng(0).normal(size=(9, sum(columns.values()))).astype(np.float32)
    np.testing.assert_array_equal(again.outputs(matrix), classifier.outputs(matrix))


def test_threads_are_those_of_this_machine(model, folder):
    assert model.classifier.n_jobs == 1
    assert load_model(folder).classifier.n_jobs is None


def test_trees_of_another_model_are_noticed(folder, rows):
    other = FunctaClassifier(n_estimators=2, n_jobs=1).fit(rows.functas[:, :4], rows.labels)
    sign(folder, "model.ubj", bytes(other.booster_.save_raw("ubj")))
    with pytest.raises(ModelError, match=r"model\.ubj of .* reads 4 columns but the branches make 11"):
        load_model(folder)


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
def test_a_wrong_card_is_explained(fused_folder, change, message):
    rewrite(fused_folder, change)
    with pytest.raises(ModelError, match=message):
        load_model(fused_folder)


def test_weights_that_are_no_numbers_are_refused(fusions, tmp_path):
    folder = shutil.copytree(fusions["late"].folder, tmp_path / "model")
    content = (folder / "model.json").read_text()
    weight = json.loads(content)["fusion"]["pool"]["weights"][0]
    (folder / "model.json").write_text(content.replace(repr(weight), "NaN"))
    with pytest.raises(ModelError, match="is damaged at"):
        load_model(folder)


def test_boosters_of_another_model_are_noticed(fusions, tmp_path):
    folder = shutil.copytree(fusions["early"].folder, tmp_path / "model")
    shutil.copy(folder / "block-0.ubj", folder / "model.ubj")
    rewrite(folder, lambda card: card["sha256"].update({"model.ubj": card["sha256"]["block-0.ubj"]}))
    with pytest.raises(ModelError, match=r"model\.ubj of .* reads 6 columns but the branches make 12"):
        load_model(folder)
