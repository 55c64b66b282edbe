from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from helpers.utd_files import person, write_depth
from scipy.io import savemat

import fusion
from fusion.datasets.utd_depth import UtdDepth, around_person, nearness
from fusion.errors import ConfigError, DataError, SampleError

TRIALS = ("a1_s1_t1", "a1_s2_t1", "a27_s8_t4")


def test_trials_have_the_ids_of_the_other_sensors(tmp_path: Path) -> None:
    samples = list(UtdDepth(write_depth(tmp_path, TRIALS)))
    assert [sample.id for sample in samples] == list(TRIALS)
    assert [sample.split for sample in samples] == ["train", "test", "test"]
    assert [sample.group for sample in samples] == ["s1", "s2", "s8"]
    assert samples[2].label == "squat (two arms stretch out)"
    whole = next(iter(UtdDepth(tmp_path, crop=False, relative=False)))
    np.testing.assert_array_equal(whole.raw, person(top=10))


def test_the_square_around_a_person_does_not_depend_on_where_they_stand() -> None:
    square = around_person(person())
    assert square.shape == (30, 32, 32)
    assert (square[0] > 0).sum() == 30 * 12
    np.testing.assert_array_equal(square, around_person(person(top=3, left=50)))
    np.testing.assert_array_equal(square, around_person(person(top=30, left=0)))
    with pytest.raises(SampleError, match="nothing was measured in any frame"):
        around_person(np.zeros((4, 6, 8), np.uint8))


def test_nearness_does_not_depend_on_the_distance() -> None:
    levels = nearness(person())
    np.testing.assert_array_equal(np.unique(levels[:, 20:50, 30:42]), range(128, 185, 4))
    farther = np.where(person() > 0, person() + 20, 0).astype(np.uint8)
    np.testing.assert_array_equal(nearness(farther)[1:], levels[1:])
    assert not nearness(np.zeros((2, 3, 4), np.uint8)).any()


def test_the_authors_files_give_the_same(tmp_path: Path) -> None:
    write_depth(tmp_path / "small", TRIALS)
    (tmp_path / "full" / "Depth").mkdir(parents=True)
    large = np.kron(person(top=10), np.ones((1, 4, 4), np.uint16)) * 16
    savemat(tmp_path / "full" / "Depth" / "a1_s1_t1_depth.mat", {"d_depth": large.transpose(1, 2, 0).astype(np.uint16)})
    (full,) = UtdDepth(tmp_path / "full")
    small = next(iter(UtdDepth(tmp_path / "small")))
    modality = UtdDepth(tmp_path / "full").default_modality()
    assert full == small
    np.testing.assert_allclose(modality.prepare(full.raw).mean(), modality.prepare(small.raw).mean(), rtol=0.1)


def test_bad_trials_become_failed_rows(tmp_path: Path) -> None:
    folder = write_depth(tmp_path / "data", TRIALS) / "Depth60x80"
    np.savez(folder / "a2_s1_t1_depth60x80.npz", other=person())
    np.savez(folder / "a2_s1_t2_depth60x80.npz", depth=np.array([{}]))
    np.savez(folder / "a2_s1_t3_depth60x80.npz", depth=np.zeros((5, 6), np.uint8))
    (folder / "a2_s1_t4_depth60x80.npz").write_bytes(b"PK\3\4 cut short")
    dataset = UtdDepth(tmp_path / "data")
    config = fusion.encoders.encoder_config(
        dataset, options={"modality": {"size": [8, 8], "frames": 4}, "fit": {"steps": 1}}
    )
    report = fusion.encode(dataset, tmp_path / "s.zarr", config, fusion.encoders.EncodeOptions(workers=1))
    assert (report.rows, report.failed) == (3, 4)
    reasons = dict(report.failures)
    assert "no array 'depth'" in reasons["a2_s1_t1"]
    assert "depth of shape (5, 6)" in reasons["a2_s1_t3"]
    assert all(reason.startswith("read: ") for reason in reasons.values())


def test_what_is_not_the_data_set_says_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is not UTD-MHAD: no folder Depth in it"):
        UtdDepth(tmp_path)
    with pytest.raises(ConfigError, match="crop is 1; expected true or false"):
        UtdDepth(tmp_path, crop=1)


@pytest.mark.real_data
def test_real_trials_encode(public_data: Path, tmp_path: Path) -> None:
    trials = UtdDepth(public_data / "utd-mhad")
    assert len(list(trials)) == 861
    config = fusion.encoders.encoder_config(
        trials, options={"modality": {"size": [16, 16], "frames": 8}, "fit": {"steps": 5}}
    )
    report = fusion.encode(trials, tmp_path / "s.zarr", config, fusion.encoders.EncodeOptions(workers=1, limit=16))
    assert (report.rows, report.failed) == (16, 0)
