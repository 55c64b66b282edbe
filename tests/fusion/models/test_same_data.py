"""Copies of training samples among those that are tested: told with the score without them, in every way of testing."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
from helpers.made_functas import functa_rows, rebuilt, stored

from fusion.features.items import Items
from fusion.linking.linker import link
from fusion.models.evaluating import evaluate
from fusion.models.same_data import mark_same
from fusion.models.training import train
from fusion.reporting import report

QUICK = {"preset": "linear"}


def copied_rows(*, modality_seed: int = 3):
    """Rows whose first two test rows have the data, and the functas, of the first two training rows."""
    rows = functa_rows(seed=modality_seed)
    rows = rebuilt(rows, labels=np.where(np.arange(len(rows)) % 7 == 1, "rest", rows.labels))
    hashes = np.random.default_rng(modality_seed).integers(1, 255, size=(len(rows), 16), dtype=np.uint8)
    functas, first = rows.functas.copy(), list(rows.splits).index("test")
    functas[first : first + 2], hashes[first : first + 2] = functas[:2], hashes[:2]
    return rebuilt(rows, functas=functas, source_hash=hashes), rows.ids[first : first + 2]


def test_copies_are_told_with_the_score_without_them(make_store, tmp_path):
    rows, copies = copied_rows()
    store = make_store(rows)
    result = train(store, tmp_path / "model", **QUICK)
    found = result.same_data
    assert (found.rows, found.tested, found.first) == (2, len(result.predictions), (copies[0], rows.ids[0]))
    table = result.predictions
    assert list(table["id"][table["same_data"]]) == list(copies)
    assert list(table["same_data_as"][table["same_data"]]) == list(rows.ids[:2])
    others = table[~table["same_data"]]
    assert found.score_without == (others["label"] == others["predicted"]).mean()
    assert found.told() in result.warnings
    assert found.told().startswith(f"2 of 12 test rows have the data of a training row, first {copies[0]!r} those of ")
    assert result.to_dict()["same_data"]["accuracy_without"] == found.score_without
    metrics = json.loads((tmp_path / "model" / "metrics.json").read_text())
    assert metrics["same_data"]["rows"] == 2
    assert "2 of 12 test rows have the data of a training row" in report(tmp_path / "model").read_text()
    assert evaluate(tmp_path / "model", store).same_data.rows == 2
    assert evaluate(tmp_path / "model", store, splits=["train"]).same_data is None


def test_without_copies_nothing_is_said(make_store):
    rows, _ = copied_rows()
    different = np.random.default_rng(0).integers(1, 255, (len(rows), 16), np.uint8)
    for name, hashes in {"unknown": np.zeros_like(different), "different": different}.items():
        result = train(make_store(rebuilt(rows, source_hash=hashes), name), **QUICK)
        assert result.same_data is None
        assert "same_data" not in result.predictions
        assert "same_data" not in result.to_dict()


def test_folds_tell_copies_in_other_folds(make_store):
    rows, copies = copied_rows()
    result = train(make_store(rows), cv="group", **QUICK)
    marked = result.predictions[result.predictions["same_data"]]
    assert set(copies) <= set(marked["id"])
    assert result.same_data.rows == len(marked) == 4


def test_a_copy_in_one_modality_counts(make_store, tmp_path):
    rows, copies = copied_rows()
    different = np.random.default_rng(9).integers(1, 255, (len(rows), 16), np.uint8)
    other = rebuilt(functa_rows(seed=4), labels=rows.labels, source_hash=different)
    with stored(tmp_path / "a.zarr", rows) as sensor, stored(tmp_path / "b.zarr", other, modality="video") as video:
        table = link([sensor.path, video.path], on="id")
    table.save(tmp_path / "link.parquet")
    result = train(tmp_path / "link.parquet", fusion="early", **QUICK)
    assert list(result.predictions["id"][result.predictions["same_data"]]) == list(copies)


def test_rows_of_columns_may_be_equal():
    ids, nobody = np.array(["a", "b", "c"], dtype=object), np.full(3, None, dtype=object)

    def items(*data: bytes) -> Items:
        return Items(ids, ids, nobody, nobody, {"made": ids}, data={"made": np.array(data, "S16")})

    table = pd.DataFrame({"id": ids})
    assert "same_data" not in mark_same(table, items(b"", b"", b""), items(b"", b"", b""))
    marked = mark_same(table, items(b"1", b"2", b"1"), items(b"", b"1", b"3"))
    assert list(marked["same_data"]) == [False, True, False]
