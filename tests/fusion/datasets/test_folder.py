from __future__ import annotations

import json
import os
import shutil
import tarfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile
from helpers.image_files import picture, write_picture
from helpers.made_videos import moving_square, write_video
from helpers.sound_files import tone
from hypothesis import given
from hypothesis import strategies as st

from fusion.datasets.files import file_id, hashed_split
from fusion.datasets.folder import FolderDataset
from fusion.datasets.open import open_dataset
from fusion.errors import ConfigError, DataError, SampleError
from fusion.modalities import modality_from_dict


def classes(folder: Path, *names: str, count: int = 3) -> Path:
    for name in names:
        for number in range(count):
            write_picture(folder / name / f"{number}.png", seed=number)
    return folder


def test_class_folders_are_labels_and_paths_are_ids(tmp_path: Path) -> None:
    write_picture(classes(tmp_path, "cat", "dog") / "dog" / "deeper" / 'été "1".PNG')
    samples = list(FolderDataset(tmp_path, modality="image"))
    assert [sample.id for sample in samples[2:]] == [
        "cat/2.png",
        "dog/0.png",
        "dog/1.png",
        "dog/2.png",
        'dog/deeper/été "1".PNG',
    ]
    assert Counter(sample.label for sample in samples) == {"cat": 3, "dog": 4}
    np.testing.assert_array_equal(samples[-1].raw, picture())


def test_split_folders_are_splits(tmp_path: Path) -> None:
    for split in ("train", "Validation", "testing", "fold_3"):
        classes(tmp_path / split, "a", count=1)
    dataset = FolderDataset(tmp_path, modality="image")
    assert {sample.id: sample.split for sample in dataset} == {
        "train/a/0.png": "train",
        "Validation/a/0.png": "val",
        "testing/a/0.png": "test",
        "fold_3/a/0.png": "fold-3",
    }
    assert dataset.notes == ("splits read: Validation as val, testing as test",)


def test_classes_beside_split_folders_are_refused_but_train_may_be_a_class(tmp_path: Path) -> None:
    classes(tmp_path, "car", "train")
    assert {sample.label for sample in FolderDataset(tmp_path, modality="image")} == {"car", "train"}
    classes(tmp_path, "test")
    with pytest.raises(DataError, match="holds 'car' beside split folders"):
        FolderDataset(tmp_path, modality="image")


def test_a_class_named_like_a_split_is_told(tmp_path: Path) -> None:
    classes(tmp_path, "car", "train")
    dataset = FolderDataset(tmp_path, modality="image")
    list(dataset)
    assert "train beside other folders: taken for a class" in dataset.notes


def test_split_folders_of_any_spelling_are_told(tmp_path: Path) -> None:
    classes(tmp_path, "Train/a", "TEST/a", "dev/a")
    dataset = FolderDataset(tmp_path, modality="image")
    assert {sample.id.split("/")[0]: sample.split for sample in dataset} == {
        "Train": "train",
        "TEST": "test",
        "dev": "val",
    }
    assert dataset.notes == ("splits read: TEST as test, Train as train, dev as val",)


def test_split_folders_inside_classes_or_with_an_unknown_one_are_refused(tmp_path: Path) -> None:
    classes(tmp_path / "inner", "a/train", "a/test", "b/train", "b/test")
    with pytest.raises(DataError, match=r"holds split folders inside a class; .* such as train/a"):
        FolderDataset(tmp_path / "inner", modality="image")
    classes(tmp_path / "other", "train/a", "dev/a", "eval/a")
    with pytest.raises(DataError, match="holds 'eval' beside split folders"):
        FolderDataset(tmp_path / "other", modality="image")


def test_without_split_folders_a_hash_of_names_splits(tmp_path: Path) -> None:
    classes(tmp_path, "a", "b", count=100)
    dataset = FolderDataset(tmp_path, modality="image")
    first = {sample.id: sample.split for sample in dataset}
    assert 25 <= Counter(first.values())["test"] <= 55
    (note,) = dataset.notes
    assert note.startswith("no split folders: 20% of the files asked for as test, a hash of names (seed 42) gave ")
    assert note.endswith("43 of 200 files, 22% of the samples")
    shutil.rmtree(tmp_path / "b")
    assert {sample.id: sample.split for sample in dataset}.items() <= first.items()
    assert {sample.split for sample in FolderDataset(tmp_path, modality="image", test_share=0)} == {"train"}


@given(st.sampled_from(["a", "é", "x" * 600]), st.integers(0, 99))
def test_a_hashed_split_depends_on_name_and_seed_alone(name: str, seed: int) -> None:
    split = hashed_split(name, test_share=0.5, seed=seed)
    assert split == hashed_split(name, test_share=0.5, seed=seed)
    assert hashed_split(name, test_share=1, seed=seed) == "test"
    assert hashed_split(name, test_share=0, seed=seed) == "train"


def test_groups_stand_on_one_side(tmp_path: Path) -> None:
    for speaker in range(12):
        for take in range(3):
            write_picture(tmp_path / f"c{take}" / f"s{speaker:02d}" / f"{speaker:02d}_{take}.png")
    by_folder = list(FolderDataset(tmp_path, modality="image", group="folder"))
    assert by_folder[0].group == "c0/s00"
    by_name = list(FolderDataset(tmp_path, modality="image", group=r"/(\d+)_\d", test_share=0.4))
    assert len({sample.group for sample in by_name}) == 12
    assert len({(sample.group, sample.split) for sample in by_name}) == 12
    assert {sample.split for sample in by_name} == {"train", "test"}


@pytest.mark.parametrize(("group", "message"), [("(", "is no regular expression"), ("abc", "has no bracket")])
def test_a_group_that_cannot_be_used_is_refused(tmp_path: Path, group: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        FolderDataset(classes(tmp_path, "a"), modality="image", group=group)
    with pytest.raises(ConfigError, match=r"test_share is 1.5; expected a number from 0 to 1"):
        FolderDataset(tmp_path, modality="image", test_share=1.5)


def test_files_of_two_modalities_are_one_event_by_their_stems(tmp_path: Path) -> None:
    for number in range(20):
        write_sample(tmp_path / "seen" / "a" / f"{number}.5", "image")
        write_sample(tmp_path / "felt" / "a" / f"{number}.5", "sensor")
    seen = FolderDataset(tmp_path / "seen", modality="image", ids="stem", test_share=0.5)
    felt = FolderDataset(tmp_path / "felt", modality="sensor", ids="stem", test_share=0.5)
    assert [(s.id, s.split) for s in seen] == [(s.id, s.split) for s in felt]
    with pytest.raises(ConfigError, match="ids is 'name'; expected 'path', or 'stem'"):
        FolderDataset(tmp_path / "seen", modality="image", ids="name")


def test_what_is_no_sample_is_counted_and_media_of_other_kinds_fail(tmp_path: Path) -> None:
    classes(tmp_path, "a", count=1)
    for name in ("README.md", ".DS_Store", "a/notes.txt", "a/.hidden.png", "a/song.wav", "a/photo.HEIC"):
        (tmp_path / name).touch()
    write_picture(tmp_path / "loose.png")
    dataset = FolderDataset(tmp_path, modality="image", test_share=0)
    samples = {sample.id: sample for sample in dataset}
    assert list(samples) == ["a/0.png", "a/photo.HEIC"]
    assert dataset.notes[0] == "files left out: 2 hidden, 3 of other kinds, 1 outside class folders"
    with pytest.raises(SampleError, match=r"photo.HEIC is of a kind that is not read; expected .png, .jpg"):
        _ = samples["a/photo.HEIC"].raw


def test_links_that_leave_the_folder_are_not_followed(tmp_path: Path) -> None:
    write_picture(tmp_path / "outside" / "secret.png")
    inside = classes(tmp_path / "inside", "a", count=1)
    (inside / "a" / "b.png").symlink_to("../../outside/secret.png")
    (inside / "a" / "same.png").symlink_to("0.png")
    (inside / "a" / "more").symlink_to("../../outside")
    (inside / "linked").symlink_to("../outside")
    samples = {sample.id: sample for sample in FolderDataset(inside, modality="image")}
    assert list(samples) == ["a/0.png", "a/b.png", "a/same.png"]
    with pytest.raises(SampleError, match=r"b.png leaves the folder inside; .* --reader outside=true"):
        _ = samples["a/b.png"].raw
    assert samples["a/same.png"].raw.shape == (12, 10, 3)
    allowed = {sample.id: sample for sample in FolderDataset(inside, modality="image", outside=True)}
    assert allowed["a/b.png"].raw.shape == (12, 10, 3)


def test_a_folder_named_like_an_image_is_a_sample_that_fails(tmp_path: Path) -> None:
    classes(tmp_path, "a", "a/x.png", count=1)
    samples = {sample.id: sample for sample in FolderDataset(tmp_path, modality="image")}
    assert list(samples) == ["a/0.png", "a/x.png"]
    with pytest.raises(SampleError, match=r"x.png is a folder"):
        _ = samples["a/x.png"].raw


def test_names_that_are_no_utf_8_and_names_too_long_get_ids_all_the_same(tmp_path: Path) -> None:
    path = write_picture(classes(tmp_path, "a", count=0) / "a" / "x.png")
    path.rename(path.with_name(os.fsdecode(b"\xff\xfe.png")))
    (tmp_path / "a" / os.fsdecode(b"\xfd.png")).touch()
    bad, sound = FolderDataset(tmp_path, modality="image")
    assert (bad.id, sound.id) == (r"a/\xfd.png", r"a/\xff\xfe.png")
    assert sound.raw.shape == (12, 10, 3)
    with pytest.raises(SampleError, match=r"\\xfd.png is empty"):
        _ = bad.raw
    long = file_id("é" * 300 + ".png")
    assert len(long.encode()) <= 512
    assert long != file_id("é" * 300 + ".jpg")


def test_unlabelled_files_and_folders_around_the_only_folder(tmp_path: Path) -> None:
    classes(tmp_path / "flat" / "inner", "")
    assert {s.label for s in FolderDataset(tmp_path / "flat" / "inner", modality="image")} == {None}
    classes(tmp_path / "deep" / "archive-1.0" / "images", "a", "b")
    assert next(iter(FolderDataset(tmp_path / "deep", modality="image"))).id == "a/0.png"
    classes(tmp_path / "alone" / "train", "a", count=1)
    assert {s.split for s in FolderDataset(tmp_path / "alone", modality="image")} == {"train"}
    with tarfile.open(tmp_path / "deep.tar", "w") as archive:
        archive.add(tmp_path / "deep", "deep")
    with open_dataset(None, tmp_path / "deep.tar", modality="image") as opened:
        assert [sample.label for sample in opened] == ["a"] * 3 + ["b"] * 3


def test_a_folder_without_samples_says_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "readme.txt").touch()
    with pytest.raises(DataError, match=r"holds no image files \(files left out: 1 of other kinds.*expected .png"):
        list(FolderDataset(tmp_path, modality="image"))
    with pytest.raises(DataError, match="nowhere does not exist"):
        FolderDataset(tmp_path / "nowhere", modality="image")


def test_its_options_open_it_again(tmp_path: Path) -> None:
    classes(tmp_path, "a", "b")
    dataset = FolderDataset(tmp_path, modality="image", group=r"/(\d)", test_share=0.5)
    options = json.loads(json.dumps(dataset.options))
    with open_dataset("folder", tmp_path, modality="image", options=options) as again:
        assert list(again) == list(dataset)
    assert options == {"group": r"/(\d)", "test_share": 0.5}


def write_sample(path: Path, modality: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if modality == "audio":
        soundfile.write(path.with_suffix(".wav"), tone(), 8000)
    elif modality == "image":
        write_picture(path.with_suffix(".png"))
    elif modality == "sensor":
        np.save(path.with_suffix(".npy"), np.eye(4))
    else:
        write_video(path.with_suffix(".mp4"), moving_square())


@pytest.mark.parametrize("modality", ["audio", "image", "sensor", "video"])
def test_samples_of_every_modality_are_read_and_prepared(tmp_path: Path, modality: str) -> None:
    write_sample(tmp_path / "a" / "x", modality)
    write_sample(tmp_path / "b" / "y", modality)
    with open_dataset(None, tmp_path, modality=modality) as opened:
        first, second = opened
        resolved = modality_from_dict({"name": modality}).resolved(first.raw)
        assert resolved.prepare(second.raw).shape == (*resolved.grid, resolved.d_out)
        assert [first.label, second.label] == ["a", "b"]
