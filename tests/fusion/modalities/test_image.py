from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from helpers.image_files import SOUND, broken_files, deep_png, picture, unusual_files, write_picture
from PIL import Image

from fusion.errors import ConfigError, DataError, SampleError
from fusion.modalities import modality_from_dict
from fusion.modalities.image import ImageModality

SMALL = ImageModality(size=(12, 10), channels=3)


def test_an_image_becomes_values_and_comes_back() -> None:
    modality = ImageModality().resolved(picture())
    scaling = modality.fixed_scaling()
    values = scaling.normalise(modality.prepare(picture()))
    assert (modality.grid, modality.d_in, modality.d_out) == ((12, 10), 2, 3)
    assert values.min() >= 0.0
    assert values.max() <= 1.0
    np.testing.assert_allclose(modality.restore(values, scaling, modality.grid), picture(), atol=1e-4)


@pytest.mark.parametrize("name", SOUND)
def test_every_format_is_read_by_its_content(tmp_path: Path, name: str) -> None:
    path = write_picture(tmp_path / name, **SOUND[name]).rename(tmp_path / "misnamed.png")
    tolerance = {"plain.jpg": 16, "plain.gif": 20}.get(name, 0)
    difference = np.abs(SMALL.prepare(SMALL.read(path)) - picture())
    assert difference.max() <= tolerance


def test_every_unusual_image_can_be_prepared(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for name in unusual_files(tmp_path):
        prepared = SMALL.prepare(SMALL.read(tmp_path / name))
        assert prepared.shape == (12, 10, 3), name
        assert prepared.min() >= 0, name
        assert 1 < prepared.max() <= 255, name
    assert capfd.readouterr().err == ""


def test_every_broken_file_says_why_and_nothing_else_does(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for name, reason in broken_files(tmp_path).items():
        with pytest.raises(SampleError) as caught:
            SMALL.read(tmp_path / name)
        assert str(caught.value).startswith(reason)
    with pytest.raises(SampleError, match=r"absent.png does not exist"):
        SMALL.read(tmp_path / "absent.png")
    assert capfd.readouterr().err == ""


def test_sixteen_bits_keep_what_eight_cannot(tmp_path: Path) -> None:
    levels = picture().astype(np.uint16) * 250 + 13
    (tmp_path / "deep.png").write_bytes(deep_png(levels))
    Image.fromarray(levels[..., 0]).save(tmp_path / "grey.png")
    np.testing.assert_allclose(SMALL.prepare(SMALL.read(tmp_path / "deep.png")), levels / 257, atol=1e-4)
    grey = ImageModality(size=(12, 10), channels=1)
    np.testing.assert_allclose(grey.prepare(grey.read(tmp_path / "grey.png")), levels[..., :1] / 257, atol=1e-4)


def test_what_is_transparent_shows_white() -> None:
    image = np.dstack([picture(), np.tile([0, 255], (12, 5)).astype(np.uint8)])
    prepared = SMALL.prepare(image)
    assert (prepared[:, 0::2] == 255).all()
    np.testing.assert_array_equal(prepared[:, 1::2], picture()[:, 1::2])


def test_a_file_that_is_transparent_shows_white_too(tmp_path: Path) -> None:
    image = Image.fromarray(np.dstack([picture(), np.full((12, 10), 51, np.uint8)]))
    image.save(tmp_path / "pale.png")
    image.convert("LA").save(tmp_path / "grey.png")
    pale = SMALL.prepare(SMALL.read(tmp_path / "pale.png"))
    np.testing.assert_allclose(pale, 0.2 * picture() + 0.8 * 255, atol=1)
    assert SMALL.prepare(SMALL.read(tmp_path / "grey.png")).min() > 0.8 * 255


def test_a_file_that_must_not_be_read_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_picture(tmp_path / "mine.png")

    def refuse(self: Path, *_: object) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(SampleError, match=r"^read: mine.png cannot be read: Permission denied; expected"):
        SMALL.read(path)


def test_exif_orientation_is_followed(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x112] = 6
    path = write_picture(tmp_path / "lying.png", exif=exif)
    np.testing.assert_array_equal(SMALL.read(path), np.rot90(picture(), -1))


def test_grey_is_repeated_and_colour_becomes_its_luma() -> None:
    grey = ImageModality(size=(12, 10), channels=1).prepare(picture())
    np.testing.assert_allclose(grey[..., 0], picture() @ [0.299, 0.587, 0.114], atol=1e-3)
    repeated = SMALL.prepare(picture()[..., 0])
    assert (repeated == picture()[..., :1]).all()


def test_images_shrink_by_area_and_are_refused_where_their_own_size_is_kept() -> None:
    block = np.kron(picture(), np.ones((4, 4, 1), np.uint8))
    np.testing.assert_array_equal(SMALL.prepare(block), picture())
    assert SMALL.prepare(picture(5, 5)).shape == (12, 10, 3)
    with pytest.raises(SampleError, match=r"image of 48 x 40 pixels; expected 12 x 10, as the first"):
        ImageModality().resolved(picture()).prepare(block)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (np.zeros((0, 4, 3), np.uint8), r"image of shape \(0, 4, 3\)"),
        (np.zeros((4, 4, 5), np.uint8), "1 to 4 channels"),
        (np.full((4, 4), "x"), "expected numbers"),
        (np.where(np.arange(16).reshape(4, 4) == 6, np.nan, 1.0), "row 1, column 2 is not finite"),
        (np.full((4, 4), -1), "levels from -1 to -1; expected 0 to 255"),
        (picture() / 255, r"levels from 0\.\d* to 0\.\d*; expected 0 to 255. Multiply them by 255"),
    ],
)
def test_arrays_that_are_no_images_say_so(raw: np.ndarray, reason: str) -> None:
    with pytest.raises(SampleError, match=reason):
        SMALL.prepare(raw)


def test_options_survive_their_dictionary_and_wrong_ones_are_refused() -> None:
    assert modality_from_dict(SMALL.to_dict()) == SMALL
    with pytest.raises(ConfigError, match=r"image size is \(0, 4\)"):
        ImageModality(size=(0, 4))
    with pytest.raises(ConfigError, match="channels is 2; expected 1"):
        ImageModality(channels=2)
    with pytest.raises(ConfigError, match="size is not known yet"):
        _ = ImageModality().grid


@pytest.mark.parametrize("channels", [1, 3])
def test_a_png_written_is_the_png_read_at_any_resolution(tmp_path: Path, channels: int) -> None:
    modality = ImageModality(size=(12, 10), channels=channels)
    prepared = modality.prepare(np.kron(picture(), np.ones((2, 2, 1), np.uint8)))
    modality.write(prepared + np.float32(0.3), tmp_path / "p.png")
    np.testing.assert_allclose(modality.prepare(modality.read(tmp_path / "p.png")), prepared, atol=0.8)
    modality.plot(prepared, np.repeat(prepared, 2, axis=0), tmp_path / "both.png", "one $ beside the other")
    assert (tmp_path / "both.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(DataError, match=r"cannot write an image as .gif; expected .png"):
        modality.write(prepared, tmp_path / "p.gif")
