from __future__ import annotations

import numpy as np
import pytest
from helpers.made_functas import functa_rows
from helpers.made_pairs import pair_functas

from fusion.errors import DataError
from fusion.estimators.xgboost import FunctaClassifier
from fusion.features.matrix import fit_features
from fusion.models.model import Model, ModelBranch


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


def test_a_branch_left_out_is_a_missing_modality(fused):
    given = pair_functas()
    given["camera"][:] = np.nan
    alone = fused.model.predict_proba({"sensor": given["sensor"]})
    np.testing.assert_array_equal(alone, fused.model.predict_proba(given))
    member = fused.model.classifier.members["sensor"]
    features = fused.model.branches[0].features
    np.testing.assert_array_equal(alone, member.predict_proba(features.transform(given["sensor"])))


def test_an_item_without_any_modality_has_every_class_alike(fused):
    nothing = {"sensor": np.full((2, 6), np.nan, np.float32)}
    np.testing.assert_allclose(fused.model.predict_proba(nothing), 1 / len(fused.model.classes))


def test_modalities_of_different_lengths_are_refused(fused):
    given = pair_functas()
    with pytest.raises(DataError, match=r"were given for \['camera', 'sensor'\] with \[19, 20\] rows"):
        fused.model.predict({"sensor": given["sensor"], "camera": given["camera"][1:]})


def test_a_model_says_what_it_is_made_of(fused, model):
    assert (model.fusion, fused.model.fusion) == (None, fused.fusion)
    assert [branch.columns for branch in model.branches] == [11]
    assert set(model.versions) == {"functa-fusion", "numpy", "scikit-learn", "xgboost"}
