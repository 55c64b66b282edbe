from __future__ import annotations

import re
from pathlib import Path

import pytest

from fusion.datasets.catalogue import CATALOGUE, check_dataset, dataset_source
from fusion.datasets.open import READERS
from fusion.errors import ConfigError, DataError


def filled(folder: Path, names: list[str]) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


@pytest.mark.parametrize("source", CATALOGUE, ids=lambda source: source.name)
def test_every_entry_says_what_a_user_must_know(source: object) -> None:
    from fusion.datasets.catalogue import PublicDataset

    assert isinstance(source, PublicDataset)
    assert source.licence
    assert source.citation
    assert source.parts
    assert source.layout in READERS
    digests = {"sha256": 64, "md5": 32}
    for download in source.downloads:
        assert re.fullmatch(r"https://[\w./~+-]+", download.url)
        assert re.fullmatch(r"[\w.-]+", download.file)
        algorithm, _, digest = (download.checksum or "sha256:" + "0" * 64).partition(":")
        assert re.fullmatch(rf"[0-9a-f]{{{digests[algorithm]}}}", digest)


def test_a_folder_is_recognised_and_what_is_missing_is_counted(tmp_path: Path) -> None:
    batches = [f"cifar-10-batches-py/data_batch_{number}" for number in (1, 3)]
    folder = filled(tmp_path, [*batches, "cifar-10-batches-py/test_batch", "cifar-10-batches-py/batches.meta"])
    report = check_dataset(folder)
    assert (report.name, report.complete) == ("cifar10", False)
    assert [(part.expected, part.found) for part in report.parts] == [(5, 2), (1, 1), (1, 1)]
    filled(tmp_path, [f"cifar-10-batches-py/data_batch_{number}" for number in range(1, 6)])
    assert check_dataset(tmp_path, "cifar10").complete
    assert check_dataset(tmp_path / "cifar-10-batches-py").complete


def test_jhmdb_is_not_taken_for_the_larger_set_it_was_cut_from(tmp_path: Path) -> None:
    clips = [f"small/c{number % 21}/{number}.mp4" for number in range(928)]
    splits = [f"hmdb51_splits/c{number}_test_split{split}.txt" for number in range(21) for split in (1, 2, 3)]
    report = check_dataset(filled(tmp_path, [*clips, *splits, "original/run/a.avi"]))
    assert (report.name, report.complete) == ("jhmdb", True)


def test_a_folder_of_something_else_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nowhere does not exist; expected a data set's folder"):
        check_dataset(tmp_path / "nowhere")
    filled(tmp_path, ["UCI_HAR.tar.xz", "notes.txt"])
    with pytest.raises(DataError, match=r"holds no files of uci-har; .*Unpack UCI_HAR.tar.xz first"):
        check_dataset(tmp_path, "uci-har")
    with pytest.raises(
        ConfigError, match="data set 'imagenet' is not in the catalogue; expected one of cifar10, esc50"
    ):
        dataset_source("imagenet")


@pytest.mark.real_data
@pytest.mark.parametrize(("folder", "complete"), [("utd-mhad", True), ("jhmdb", True), ("esc50", True)])
def test_the_copies_at_hand_are_judged_as_they_are(public_data: Path, folder: str, complete: bool) -> None:
    report = check_dataset(public_data / folder)
    assert (report.name, report.complete) == (folder, complete)
