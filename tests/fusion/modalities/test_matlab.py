from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.io import loadmat, savemat

from fusion.errors import SampleError
from fusion.modalities.arrays import read_mat

KINDS = ("f8", "f4", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8")


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_numbers_are_read_as_scipy_reads_them(tmp_path: Path, kind: str, compressed: bool) -> None:
    values = np.random.default_rng(0).integers(0, 100, (3, 4, 5)).astype(kind)
    content = {"first": "text", "tiny": values[:1, :1, 0], "wide_name": 1, "x": values}
    savemat(
        tmp_path / "a.mat",
        content,
        do_compression=compressed,
    )
    expected = loadmat(tmp_path / "a.mat")
    for key in ("x", "tiny"):
        found = read_mat(tmp_path / "a.mat", key)
        assert found.dtype == expected[key].dtype
        np.testing.assert_array_equal(found, expected[key])


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("text", "'x' is char; expected an array of real numbers"),
        ({"a": 1}, "'x' is struct"),
        (np.array([1, "a"], dtype=object), "'x' is cell"),
        (np.array([1j]), "'x' is complex"),
    ],
)
def test_other_kinds_of_variable_are_refused(tmp_path: Path, value: object, reason: str) -> None:
    savemat(tmp_path / "a.mat", {"x": value})
    with pytest.raises(SampleError, match=reason):
        read_mat(tmp_path / "a.mat", "x")
    with pytest.raises(SampleError, match="no variable 'y'; got x"):
        read_mat(tmp_path / "a.mat", "y")


def test_older_files_and_files_without_a_byte_order(tmp_path: Path) -> None:
    savemat(tmp_path / "old.mat", {"x": np.ones(3)}, format="4")
    with pytest.raises(SampleError, match=r"old.mat is not a readable MATLAB file of version 5 to 7: no such header"):
        read_mat(tmp_path / "old.mat", "x")
    savemat(tmp_path / "a.mat", {"x": np.ones(3)})
    content = bytearray((tmp_path / "a.mat").read_bytes())
    content[126:128] = b"??"
    (tmp_path / "a.mat").write_bytes(content)
    with pytest.raises(SampleError, match="no mark of its byte order"):
        read_mat(tmp_path / "a.mat", "x")


def test_a_damaged_size_is_named(tmp_path: Path) -> None:
    savemat(tmp_path / "a.mat", {"x": np.ones((4, 3))})
    content = bytearray((tmp_path / "a.mat").read_bytes())
    content[160:164] = (1 << 30).to_bytes(4, "little")
    (tmp_path / "a.mat").write_bytes(content)
    with pytest.raises(SampleError, match=r"'x' of shape \(1073741824, 3\) has 96 bytes of float64"):
        read_mat(tmp_path / "a.mat", "x")


def unknown_type(path: Path) -> Path:
    """Write a file in which one byte is changed: the numbers are of a type that does not exist."""
    savemat(path, {"d_iner": np.random.default_rng(0).normal(size=(30, 6))})
    content = bytearray(path.read_bytes())
    content[content.index(b"d_iner") + 8] = 0
    path.write_bytes(content)
    return path


def test_numbers_of_an_unknown_type_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SampleError, match="'d_iner' has dimensions"):
        read_mat(unknown_type(tmp_path / "a.mat"), "d_iner")


@pytest.mark.slow
def test_scipy_still_needs_a_substitute(tmp_path: Path) -> None:
    code = "import sys; from scipy.io import loadmat; loadmat(sys.argv[1])"
    done = subprocess.run(
        [sys.executable, "-c", code, unknown_type(tmp_path / "a.mat")], capture_output=True, check=False
    )
    assert done.returncode < 0, "SciPy refuses the file without ending the process: fusion/modalities/matlab.py can go"
