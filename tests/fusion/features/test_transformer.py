from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from helpers.made_functas import K, functa_rows
from sklearn.base import clone
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from fusion.errors import ConfigError, DataError
from fusion.features.items import read_items
from fusion.features.matrix import design_matrix, fit_features
from fusion.features.transformer import FunctaFeatures
from store import Rows


@parametrize_with_checks([FunctaFeatures(), FunctaFeatures("weights", filter_invariant=False)])
def test_follows_scikit_learn(estimator, check):
    check(estimator)


@pytest.fixture
def functas():
    return functa_rows().functas


def test_columns_that_never_vary_are_removed(functas):
    features = FunctaFeatures().fit(functas)
    assert np.flatnonzero(~features.keep_).tolist() == [3]
    assert features.transform(functas).shape == (len(functas), K - 1)
    assert list(features.get_feature_names_out([f"w{i}" for i in range(K)])[:4]) == ["w0", "w1", "w2", "w4"]


def test_columns_are_standardised(functas):
    made = FunctaFeatures(start=np.full(K, 0.5)).fit_transform(functas)
    assert made.dtype == np.float32
    np.testing.assert_allclose(made.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(made.std(axis=0), 1, atol=1e-5)


def test_delta_subtracts_the_start_and_weights_do_not(functas):
    start = np.linspace(0, 1, K)
    delta = FunctaFeatures(start=start, normalise=False, filter_invariant=False).fit_transform(functas)
    weights = FunctaFeatures("weights", start=start, normalise=False, filter_invariant=False).fit_transform(functas)
    np.testing.assert_allclose(delta, functas - start, atol=1e-6)
    np.testing.assert_array_equal(weights, functas)


def test_without_a_start_delta_is_weights(functas):
    np.testing.assert_array_equal(
        FunctaFeatures().fit_transform(functas), FunctaFeatures("weights").fit_transform(functas)
    )


def test_blocks_give_what_all_rows_at_once_give(functas):
    whole = FunctaFeatures().fit(functas)
    parts = FunctaFeatures()
    for first in range(0, len(functas), 7):
        parts.partial_fit(functas[first : first + 7])
    np.testing.assert_array_equal(parts.keep_, whole.keep_)
    np.testing.assert_allclose(parts.mean_, whole.mean_, rtol=1e-12)
    np.testing.assert_allclose(parts.scale_, whole.scale_, rtol=1e-12)


def test_small_changes_of_large_weights_keep_their_spread():
    random = np.random.default_rng(1)
    far = (1000 + 1e-3 * random.integers(0, 9, size=(500, 3))).astype(np.float64)
    features = FunctaFeatures("weights")
    for block in np.array_split(far, 11):
        features.partial_fit(block)
    np.testing.assert_allclose(features.scale_, far.std(axis=0), rtol=1e-9)


def test_a_missing_modality_stays_missing_and_changes_nothing(functas):
    gaps = np.insert(functas, [0, 5, 20], np.nan, axis=0)
    whole, holey = FunctaFeatures().fit(functas), FunctaFeatures().fit(gaps)
    np.testing.assert_allclose(holey.mean_, whole.mean_, rtol=1e-12)
    np.testing.assert_allclose(holey.scale_, whole.scale_, rtol=1e-12)
    made = holey.transform(gaps)
    assert np.isnan(made).all(axis=1).sum() == 3
    assert not np.isnan(made).any(axis=1)[1:5].any()


def test_clone_keeps_parameters_and_forgets_the_rest(functas):
    start = np.full(K, 0.25)
    features = FunctaFeatures("weights", start=start, normalise=False).fit(functas)
    copy = clone(features)
    assert copy.get_params()["features"] == "weights"
    np.testing.assert_array_equal(copy.start, start)
    assert not hasattr(copy, "keep_")


def test_rows_that_are_all_the_same_are_refused():
    with pytest.raises(DataError, match=r"none of the 4 weights varies over the training rows \(n_samples=5\)"):
        FunctaFeatures().fit(np.ones((5, 4)))


def test_unknown_features_are_refused(functas):
    with pytest.raises(ConfigError, match="features is 'gradient'; expected one of delta, weights"):
        FunctaFeatures("gradient").fit(functas)


def test_a_start_of_another_size_is_refused(functas):
    with pytest.raises(DataError, match=r"start has shape \(5,\) but the functas have 12 weights"):
        FunctaFeatures(start=np.zeros(5)).fit(functas)


def test_matrix_of_a_store_follows_the_items_not_the_rows(make_store):
    rows = functa_rows()
    shuffled = rows.take(np.random.default_rng(3).permutation(len(rows)))
    made = []
    for name, content in (("straight", rows), ("shuffled", shuffled)):
        store = make_store(content, name)
        items = read_items(store)
        assert items.ids.tolist() == rows.ids.tolist()
        made.append(design_matrix({"sensor": store}, items, {"sensor": fit_features(store, items.ids)}))
    np.testing.assert_allclose(made[0], made[1], rtol=1e-6)
    np.testing.assert_array_equal(made[0], FunctaFeatures(start=np.full(K, 0.5)).fit_transform(rows.functas))


def test_items_without_the_modality_are_missing(make_store):
    store = make_store()
    items = read_items(store)
    features = fit_features(store, items.ids)
    items.rows["sensor"][[1, 4]] = None
    matrix = design_matrix({"sensor": store}, items, {"sensor": features})
    assert np.flatnonzero(np.isnan(matrix).all(axis=1)).tolist() == [1, 4]


def test_two_blocks_stand_side_by_side(make_store):
    sensor, video = make_store(), make_store(functa_rows(seed=5, k=7), "video", modality="video")
    items = read_items(sensor)
    both = type(items)(items.ids, items.labels, items.splits, items.groups, {"sensor": items.ids, "video": items.ids})
    stores = {"sensor": sensor, "video": video}
    features = {name: fit_features(store, items.ids) for name, store in stores.items()}
    matrix = design_matrix(stores, both, features)
    alone = design_matrix({"video": video}, read_items(video), {"video": features["video"]})
    assert matrix.shape == (len(items), K - 1 + 6)
    np.testing.assert_array_equal(matrix[:, K - 1 :], alone)


def test_an_id_that_the_store_lacks_is_named(make_store):
    store = make_store()
    items = read_items(store)
    features = fit_features(store, items.ids)
    items.rows["sensor"][2] = "nobody"
    with pytest.raises(DataError, match=r"no usable row for 1 of the IDs asked for, first 'nobody'"):
        design_matrix({"sensor": store}, items, {"sensor": features})


def test_rows_that_are_not_training_rows_change_nothing(make_store):
    rows = functa_rows()
    test = rows.splits == "test"
    other = rows.functas.copy()
    other[test] = 1e6
    learned = []
    for name, functas in (("as-is", rows.functas), ("changed", other)):
        store = make_store(Rows.build(rows.ids, functas, splits=rows.splits), name)
        learned.append(fit_features(store, rows.ids[~test]))
    np.testing.assert_array_equal(learned[0].mean_, learned[1].mean_)
    np.testing.assert_array_equal(learned[0].scale_, learned[1].scale_)
    np.testing.assert_array_equal(learned[0].keep_, learned[1].keep_)


def test_what_is_learned_in_blocks_is_what_a_standard_scaler_learns_of_all_rows(functas):
    rows = functas.copy()
    rows[:14, 5] = np.nan  # two blocks lack this column wholly; scikit-learn's own partial_fit makes it NaN for ever
    features = FunctaFeatures("weights", filter_invariant=False)
    for first in range(0, len(rows), 7):
        features.partial_fit(rows[first : first + 7])
    scaler = StandardScaler().fit(rows.astype(np.float64))
    np.testing.assert_allclose(features.mean_, scaler.mean_, rtol=1e-9)
    np.testing.assert_allclose(features.scale_, scaler.scale_, rtol=1e-9)


@pytest.mark.parametrize("columns", [0, 2.5, "x"])
def test_a_number_of_columns_that_is_none_is_refused(functas, columns):
    with pytest.raises(ConfigError, match=f"max_columns is {columns!r}; expected at least 1, or None"):
        FunctaFeatures(max_columns=columns).fit(functas)


def test_a_copy_that_cannot_learn_keeps_the_names_of_the_columns():
    fitted = FunctaFeatures().fit(pd.DataFrame({"age": [1.0, 2.0], "same": [1.0, 1.0], "height": [3.0, 5.0]}))
    assert fitted.without_moments().get_feature_names_out().tolist() == ["age", "height"]
