"""Images, sounds and films as cameras, telephones and recorders write them."""

from __future__ import annotations

import os
import struct
import threading
import unicodedata
import zlib
from pathlib import Path

import numpy as np
import pytest
from helpers.made_videos import moving_square, write_video
from helpers.sound_files import RATE, encoded, noise, tone, wav, write_sound
from PIL import Image

from fusion.datasets.file_table import FileTable
from fusion.errors import SampleError
from fusion.modalities import AudioModality, VideoModality, read_recording
from fusion.modalities.clips import VideoFile
from fusion.modalities.image_files import read_image
from fusion.modalities.quiet import quiet_stderr

PICTURE = np.random.default_rng(0).integers(0, 255, (5, 7, 3), np.uint8)


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def deep_png(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    rows = b"".join(b"\0" + row.tobytes() for row in PICTURE.astype(">u2") * 257)
    head = struct.pack(">IIBBBBB", 7, 5, 16, 2, 0, 0, 0)
    chunks = {
        b"IHDR": head,
        b"eXIf": exif.tobytes().removeprefix(b"Exif\0\0"),
        b"IDAT": zlib.compress(rows),
        b"IEND": b"",
    }
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(kind, body) for kind, body in chunks.items())


def deep_tiff(orientation: int) -> bytes:
    data = (PICTURE.astype("<u2") * 257).tobytes()
    end = 8 + len(data)
    values = {
        256: 7,
        257: 5,
        258: end + 138,
        259: 1,
        262: 2,
        273: 8,
        274: orientation,
        277: 3,
        278: 5,
        279: len(data),
        284: 1,
    }
    entries = b"".join(
        struct.pack("<HHII", tag, 4 if tag in (273, 279) else 3, 3 if tag == 258 else 1, value)
        for tag, value in values.items()
    )
    directory = struct.pack("<H", len(values)) + entries + struct.pack("<I", 0)
    return b"II*\0" + struct.pack("<I", end) + data + directory + struct.pack("<HHH", 16, 16, 16)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_deep_colour_is_turned_upright_like_any_other(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(PICTURE).save(tmp_path / "plain.png", exif=exif)
    expected = read_image(tmp_path / "plain.png")
    (tmp_path / "deep.png").write_bytes(deep_png(orientation))
    (tmp_path / "deep.tif").write_bytes(deep_tiff(orientation))
    for name in ("deep.png", "deep.tif"):
        levels = read_image(tmp_path / name)
        assert levels.dtype == np.uint16
        np.testing.assert_array_equal(levels // 257, expected)


def test_standard_error_comes_back_after_many_threads(capfd: pytest.CaptureFixture[str]) -> None:
    ready = threading.Barrier(8)

    def work() -> None:
        ready.wait()
        for _ in range(200):
            with quiet_stderr():
                os.write(2, b"noise")

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    os.write(2, b"heard\n")
    assert capfd.readouterr().err == "heard\n"
    with quiet_stderr(), quiet_stderr():
        os.write(2, b"noise")
    os.write(2, b"again\n")
    assert capfd.readouterr().err == "again\n"


@pytest.mark.parametrize("subtype", ["PCM_16", "FLOAT"])
def test_a_recording_whose_size_was_never_filled_in_is_read(tmp_path: Path, subtype: str) -> None:
    content = bytearray(encoded(".wav", tone(), subtype=subtype))
    place = content.index(b"data")
    (tmp_path / "whole.wav").write_bytes(content)
    content[place + 4 : place + 8] = bytes(4)
    content[4:8] = bytes(4)
    (tmp_path / "cut.wav").write_bytes(content)
    np.testing.assert_array_equal(
        read_recording(tmp_path / "cut.wav").samples, read_recording(tmp_path / "whole.wav").samples
    )


def test_a_recording_that_was_cut_short_is_refused(tmp_path: Path) -> None:
    write_sound(tmp_path / "a.wav", tone())
    content = (tmp_path / "a.wav").read_bytes()
    (tmp_path / "a.wav").write_bytes(content[: len(content) // 2])
    with pytest.raises(SampleError, match=r"a\.wav holds [\d,]+ of [\d,]+ bytes of sound; it is cut short"):
        read_recording(tmp_path / "a.wav")
    for size in (b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f"):  # as programs write that do not know it
        (tmp_path / "a.wav").write_bytes(content[:40] + size + content[44:])
        assert len(read_recording(tmp_path / "a.wav").samples) == len(tone())


def test_an_empty_recording_stays_empty(tmp_path: Path) -> None:
    note = b"LIST" + struct.pack("<I", 4) + b"INFO"
    for name, content in {"a.wav": wav(b""), "b.wav": wav(b"") + note}.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(SampleError, match="holds no samples"):
            read_recording(tmp_path / name)


def test_channels_of_opposite_sign_are_warned_of(tmp_path: Path) -> None:
    left = noise(0.3)
    clips = {"opposite": np.stack([left, -left], 1), "alike": np.stack([left, left], 1), "one": left}
    modality = AudioModality(rate=RATE, seconds=0.3)
    raws = [modality.read(write_sound(tmp_path / f"{name}.wav", clip)) for name, clip in clips.items()]
    assert [raw.cancelled for raw in raws] == [True, False, False]
    (remark,) = modality.remarks([modality.measured(raw) for raw in raws])
    assert remark.startswith("1 of 3 clips looked at have channels of opposite sign")


def test_the_length_taken_from_the_first_clip_is_told(tmp_path: Path) -> None:
    raws = [read_recording(write_sound(tmp_path / f"{n}.wav", tone(0.3 + 0.1 * (n - 1)))) for n in range(20)]
    modality = AudioModality().resolved(raws[1])
    (remark,) = modality.remarks([modality.measured(raw) for raw in raws])
    assert "brought to 0.3 s: of 20 looked at 18 are longer and cut, 1 shorter and padded; --seconds 2 holds" in remark
    (new,) = modality.remarks_on_new([modality.measured(raw) for raw in raws])
    assert new.endswith("of 20 looked at 18 are longer and cut, 1 shorter and padded")


def with_slow_start(content: bytes, first: int) -> bytes:
    """Show the first frame of an MP4 file for a longer time: a table of two entries in place of one."""
    place = content.index(b"stts") - 4
    size, _, flags, entries, count, delta = struct.unpack(">I4s4I", content[place : place + 24])
    assert (size, entries) == (24, 1)
    table = struct.pack(">I4s6I", 32, b"stts", flags, 2, 1, first * delta, count - 1, delta)
    grown = bytearray(content[:place] + table + content[place + 24 :])
    for name in (b"moov", b"trak", b"mdia", b"minf", b"stbl"):
        at = content.index(name) - 4
        grown[at : at + 4] = struct.pack(">I", struct.unpack(">I", content[at : at + 4])[0] + 8)
    edit = grown.index(b"elst") + 12
    grown[edit : edit + 4] = struct.pack(">I", 1 << 20)
    return bytes(grown)


def test_a_film_of_variable_rate_is_sampled_by_time(tmp_path: Path) -> None:
    steady = write_video(tmp_path / "steady.mp4", moving_square(20))
    slow = tmp_path / "slow.mp4"
    slow.write_bytes(with_slow_start(steady.read_bytes(), 100))
    assert VideoFile(slow).moments()[:3].tolist() == [0.0, 4000.0, 4040.0]
    modality = VideoModality(size=(24, 32), frames=8)
    frames = modality.prepare(modality.read(slow))
    first = modality.prepare(modality.read(steady))[0]
    # The first frame is on show for four of the 4.7 seconds.
    assert [bool((frame == first).all()) for frame in frames] == [True] * 6 + [False] * 2


def test_a_codec_that_is_not_decoded_is_named(tmp_path: Path) -> None:
    content = write_video(tmp_path / "a.mp4", moving_square(8)).read_bytes()
    (tmp_path / "a.mp4").write_bytes(content.replace(b"mp4v", b"av01").replace(b"esds", b"xsds"))
    with pytest.raises(SampleError, match=r"a.mp4 .*\(its codec is AV1\). Turn a whole one into H.264 by ffmpeg"):
        VideoFile(tmp_path / "a.mp4").moments()


@pytest.mark.parametrize(("listed", "stored"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_a_name_is_found_in_its_other_unicode_form(tmp_path: Path, listed: str, stored: str) -> None:
    Image.fromarray(PICTURE).save(tmp_path / unicodedata.normalize(stored, "café.png"))
    (tmp_path / "list.csv").write_text(f"path\n{unicodedata.normalize(listed, 'café.png')}\n")
    (sample,) = FileTable(tmp_path / "list.csv", modality="image")
    np.testing.assert_array_equal(sample.raw, PICTURE)


def test_whole_numbers_of_32_bits_are_no_picture(tmp_path: Path) -> None:
    Image.fromarray(PICTURE[..., 0].astype(np.int32)).save(tmp_path / "a.tif")
    with pytest.raises(SampleError, match=r"a.tif has 32 bits for each level; expected 8 or 16"):
        read_image(tmp_path / "a.tif")
    Image.fromarray(PICTURE[..., 0].astype(np.uint16)).save(tmp_path / "b.tif")
    np.testing.assert_array_equal(read_image(tmp_path / "b.tif"), PICTURE[..., 0])
