from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from helpers.esc_files import write_esc50
from helpers.sound_files import broken_files, tone, unusual_files, write_sound

import fusion
from fusion.datasets.esc50 import Esc10, Esc50
from fusion.datasets.open import open_dataset
from fusion.errors import DataError, SampleError
from store import open_store

QUICK = {"modality": {"transform": "mfcc", "rate": 4000.0, "seconds": 0.3}}


def test_clips_have_ids_labels_folds_and_sources(tmp_path: Path) -> None:
    samples = list(Esc50(write_esc50(tmp_path)))
    first = samples[0]
    assert (first.id, first.label, first.split, first.group) == ("1-100-A-0", "dog", "fold-1", "source-100")
    assert Counter(sample.split for sample in samples) == {f"fold-{fold}": 4 for fold in range(1, 6)}
    assert len({sample.group for sample in samples}) == 10
    assert first.raw.rate == 8000
    assert (Esc50(tmp_path).default_modality().seconds, Esc50(tmp_path).modality) == (5.0, "audio")


def test_esc10_is_the_part_that_the_table_says(tmp_path: Path) -> None:
    samples = list(Esc10(write_esc50(tmp_path)))
    assert {sample.label for sample in samples} == {"dog"}
    assert len(samples) == 10


def test_a_folder_around_it_and_an_archive_are_opened(tmp_path: Path) -> None:
    write_esc50(tmp_path / "data" / "ESC-50-master", folds=2)
    archive = shutil.make_archive(str(tmp_path / "ESC-50-master"), "zip", tmp_path / "data")
    for source in (tmp_path / "data", Path(archive)):
        with open_dataset("esc50", source) as dataset:
            assert sum(len(sample.raw.samples) > 0 for sample in dataset) == 8


def test_a_clip_that_is_not_there_fails_alone(tmp_path: Path) -> None:
    write_esc50(tmp_path)
    (tmp_path / "audio" / "1-100-A-0.ogg").unlink()
    first, second, *_ = Esc50(tmp_path)
    with pytest.raises(SampleError, match=r"read: 1-100-A-0.ogg is missing; expected a sound file"):
        first.raw  # noqa: B018
    assert len(second.raw.samples) == 2400


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("../secret.wav,1,0,dog,True,1,A", r"line 2: the filename '../secret.wav' is not one of a file in 'audio'"),
        (",1,0,dog,True,1,A", r"line 2: the filename '' is not one"),
        ("a.wav,1,0,rain,False,1,A", r"names no clips of esc10; expected some"),
    ],
)
def test_a_table_that_cannot_be_used_says_why(tmp_path: Path, line: str, message: str) -> None:
    write_esc50(tmp_path)
    head = "filename,fold,target,category,esc10,src_file,take"
    (tmp_path / "meta" / "esc50.csv").write_text(f"{head}\n{line}\n")
    with pytest.raises(DataError, match=message):
        Esc10(tmp_path)


def test_a_folder_that_is_something_else_says_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist; expected the folder 'ESC-50-master'"):
        Esc50(tmp_path / "absent")
    with pytest.raises(DataError, match=r"is not ESC-50: no meta/esc50.csv in it"):
        Esc50(tmp_path)
    write_esc50(tmp_path)
    (tmp_path / "meta" / "esc50.csv").write_text("path,label\na.wav,dog\n")
    with pytest.raises(DataError, match="has no column filename, fold, category, esc10, src_file; expected"):
        Esc50(tmp_path)
    shutil.rmtree(tmp_path / "audio")
    with pytest.raises(DataError, match="has no folder 'audio'"):
        Esc50(tmp_path)


def test_one_command_encodes_all_folds_and_nothing_is_learned_from_any(tmp_path: Path) -> None:
    clips = Esc50(write_esc50(tmp_path / "esc"))
    config = fusion.encoders.encoder_config(clips, options=QUICK)
    assert fusion.encoders.plan(clips, config).samples == 20
    fusion.encode(clips, tmp_path / "all.zarr", config, fusion.encoders.EncodeOptions(workers=1))
    fusion.encode(clips, tmp_path / "one.zarr", config, fusion.encoders.EncodeOptions(workers=1, splits=("fold-3",)))
    with open_store(tmp_path / "all.zarr") as whole, open_store(tmp_path / "one.zarr") as part:
        assert whole.header.conventions["train_splits"] == []
        np.testing.assert_array_equal(whole.state["start"], part.state["start"])
        ids = part.ids.tolist()
        assert len(ids) == 4
        np.testing.assert_array_equal(whole.read(ids).functas, part.read(ids).functas)


def test_a_start_that_is_learned_needs_training_folds(tmp_path: Path) -> None:
    clips = Esc50(write_esc50(tmp_path / "esc", folds=2))
    config = fusion.encoders.encoder_config(clips, options=QUICK | {"initialisation": "class-average"})
    with pytest.raises(DataError, match=r"no samples in split train; got fold-1, fold-2.*--train-split, or learn"):
        fusion.encode(clips, tmp_path / "s.zarr", config, fusion.encoders.EncodeOptions(workers=1))
    options = fusion.encoders.EncodeOptions(workers=1, train_splits=("fold-1",))
    assert fusion.encode(clips, tmp_path / "s.zarr", config, options).rows == 8
    with open_store(tmp_path / "s.zarr") as opened:
        assert opened.header.conventions["train_splits"] == ["fold-1"]


def test_bad_files_become_failed_rows_and_only_they_are_tried_again(tmp_path: Path) -> None:
    unusual = unusual_files(tmp_path / "corpus" / "train" / "odd")
    reasons = broken_files(tmp_path / "corpus" / "train" / "broken")
    with open_dataset("folder", tmp_path / "corpus", modality="audio") as opened:
        config = fusion.encoders.encoder_config(opened, options=QUICK)
        report = fusion.encode(opened, tmp_path / "s.zarr", config, fusion.encoders.EncodeOptions(workers=1))
        assert (report.rows, report.failed) == (len(unusual), len(reasons))
        with open_store(tmp_path / "s.zarr") as stored:
            found = {sample_id.rpartition("/")[2]: f"{stage}: {reason}" for sample_id, stage, reason in stored.failed()}
        for name, reason in reasons.items():
            assert found[name].startswith(reason)
        write_sound(tmp_path / "corpus" / "train" / "broken" / "empty.wav")
        again = fusion.encode(
            opened, tmp_path / "s.zarr", config, fusion.encoders.EncodeOptions(workers=1, retry_failed=True)
        )
    assert (again.encoded, again.rows, again.failed) == (1, len(unusual) + 1, len(reasons) - 1)


@pytest.mark.real_data
def test_a_few_clips_of_esc10_go_all_the_way(public_data: Path, tmp_path: Path) -> None:
    with open_dataset("esc10", public_data / "esc50") as clips:
        assert Counter(sample.split for sample in clips) == {f"fold-{fold}": 80 for fold in range(1, 6)}
        assert len({sample.label for sample in clips}) == 10
        config = fusion.encoders.encoder_config(clips, options={"modality": {"transform": "log-mel"}})
        report = fusion.encode(clips, tmp_path / "s.zarr", config, fusion.encoders.EncodeOptions(workers=1, limit=60))
    assert (report.rows, report.failed) == (60, 0)
    assert report.psnr_mean > 11
    with open_store(tmp_path / "s.zarr") as stored:
        sample_id = stored.ids[0]
    decoded = fusion.decode(
        tmp_path / "s.zarr", sample_id, tmp_path / "a.png", compare=tmp_path / "b.png", source=public_data / "esc50"
    )
    assert decoded["psnr_decoded"] == pytest.approx(decoded["psnr"], abs=0.01)


def test_recordings_in_memory_are_encoded_too() -> None:
    recordings = [fusion.modalities.Recording(tone(frequency=300 + 100 * number), 8000) for number in range(4)]
    encoder = fusion.FunctaEncoder("audio", architecture="paper-half", steps=2)
    functas = encoder.fit(recordings, ["low", "low", "high", "high"]).transform(recordings)
    assert functas.shape == (4, encoder.n_features_out_)
    assert encoder.encoder_.config.modality == fusion.modalities.AudioModality(rate=8000, seconds=0.3)
    assert np.isfinite(encoder.psnr(recordings)).all()
