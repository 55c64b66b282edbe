from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from helpers.utd_files import TRIALS, joints_of, write_inertial
from scipy.io import savemat

from fusion.datasets.open import open_dataset
from fusion.datasets.utd_mhad import ACTIONS, AXES, JOINTS, UtdInertial, UtdSkeleton
from fusion.errors import ConfigError, DataError, SampleError


def test_inertial_trials_have_ids_labels_groups_and_splits(tmp_path: Path) -> None:
    samples = list(UtdInertial(write_inertial(tmp_path)))
    assert [sample.id for sample in samples] == list(TRIALS)
    assert [sample.label for sample in samples] == [ACTIONS[0], ACTIONS[1], ACTIONS[9], ACTIONS[26]]
    assert [sample.group for sample in samples] == ["s1", "s2", "s3", "s8"]
    assert [sample.split for sample in samples] == ["train", "test", "train", "test"]
    np.testing.assert_array_equal(samples[1].raw, np.random.default_rng(1).normal(size=(130, 6)))


def test_every_trial_is_brought_to_one_length(tmp_path: Path) -> None:
    with open_dataset("utd-mhad", write_inertial(tmp_path), modality="sensor", options={"length": 64}) as dataset:
        modality = dataset.default_modality()
        assert modality.channels == AXES
        windows = [modality.prepare(sample.raw) for sample in dataset]
    assert {window.shape for window in windows} == {(64, 6)}
    raw = np.random.default_rng(1).normal(size=(130, 6))
    np.testing.assert_allclose(windows[1][[0, -1]], raw[[0, -1]], rtol=1e-6)


@pytest.mark.parametrize("folder", [".", "Inertial", ".."])
def test_the_folder_is_found_from_above_and_from_inside(tmp_path: Path, folder: str) -> None:
    root = write_inertial(tmp_path / "data" / "UTD-MHAD")
    assert sum(1 for _ in UtdInertial(root / folder)) == len(TRIALS)


def test_a_skeleton_is_the_same_from_the_authors_files_and_from_one_archive(tmp_path: Path) -> None:
    for name in ("mat", "npz"):
        (tmp_path / name / "Skeleton").mkdir(parents=True)
    arrays = {trial: joints_of(number) for number, trial in enumerate(TRIALS)}
    np.savez(tmp_path / "npz" / "Skeleton" / "skeleton.npz", **arrays)
    for trial, joints in arrays.items():
        path = tmp_path / "mat" / "Skeleton" / f"{trial}_skeleton.mat"
        savemat(path, {"d_skel": joints.transpose(1, 2, 0).astype(np.float64)})
    for one, other in zip(UtdSkeleton(tmp_path / "npz"), UtdSkeleton(tmp_path / "mat"), strict=True):
        assert one == other
        np.testing.assert_allclose(one.raw, other.raw, atol=1e-6)


def test_skeletons_are_relative_to_the_first_hip_centre_unless_asked(tmp_path: Path) -> None:
    (tmp_path / "Skeleton").mkdir()
    np.savez(tmp_path / "Skeleton" / "skeleton.npz", a3_s1_t1=joints_of(5))
    channels = UtdSkeleton(tmp_path).default_modality().channels
    assert (len(channels), channels[9:12]) == (60, ("hip_centre_x", "hip_centre_y", "hip_centre_z"))
    (relative,), (absolute,) = UtdSkeleton(tmp_path), UtdSkeleton(tmp_path, relative=False)
    np.testing.assert_array_equal(relative.raw[0, 9:12], 0.0)
    np.testing.assert_array_equal(absolute.raw, joints_of(5).reshape(45, 60))
    np.testing.assert_allclose(relative.raw - absolute.raw, np.tile(-joints_of(5)[0, 3], (45, 20)), atol=1e-6)
    assert UtdSkeleton(tmp_path, relative=False).options == {"length": 64, "relative": False}


def test_a_bad_file_fails_alone_and_says_why(tmp_path: Path) -> None:
    root = write_inertial(tmp_path, TRIALS[:1])
    for trial, content in {"a1_s1_t2": {"other": np.ones(3)}, "a1_s1_t3": {"d_iner": np.ones((4, 5))}}.items():
        savemat(root / "Inertial" / f"{trial}_inertial.mat", content)
    savemat(root / "Inertial" / "a1_s1_t4_inertial.mat", {"d_iner": {"nested": np.ones(2)}})
    whole = (root / "Inertial" / "a1_s1_t1_inertial.mat").read_bytes()
    (root / "Inertial" / "a1_s2_t1_inertial.mat").write_bytes(whole[: len(whole) // 2])
    good, *bad = UtdInertial(root)
    assert good.raw.shape == (100, 6)
    reasons = (
        "no variable 'd_iner'; got other",
        r"shape \(4, 5\); expected \(readings, 6\)",
        "is struct; expected an array of real numbers",
        "",
    )
    for sample, reason in zip(bad, reasons, strict=True):
        with pytest.raises(SampleError, match=rf"^read: {sample.id}_inertial.mat.*{reason}"):
            _ = sample.raw


def test_another_folder_and_options_out_of_range_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nowhere does not exist; expected the folder of UTD-MHAD with Inertial"):
        UtdInertial(tmp_path / "nowhere")
    with pytest.raises(DataError, match="is not UTD-MHAD: no folder Skeleton in it"):
        UtdSkeleton(tmp_path)
    (tmp_path / "Inertial").mkdir()
    with pytest.raises(DataError, match=r"has no files such as a1_s1_t1_inertial\.mat"):
        UtdInertial(tmp_path)
    with pytest.raises(ConfigError, match="length is 1; expected 2 or more readings"):
        UtdInertial(tmp_path, length=1)


@pytest.mark.real_data
@pytest.mark.parametrize(("reader", "shape"), [(UtdInertial, (128, 6)), (UtdSkeleton, (64, 3 * len(JOINTS)))])
def test_the_real_trials_are_all_there(public_data: Path, reader: type, shape: tuple[int, int]) -> None:
    dataset = reader(public_data / "utd-mhad")
    samples = list(dataset)
    assert Counter(sample.split for sample in samples) == {"train": 431, "test": 430}
    assert len({sample.label for sample in samples}) == 27
    assert dataset.default_modality().prepare(samples[-1].raw).shape == shape
