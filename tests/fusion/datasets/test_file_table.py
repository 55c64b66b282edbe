from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from helpers.image_files import picture, write_picture

from fusion.datasets.file_table import FileTable
from fusion.datasets.open import open_dataset
from fusion.errors import DataError, SampleError

HEADER = "id,path,label,split,group\n"


def table(folder: Path, content: str) -> Path:
    for number in range(3):
        write_picture(folder / "img" / f"{number}.png", seed=number)
    (folder / "files.csv").write_text(content)
    return folder / "files.csv"


def test_every_column_is_read(tmp_path: Path) -> None:
    path = table(tmp_path, HEADER + "x,img/0.png,cat,train,p1\n,img/1.png,,,\n\n")
    first, second = FileTable(path, modality="image")
    assert (first.id, first.label, first.split, first.group) == ("x", "cat", "train", "p1")
    assert (second.id, second.label, second.split, second.group) == ("img/1.png", None, None, None)
    np.testing.assert_array_equal(second.raw, picture(seed=1))


def test_the_path_alone_is_enough(tmp_path: Path) -> None:
    path = table(tmp_path, '\ufeffPath ,colour\n"img/0.png",red\nimg/1.png,blue\nimg/2.png,"a, b"\n')
    dataset = FileTable(path, modality="image", test_share=0.5)
    assert [sample.id for sample in dataset] == ["img/0.png", "img/1.png", "img/2.png"]
    assert {sample.split for sample in dataset} <= {"train", "test"}
    assert dataset.left_out == {"colour": "none of id, path, label, split, group, target"}
    left_out, split = dataset.notes
    assert left_out == "columns left out: colour"
    assert split.startswith("no split column: 50% of the files asked for as test, a hash of names (seed 42) gave ")
    assert split.endswith("3 of 3 files, 100% of the samples")


def test_groups_stand_on_one_side_where_a_hash_splits(tmp_path: Path) -> None:
    lines = [f"img/{row % 3}.png,{row},p{row % 10}\n" for row in range(60)]
    dataset = FileTable(table(tmp_path, "path,id,group\n" + "".join(lines)), modality="image", test_share=0.5)
    sides = {(sample.group, sample.split) for sample in dataset}
    assert len(sides) == 10
    assert {side for _, side in sides} == {"train", "test"}


@pytest.mark.parametrize("named", ["../secret.png", "img/../../secret.png", "link.png", "{}/secret.png"])
def test_paths_that_leave_the_folder_fail_unless_they_may(tmp_path: Path, named: str) -> None:
    write_picture(tmp_path / "secret.png")
    path = table(tmp_path / "data", f"path\nimg/0.png\n{named.format(tmp_path)}\n")
    (tmp_path / "data" / "link.png").symlink_to("../secret.png")
    sound, leaving = FileTable(path, modality="image")
    assert sound.raw.shape == (12, 10, 3)
    with pytest.raises(SampleError, match=r"png leaves the folder data; copy it there, or allow it with --reader"):
        _ = leaving.raw
    assert list(FileTable(path, modality="image", outside=True))[1].raw.shape == (12, 10, 3)


def test_missing_files_and_empty_paths_fail_alone(tmp_path: Path) -> None:
    path = table(tmp_path, "path,label\nimg/9.png,a\n,b\n")
    missing, empty = FileTable(path, modality="image")
    with pytest.raises(SampleError, match=r"9.png does not exist"):
        _ = missing.raw
    assert empty.id == "line 3"
    with pytest.raises(SampleError, match=r"line 3 of files.csv names no path"):
        _ = empty.raw


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "files.csv is empty; expected a line of names"),
        (b"file,label\n", "no column 'path'; got file, label"),
        (b"path,label,path\n", "more than one column 'path'"),
        (b"path,label\nimg/0.png\n", "files.csv, line 2: 1 columns; expected 2"),
        (b'path\n"img/0.png\n', "is no CSV in UTF-8: unexpected end of data"),
        (b"path\nimg/\xe9.png\n", "is no text in UTF-8: 'utf-8' codec"),
    ],
)
def test_a_table_that_cannot_be_read_says_where(tmp_path: Path, content: bytes, message: str) -> None:
    path = table(tmp_path, "")
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        list(FileTable(path, modality="image"))


def test_it_is_found_in_a_folder_and_told_from_its_suffix(tmp_path: Path) -> None:
    path = table(tmp_path, "path\nimg/0.png\n")
    with open_dataset(None, path, modality="image") as told, open_dataset("files", tmp_path, modality="image") as named:
        assert list(told) == list(named)
    (tmp_path / "other.csv").touch()
    with pytest.raises(DataError, match=r"holds 2 CSV files, such as files.csv; expected one"):
        FileTable(tmp_path, modality="image")


def test_sensor_windows_are_listed_too(tmp_path: Path) -> None:
    np.save(tmp_path / "w.npy", np.eye(4))
    np.savetxt(tmp_path / "v.csv", np.eye(4), delimiter=",")
    (tmp_path / "list.csv").write_text("path,label\nw.npy,a\nv.csv,b\n")
    with open_dataset(None, tmp_path / "list.csv", modality="sensor") as opened:
        for sample in opened:
            np.testing.assert_array_equal(sample.raw, np.eye(4))


@pytest.mark.parametrize(
    ("listed", "advice"), [("a\\\\1.png", "; write / between folders"), ("a/1.PNG", "; there is 1.png")]
)
def test_a_name_that_is_nearly_there_is_named(tmp_path: Path, listed: str, advice: str) -> None:
    write_picture(tmp_path / "a" / "1.png")
    (tmp_path / "list.csv").write_text(f"path\n{listed}\n")
    with pytest.raises(SampleError, match="does not exist; expected an image file") as caught:
        _ = next(iter(FileTable(tmp_path / "list.csv", modality="image"))).raw
    assert caught.value.reason.endswith(advice)
