"""Damaged and hostile files of readings: an answer or a plain reason, soon, and in little memory."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from helpers.mutants import require_mutants_are_read
from helpers.sensor_mutants import write_readings

from fusion.errors import SampleError
from fusion.modalities.arrays import read_mat, read_npy, read_npz

MANY = [pytest.mark.slow, pytest.mark.timeout(1800)]
FORMATS = {
    "window.csv": "sensor",
    "window.npy": "sensor",
    "plain.mat": "helpers.sensor_mutants:read_mat_array",
    "packed.mat": "helpers.sensor_mutants:read_mat_array",
    "trials.npz": "helpers.sensor_mutants:read_npz_array",
    "table.csv": "helpers.sensor_mutants:read_table",
    "table.npz": "helpers.sensor_mutants:read_table",
    "table.parquet": "helpers.sensor_mutants:read_table",
}
IN_SHORT = ("window.csv", "packed.mat", "table.npz", "table.parquet")


@pytest.mark.parametrize(
    ("name", "count"),
    [(name, 50) for name in IN_SHORT] + [pytest.param(name, 5000, marks=MANY) for name in FORMATS],
)
def test_mutated_readings_are_read_or_refused(tmp_path: Path, name: str, count: int) -> None:
    require_mutants_are_read(FORMATS[name], write_readings(tmp_path / name), count)


def npy_claiming(shape: tuple[int, ...], content: bytes = b"") -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "<f8", "fortran_order": False, "shape": shape})
    return file.getvalue() + content


def test_a_header_that_claims_more_than_the_file_has_is_refused(tmp_path: Path) -> None:
    (tmp_path / "w.npy").write_bytes(npy_claiming((1 << 40, 9), bytes(72)))
    with pytest.raises(SampleError, match=r"w.npy is not a readable .npy file: shape \(1099511627776, 9\) takes"):
        read_npy(tmp_path / "w.npy")
    with zipfile.ZipFile(tmp_path / "w.npz", "w") as archive:
        archive.writestr("x.npy", npy_claiming((1 << 33,), bytes(80)))
    with pytest.raises(SampleError, match=r"shape \(8589934592,\) takes 68,719,476,736 bytes; expected at most"):
        read_npz(tmp_path / "w.npz", "x")


def test_objects_are_never_unpickled(tmp_path: Path) -> None:
    np.save(tmp_path / "w.npy", np.array([{}, []], dtype=object), allow_pickle=True)
    with pytest.raises(SampleError, match="values of type object; expected numbers"):
        read_npy(tmp_path / "w.npy")


def test_compressed_bombs_stop_at_the_limit(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "b.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", npy_claiming((1 << 20,), bytes(8 << 20)))
    assert (tmp_path / "b.npz").stat().st_size < 20_000
    with pytest.raises(SampleError, match="takes 8,388,608 bytes; expected at most 1,000,000"):
        read_npz(tmp_path / "b.npz", "x", max_bytes=1_000_000)
    write_readings(tmp_path / "plain.mat")
    packed = zlib.compress(bytes(8 << 20))
    header = (tmp_path / "plain.mat").read_bytes()[:128]
    (tmp_path / "b.mat").write_bytes(header + struct.pack("<II", 15, len(packed)) + packed)
    with pytest.raises(SampleError, match="unpacks to more than 1,000,000 bytes; it may be a bomb"):
        read_mat(tmp_path / "b.mat", "d_iner", max_bytes=1_000_000)


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY", b"PK\x03\x04", b"MATLAB 5.0 MAT-file" + bytes(120)])
def test_what_is_cut_short_is_named(tmp_path: Path, content: bytes) -> None:
    for name in ("x.npy", "x.npz", "x.mat"):
        (tmp_path / name).write_bytes(content)
    for read in (lambda: read_npy(tmp_path / "x.npy"), lambda: read_npz(tmp_path / "x.npz", "x")):
        with pytest.raises(SampleError, match=r"^read: x.np. is not a readable .np. file: "):
            read()
    with pytest.raises(SampleError, match=r"^read: x.mat is not a readable MATLAB file of version 5 to 7: "):
        read_mat(tmp_path / "x.mat", "d_iner")
