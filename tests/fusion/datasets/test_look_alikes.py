from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from helpers.image_files import write_picture
from helpers.made_walks import walks, written

from fusion.datasets import FileTable, FolderDataset, SensorTable
from fusion.datasets.look_alikes import LookAlikes

NFC, NFD = (unicodedata.normalize(form, "café") for form in ("NFC", "NFD"))
TOLD = "classes that look alike are kept apart: 'cafe\\u0301' and 'café'"


def test_twins_of_class_folders_are_named(tmp_path: Path) -> None:
    for label in (NFC, NFD):
        write_picture(tmp_path / label / "1.png")
    dataset = FolderDataset(tmp_path, modality="image")
    assert {sample.label for sample in dataset} == {NFC, NFD}
    assert TOLD in dataset.notes


def test_twins_in_a_list_are_named(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text(f"path,label\na.png,{NFC}\nb.png,{NFD}\n")
    dataset = FileTable(tmp_path / "list.csv", modality="image")
    assert len(list(dataset)) == 2
    assert TOLD in dataset.notes


def test_twins_in_a_table_are_named(tmp_path: Path) -> None:
    dataset = SensorTable(written(tmp_path / "t.csv", walks(("Ann", "ann"), ("a",), seconds=1)))
    assert len(list(dataset)) == 2
    assert "groups that look alike are kept apart: 'Ann' and 'ann'" in dataset.notes


@pytest.mark.parametrize(
    ("names", "alike"), [(("Walk", "walk"), True), (("1", "1.0"), True), (("a b", "a_b"), True), (("1", "01"), False)]
)
def test_what_looks_alike(names: tuple[str, str], alike: bool) -> None:
    seen = LookAlikes()
    for name in names:
        seen.add(name, None)
    assert bool(seen.notes()) == alike
