"""Vectors made elsewhere come in unchanged, from wherever they are kept."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from fusion.datasets import VectorTable, open_dataset
from fusion.encoders import EncodeOptions, decode, encode, encoder_config, plan
from fusion.errors import ConfigError, DataError
from fusion.estimators.xgboost import FunctaClassifier
from fusion.features.matrix import DesignRows
from fusion.features.source import opened_source
from fusion.features.transformer import FunctaFeatures
from fusion.models import train
from store import FunctaStore, open_store

ONE = EncodeOptions(workers=1)
COUNT, K = 60, 5


def vectors() -> NDArray[np.float32]:
    return np.random.default_rng(0).normal(size=(COUNT, K)).astype(np.float32)


def names() -> pd.DataFrame:
    places = np.arange(COUNT)
    label = np.where(vectors()[:, 1] > 0, "up", "down")
    split = np.where(places < 40, "train", "test")
    return pd.DataFrame({"id": [f"v{p:02d}" for p in places], "label": label, "split": split, "group": places // 2})


def numbered(form: str = "e{}") -> pd.DataFrame:
    # Not in the order of their numbers: the numbers count.
    return names().join(pd.DataFrame(vectors(), columns=[form.format(p) for p in range(K)]).iloc[:, ::-1])


def written(folder: Path, kind: str) -> Path:
    path = folder / f"clip.{kind.split('-')[0]}"
    if kind == "npy":
        names().to_csv(folder / "clip.csv", index=False)
        np.save(path, vectors())
    elif kind == "parquet-list":
        names().assign(embedding=list(vectors())).to_parquet(path)
    elif kind == "parquet-plain":
        numbered("{}").to_parquet(path)
    else:
        numbered("e{}").to_csv(path, index=False)
    return path


def stored(folder: Path, source: Path, **options: Any) -> FunctaStore:
    encode(VectorTable(source, **options), folder / "clip.zarr", options=ONE)
    return open_store(folder / "clip.zarr")


@pytest.mark.parametrize("kind", ["npy", "parquet-list", "parquet-plain", "csv"])
def test_vectors_come_in_as_they_are(tmp_path: Path, kind: str) -> None:
    source = written(tmp_path, kind)
    rows = stored(tmp_path, source).read(names()["id"].tolist())
    assert np.array_equal(rows.functas, vectors())
    assert rows.labels.tolist() == names()["label"].tolist()
    assert rows.groups.tolist() == names()["group"].astype(str).tolist()
    header = open_store(tmp_path / "clip.zarr").header
    assert header.conventions["source"]["sha256"] == hashlib.sha256(source.read_bytes()).hexdigest()
    assert header.conventions["source"]["file"] == source.name
    assert header.encoder["modality"] == {"name": "vectors", "dimensions": K}
    assert header.conventions["train_splits"] == []


def test_a_model_is_that_of_the_same_matrix(tmp_path: Path) -> None:
    store = stored(tmp_path, written(tmp_path, "parquet-plain"))
    result = train(store, classifier=FunctaClassifier(n_estimators=20, n_jobs=1))
    frame, x = names(), vectors()
    training = (frame["split"] == "train").to_numpy()
    features = FunctaFeatures().fit(x[training])
    with opened_source(store) as source:
        read = DesignRows(source.stores, source.items, {"vectors": features})[np.arange(COUNT)]
    assert np.array_equal(read, features.transform(x))
    plain = FunctaFeatures("weights", normalise=False).fit(x[training])
    with opened_source(store) as source:
        read = DesignRows(source.stores, source.items, {"vectors": plain})[np.arange(COUNT)]
    assert np.array_equal(read, x)
    direct = FunctaClassifier(n_estimators=20, n_jobs=1)
    direct.fit(features.transform(x[training]), frame["label"][training].to_numpy(), groups=frame["group"][training])
    probabilities = direct.predict_proba(features.transform(x[~training]))
    told = result.predictions.sort_values("id")
    assert told["predicted"].tolist() == direct.classes_[probabilities.argmax(axis=1)].tolist()
    assert np.array_equal(told["probability"].to_numpy(np.float32), probabilities.max(axis=1))


def test_rows_of_another_store_and_their_splits(tmp_path: Path) -> None:
    first = stored(tmp_path, written(tmp_path, "npy"))
    dataset = VectorTable(tmp_path / "clip.zarr")
    encode(dataset, tmp_path / "again.h5", options=ONE)
    again = open_store(tmp_path / "again.h5")
    ids = first.ids.tolist()
    assert np.array_equal(again.read(ids).functas, first.read(ids).functas)
    assert again.read(ids).splits.tolist() == first.read(ids).splits.tolist()
    assert again.header.conventions["source"]["fingerprint"] == first.fingerprint
    with pytest.raises(ConfigError, match="is a store, whose rows are named and split already; leave out id"):
        VectorTable(tmp_path / "clip.zarr", id="id")


def test_folds_need_no_training_split(tmp_path: Path) -> None:
    numbered().assign(split="fold-1").to_csv(tmp_path / "clip.csv", index=False)
    assert len(stored(tmp_path, tmp_path / "clip.csv")) == COUNT


def test_a_vector_that_cannot_be_used_fails_alone(tmp_path: Path) -> None:
    frame = numbered().astype({"e1": object})
    frame.loc[3, "e1"], frame.loc[4, "e1"] = "much", None
    frame.to_csv(tmp_path / "clip.csv", index=False)
    assert stored(tmp_path, tmp_path / "clip.csv").failed() == [
        ("v03", "read", "'much' in column 'e1'; expected a number"),
        ("v04", "prepare", "nan at place 1; expected finite numbers"),
    ]
    lists = list(vectors())
    lists[5] = lists[5][:3]
    names().assign(embedding=lists).to_parquet(tmp_path / "lists.parquet")
    encode(VectorTable(tmp_path / "lists.parquet"), tmp_path / "lists.zarr", options=ONE)
    assert open_store(tmp_path / "lists.zarr").failed() == [("v05", "prepare", "a vector of 3 numbers; expected 5")]


def test_what_is_no_part_of_the_vector_is_told(tmp_path: Path) -> None:
    frame = numbered().assign(model="clip", f0=1.0, f1=2.0)
    frame.to_parquet(tmp_path / "clip.parquet")
    with pytest.raises(ConfigError, match=r"got e0 or f0\. Say which with --reader columns=e\*"):
        VectorTable(tmp_path / "clip.parquet")
    dataset = VectorTable(tmp_path / "clip.parquet", columns="e*")
    told = plan(dataset, encoder_config(dataset), ONE)
    assert told.left_out == dict.fromkeys(["model", "f0", "f1"], "not a part of the vector")
    assert (told.k, "vectors from the columns e0 ... e4" in told.notes) == (K, True)


def test_an_array_needs_ids_for_each_row(tmp_path: Path) -> None:
    np.save(tmp_path / "clip.npy", vectors())
    with pytest.raises(DataError, match=r"holds no IDs; expected one table clip\.csv beside it"):
        VectorTable(tmp_path / "clip.npy")
    names()[:-1].to_csv(tmp_path / "clip.csv", index=False)
    with pytest.raises(DataError, match=r"has shape \(60, 5\), and .*clip\.csv 59 rows"):
        VectorTable(tmp_path / "clip.npy")
    names().drop(columns="id").to_csv(tmp_path / "clip.csv", index=False)
    with pytest.raises(DataError, match="has no column of IDs; got label, split, group"):
        VectorTable(tmp_path / "clip.npy")


def test_a_vector_decodes_to_itself(tmp_path: Path) -> None:
    stored(tmp_path, written(tmp_path, "csv"))
    decode(tmp_path / "clip.zarr", "v07", tmp_path / "v.npy")
    assert np.array_equal(np.load(tmp_path / "v.npy"), vectors()[7])


def test_the_layout_is_told_from_the_modality(tmp_path: Path) -> None:
    with open_dataset(None, written(tmp_path, "npy"), modality="vectors") as dataset:
        assert isinstance(dataset, VectorTable)
        assert len(list(dataset)) == COUNT
