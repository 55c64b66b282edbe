from __future__ import annotations

import numpy as np
import pytest
from helpers.made_pairs import CLASSES, linked

from fusion import evaluate, link, train
from fusion.errors import ConfigError, DataError
from fusion.estimators.xgboost import FunctaClassifier

QUICK = FunctaClassifier(n_estimators=25, max_depth=3, n_jobs=1)
FUSIONS = ("early", "late", "stacked")


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    return linked(tmp_path_factory.mktemp("pair"), seed=2)


@pytest.fixture(scope="module")
def trained(pair, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    return {fusion: train(pair, folder / fusion, fusion=fusion, classifier=QUICK) for fusion in FUSIONS}


@pytest.mark.parametrize("fusion", FUSIONS)
def test_fusion_beats_each_modality(trained, fusion):
    result = trained[fusion]
    assert result.fusion == fusion
    assert set(result.modalities) == {"sensor", "camera"}
    assert result.accuracy > max(each.accuracy for each in result.modalities.values()) + 0.1


@pytest.mark.parametrize("fusion", FUSIONS)
def test_a_missing_modality_leaves_what_the_other_can_do(trained, fusion):
    found = trained[fusion].modalities
    for name, other in (("sensor", "camera"), ("camera", "sensor")):
        shares, accuracies = zip(*found[name].missing, strict=True)
        assert shares == (0, 0.25, 0.5, 0.75, 1)
        assert min(accuracies) >= found[other].accuracy - 0.02
        assert accuracies[0] == trained[fusion].accuracy
        assert accuracies[-1] == found[name].accuracy_without == found[other].accuracy


@pytest.mark.parametrize("fusion", FUSIONS)
def test_three_modalities_with_one_missing(tmp_path, fusion):
    three = linked(tmp_path / "three", third=True, each=16, seed=1)
    found = train(three, fusion=fusion, classifier=QUICK)
    for name in found.modalities:
        others = [each.accuracy for other, each in found.modalities.items() if other != name]
        # three of the 64 test rows, by which versions of XGBoost differ
        assert min(accuracy for _, accuracy in found.modalities[name].missing) >= max(others) - 0.05
    assert sum(each.contribution for each in found.modalities.values()) == pytest.approx(1)


@pytest.mark.parametrize("fusion", FUSIONS)
def test_a_saved_fusion_says_the_same(pair, trained, fusion):
    again = evaluate(trained[fusion].folder, pair).to_dict()
    assert {**again, "seconds": 0} == {**trained[fusion].to_dict(), "seconds": 0}


def test_items_that_lack_a_modality_are_trained_on_and_tested(tmp_path):
    whole = linked(tmp_path / "pair", lacking=4, how="left")
    for fusion in FUSIONS:
        result = train(whole, fusion=fusion, classifier=QUICK)
        assert (result.rows_train, result.rows_test) == (96, 48)
        assert result.modalities["sensor"].alone.rows == 48
        assert result.modalities["camera"].alone.rows == 36
        assert result.accuracy > result.modalities["sensor"].accuracy


@pytest.mark.parametrize("fusion", FUSIONS)
def test_cross_validation_by_group(pair, fusion):
    result = train(pair, fusion=fusion, classifier=QUICK, cv="group")
    assert len(result.folds) == 5
    assert result.accuracy == pytest.approx(np.mean(result.folds))
    assert result.rows_test == result.rows_train == len(pair)
    low, high = result.modalities["camera"].alone.accuracy_interval
    assert low < result.modalities["camera"].accuracy < high
    assert result.modalities["camera"].accuracy < result.accuracy


def test_test_rows_never_reach_a_fusion(tmp_path):
    honest = linked(tmp_path / "a", seed=5)
    frame = honest.frame.copy()
    test = frame["split"] == "test"
    frame.loc[test, "label"] = np.roll(frame.loc[test, "label"].to_numpy(), 1)
    other = type(honest)(frame, honest.stores, honest.summary)
    for fusion in FUSIONS:
        first, second = (train(table, fusion=fusion, classifier=QUICK).model.classifier for table in (honest, other))
        rows = np.random.default_rng(0).normal(size=(20, first.n_features_in_)).astype(np.float32)
        np.testing.assert_array_equal(first.outputs(rows), second.outputs(rows))


def test_a_group_of_one_store_on_both_sides_is_refused(tmp_path):
    table = linked(tmp_path / "pair")
    frame = table.frame.copy()
    frame["group"] = None
    frame.loc[frame.index % 2 == 0, "split"] = "test"
    with pytest.raises(DataError, match="8 groups are on both sides of the split, first 'subject-0'"):
        train(type(table)(frame, table.stores, table.summary), classifier=QUICK)


def test_joined_by_label_it_trains_and_warns(tmp_path):
    pair = linked(tmp_path / "pair")
    by_label = link([store.path for store in pair.stores.values()], on="label")
    result = train(by_label, fusion="late", classifier=QUICK)
    assert any(warning.startswith("joined by label") for warning in result.warnings)
    assert result.rows_test == 48


def test_what_cannot_be_fused_is_explained(pair, tmp_path):
    with pytest.raises(ConfigError, match="fusion is 'middle'; expected one of early, late, stacked"):
        train(pair, fusion="middle", classifier=QUICK)
    with pytest.raises(ConfigError, match="fusion is 'late', but the source holds one modality, video"):
        train(pair.stores["camera"].path, fusion="late", classifier=QUICK)


def test_classes_are_those_of_the_link_table(pair, trained):
    assert trained["early"].classes == CLASSES
    assert trained["early"].model.fusion == "early"
