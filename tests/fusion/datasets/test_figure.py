import pickle
from dataclasses import replace

import numpy as np
import pytest

from fusion.datasets.figure import ACTIVITIES, CHANNELS, FigureConfig, FigureDataset
from fusion.errors import ConfigError

SMALL = FigureConfig(subjects=4, test_subjects=1, windows=2, seed=7)


def raws(config, view):
    return {sample.id: sample.raw for sample in FigureDataset(config, view)}


@pytest.mark.parametrize(
    ("view", "modality", "shape", "dtype"),
    [("sensor", "sensor", (128, len(CHANNELS)), np.float32), ("camera", "video", (16, 32, 32, 3), np.uint8)],
)
def test_every_sample_has_the_shape_of_its_modality(view, modality, shape, dtype):
    data = FigureDataset(SMALL, view)
    assert (data.name, data.modality, len(data)) == ("figure", modality, 4 * 9 * 2)
    for sample in data:
        raw = sample.raw
        assert (raw.shape, raw.dtype) == (shape, dtype), sample.id
        assert np.isfinite(raw).all(), sample.id


def test_samples_are_named_by_subject_activity_and_number():
    samples = list(FigureDataset(SMALL))
    assert len({sample.id for sample in samples}) == len(samples)
    assert samples[0].id == "s01-walk-001"
    assert samples[-1].id == "s04-lie-002"
    assert {sample.label for sample in samples} == set(ACTIVITIES)


def test_a_subject_is_on_one_side_of_the_split():
    groups = {"train": set(), "test": set()}
    for sample in FigureDataset(SMALL):
        groups[sample.split].add(sample.group)
    assert groups == {"train": {"subject-01", "subject-02", "subject-03"}, "test": {"subject-04"}}


def test_both_views_name_the_same_events():
    sensor, camera = list(FigureDataset(SMALL)), list(FigureDataset(SMALL, "camera"))
    assert sensor == camera


@pytest.mark.parametrize("view", ["sensor", "camera"])
def test_the_same_seed_gives_the_same_data_and_another_seed_does_not(view):
    first, again, other = (raws(config, view) for config in (SMALL, replace(SMALL), replace(SMALL, seed=8)))
    for name, raw in first.items():
        np.testing.assert_array_equal(raw, again[name])
        assert not np.array_equal(raw, other[name])


@pytest.mark.parametrize("view", ["sensor", "camera"])
def test_a_sample_does_not_depend_on_order_or_on_how_many_there_are(view):
    few = list(FigureDataset(SMALL, view))
    many = FigureDataset(replace(SMALL, subjects=5, windows=3), view)
    backwards = {sample.id: sample.raw for sample in reversed(few)}
    for sample in many:
        if sample.id in backwards:
            np.testing.assert_array_equal(sample.raw, backwards.pop(sample.id))
    assert backwards == {}


def test_no_two_samples_are_alike():
    windows = list(raws(SMALL, "sensor").values())
    assert len({window.tobytes() for window in windows}) == len(windows)


def test_noise_of_one_view_leaves_the_other_as_it_is():
    noisy = replace(SMALL, camera_noise=5.0)
    sample, same = next(iter(FigureDataset(SMALL))), next(iter(FigureDataset(noisy)))
    np.testing.assert_array_equal(sample.raw, same.raw)


def test_a_sample_travels_to_another_process_before_it_is_read():
    sample = next(iter(FigureDataset(SMALL)))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(sample)).raw, sample.raw)  # noqa: S301


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"subjects": 1}, r"subjects is 1, expected at least 2\."),
        ({"test_subjects": 24}, r"test_subjects is 24, expected 1 to 23\."),
        ({"windows": 0}, r"windows is 0, expected at least 1\."),
        ({"seed": -1}, r"seed is -1, expected at least 0\."),
        ({"sensor_noise": float("nan")}, r"sensor_noise is nan, expected at least 0\."),
    ],
)
def test_a_setting_out_of_range_is_refused(change, message):
    with pytest.raises(ConfigError, match=message):
        FigureConfig(**change)


def test_an_unknown_view_is_refused():
    with pytest.raises(ConfigError, match=r"view is 'radar', expected one of sensor, camera\."):
        FigureDataset(SMALL, "radar")
