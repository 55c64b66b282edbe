"""Write image files that are sound, unusual or broken."""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SOUND = {
    "plain.png": {},
    "plain.jpg": {"quality": 95},
    "plain.bmp": {},
    "plain.gif": {},
    "plain.tif": {"compression": "tiff_lzw"},
    "plain.webp": {"lossless": True},
    "plain.ppm": {},
}


def picture(height: int = 12, width: int = 10, seed: int = 0) -> NDArray[np.uint8]:
    """Return a smooth colour picture, so that JPEG keeps it nearly as it is."""
    rows, columns = np.mgrid[0:height, 0:width]
    phase = np.random.default_rng(seed).uniform(0, 3, 3)
    waves = [np.sin(rows / 4 + p) + np.cos(columns / 5 - p) for p in phase]
    return np.rint(127 + 60 * np.dstack(waves)).astype(np.uint8)


def write_picture(path: Path, *, seed: int = 0, mode: str = "RGB", **options: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture(seed=seed)).convert(mode).save(path, **options)
    return path


def png(width: int, height: int, rows: bytes, *, depth: int = 8, colour: int = 2) -> bytes:
    """Return a PNG whose header says what it likes."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(map(_chunk, *zip(*chunks, strict=True)))


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def deep_png(levels: NDArray[np.uint16]) -> bytes:
    """Return a 16-bit colour PNG."""
    rows = [b"\0" + row.astype(">u2").tobytes() for row in levels]
    return png(levels.shape[1], levels.shape[0], b"".join(rows), depth=16)


def unusual_files(folder: Path) -> list[str]:
    """Write images that are unusual but sound; return their names."""
    for name, options in SOUND.items():
        write_picture(folder / name, **options)
    write_picture(folder / "grey.png", mode="L")
    write_picture(folder / "bits.png", mode="1")
    write_picture(folder / "palette.png", mode="P")
    write_picture(folder / "cmyk.jpg", mode="CMYK")
    write_picture(folder / "alpha.png", mode="RGBA")
    (folder / "deep.png").write_bytes(deep_png(picture().astype(np.uint16) * 257))
    Image.fromarray(np.full((12, 10, 3), 99, np.uint8)).save(folder / "constant.png")
    Image.fromarray(picture(1, 1)).save(folder / "one pixel.png")
    write_picture(folder / "jpeg inside.jpg").rename(folder / "jpeg inside.png")
    write_picture(folder / "été 猫 \"quoted\" 'it's'.png")
    return sorted(path.name for path in folder.iterdir())


def broken_files(folder: Path) -> dict[str, str]:
    """Write files that are no images, named like images; return the reason to expect of each."""
    whole = write_picture(folder / "cut.jpg", quality=95).read_bytes()
    (folder / "cut.jpg").write_bytes(whole[: len(whole) * 2 // 3])
    whole = write_picture(folder / "cut.png").read_bytes()
    (folder / "cut.png").write_bytes(whole[: len(whole) // 2])
    (folder / "empty.png").touch()
    (folder / "text.png").write_text("no picture")
    (folder / "folder.png").mkdir()
    (folder / "bomb.png").write_bytes(png(50_000, 50_000, bytes(1 << 20)))
    (folder / "big.png").write_bytes(png(10_000, 10_000, bytes(1 << 20)))
    (folder / "nowhere.png").symlink_to("gone.png")
    os.mkfifo(folder / "pipe.png")
    return {
        "cut.jpg": "read: cut.jpg cannot be read",
        "cut.png": "read: cut.png cannot be read",
        "empty.png": "read: empty.png is empty; expected an image file",
        "text.png": "read: text.png holds no image that can be read; expected PNG, JPEG",
        "folder.png": "read: folder.png is a folder",
        "bomb.png": "read: bomb.png is too large to decode; expected at most 67,108,864 pixels",
        "big.png": "read: big.png is too large to decode, 10,000 x 10,000; expected at most 67,108,864 pixels",
        "nowhere.png": "read: nowhere.png is a link to nothing",
        "pipe.png": "read: pipe.png is no ordinary file",
    }
