from __future__ import annotations

import numpy as np
import pytest
from helpers.made_pairs import linked

from fusion import link, train
from fusion.estimators.averaging import Pool
from fusion.estimators.contributions import contributions
from fusion.estimators.fused import FUSIONS, FusedEstimator
from fusion.estimators.xgboost import FunctaClassifier
from store import Rows, create_store, open_store

QUICK = FunctaClassifier(n_estimators=25, max_depth=3, n_jobs=1)
CLASSES = np.array(["a", "b"], dtype=object)


def made_rows(count=60):
    """Rows whose first block tells the class and whose second is noise."""
    random = np.random.default_rng(0)
    codes = np.arange(count) % 2
    matrix = random.normal(size=(count, 5)).astype(np.float32)
    matrix[:, 0] += 6 * codes
    return matrix, CLASSES[codes]


def test_what_tells_the_class_has_nearly_all_of_early_fusion():
    matrix, labels = made_rows()
    members = {
        name: FunctaClassifier(n_estimators=5, n_jobs=1).fit(matrix[:, here], labels)
        for name, here in (("told", slice(0, 2)), ("noise", slice(2, 5)))
    }
    head = FunctaClassifier(n_estimators=5, n_jobs=1).fit(matrix, labels)
    fused = FusedEstimator("early", {"told": 2, "noise": 3}, members, CLASSES, head)
    shares = contributions(fused, matrix, fused.member_outputs(matrix))
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    assert shares[:, 0].mean() > 0.8


@pytest.mark.parametrize("mean", ["arithmetic", "geometric"])
def test_in_late_fusion_equal_voices_have_equal_shares_and_an_unsure_one_none(mean):
    sure = np.array([[[0.9, 0.1]], [[0.9, 0.1]], [[0.5, 0.5]]], np.float32)
    pool = Pool(mean, np.array([0.4, 0.4, 0.2]))
    fused = FusedEstimator("late", dict.fromkeys("xyz", 1), {}, CLASSES, pool=pool)
    ((first, second, third),) = contributions(fused, np.zeros((1, 3), np.float32), sure)
    assert first == pytest.approx(second)
    assert third == pytest.approx(0 if mean == "geometric" else 0.1 / 0.82)


def test_where_nothing_is_evidence_the_shares_are_equal():
    unsure = np.full((2, 1, 2), 0.5, np.float32)
    fused = FusedEstimator("late", {"x": 1, "y": 1}, {}, CLASSES, pool=Pool("geometric", np.ones(2)))
    np.testing.assert_array_equal(contributions(fused, np.zeros((1, 2), np.float32), unsure), [[0.5, 0.5]])


def test_a_modality_of_noise_contributes_little(tmp_path):
    table = linked(tmp_path / "pair")
    ids = table.column("camera")
    kept = open_store(table.stores["camera"].path).read(list(ids))
    noise = np.random.default_rng(0).normal(size=kept.functas.shape).astype(np.float32)
    columns = {name: getattr(kept, name) for name in ("labels", "splits", "groups")}
    with create_store(
        tmp_path / "noise.zarr", modality="video", layout=[("w", (6,), 0)], encoder={}, state={"start": np.zeros(6)}
    ) as store:
        store.append(Rows.build(ids, noise, **columns))
    with_noise = link([table.stores["sensor"].path, tmp_path / "noise.zarr"])
    for fusion in FUSIONS:
        found = train(with_noise, fusion=fusion, classifier=QUICK).modalities
        assert found["noise"].contribution < 0.4 < found["sensor"].contribution
