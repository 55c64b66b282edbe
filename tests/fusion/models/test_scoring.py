from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from fusion.features.items import read_items
from fusion.features.source import opened_source
from fusion.models.scoring import predict_items, score


def test_one_modality_has_its_prediction_and_where_it_came_from(model, make_store):
    store = make_store()
    items = read_items(store).take(np.arange(5))
    table = score(model, {"sensor": store}, items)
    assert list(table) == ["id", "label", "group", "split", "predicted", "probability", "sensor:id", "sensor:psnr"]
    probabilities = predict_items(model, {"sensor": store}, items)
    np.testing.assert_array_equal(table["probability"], probabilities.max(axis=1))
    assert table["predicted"].tolist() == [model.classes[best] for best in probabilities.argmax(axis=1)]
    assert table["sensor:id"].tolist() == table["id"].tolist()


def test_of_a_fusion_every_row_says_what_each_modality_says_alone_and_what_is_left_without_it(fused, pair):
    with opened_source(pair) as source:
        missing = np.arange(len(source.items)) < 10
        items = source.items.without("camera", missing)
        table = score(fused.model, source.stores, items)
    lacks, whole = table[missing], table[~missing]
    assert lacks["camera:predicted"].isna().all()
    assert lacks["sensor:without"].isna().all()
    assert lacks["predicted"].tolist() == lacks["sensor:predicted"].tolist() == lacks["camera:without"].tolist()
    assert whole["camera:without"].tolist() == whole["sensor:predicted"].tolist()
    assert lacks["camera:contribution"].isna().all()
    np.testing.assert_allclose(whole["camera:contribution"] + whole["sensor:contribution"], 1)


def test_contributions_are_measured_on_200_drawn_rows_at_most(fused, wide_pair):
    with opened_source(wide_pair) as source:
        first, again, other = (score(fused.model, source.stores, source.items, seed=seed) for seed in (1, 1, 2))
    assert first["camera:contribution"].notna().sum() == 200
    assert first.equals(again)
    assert not first["camera:contribution"].isna().equals(other["camera:contribution"].isna())


def test_the_folder_keeps_the_table_and_what_a_report_needs(fused, pair):
    table = pd.read_parquet(fused.folder / "predictions.parquet")
    assert len(table) == fused.rows_test
    assert (table["predicted"] == table["label"]).mean() == pytest.approx(fused.accuracy)
    assert table["camera:psnr"].between(20, 40).all()
    metrics = json.loads((fused.folder / "metrics.json").read_text())
    assert metrics["link"]["matched"] == len(pair)
    assert set(metrics["stores"]) == {"sensor", "camera"}
    assert metrics["modalities"]["camera"]["missing"][-1] == [1.0, metrics["modalities"]["camera"]["accuracy_without"]]
