from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from fusion.datasets.archives import is_archive, unpack
from fusion.errors import DataError


def tar_with(path: Path, entry: tarfile.TarInfo, content: bytes = b"") -> Path:
    with tarfile.open(path, "w") as archive:
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    return path


def test_files_come_out_as_they_went_in(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("deep/er/x.txt", "hello")
    unpack(tmp_path / "a.zip", tmp_path / "zip")
    unpack(tar_with(tmp_path / "a.tar", tarfile.TarInfo("deep/x.txt"), b"hello"), tmp_path / "tar")
    assert (tmp_path / "zip/deep/er/x.txt").read_text() == "hello"
    assert (tmp_path / "tar/deep/x.txt").read_text() == "hello"


@pytest.mark.parametrize("name", ["../out.txt", "a/../../out.txt", "/out.txt"])
def test_a_path_that_leaves_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(name, "x")
    for path in (tmp_path / "a.zip", tar_with(tmp_path / "a.tar", tarfile.TarInfo(name), b"x")):
        with pytest.raises(DataError, match="leaves the folder it is unpacked to"):
            unpack(path, tmp_path / "in" / "here")
    assert not (tmp_path / "in" / "out.txt").exists()
    assert not (tmp_path / "out.txt").exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_are_refused(tmp_path: Path, kind: bytes) -> None:
    entry = tarfile.TarInfo("x")
    entry.type, entry.linkname = kind, "/etc/passwd"
    with pytest.raises(DataError, match="'x', which is a link or a device"):
        unpack(tar_with(tmp_path / "a.tar", entry), tmp_path / "in")


def test_a_link_inside_a_zip_is_refused(tmp_path: Path) -> None:
    entry = zipfile.ZipInfo("x")
    entry.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(entry, "/etc/passwd")
    with pytest.raises(DataError, match="holds the link 'x'"):
        unpack(tmp_path / "a.zip", tmp_path / "in")


def test_a_bomb_stops_at_the_limit(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(5_000_000))
    with pytest.raises(DataError, match="unpacks to more than the limit; it may be a zip bomb"):
        unpack(tmp_path / "a.zip", tmp_path / "in", max_bytes=1_000_000)
    assert (tmp_path / "in" / "zeros").stat().st_size <= 1_000_000


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no zip", b"\xfd7zXZ\x00 no xz"])
def test_a_damaged_archive_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.tar.xz").write_bytes(content)
    assert is_archive(tmp_path / "a.tar.xz")
    with pytest.raises(DataError, match=r"a.tar.xz cannot be unpacked: .*; download it again"):
        unpack(tmp_path / "a.tar.xz", tmp_path / "in")
