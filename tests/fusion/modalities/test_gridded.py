"""Arrays of any shape: which axis holds channels, files, and the way back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fusion.errors import ConfigError, SampleError
from fusion.modalities import ArrayModality, Scaling, modality_from_dict


def array(*shape: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize(
    ("shape", "channels", "grid", "values"),
    [
        ((50,), None, (50,), 1),
        ((50, 3), None, (50,), 3),
        ((50, 9), "last", (50,), 9),
        ((8, 9), None, (8, 9), 1),
        ((8, 9, 4), None, (8, 9), 4),
        ((12, 8, 9), "first", (8, 9), 12),
        ((6, 7, 8), None, (6, 7, 8), 1),
        ((6, 7, 8, 2), None, (6, 7, 8), 2),
        ((5, 6, 7, 8), "none", (5, 6, 7, 8), 1),
        ((5, 6, 7, 8, 3), None, (5, 6, 7, 8), 3),
    ],
)
def test_axes_and_channels(shape: tuple[int, ...], channels: str | None, grid: tuple[int, ...], values: int) -> None:
    raw = array(*shape)
    modality = ArrayModality(channels=channels).resolved(raw)
    assert (modality.grid, modality.d_in, modality.d_out) == (grid, len(grid), values)
    prepared = modality.prepare(raw)
    assert prepared.shape == (*grid, values)
    assert np.array_equal(modality._as_read(prepared), raw)
    assert modality_from_dict(json.loads(json.dumps(modality.to_dict()))) == modality
    (note,) = modality.remarks([modality.measured(raw)])
    assert f"arrays of shape {shape} are {' x '.join(map(str, grid))} points" in note
    assert f"channels={modality.channels}" in note


def test_two_units_among_arrays_are_told() -> None:
    levels, parts, dark = (np.linspace(0, top, 30, dtype=np.float32).reshape(5, 6) for top in (255, 1, 0))
    modality = ArrayModality().resolved(levels)
    for alike in ([levels, levels], [parts, parts], [levels, dark], [parts, parts * 12], [levels, levels - 1]):
        assert len(modality.remarks(list(map(modality.measured, alike)))) == 1
    _, told = modality.remarks(list(map(modality.measured, [levels, parts, levels])))
    assert told.startswith(
        "1 of 3 arrays looked at lie between 0 and 1, and others reach 255. Check that all are in one"
    )


@pytest.mark.parametrize("shape", [(2, 2, 2, 2, 5), (3, 3, 3, 3, 3, 3)])
def test_more_axes_than_four_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(SampleError, match=r"expected 1 to 4 axes besides that of the channels"):
        ArrayModality().resolved(array(*shape))


def test_what_cannot_be_used_says_why() -> None:
    modality = ArrayModality(channels="first").resolved(array(2, 6, 7))
    with pytest.raises(SampleError, match=r"array of shape \(6, 7, 2\), with channels first; expected \(2, 6, 7\)"):
        modality.prepare(array(6, 7, 2))
    wrong = array(2, 6, 7)
    wrong[1, 2, 3] = np.nan
    with pytest.raises(SampleError, match=r"nan at \(2, 3, 1\); expected finite numbers"):
        modality.prepare(wrong)
    with pytest.raises(SampleError, match="expected numbers"):
        modality.prepare(np.array(["a"]))
    with pytest.raises(ConfigError, match="expected last, first or none"):
        ArrayModality(channels="middle")
    with pytest.raises(ConfigError, match="the shape of the arrays is not known yet"):
        ArrayModality().grid  # noqa: B018


def test_arrays_come_out_of_npy_and_npz_files(tmp_path: Path) -> None:
    raw = array(4, 5, 6)
    np.save(tmp_path / "a.npy", raw)
    np.savez(tmp_path / "one.npz", volume=raw)
    np.savez(tmp_path / "two.npz", volume=raw, mask=raw > 0)
    assert np.array_equal(ArrayModality().read(tmp_path / "a.npy"), raw)
    assert np.array_equal(ArrayModality().read(tmp_path / "one.npz"), raw)
    assert np.array_equal(ArrayModality(key="volume").read(tmp_path / "two.npz"), raw)
    with pytest.raises(SampleError, match=r"two\.npz holds the arrays volume, mask; expected one, or its name"):
        ArrayModality().read(tmp_path / "two.npz")
    (tmp_path / "bad.npz").write_bytes(b"no archive")
    with pytest.raises(SampleError, match=r"bad\.npz is not a readable \.npz file"):
        ArrayModality().read(tmp_path / "bad.npz")


@pytest.mark.parametrize("channels", ["last", "first"])
def test_what_is_written_is_laid_out_as_what_was_read(tmp_path: Path, channels: str) -> None:
    raw = array(3, 4, 5)
    modality = ArrayModality(channels=channels).resolved(raw)
    modality.write(modality.prepare(raw), tmp_path / "out.npy")
    assert np.array_equal(np.load(tmp_path / "out.npy"), raw)


@pytest.mark.parametrize("shape", [(20, 2), (9, 9, 3), (9, 8, 7), (4, 9, 8, 7)])
def test_pictures_of_any_number_of_axes(tmp_path: Path, shape: tuple[int, ...]) -> None:
    raw = array(*shape)
    modality = ArrayModality().resolved(raw)
    prepared = modality.prepare(raw)
    modality.plot(prepared, prepared, tmp_path / "both.png", "a title")
    assert (tmp_path / "both.png").read_bytes().startswith(b"\x89PNG")


def test_values_come_back_from_the_unit_range() -> None:
    modality = ArrayModality().resolved(array(6, 5))
    prepared = modality.prepare(array(6, 5))
    scaling = Scaling(prepared.min((0, 1)), prepared.max((0, 1)))
    fitted = scaling.normalise(prepared).reshape(30, 1)
    assert np.allclose(modality.restore(fitted, scaling, modality.grid), prepared, atol=1e-6)


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_a_nifti_file_goes_round(tmp_path: Path, suffix: str) -> None:
    pytest.importorskip("nibabel")
    raw = array(5, 6, 7)
    modality = ArrayModality().resolved(raw)
    path = tmp_path / f"head{suffix}"
    modality.write(modality.prepare(raw), path)
    assert np.array_equal(modality.read(path), raw)


def test_a_nifti_file_is_scaled_as_its_header_says_and_damage_is_told(tmp_path: Path) -> None:
    nibabel = pytest.importorskip("nibabel")
    image = nibabel.Nifti1Image(np.arange(24, dtype=np.int16).reshape(2, 3, 4), np.diag([2.0, 2.0, 3.0, 1.0]))
    image.header.set_slope_inter(0.5, 10.0)
    nibabel.save(image, tmp_path / "head.nii.gz")
    found = ArrayModality().read(tmp_path / "head.nii.gz")
    assert found[0, 0, :2].tolist() == pytest.approx([10.0, 10.5])
    (tmp_path / "bad.nii").write_bytes((tmp_path / "head.nii.gz").read_bytes()[:40])
    with pytest.raises(SampleError, match=r"bad\.nii is not a readable NIfTI file"):
        ArrayModality().read(tmp_path / "bad.nii")
    with pytest.raises(SampleError, match=r"none\.nii does not exist"):
        ArrayModality().read(tmp_path / "none.nii")


def test_without_nibabel_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "nibabel", None)
    with pytest.raises(ConfigError, match=r"pip install 'functa-fusion\[nifti\]'"):
        ArrayModality().read(tmp_path / "head.nii")
