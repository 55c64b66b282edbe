from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from helpers.made_videos import moving_square, mutated, write_video

import fusion
from fusion.errors import ConfigError, DataError, SampleError
from fusion.modalities import ChannelStatistics, modality_from_dict
from fusion.modalities.clips import VideoFile, evenly_spaced
from fusion.modalities.video import VideoModality, motion, resized

SMALL = VideoModality(size=(12, 16), frames=5)


def test_a_clip_becomes_values_and_comes_back() -> None:
    clip = moving_square(frames=5, height=12, width=16)
    scaling = SMALL.fixed_scaling()
    assert scaling is not None
    values = scaling.normalise(SMALL.prepare(clip))
    assert SMALL.coordinates().shape == (5 * 12 * 16, 3)
    assert values.shape == (5, 12, 16, 3)
    np.testing.assert_allclose(SMALL.restore(values, scaling, SMALL.grid), clip, atol=1e-3)


@pytest.mark.parametrize(("transform", "channels"), [(None, 3), ("grey", 1), ("flow", 2)])
def test_each_transform_has_its_channels_and_its_preset(transform: Any, channels: int) -> None:
    modality = VideoModality(size=(6, 8), frames=4, transform=transform)
    assert modality.prepare(moving_square()).shape == (4, 6, 8, channels)
    assert (modality.d_in, modality.d_out) == (3, channels)
    assert modality.preset == ("video" if transform is None else f"video-{transform}")


@pytest.mark.parametrize(
    ("frames", "wanted", "chosen"),
    [
        (9, 5, [0, 2, 4, 6, 8]),
        (4, 4, [0, 1, 2, 3]),
        (10, 4, [0, 3, 6, 9]),
        (4, 3, [0, 1, 3]),
        (2, 5, [0, 0, 0, 1, 1]),
        (1, 3, [0] * 3),
        (9, 1, [4]),
    ],
)
def test_frames_are_the_nearest_to_even_steps(frames: int, wanted: int, chosen: list[int]) -> None:
    assert evenly_spaced(frames, wanted) == chosen


def test_frames_of_a_file_are_those_of_its_array(tmp_path: Path) -> None:
    clip = moving_square(frames=11)
    path = write_video(tmp_path / "a.avi", clip, "FFV1")
    raw = SMALL.read(path)
    assert raw == VideoFile(path)
    np.testing.assert_allclose(np.asarray(raw), clip, atol=3)
    np.testing.assert_allclose(SMALL.prepare(raw), SMALL.prepare(clip), atol=3)


def test_open_sizes_are_those_of_the_first_clip(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", moving_square(frames=7, height=34, width=50))
    resolved = VideoModality(size=None, frames=None).resolved(VideoFile(path))
    assert resolved.grid == (7, 34, 50)
    with pytest.raises(ConfigError, match="size and frames are not known yet"):
        _ = VideoModality(size=None).grid


def test_the_header_is_not_believed(tmp_path: Path) -> None:
    whole = write_video(tmp_path / "a.avi", moving_square(frames=20), "MJPG").read_bytes()
    (tmp_path / "cut.avi").write_bytes(whole[: len(whole) // 2])
    cut = VideoFile(tmp_path / "cut.avi")
    assert cv2.VideoCapture(str(cut.path)).get(cv2.CAP_PROP_FRAME_COUNT) == 20
    assert 0 < len(cut.moments()) < 20
    assert SMALL.prepare(cut).shape == (5, 12, 16, 3)


def test_the_built_in_camera_view_is_a_clip() -> None:
    figure = fusion.datasets.FigureDataset(view="camera")
    prepared = figure.default_modality().prepare(next(iter(figure)).raw)
    assert prepared.shape == (16, 32, 32, 3)
    np.testing.assert_array_equal(prepared, next(iter(figure)).raw)


def test_opencv_keeps_its_threads_and_its_messages_for_others() -> None:
    logs = cv2 if hasattr(cv2, "getLogLevel") else cv2.utils.logging
    threads, level = cv2.getNumThreads(), logs.getLogLevel()
    VideoModality(size=(8, 8), frames=2, transform="flow").prepare(moving_square())
    with pytest.raises(SampleError):
        SMALL.prepare(VideoFile(Path("nowhere.mp4")))
    assert (cv2.getNumThreads(), logs.getLogLevel()) == (threads, level)


def test_grey_is_brightness() -> None:
    modality = VideoModality(size=(48, 64), frames=20, transform="grey")
    clip = moving_square()
    np.testing.assert_allclose(modality.prepare(clip)[..., 0], clip @ np.array([0.299, 0.587, 0.114]), atol=1e-3)
    np.testing.assert_array_equal(modality.prepare(clip[..., 1])[..., 0], clip[..., 1])


def test_a_grey_array_gives_three_equal_colours() -> None:
    clip = moving_square()[..., 0]
    prepared = VideoModality(size=(48, 64), frames=20).prepare(clip)
    np.testing.assert_array_equal(prepared, np.repeat(clip[..., None], 3, axis=-1))


def test_shrinking_takes_the_mean_of_what_falls_into_a_pixel() -> None:
    frame = np.arange(16, dtype=np.uint8).reshape(4, 4)
    np.testing.assert_array_equal(resized(frame, (2, 2)), [[2.5, 4.5], [10.5, 12.5]])
    assert resized(frame, (7, 9)).shape == (7, 9)


def test_flow_says_how_far_things_move_right_and_down() -> None:
    texture = np.random.default_rng(0).integers(0, 255, (200, 200)).astype(np.float32)
    smooth = cv2.GaussianBlur(texture, (0, 0), 4)
    smooth = np.clip((smooth - smooth.min()) / np.ptp(smooth) * 255, 0, 255).astype(np.uint8)
    moved = motion(smooth[20:120, 20:120], smooth[17:117, 15:115])[30:70, 30:70]
    np.testing.assert_allclose(np.median(moved, axis=(0, 1)), [5.0, 3.0], atol=0.3)


def test_flow_stands_still_at_one_half_and_limits_are_symmetrical() -> None:
    modality = VideoModality(size=(16, 16), frames=4, transform="flow")
    moves = modality.prepare(moving_square())
    assert np.abs(moves).max() > 1.0
    assert modality.fixed_scaling() is None
    scaling = modality.learned_scaling(ChannelStatistics.of(moves))
    np.testing.assert_array_equal(scaling.low, -scaling.high)
    still = modality.prepare(np.full((6, 20, 20, 3), 90, np.uint8))
    np.testing.assert_array_equal(scaling.normalise(still), np.full((4, 16, 16, 2), 0.5))


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (np.zeros((4, 0, 4, 3), np.uint8), r"video of shape \(4, 0, 4, 3\); expected \(frames, height, width, 3\)"),
        (np.zeros((0, 4, 4), np.uint8), "none of them 0"),
        (np.zeros((4, 4), np.uint8), r"video of shape \(4, 4\)"),
        (np.zeros((4, 4, 4, 2), np.uint8), r"video of shape \(4, 4, 4, 2\)"),
        (np.full((4, 4, 4), "x"), "expected numbers"),
        (np.full((4, 4, 4), np.nan), "NaN or infinity in a frame"),
        (np.full((4, 4, 4), -np.inf), "NaN or infinity in a frame"),
        (
            np.full((4, 4, 4), 4000, np.uint16),
            "values from 4000 to 4000 in a frame; expected 0 to 255. Set the modality",
        ),
    ],
)
def test_an_array_that_cannot_be_used_says_why(raw: np.ndarray, reason: str) -> None:
    with pytest.raises(SampleError, match=reason):
        SMALL.prepare(raw)


def test_frames_from_0_to_1_are_not_black_beside_others() -> None:
    bright = np.linspace(0, 1, 64).reshape(4, 4, 4)
    with pytest.raises(SampleError, match=r"values up to 1 in all frames; expected 0 to 255. Multiply them by 255"):
        SMALL.prepare(bright)
    assert VideoModality(size=(4, 4), frames=4, limits=(0, 1)).prepare(bright).max() == 1
    faded = np.concatenate([bright[:2], 200 * bright[2:]])
    assert VideoModality(size=(4, 4), frames=4).prepare(faded).max() == pytest.approx(200)


def test_other_limits_are_told_and_kept() -> None:
    modality = VideoModality(size=(4, 4), frames=2, transform="grey", limits=(0, 4000))
    scaling = modality.fixed_scaling()
    assert scaling is not None
    values = scaling.normalise(modality.prepare(np.full((3, 4, 4), 1000, np.uint16)))
    assert values.mean() == pytest.approx(0.25)
    assert modality_from_dict(modality.to_dict()) == modality


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"size": (0, 4)}, r"size is \(0, 4\); expected a height and a width"),
        ({"size": (4,)}, "expected a height and a width"),
        ({"frames": 0}, "frames is 0; expected 1 or more"),
        ({"transform": "mfcc"}, "transform is 'mfcc'; expected 'grey', 'flow' or none"),
        ({"limits": (3, 3)}, "expected two numbers, the lower first"),
        ({"size": (4096, 4096), "frames": 2}, "grid is 2 x 4096 x 4096; expected at most 16,777,216 points"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any], reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        VideoModality(**options)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.mp4", b"", "a.mp4 is empty; expected a video file"),
        ("a.mp4", b"#EXTM3U\nhttp://example.org/other.ts\n", "a.mp4 holds text; expected a video file"),
        (
            "a.avi",
            bytes(range(256)) * 8,
            "a.avi holds no video; it is damaged, cut short, or of a codec that",
        ),
        ("a.npy", b"\x93NUMPY", "a.npy is not a readable .npy file"),
    ],
)
def test_files_that_are_no_videos_say_so(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SampleError, match=f"read: {reason}"):
        SMALL.prepare(SMALL.read(tmp_path / name))


def test_folders_and_missing_files_are_no_videos(tmp_path: Path) -> None:
    (tmp_path / "b.mp4").mkdir()
    with pytest.raises(SampleError, match=r"b.mp4 is a folder"):
        SMALL.read(tmp_path / "b.mp4")
    with pytest.raises(SampleError, match=r"c.mp4 is missing"):
        SMALL.read(tmp_path / "c.mp4")


def test_huge_frames_and_endless_clips_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_video(tmp_path / "a.mp4", moving_square())
    monkeypatch.setattr("fusion.modalities.clips.MAX_CLIP_PIXELS", 10 * 48 * 64)
    with pytest.raises(SampleError, match=r"a.mp4 has more than 10 frames of this size. Cut it into clips"):
        SMALL.prepare(SMALL.read(path))
    monkeypatch.setattr("fusion.modalities.clips.MAX_FRAME_PIXELS", 48 * 64 - 1)
    with pytest.raises(SampleError, match=r"a.mp4 has frames of 64 x 48; expected at most 3,071 pixels"):
        SMALL.prepare(SMALL.read(path))


def test_nothing_is_said_on_stderr(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    content = write_video(tmp_path / "a.avi", moving_square(), "XVID").read_bytes()
    for seed in range(30):
        path = tmp_path / f"{seed}.avi"
        path.write_bytes(mutated(content, seed))
        with suppress(SampleError):
            SMALL.prepare(SMALL.read(path))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("transform", [None, "grey", "flow"])
def test_what_is_written_opens_again_at_any_resolution(tmp_path: Path, transform: Any) -> None:
    modality = VideoModality(size=(33, 47), frames=5, transform=transform)
    prepared = modality.prepare(moving_square())
    modality.write(prepared, tmp_path / "odd.mp4")
    back = np.asarray(VideoFile(tmp_path / "odd.mp4"))
    assert back.shape == (5, 34, 48, 3)
    if transform is None:
        assert np.abs(back[:, :33, :47].astype(float) - prepared).mean() < 6
    modality.write(prepared[:1, :1, :2], tmp_path / "tiny.mp4")
    assert len(VideoFile(tmp_path / "tiny.mp4").moments()) == 1


def test_only_mp4_is_written(tmp_path: Path) -> None:
    prepared = SMALL.prepare(moving_square())
    with pytest.raises(DataError, match=r"cannot write a video as .gif; expected .mp4"):
        SMALL.write(prepared, tmp_path / "a.gif")
    with pytest.raises(DataError, match="expected a name in Unicode in a folder that exists"):
        SMALL.write(prepared, tmp_path / "nowhere" / "a.mp4")


def test_a_film_strip_is_drawn(tmp_path: Path) -> None:
    prepared = SMALL.prepare(moving_square())
    SMALL.plot(prepared, np.zeros((9, 30, 30, 3)), tmp_path / "strip.png", "a: $square, 12.3 dB")
    strip = cv2.imread(str(tmp_path / "strip.png"))
    assert strip.shape[1] > strip.shape[0] > 100
    top, bottom = np.array_split(strip, 2)
    assert top.std() > 0
    assert (bottom == 0).all(axis=-1).mean() > 0.3
