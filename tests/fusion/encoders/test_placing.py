from __future__ import annotations

import pickle
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from helpers.har_files import write_har

from fusion.datasets.base import Sample
from fusion.datasets.uci_har import UciHar
from fusion.encoders.learning import chunks, usable_arrays
from fusion.encoders.placing import Places, SampleReader
from fusion.encoders.survey import Numbers, Survey
from fusion.errors import OtherSourceError
from fusion.modalities import SensorModality


@dataclass
class Named:
    """A data set whose samples are told by their places, and who was asked how often."""

    count: int
    prefix: str = "s"
    name: str = "named"
    modality: str = "sensor"
    asked: list[int] = field(default_factory=list)

    def __getstate__(self) -> dict[str, object]:
        return self.__dict__ | {"asked": []}

    def default_modality(self) -> SensorModality:
        return SensorModality(length=4, channels=("x",))

    def __iter__(self) -> Iterator[Sample]:
        for place in range(self.count):
            self.asked.append(place)
            yield Sample(f"{self.prefix}{place}", str(place), None, None, lambda: np.zeros((4, 1)))


def reader_of(dataset: Named, numbers: Numbers | None = None) -> SampleReader:
    found = SampleReader.of(dataset, Survey(dataset.count, None, numbers=numbers))
    assert found is not None
    return pickle.loads(pickle.dumps(found))  # noqa: S301 - as Dask sends it


def test_tasks_are_read_again_where_they_are_asked_for_and_each_sample_once() -> None:
    dataset = Named(100)
    reader = reader_of(dataset)
    wanted = [(place, sample) for place, sample in enumerate(dataset) if place % 10 < 7]
    tasks = [Places.of(chunk) for chunk in chunks(wanted, 20)]
    assert tasks[0].runs == ((0, 7), (10, 17), (20, 26))
    assert max(len(pickle.dumps(task)) for task in tasks) < 300
    found = [sample.id for task in tasks for sample in reader.read(task)]
    assert found == [sample.id for _, sample in wanted]
    assert reader.dataset.asked == list(range(97))  # type: ignore[attr-defined]
    assert [sample.id for sample in reader.read(tasks[0])] == found[:20]


def test_labels_that_are_numbers_to_predict_stay_so() -> None:
    reader = reader_of(Named(3), Numbers(3, 0.0, 2.0, "label"))
    task = Places.of(list(enumerate(Named(3))))
    assert [sample.target for sample in reader.read(task)] == [0.0, 1.0, 2.0]


@pytest.mark.parametrize("other", [Named(5, prefix="t"), Named(2)])
def test_another_source_on_a_worker_is_refused(other: Named) -> None:
    task = Places.of(list(enumerate(Named(5))))
    with pytest.raises(OtherSourceError, match="a worker finds other samples in named than the command"):
        reader_of(other).read(task)
    assert [sample.id for sample in reader_of(Named(5)).read(task)] == ["s0", "s1", "s2", "s3", "s4"]


def test_a_reader_of_the_next_run_reads_anew() -> None:
    task = Places.of(list(enumerate(Named(2))))
    first, second = reader_of(Named(2)), reader_of(Named(2))
    first.read(task)
    second.read(task)
    assert second.dataset.asked == [0, 1]  # type: ignore[attr-defined]


def test_samples_to_learn_from_are_read_where_they_were_sent(tmp_path: Path) -> None:
    dataset = UciHar(write_har(tmp_path))
    reader = SampleReader.of(dataset, Survey(36, None))
    assert reader is not None
    source = reader.travelling(dataset)
    assert (source.name, source.default_modality()) == ("uci-har", dataset.default_modality())  # type: ignore[attr-defined]
    samples = list(source)
    packed = pickle.dumps(samples)
    assert len(packed) < 36 * 300 < 36 * 128 * 9 * 4
    for here, there in zip(dataset, pickle.loads(packed), strict=True):  # noqa: S301 - as Dask sends it
        assert np.array_equal(here.raw, there.raw)
    elsewhere = SampleReader.of(dataset, Survey(36, None))
    assert elsewhere is not None
    sent = pickle.loads(pickle.dumps([*elsewhere.travelling(dataset)][:1]))  # noqa: S301 - as Dask sends it
    shutil.rmtree(tmp_path / "UCI HAR Dataset")
    with pytest.raises(OtherSourceError, match=r"a worker cannot read uci-har: .*same absolute paths"):
        list(usable_arrays(sent, dataset.default_modality()))


def test_what_holds_its_data_or_cannot_travel_has_no_reader() -> None:
    assert SampleReader.of(Named(2, prefix="x" * 100_000), Survey(2, None)) is None
    held = Named(2)
    held.name = lambda: ""  # type: ignore[assignment, return-value]
    assert SampleReader.of(held, Survey(2, None)) is None


def test_a_data_set_that_was_read_travels_as_its_path(tmp_path: Path) -> None:
    dataset = UciHar(write_har(tmp_path))
    read = [sample.raw for sample in dataset]
    reader = SampleReader.of(dataset, Survey(len(read), None))
    assert reader is not None
    task = Places.of(list(enumerate(dataset)))
    sent = pickle.loads(pickle.dumps(reader))  # noqa: S301 - as Dask sends it
    assert all(np.array_equal(sample.raw, raw) for sample, raw in zip(sent.read(task), read, strict=True))
    assert Places.of([]).runs == ()
