from __future__ import annotations

from pathlib import Path

import pytest
from helpers.made_videos import moving_square, write_splits, write_video

import fusion
from fusion.datasets.hmdb51 import Hmdb51, film_of
from fusion.errors import ConfigError, DataError

CODES = {
    "clap/A_Film_(2)_clap_u_nm_np1_fr_goo_0.avi": "1",
    "clap/A_Film_(2)_clap_u_nm_np1_fr_goo_1.avi": "1",
    "clap/#20_Rhythm!_clap_h_cm_np10_le_bad_3.avi": "2",
    "shoot_bow/A_Film_(2)_shoot_bow_f_nm_np2_ba_med_12.avi": "2",
    "shoot_bow/left_out_shoot_bow_f_nm_np1_ri_med_0.avi": "0",
}


def write_hmdb(folder: Path, codes: dict[str, str] = CODES) -> Path:
    for seed, name in enumerate(codes):
        write_video(folder / "hmdb51_org" / name, moving_square(frames=6, seed=seed), "MJPG")
    write_splits(folder / "testTrainMulti_7030_splits", codes)
    return folder


def test_clips_have_their_class_side_and_film(tmp_path: Path) -> None:
    samples = {sample.id: sample for sample in Hmdb51(write_hmdb(tmp_path))}
    assert set(samples) == {name.removesuffix(".avi") for name in CODES}
    clap = samples["clap/A_Film_(2)_clap_u_nm_np1_fr_goo_1"]
    assert (clap.label, clap.split, clap.group) == ("clap", "train", "clap/A_Film_(2)")
    bow = samples["shoot_bow/A_Film_(2)_shoot_bow_f_nm_np2_ba_med_12"]
    assert (bow.label, bow.split, bow.group) == ("shoot_bow", "test", "shoot_bow/A_Film_(2)")
    assert samples["shoot_bow/left_out_shoot_bow_f_nm_np1_ri_med_0"].split is None
    assert clap.raw.moments()[-1] == 200.0


@pytest.mark.parametrize(
    ("clip", "film"),
    [
        ("Goal_1_&_2_kick_ball_f_cm_np1_fr_goo_2", "Goal_1_&_2"),
        ("prelinger_LetsBeGo1953_kick_ball_u_cm_np10_ba_med_2", "prelinger_LetsBeGo1953"),
        ("kick_ball_kick_ball_u_cm_np1_ba_med_2", "kick_ball"),
        ("of another form", "of another form"),
    ],
)
def test_a_film_is_told_from_the_name_of_its_clip(clip: str, film: str) -> None:
    assert film_of(clip, "kick_ball") == film


def test_the_class_folders_themselves_are_taken_too(tmp_path: Path) -> None:
    inner = write_hmdb(tmp_path) / "hmdb51_org"
    assert [sample.split for sample in Hmdb51(inner)] == [sample.split for sample in Hmdb51(tmp_path)]


def test_another_split_reads_other_files(tmp_path: Path) -> None:
    write_hmdb(tmp_path)
    with pytest.raises(DataError, match=r"no files <class>_test_split2.txt inside or beside it; expected the official"):
        Hmdb51(tmp_path, split=2)
    write_splits(tmp_path / "testTrainMulti_7030_splits", dict.fromkeys(CODES, "2"), split=2)
    dataset = Hmdb51(tmp_path, split=2)
    assert {sample.split for sample in dataset} == {"test"}
    assert dataset.options == {"split": 2}


def test_a_clip_that_no_file_names_is_on_no_side(tmp_path: Path) -> None:
    write_hmdb(tmp_path)
    write_video(tmp_path / "hmdb51_org" / "clap" / "new_clap_u_nm_np1_fr_goo_0.avi", moving_square(), "MJPG")
    assert [sample.split for sample in Hmdb51(tmp_path) if "new" in sample.id] == [None]


def test_what_is_not_hmdb51_says_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist; expected the folder of HMDB-51"):
        Hmdb51(tmp_path / "nowhere")
    with pytest.raises(DataError, match=r"is not HMDB-51: no .avi files in class folders"):
        Hmdb51(tmp_path)
    with pytest.raises(ConfigError, match="split is 4; expected 1, 2 or 3"):
        Hmdb51(tmp_path, split=4)
    write_hmdb(tmp_path)
    (tmp_path / "testTrainMulti_7030_splits" / "clap_test_split1.txt").write_text("a.avi 1\nb.avi 7\n")
    with pytest.raises(DataError, match=r"clap_test_split1.txt, line 2: 'b.avi 7'; expected a file's name and 0, 1 or"):
        Hmdb51(tmp_path)


def test_it_encodes_by_name_and_decodes_beside_its_original(tmp_path: Path) -> None:
    write_hmdb(tmp_path / "data")
    with fusion.open_dataset("hmdb51", tmp_path / "data") as dataset:
        options = {"modality": {"size": [8, 8], "frames": 4}, "fit": {"steps": 2}}
        config = fusion.encoders.encoder_config(dataset, options=options)
        report = fusion.encode(dataset, tmp_path / "s.zarr", config, fusion.encoders.EncodeOptions(workers=1))
    assert (report.rows, report.failed) == (5, 0)
    result = fusion.decode(
        tmp_path / "s.zarr",
        "clap/A_Film_(2)_clap_u_nm_np1_fr_goo_1",
        tmp_path / "a.mp4",
        scale=2.0,
        compare=tmp_path / "a.png",
        source=tmp_path / "data",
    )
    assert result["shape"] == [8, 16, 16, 3]
    assert result["psnr_decoded"] == pytest.approx(result["psnr"], abs=0.01)
    assert (tmp_path / "a.png").stat().st_size > 1000
