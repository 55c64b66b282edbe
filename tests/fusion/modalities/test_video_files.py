"""Video files as users have them: damaged, hostile, oddly named, and many."""

from __future__ import annotations

import multiprocessing
import os
import struct
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
from helpers.encoded_films import encoded, peaks, split_folder
from helpers.made_videos import moving_square, peak_of_reading, read_mutated, write_video

import fusion

T = TypeVar("T")

CODECS = {"a.mp4": "mp4v", "b.avi": "MJPG", "c.avi": "XVID", "d.mkv": "mp4v"}
LIMIT_SECONDS, LIMIT_MIB = 10.0, 1024


def write_good_ones(folder: Path) -> set[str]:
    whole = write_video(folder / "whole.avi", moving_square(), "MJPG")
    (folder / "truncated.avi").write_bytes(whole.read_bytes()[:-4000])
    write_video(folder / "one frame.avi", moving_square(frames=1), "MJPG")
    write_video(folder / "one pixel high.avi", moving_square(frames=3, height=4, width=64)[:, :2], "MJPG")
    write_video(folder / "grey.avi", np.repeat(moving_square()[..., :1], 3, axis=-1), "FFV1")
    write_video(folder / "constant.avi", np.full((5, 32, 32, 3), 90, np.uint8), "XVID")
    write_video(folder / "x.mp4", moving_square()).rename(folder / "an mp4.avi")
    for name in ("ünï ☃.avi", 'it\'s "quoted" $(x) `y`.avi', "%03d #1 & ;.avi", "-dash.avi", "http:__a.b@c!.avi"):
        (folder / name).write_bytes(whole.read_bytes())
    return {f"a/{path.stem}" for path in folder.glob("*.avi")}


def write_bad_ones(folder: Path) -> None:
    whole = write_video(folder / "whole.avi", moving_square(), "HFYU").read_bytes()
    size, huge = (struct.pack("<II", *sides) for sides in ((64, 48), (5000, 5000)))
    (folder / "whole.avi").unlink()
    (folder / "huge.avi").write_bytes(whole.replace(size, huge))
    (folder / "empty.avi").touch()
    (folder / "text.avi").write_text("this is no video\n" * 50)
    (folder / "playlist.avi").write_text("#EXTM3U\n/etc/passwd\n")
    (folder / "noise.avi").write_bytes(np.random.default_rng(0).bytes(5000))
    (folder / "header only.avi").write_bytes(whole[:200])
    write_video(folder / "no frames.avi", np.empty((0, 32, 32, 3), np.uint8), "MJPG")
    (folder / "a folder.avi").mkdir()
    (folder / "broken link.avi").symlink_to(folder / "nowhere")
    os.mkfifo(folder / "pipe.avi")


@pytest.mark.parametrize("transform", [None, "flow"])
def test_every_file_gives_a_functa_or_a_reason(
    tmp_path: Path, transform: str | None, capfd: pytest.CaptureFixture[str]
) -> None:
    good = write_good_ones(tmp_path / "clips" / "a")
    write_bad_ones(tmp_path / "clips" / "b")
    dataset = split_folder(tmp_path)
    report = encoded(dataset, tmp_path / "s.zarr", transform)
    reasons = dict(report.failures)
    assert report.rows == len(good) == 12
    assert all(sample_id.startswith("b/") for sample_id in reasons)
    assert reasons["b/huge"] == (
        "read: huge.avi has frames of 5000 x 5000; expected at most 16,777,216 pixels. Scale it."
    )
    assert reasons["b/no frames"].startswith("read: no frames.avi has no frame that can be decoded")
    assert reasons["b/text"] == "read: text.avi holds text; expected a video file"
    assert reasons["b/a folder"] == "read: a folder.avi is a folder; expected a video file"
    assert reasons["b/pipe"] == "read: pipe.avi is not a file; expected a video file"
    assert all("\n" not in reason and len(reason) < 200 for reason in reasons.values())
    assert capfd.readouterr().err == ""


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_without_permission_says_so(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", moving_square())
    path.chmod(0)
    with pytest.raises(fusion.SampleError, match="cannot be opened: Permission denied"):
        fusion.modalities.VideoModality().read(path)


def test_a_name_that_is_not_unicode_says_so(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.mp4"))
    path.write_bytes(write_video(tmp_path / "a.mp4", moving_square()).read_bytes())
    with pytest.raises(fusion.SampleError, match=r"\\udcff.mp4' is not valid Unicode, nor can it be opened"):
        fusion.modalities.VideoModality().read(path)


def elsewhere(function: Callable[..., T], *arguments: object) -> T:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        return process.submit(function, *arguments).result()


def test_memory_does_not_grow_with_the_number_of_clips(tmp_path: Path) -> None:
    write_video(tmp_path / "a.avi", moving_square(frames=12, height=240, width=320), "XVID")
    few, many = elsewhere(peaks, tmp_path, (20, 100))
    # eighty clips hold 210 MiB
    assert many - few < 40


@pytest.mark.slow
def test_a_thousand_clips_stream(tmp_path: Path) -> None:
    write_video(tmp_path / "a.avi", moving_square(frames=12, height=240, width=320), "XVID")
    few, many = elsewhere(peaks, tmp_path, (100, 1000))
    assert many - few < 60


def test_memory_does_not_grow_with_the_length_of_a_clip(tmp_path: Path) -> None:
    short = write_video(tmp_path / "short.avi", moving_square(frames=4, height=360, width=640), "XVID")
    long = write_video(tmp_path / "long.avi", moving_square(frames=200, height=360, width=640), "XVID")
    # its frames hold 132 MiB
    assert elsewhere(peak_of_reading, long) - elsewhere(peak_of_reading, short) < 20


def outcomes(sources: list[Path], folder: Path, count: int) -> Iterator[tuple[int, str, float, int]]:
    """Read damaged copies in a process of their own, so that a crash in the decoder is told from one here."""
    context = multiprocessing.get_context("spawn")
    jobs = [(source, seed, folder) for source in sources for seed in range(count)]
    with ProcessPoolExecutor(1, mp_context=context) as process:
        yield from process.map(read_mutated, jobs, chunksize=20)


def check_outcomes(sources: list[Path], folder: Path, count: int) -> None:
    kinds: Counter[bool] = Counter()
    for seed, outcome, seconds, mebibytes in outcomes(sources, folder, count):
        assert seconds < LIMIT_SECONDS, (seed, outcome, seconds)
        assert mebibytes < LIMIT_MIB, (seed, outcome, mebibytes)
        assert outcome == "clip" or outcome.startswith("read: "), (seed, outcome)
        kinds[outcome == "clip"] += 1
    assert min(kinds[True], kinds[False]) > 0


def test_damaged_files_neither_crash_nor_hang(tmp_path: Path) -> None:
    sources = [write_video(tmp_path / name, moving_square(), code) for name, code in CODECS.items()]
    check_outcomes(sources, tmp_path, 30)


@pytest.mark.slow
@pytest.mark.parametrize("name", CODECS)
@pytest.mark.timeout(1800)
def test_thousands_of_damaged_files_neither_crash_nor_hang(tmp_path: Path, name: str) -> None:
    check_outcomes([write_video(tmp_path / name, moving_square(), CODECS[name])], tmp_path, 5000)


@pytest.mark.slow
@pytest.mark.real_data
@pytest.mark.parametrize("pattern", ["small/walk/*.mp4", "original/walk/*.avi"])
@pytest.mark.timeout(1800)
def test_thousands_of_damaged_real_clips(tmp_path: Path, public_data: Path, pattern: str) -> None:
    source = min((public_data / "jhmdb").glob(pattern), key=lambda path: path.stat().st_size)
    check_outcomes([source], tmp_path, 5000)
