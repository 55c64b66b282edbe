from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest
from helpers.made_videos import moving_square, write_splits, write_video

import fusion
from fusion.datasets.jhmdb import Jhmdb
from fusion.errors import DataError, SampleError

FIRST = "@20!_clap_u_nm_np1_fr_goo_0"
SECOND = "Song_clap_u_nm_np1_fr_goo_0"
THIRD = "new_throw_u_nm_np1_fr_goo_0"
TABLE = (
    "clip,label,hmdb51_name,split1,split2,split3\n"
    f"clap/{FIRST}.mp4,clap,#20!_clap_u_nm_np1_fr_goo_0.avi,1,2,0\n"
    f"clap/{SECOND}.mp4,clap,{SECOND}.avi,2,2,2\n"
    f"throw/{THIRD}.mp4,throw,,,,\n"
)


def write_table(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "clips.csv").write_text(TABLE)
    for label, clip in (("clap", FIRST), ("clap", SECOND)):
        write_video(folder / "small" / label / f"{clip}.mp4", moving_square(frames=6))
    return folder


def test_clips_of_a_table_have_their_class_side_and_film(tmp_path: Path) -> None:
    first, second, third = Jhmdb(write_table(tmp_path))
    assert (first.id, first.label, first.split, first.group) == (f"clap/{FIRST}", "clap", "train", "clap/@20!")
    assert (second.split, third.split) == ("test", None)
    assert first.raw.moments()[-1] == 200.0
    with pytest.raises(SampleError, match="is missing; expected a video file"):
        third.load()
    assert [sample.split for sample in Jhmdb(tmp_path, split=2)] == ["test", "test", None]
    assert [sample.split for sample in Jhmdb(tmp_path, split=3)] == [None, "test", None]


def test_split_files_count_where_they_name_a_clip(tmp_path: Path) -> None:
    write_table(tmp_path)
    write_splits(tmp_path / "hmdb51_splits", {f"clap/{SECOND}.avi": "1"})
    assert [sample.split for sample in Jhmdb(tmp_path)] == ["train", "train", None]


def test_the_published_layout_has_the_same_ids(tmp_path: Path) -> None:
    write_table(tmp_path / "table")
    for clip in (FIRST, SECOND):
        write_video(tmp_path / "jhmdb" / "ReCompress_Videos" / "clap" / f"{clip}.avi", moving_square(), "MJPG")
    write_splits(tmp_path / "jhmdb" / "splits", {f"clap/{FIRST}.avi": "1", f"clap/{SECOND}.avi": "2"})
    published = list(Jhmdb(tmp_path / "jhmdb"))
    assert published == list(Jhmdb(tmp_path / "table"))[:2]
    with pytest.raises(DataError, match=r"no files <class>_test_split2.txt .* folder splits"):
        Jhmdb(tmp_path / "jhmdb", split=2)


def test_a_damaged_table_says_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"is not JHMDB: no .avi files in class folders"):
        Jhmdb(tmp_path)
    (tmp_path / "clips.csv").write_text("clip,label\na.mp4,clap\n")
    with pytest.raises(DataError, match=r"clips.csv has no column 'split1'; expected clip, split1, split2 and split3"):
        Jhmdb(tmp_path)


@pytest.mark.real_data
@pytest.mark.parametrize("split", [1, 2, 3])
def test_no_film_of_a_class_is_on_both_sides(public_data: Path, split: int) -> None:
    samples = list(Jhmdb(public_data / "jhmdb", split=split))
    assert len({sample.id for sample in samples}) == 928
    sides = defaultdict(set)
    for sample in samples:
        sides[sample.group].add(sample.split)
    assert not [group for group, splits in sides.items() if {"train", "test"} <= splits]
    if split == 1:
        assert Counter(sample.split for sample in samples) == {"train": 665, "test": 257, None: 6}


@pytest.mark.real_data
@pytest.mark.parametrize("transform", [None, "grey", "flow"])
def test_real_clips_encode(public_data: Path, tmp_path: Path, transform: str | None) -> None:
    clips = Jhmdb(public_data / "jhmdb")
    del clips.clips[16:]
    options = {"modality": {"transform": transform, "size": [16, 16], "frames": 8}, "fit": {"steps": 5}}
    report = fusion.encode(
        clips,
        tmp_path / "s.zarr",
        fusion.encoders.encoder_config(clips, options=options),
        fusion.encoders.EncodeOptions(workers=1, train_splits=("train", "test")),
    )
    assert (report.rows, report.failed) == (16, 0)
    assert report.psnr_mean > 8


@pytest.mark.real_data
def test_small_and_original_show_the_same(public_data: Path) -> None:
    modality = fusion.modalities.VideoModality(transform="grey")
    for original in sorted((public_data / "jhmdb" / "original").glob("*/*.avi"))[::5]:
        small = public_data / "jhmdb" / "small" / original.parent.name / f"{original.stem}.mp4"
        both = [modality.prepare(modality.read(path)) for path in (small, original)]
        assert np.corrcoef(both[0].ravel(), both[1].ravel())[0, 1] > 0.97
