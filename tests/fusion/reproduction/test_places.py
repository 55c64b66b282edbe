from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from helpers.cifar_files import write_cifar
from helpers.digit_files import write_digits
from helpers.har_files import write_har

from fusion.errors import DataError
from fusion.reproduction.places import find_data


def test_data_are_found_from_above_from_inside_and_under_either_name(tmp_path: Path) -> None:
    har, cifar = write_har(tmp_path / "uci-har"), write_cifar(tmp_path)
    digits = write_digits(tmp_path / "spoken-written-digits")
    unpacked = tmp_path / "unpacked"
    assert find_data("uci-har", tmp_path, unpacked) == har
    assert find_data("uci-har", har, unpacked) == har
    assert find_data("cifar10", tmp_path, unpacked) in (tmp_path, cifar)
    assert find_data("digits", tmp_path, unpacked) == digits
    assert not unpacked.exists()


def test_an_archive_is_unpacked_once(tmp_path: Path) -> None:
    write_har(tmp_path / "made")
    archive = shutil.make_archive(str(tmp_path / "data" / "uci-har" / "har"), "zip", tmp_path / "made")
    found = find_data("uci-har", tmp_path / "data", tmp_path / "unpacked")
    assert (found / "activity_labels.txt").exists()
    Path(archive).write_bytes(b"no archive any more")
    assert find_data("uci-har", tmp_path / "data", tmp_path / "unpacked") == found


def test_an_archive_of_something_else_says_what_was_expected(tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "notes.txt").write_text("nothing")
    shutil.make_archive(str(tmp_path / "data" / "esc50" / "clips"), "zip", tmp_path / "made")
    with pytest.raises(DataError, match=r"clips.zip holds no esc50 data; expected meta/esc50.csv in it. Check"):
        find_data("esc50", tmp_path / "data", tmp_path / "unpacked")
