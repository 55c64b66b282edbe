from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusion.errors import ConfigError, DataError, SampleError
from fusion.modalities import (
    ChannelStatistics,
    Scaling,
    coordinate_grid,
    modality_from_dict,
    source_hash,
)
from fusion.modalities.sensor import SensorModality

CHANNELS = ("ax", "ay")


def window(readings: int = 8) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(readings, 2)).astype(np.float32)


def test_a_window_becomes_values_and_comes_back() -> None:
    modality = SensorModality().resolved(window())
    scaling = ChannelStatistics.of(window()).scaling(spread=None)
    values, coordinates = scaling.normalise(modality.prepare(window())), modality.coordinates()
    assert coordinates.shape == (8, 1)
    assert coordinates[0, 0] == -1.0
    assert coordinates[-1, 0] == 1.0
    assert values.min() == 0.0
    assert values.max() == 1.0
    np.testing.assert_allclose(modality.restore(values, scaling, modality.grid), window(), atol=1e-6)


def test_values_outside_the_training_limits_are_clipped() -> None:
    scaling = Scaling(np.zeros(2, np.float32), np.array([1.0, 0.0], np.float32))
    np.testing.assert_array_equal(scaling.normalise(np.array([[-3.0, 5.0], [0.5, 0.0]])), [[0.0, 1.0], [0.5, 0.0]])


def test_limits_stand_at_the_spread_around_the_mean_within_the_range() -> None:
    samples = [np.random.default_rng(seed).normal(3.0, 2.0, (50, 1)) for seed in range(20)]
    together = np.concatenate(samples)
    limits = ChannelStatistics.total(map(ChannelStatistics.of, samples)).scaling(spread=2.0)
    assert limits.low[0] == pytest.approx(together.mean() - 2 * together.std(), rel=1e-6)
    assert limits.high[0] == pytest.approx(together.mean() + 2 * together.std(), rel=1e-6)
    wide = ChannelStatistics.total(map(ChannelStatistics.of, samples)).scaling(spread=100.0)
    assert (wide.low[0], wide.high[0]) == (np.float32(together.min()), np.float32(together.max()))


@given(st.permutations(range(6)))
def test_statistics_do_not_depend_on_the_order(order: list[int]) -> None:
    samples = [np.random.default_rng(seed).normal(0, 10.0**seed, (5, 2)) for seed in range(6)]
    in_order = ChannelStatistics.total(map(ChannelStatistics.of, samples))
    assert ChannelStatistics.total(ChannelStatistics.of(samples[index]) for index in order) == in_order


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (np.zeros((7, 2)), r"window of shape \(7, 2\); expected \(8, 2\)"),
        (np.zeros((8, 3)), r"window of shape \(8, 3\); expected \(8, 2\)"),
        (np.zeros((0, 2)), r"none of them 0"),
        (np.zeros((2, 2, 2)), r"expected \(readings, channels\)"),
        (np.full((8, 2), "x"), "expected numbers"),
        (np.where(np.arange(16).reshape(8, 2) == 5, np.nan, 0.0), "nan at reading 2, channel 1; expected finite"),
        (np.full((8, 2), np.inf), "inf at reading 0, channel 0"),
    ],
)
def test_a_window_that_cannot_be_used_says_why(raw: np.ndarray, reason: str) -> None:
    with pytest.raises(SampleError, match=reason):
        SensorModality(length=8, channels=CHANNELS).prepare(raw)


def test_options_survive_their_dictionary_and_unknown_ones_are_refused() -> None:
    modality = SensorModality(length=8, channels=CHANNELS, rate=50.0)
    assert modality_from_dict(modality.to_dict()) == modality
    with pytest.raises(ConfigError, match="modality 'smell' is not known; expected one of"):
        modality_from_dict({"name": "smell"})
    with pytest.raises(ConfigError, match="unknown modality 'sensor' option hertz; expected some of length"):
        modality_from_dict({"name": "sensor", "hertz": 3})


def test_csv_written_is_csv_read(tmp_path: Path) -> None:
    modality = SensorModality(length=8, channels=CHANNELS, rate=2.0)
    modality.write(window(), tmp_path / "w.csv")
    lines = (tmp_path / "w.csv").read_text().splitlines()
    assert lines[0] == "time,ax,ay"
    assert float(lines[-1].split(",")[0]) == 3.5
    np.testing.assert_allclose(modality.prepare(modality.read(tmp_path / "w.csv")), window(), rtol=1e-6)


def test_a_plain_csv_and_an_array_file_are_read(tmp_path: Path) -> None:
    np.savetxt(tmp_path / "plain.csv", window(), delimiter=",")
    np.save(tmp_path / "w.npy", window())
    modality = SensorModality(length=8, channels=CHANNELS)
    np.testing.assert_allclose(modality.read(tmp_path / "plain.csv"), window(), rtol=1e-6)
    np.testing.assert_array_equal(modality.read(tmp_path / "w.npy"), window())


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.csv", b"x,y\n"), ("b.csv", b"x\ntwo\n"), ("a.npy", b"\x93NUMPY"), ("a.txt", b"1")],
)
def test_files_that_are_no_windows_say_so(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SampleError, match=rf"read: {name} (has no|is no|is of a kind that is no)"):
        SensorModality().read(tmp_path / name)


def test_a_pickled_array_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "p.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(SampleError, match=r"not a readable .npy file"):
        SensorModality().read(tmp_path / "p.npy")


def test_only_csv_is_written(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cannot write a sensor window as .wav; expected .csv"):
        SensorModality(length=8, channels=CHANNELS).write(window(), tmp_path / "w.wav")


@given(st.lists(st.integers(1, 6), min_size=1, max_size=3))
def test_grids_fill_the_cube_in_row_order(grid: list[int]) -> None:
    points = coordinate_grid(grid)
    assert points.shape == (np.prod(grid), len(grid))
    assert np.abs(points).max() <= 1.0
    assert len(np.unique(points, axis=0)) == len(points)
    assert [tuple(p) for p in points] == sorted(tuple(p) for p in points)


def test_hashes_tell_arrays_apart() -> None:
    assert source_hash(window()).tobytes() == source_hash(window().astype(np.float64)).tobytes()
    assert source_hash(window()).tobytes() != source_hash(window() + 1e-3).tobytes()
    assert source_hash(np.zeros((2, 3))).tobytes() != source_hash(np.zeros((3, 2))).tobytes()


def test_another_length_is_resampled_only_when_asked() -> None:
    ramp = np.linspace([0.0, 5.0], [10.0, -5.0], 41)
    modality = SensorModality(length=8, channels=CHANNELS, resample=True)
    np.testing.assert_allclose(modality.prepare(ramp), np.linspace([0.0, 5.0], [10.0, -5.0], 8), atol=1e-6)
    np.testing.assert_array_equal(modality.prepare(window()), window())
    with pytest.raises(SampleError, match=r"shape \(41, 3\); expected \(8, 2\)"):
        modality.prepare(np.zeros((41, 3)))
    assert "resample" not in SensorModality(length=8).to_dict()
    assert modality_from_dict(modality.to_dict()) == modality


def test_a_store_is_not_begun_with_a_window_of_one_reading() -> None:
    with pytest.raises(SampleError, match=r"it has one reading; .*--modality columns"):
        SensorModality().resolved(np.zeros((1, 3), np.float32))
