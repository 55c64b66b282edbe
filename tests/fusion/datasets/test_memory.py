"""Data sets in memory: arrays, frames, and objects of the shape of Hugging Face's data sets."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from helpers.image_files import write_picture
from helpers.made_people import people
from PIL import Image

from fusion.datasets import ArrayDataset, FrameDataset
from fusion.datasets.base import Dataset
from fusion.encoders import EncodeOptions, encode, encoder_config
from fusion.errors import ConfigError, DataError, SampleError
from fusion.modalities import Recording, SensorModality, VectorsModality
from store import open_store

ONE = EncodeOptions(workers=1)


def windows(count: int = 12) -> list[np.ndarray[Any, Any]]:
    return [np.random.default_rng(place).normal(size=(16, 2)).astype(np.float32) for place in range(count)]


def test_arrays_with_all_that_is_known_of_them() -> None:
    given = {"labels": [1, 2.0, None], "ids": ["a", "b", "c"], "groups": ["x", None, np.nan], "splits": ["train"] * 3}
    data = ArrayDataset(windows(3), **given)
    assert isinstance(data, Dataset)
    samples = list(data)
    assert [(s.id, s.label, s.group, s.split) for s in samples] == [
        ("a", "1", "x", "train"),
        ("b", "2", None, "train"),
        ("c", None, None, "train"),
    ]
    assert np.array_equal(samples[1].raw, windows(3)[1])
    assert data.modality == "sensor"
    assert data.notes == ("2 samples have no group: nothing keeps those of one person on one side of the split",)


def test_without_splits_whole_groups_are_split_by_their_names_and_it_is_told() -> None:
    groups = [f"p{place % 6}" for place in range(12)]
    data = ArrayDataset(windows(), groups=groups)
    splits = {(sample.group, sample.split) for sample in data}
    assert len(splits) == 6
    assert "no splits: 20% of the groups asked for as test" in data.notes[0]
    assert [sample.id for sample in data][:2] == ["sensor:1", "sensor:2"]


def test_lengths_that_differ_and_missing_ids_are_refused() -> None:
    with pytest.raises(DataError, match="2 labels for 3 arrays; expected as many of both"):
        ArrayDataset(windows(3), labels=["a", "b"])
    with pytest.raises(DataError, match="array 1 has no ID; expected one for each"):
        ArrayDataset(windows(2), ids=["a", None])
    with pytest.raises(ConfigError, match="modality 'sonar' is not known"):
        ArrayDataset(windows(2), modality="sonar")


def test_arrays_become_a_store_in_any_number_of_processes(tmp_path: Path) -> None:
    data = ArrayDataset(windows(), labels=["a", "b"] * 6, splits=["train"] * 12, modality=SensorModality(spread=None))
    for workers in (1, 2):
        encode(data, tmp_path / f"{workers}.zarr", options=EncodeOptions(workers=workers))
    one, two = (
        open_store(tmp_path / f"{workers}.zarr").read([f"sensor:{n}" for n in range(1, 13)]) for workers in (1, 2)
    )
    assert np.array_equal(one.functas, two.functas)


def test_a_sample_is_sent_alone_and_one_that_breaks_is_a_failed_row() -> None:
    class Breaking(list):  # type: ignore[type-arg]
        def __getitem__(self, place: Any) -> Any:
            if place == 1:
                raise OSError("gone")
            return super().__getitem__(place)

    samples = list(ArrayDataset(Breaking([np.zeros((1000, 9))] * 50)))
    sent = pickle.dumps(samples[0].load)
    assert len(sent) < 100_000
    assert pickle.loads(sent)().shape == (1000, 9)  # noqa: S301 - written above
    with pytest.raises(SampleError, match="OSError: gone"):
        pickle.loads(pickle.dumps(samples[1].load))()  # noqa: S301


def test_rows_of_a_frame_name_files(tmp_path: Path) -> None:
    for number in range(4):
        write_picture(tmp_path / f"{number}.png", seed=number)
    frame = pd.DataFrame({"file": [f"{n}.png" for n in range(4)], "animal": ["cat", "dog"] * 2, "person": list("aabb")})
    data = FrameDataset(frame, path="file", label="animal", group="person", modality="image", root=tmp_path)
    assert [(sample.id, sample.label, sample.group) for sample in data][:2] == [
        ("0.png", "cat", "a"),
        ("1.png", "dog", "a"),
    ]
    assert next(iter(data)).raw.ndim == 3
    with pytest.raises(ConfigError, match="the files of column 'file' are of no modality"):
        FrameDataset(frame, path="file")
    with pytest.raises(DataError, match="the frame has no column 'species'; got file, animal, person"):
        FrameDataset(frame, path="file", label="species", modality="image")


def test_rows_of_a_frame_are_plain_columns(tmp_path: Path) -> None:
    frame = people().assign(split=["train"] * 8 + ["test"] * 2)
    frame.loc[1, "age"] = np.nan
    report = encode(FrameDataset(frame), tmp_path / "people.zarr", options=ONE)
    assert (report.channels, report.rows) == (("age", "sex"), 10)
    rows = open_store(tmp_path / "people.zarr").read(["a", "b"])
    assert np.isnan(rows.functas[:, 0]).tolist() == [False, True]
    assert list(report.left_out) == ["country"]


def test_a_column_of_a_frame_holds_vectors(tmp_path: Path) -> None:
    vectors = [np.arange(3.0) + place for place in range(6)]
    frame = pd.DataFrame({"id": list("abcdef"), "clip": vectors, "label": ["x", "y"] * 3})
    data = FrameDataset(frame, column="clip", modality="vectors")
    encode(data, tmp_path / "v.zarr", options=ONE)
    assert isinstance(data.default_modality(), VectorsModality)
    assert open_store(tmp_path / "v.zarr").get("c").functas.tolist() == [[2.0, 3.0, 4.0]]


class ClassNames:
    """As Hugging Face's ``ClassLabel``."""

    names = ("hum", "hiss")


class HubData:
    """Of the shape of Hugging Face's ``datasets.Dataset``: columns by name, rows by number, features, a split."""

    def __init__(self, split: str | None = "train", **columns: list[Any]) -> None:
        self._columns = columns
        self.column_names = list(columns)
        self.features = {"label": ClassNames()} | {name: None for name in columns if name != "label"}
        self.split = split

    def __len__(self) -> int:
        return len(next(iter(self._columns.values())))

    def __getitem__(self, key: str | int) -> Any:
        if isinstance(key, str):
            return self._columns[key]
        return {name: cells[key] for name, cells in self._columns.items()}

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return (self[row] for row in range(len(self)))


def sounds(count: int = 6) -> list[dict[str, Any]]:
    tone = np.sin(np.arange(800) / 5).astype(np.float32)
    return [{"path": f"{place}.wav", "array": tone * (place + 1), "sampling_rate": 8000} for place in range(count)]


def test_sounds_of_a_hub_data_set_are_told_and_encoded(tmp_path: Path) -> None:
    hub = HubData(id=list("abcdef"), audio=sounds(), label=[0, 1] * 3)
    data = FrameDataset(hub)
    assert (data.modality, data.notes) == ("audio", ("column 'audio' is read as audio",))
    sample = next(iter(data))
    assert (sample.id, sample.label, sample.split) == ("a", "hum", "train")
    assert isinstance(sample.raw, Recording)
    assert sample.raw.rate == 8000
    report = encode(hub, tmp_path / "a.zarr", encoder_config(data, fit={"steps": 1}), ONE)
    assert (report.rows, report.notes) == (6, data.notes)
    assert open_store(tmp_path / "a.zarr").get("b").labels.tolist() == ["hiss"]


def test_sounds_of_several_channels_are_averaged_whichever_axis_they_are_on() -> None:
    stereo = np.stack([np.ones(500), np.zeros(500)])
    for array in (stereo, stereo.T):
        data = ArrayDataset([{"array": array, "sampling_rate": 500}], modality="audio")
        assert next(iter(data)).raw.samples.tolist() == [0.5] * 500


def test_pictures_of_a_hub_data_set(tmp_path: Path) -> None:
    palette = Image.fromarray(np.full((5, 6, 3), (10, 200, 30), np.uint8)).quantize(4)
    hub = HubData(split="test", image=[palette, palette.convert("L")], label=[1, -1])
    samples = list(FrameDataset(hub))
    assert samples[0].raw[0, 0].tolist() == pytest.approx([10, 200, 30], abs=4)
    assert samples[1].raw.shape == (5, 6)
    assert [(s.id, s.label, s.split) for s in samples] == [("image:1", "hiss", "test"), ("image:2", None, "test")]


def test_arrays_of_a_hub_data_set_may_be_lists() -> None:
    data = FrameDataset(HubData(id=["a"], window=[[[1.0, 2.0], [3.0, 4.0]]], label=[0]))
    assert data.notes == ("column 'window' is read as sensor",)
    assert next(iter(data)).raw.tolist() == [[1, 2], [3, 4]]


def test_what_cannot_be_told_is_asked_for() -> None:
    with pytest.raises(ConfigError, match=r"got audio and other\. Name it with column="):
        FrameDataset(HubData(audio=sounds(2), other=sounds(2), label=[0, 1]))
    with pytest.raises(ConfigError, match="got none of text"):
        FrameDataset(HubData(text=["a", "b"], label=[0, 1]))
    splits = type("Splits", (), {"column_names": {"train": ["a"], "test": ["a"]}})()
    with pytest.raises(ConfigError, match=r"it holds the splits train, test; expected one of them"):
        FrameDataset(splits)
    with pytest.raises(ConfigError, match=r"an object of type int is no data set; expected one of fusion\.datasets"):
        encode(3, "x.zarr")  # type: ignore[arg-type]
