from __future__ import annotations

import pickle
import shutil
import tarfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from helpers.har_files import ACTIVITIES, har_windows, write_har

from fusion.datasets import uci_har
from fusion.datasets.open import open_dataset
from fusion.datasets.uci_har import UciHar
from fusion.errors import ConfigError, DataError, SampleError


def test_windows_labels_subjects_and_splits_are_read(tmp_path: Path) -> None:
    samples = list(UciHar(write_har(tmp_path)))
    assert len(samples) == 36
    assert Counter(sample.split for sample in samples) == {"train": 24, "test": 12}
    assert samples[0].id == "train-00000"
    assert samples[0].group == "subject-01"
    assert [sample.label for sample in samples[:24:4]] == list(ACTIVITIES)
    expected = har_windows(np.repeat(np.arange(1, 7), 4), seed=1)
    np.testing.assert_allclose(np.stack([sample.raw for sample in samples[:24]]), expected, rtol=1e-5, atol=1e-7)


def test_it_can_be_read_again_and_from_the_folder_above(tmp_path: Path) -> None:
    write_har(tmp_path)
    dataset = UciHar(tmp_path)
    assert [sample.id for sample in dataset] == [sample.id for sample in dataset]


def test_it_is_read_from_its_archive(tmp_path: Path) -> None:
    root = write_har(tmp_path / "unpacked")
    with tarfile.open(tmp_path / "har.tar.xz", "w:xz") as archive:
        archive.add(root, "UCI HAR Dataset")
    shutil.rmtree(tmp_path / "unpacked")
    with open_dataset("uci-har", tmp_path / "har.tar.xz") as dataset:
        assert sum(1 for _ in dataset) == 36


def test_a_missing_or_empty_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nowhere does not exist; expected the folder 'UCI HAR Dataset'"):
        UciHar(tmp_path / "nowhere")
    with pytest.raises(DataError, match="is not UCI-HAR: an empty folder"):
        UciHar(tmp_path)
    (tmp_path / "other.txt").touch()
    with pytest.raises(DataError, match=r"no activity_labels.txt in it"):
        UciHar(tmp_path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    root = write_har(tmp_path)
    (root / "test" / "Inertial Signals" / "body_gyro_y_test.txt").unlink()
    with pytest.raises(DataError, match=r"body_gyro_y_test.txt is missing; expected the official layout"):
        UciHar(root)


def test_a_text_file_that_is_cut_short_is_named_with_its_line(tmp_path: Path) -> None:
    root = write_har(tmp_path)
    path = root / "train" / "Inertial Signals" / "total_acc_z_train.txt"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:-1]))
    with pytest.raises(DataError, match=r"total_acc_z_train.txt ends after line 23; expected 24"):
        list(UciHar(root))
    path.write_text("".join([*lines, lines[0]]))
    with pytest.raises(DataError, match=r"total_acc_z_train.txt has more than 24 lines, the number of labels"):
        list(UciHar(root))


@pytest.mark.parametrize(
    ("line", "message"),
    [("oops 1 2", r"body_acc_x_train.txt, line 2: .*oops"), ("1 2 3", "has 3 numbers on line 2; expected 128")],
)
def test_a_line_that_cannot_be_read_fails_its_window_alone(tmp_path: Path, line: str, message: str) -> None:
    root = write_har(tmp_path)
    whole = [sample.raw for sample in UciHar(root)]
    path = root / "train" / "Inertial Signals" / "body_acc_x_train.txt"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], line, *lines[2:]]) + "\n\n")
    samples = list(UciHar(root))
    for load in (samples[1].load, pickle.loads(pickle.dumps(samples[1].load))):  # noqa: S301 - our own
        with pytest.raises(SampleError, match=message):
            load()
    for sample, raw in zip(samples[2:], whole[2:], strict=True):
        np.testing.assert_array_equal(sample.raw, raw)


def test_counting_parses_nothing_and_nothing_is_parsed_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parsed = []
    parse = uci_har._parse_lines
    monkeypatch.setattr(uci_har, "_parse_lines", lambda path, *rest: parsed.append(path) or parse(path, *rest))
    dataset = UciHar(write_har(tmp_path))
    assert len(list(dataset)) == len(list(dataset)) == 36
    assert parsed == []
    for _ in range(3):
        assert len([sample.raw for sample in dataset]) == 36
    assert len(parsed) == len(set(parsed)) == 18


def test_a_window_is_sent_without_the_others(tmp_path: Path) -> None:
    sample = next(iter(UciHar(write_har(tmp_path))))
    sent = pickle.dumps(sample)
    assert len(sent) < 128 * 9 * 4 + 1000
    np.testing.assert_array_equal(pickle.loads(sent).raw, sample.raw)  # noqa: S301 - our own


def test_labels_that_do_not_belong_are_refused(tmp_path: Path) -> None:
    root = write_har(tmp_path)
    labels = (root / "train" / "y_train.txt").read_text().splitlines()
    (root / "train" / "y_train.txt").write_text("\n".join(["9", *labels[1:]]))
    with pytest.raises(DataError, match=r"activity 9; expected one of \[1, 2, 3, 4, 5, 6\]"):
        list(UciHar(root))
    (root / "train" / "y_train.txt").write_text("\n".join(labels[:-1]))
    with pytest.raises(DataError, match=r"subject_train.txt has 24 lines; expected 23"):
        list(UciHar(root))


def test_opening_by_another_name_or_modality_is_refused(tmp_path: Path) -> None:
    root = write_har(tmp_path)
    with pytest.raises(ConfigError, match="data set 'har' is not known; expected one of"), open_dataset("har", root):
        pass
    with (
        pytest.raises(ConfigError, match="holds sensor samples, not image"),
        open_dataset("uci-har", root, modality="image"),
    ):
        pass


def test_an_empty_split_is_one_line(tmp_path: Path) -> None:
    root = write_har(tmp_path)
    (root / "test" / "y_test.txt").write_text("\n")
    with pytest.raises(DataError, match=r"y_test.txt is empty; expected one whole number"):
        list(UciHar(root))


@pytest.mark.real_data
def test_the_real_data_set_has_its_published_counts(uci_har_folder: Path) -> None:
    train, test, subjects = Counter[str | None](), Counter[str | None](), {"train": set(), "test": set()}
    for sample in UciHar(uci_har_folder):
        (train if sample.split == "train" else test)[sample.label] += 1
        subjects[str(sample.split)].add(sample.group)
    assert (train.total(), test.total()) == (7352, 2947)
    assert [train[name] for name in ACTIVITIES] == [1226, 1073, 986, 1286, 1374, 1407]
    assert [test[name] for name in ACTIVITIES] == [496, 471, 420, 491, 532, 537]
    assert (len(subjects["train"]), len(subjects["test"])) == (21, 9)
    assert not subjects["train"] & subjects["test"]
