import numpy as np
import pytest

from fusion.datasets.base import Dataset, Sample
from fusion.datasets.figure import FigureDataset
from fusion.errors import DataError


def make(sample_id, load=lambda: np.zeros(3)):
    return Sample(sample_id, label="walk", split="train", group="subject-01", load=load)


@pytest.mark.parametrize(
    ("sample_id", "message"),
    [
        ("", r"sample ID '' has 0 bytes of UTF-8, expected 1 to 512\. Rename the sample\."),
        ("é" * 257, r"has 514 bytes of UTF-8, expected 1 to 512"),
        ("a\0b", r"sample ID 'a\\x00b' holds a NUL character"),
        ("a\ud800", r"is not valid Unicode"),
    ],
)
def test_an_id_that_no_store_can_keep_is_refused(sample_id, message):
    with pytest.raises(DataError, match=message):
        make(sample_id)


@pytest.mark.parametrize("sample_id", ["a", "é" * 256, "folder/file name.wav", "<b>&\n"])
def test_any_other_id_is_kept_as_it_is(sample_id):
    assert make(sample_id).id == sample_id


def test_data_are_read_only_when_asked_for():
    reads = []
    sample = make("a", lambda: reads.append(1) or np.ones(2))
    assert reads == []
    assert sample.raw.tolist() == [1.0, 1.0]
    assert reads == [1]


def test_samples_of_the_same_event_compare_equal_whatever_reads_them():
    assert make("a", load=np.empty) == make("a", load=np.zeros)
    assert make("a") != make("b")


def test_a_reader_is_recognised_by_what_it_offers():
    assert isinstance(FigureDataset(), Dataset)
    assert not isinstance([], Dataset)
