from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from pathlib import Path

import pytest

from fusion.datasets import archives
from fusion.datasets.archives import is_archive, unpack
from fusion.datasets.open import open_dataset
from fusion.errors import DataError


def tarred(path: Path, names: list[str], mode: str = "w") -> Path:
    with tarfile.open(path, mode) as archive:
        for name in names:
            entry = tarfile.TarInfo(name)
            entry.size = 5
            archive.addfile(entry, io.BytesIO(b"hello"))
    return path


@pytest.mark.parametrize("suffix", ["tar.gz", "tgz", "tar.bz2", "tar.xz"])
def test_compressed_tars_come_out_whole(tmp_path: Path, suffix: str) -> None:
    mode = {"tgz": "w:gz"}.get(suffix, f"w:{suffix.rpartition('.')[2]}")
    unpack(tarred(tmp_path / f"a.{suffix}", ["x/y.txt"], mode), tmp_path / "out")
    assert (tmp_path / "out/x/y.txt").read_bytes() == b"hello"


@pytest.mark.parametrize(("suffix", "packed"), [("gz", gzip.compress), ("bz2", bz2.compress), ("xz", lzma.compress)])
def test_a_single_compressed_file_comes_out_under_its_name(tmp_path: Path, suffix: str, packed: type) -> None:
    path = tmp_path / f"labels-idx1-ubyte.{suffix}"
    path.write_bytes(packed(b"numbers"))
    unpack(path, tmp_path / "out")
    assert (tmp_path / "out/labels-idx1-ubyte").read_bytes() == b"numbers"
    path.write_bytes(packed(bytes(3_000_000)))
    with pytest.raises(DataError, match="unpacks to more than the limit; it may be a zip bomb"):
        unpack(path, tmp_path / "bomb", max_bytes=1_000_000)


@pytest.mark.parametrize("name", ["..\\out.txt", "a\\..\\..\\out.txt", "C:\\out.txt", "\\out.txt", "a/../b.txt"])
def test_paths_of_other_systems_are_refused_too(tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(name, "x")
    for path in (tmp_path / "a.zip", tarred(tmp_path / "a.tar", [name])):
        with pytest.raises(DataError, match="leaves the folder it is unpacked to; it was not unpacked"):
            unpack(path, tmp_path / "in")
    assert not any(path.is_file() for path in (tmp_path / "in").rglob("*"))


@pytest.mark.parametrize(
    ("name", "magic", "tool"), [("a.rar", b"Rar!\x1a\x07\x01\x00", "unrar x"), ("a.7z", b"7z", "7z x")]
)
def test_a_foreign_archive_says_what_to_do_by_hand(tmp_path: Path, name: str, magic: bytes, tool: str) -> None:
    (tmp_path / name).write_bytes(magic)
    assert is_archive(tmp_path / name)
    message = f"cannot be unpacked here; unpack it by hand, for example with '{tool} {name}'"
    with pytest.raises(DataError, match=message), open_dataset("uci-har", tmp_path / name):
        pass
    (tmp_path / "renamed.zip").write_bytes(b"Rar!\x1a\x07\x01\x00")
    with pytest.raises(DataError, match="is a RAR archive"):
        unpack(tmp_path / "renamed.zip", tmp_path / "in")


def test_a_header_cannot_fill_the_memory(tmp_path: Path) -> None:
    entry = tarfile.TarInfo("././@LongLink")
    entry.type, entry.size = tarfile.GNUTYPE_LONGNAME, 3 << 30
    with gzip.open(tmp_path / "a.tar.gz", "wb") as file:
        file.write(entry.tobuf(tarfile.GNU_FORMAT) + bytes(1024))
    with pytest.raises(DataError, match=r"has a header of 3,221,\d+,\d+ bytes; it may be a bomb"):
        unpack(tmp_path / "a.tar.gz", tmp_path / "in")


def test_more_entries_than_any_data_set_has_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_ENTRIES", 3)
    unpack(tarred(tmp_path / "a.tar", list("abc")), tmp_path / "three")
    with pytest.raises(DataError, match="holds more than 3 files"):
        unpack(tarred(tmp_path / "a.tar", list("abcd")), tmp_path / "four")


def test_an_encrypted_zip_and_a_file_in_the_place_of_a_folder_are_named(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x", "hello")
    content = bytearray(path.read_bytes())
    for header, flags in ((content.find(b"PK\x03\x04"), 6), (content.find(b"PK\x01\x02"), 8)):
        content[header + flags] |= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"cannot be unpacked: .*encrypted"):
        unpack(path, tmp_path / "in")
    with pytest.raises(DataError, match="cannot be unpacked"):
        unpack(tarred(tmp_path / "b.tar", ["x", "x/y"]), tmp_path / "clash")


def test_the_limit_grows_with_the_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "_LEAST_LIMIT", 1000)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(2_000_000))
    with pytest.raises(DataError, match="it may be a zip bomb"):
        unpack(tmp_path / "a.zip", tmp_path / "in")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("zeros", bytes(2_000_000))
    unpack(tmp_path / "a.zip", tmp_path / "out")
