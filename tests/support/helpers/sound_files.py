"""Write sound files that are sound, unusual or broken."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

RATE = 8000
FORMATS = {".wav": "WAV", ".flac": "FLAC", ".ogg": "OGG", ".mp3": "MP3", ".aiff": "AIFF"}


def tone(seconds: float = 0.3, rate: int = RATE, frequency: float = 440.0) -> NDArray[np.float32]:
    """Return a tone that fades in and out, at most half of full scale."""
    time = np.arange(round(seconds * rate)) / rate
    fade = np.sin(np.pi * time / seconds)
    return (0.5 * fade * np.sin(2 * np.pi * frequency * time)).astype(np.float32)


def noise(seconds: float, rate: int = RATE) -> NDArray[np.float32]:
    return np.random.default_rng(0).normal(0.0, 0.1, round(seconds * rate)).astype(np.float32)


def encoded(suffix: str, samples: NDArray[np.float32] | None = None, rate: int = RATE, **options: str) -> bytes:
    """Return the content of a sound file."""
    memory = io.BytesIO()
    samples = tone(rate=rate) if samples is None else samples
    soundfile.write(memory, samples, rate, format=FORMATS[suffix], **options)
    return memory.getvalue()


def write_sound(path: Path, samples: NDArray[np.float32] | None = None, rate: int = RATE, **options: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encoded(path.suffix, samples, rate, **options))
    return path


def wav(samples: bytes, *, claimed: int | None = None, rate: int = RATE, channels: int = 1) -> bytes:
    """Return a 16-bit WAV file whose header claims as many bytes of samples as it likes."""
    claimed = len(samples) if claimed is None else claimed
    layout = struct.pack("<HHIIHH", 1, channels, rate, 2 * rate * channels % (1 << 32), 2 * channels, 16)
    head = b"WAVEfmt " + struct.pack("<I", len(layout)) + layout + b"data" + struct.pack("<I", claimed)
    return b"RIFF" + struct.pack("<I", min(len(head) + claimed, 0xFFFFFFFF)) + head + samples


def unusual_files(folder: Path) -> list[str]:
    """Write sounds that are unusual and can be used; return their names."""
    stereo = np.stack([tone(), -0.5 * tone()], axis=1)
    for suffix in FORMATS:
        write_sound(folder / f"plain{suffix}")
    write_sound(folder / "8 bit.wav", subtype="PCM_U8")
    write_sound(folder / "24 bit.wav", subtype="PCM_24")
    write_sound(folder / "double.wav", subtype="DOUBLE")
    write_sound(folder / "stereo.flac", stereo)
    write_sound(folder / "six channels.wav", np.tile(tone()[:, None], 6))
    write_sound(folder / "96 kHz.wav", tone(rate=96_000), 96_000)
    write_sound(folder / "silence.wav", np.zeros(2000, np.float32))
    write_sound(folder / "constant.wav", np.full(2000, 0.25, np.float32))
    write_sound(folder / "one sample.wav", np.full(1, 0.25, np.float32))
    write_sound(folder / "too loud.wav", 1e30 * tone(), subtype="FLOAT")
    write_sound(folder / "Straße 'q\" 音.wav")
    (folder / "really flac.wav").write_bytes(encoded(".flac"))
    (folder / "claims hours.wav").write_bytes(wav(b"\1\2" * 2000, claimed=0xFFFFFF00))
    (folder / "cut.mp3").write_bytes(encoded(".mp3", noise(10.0))[:-20_000])
    (folder / "cut.ogg").write_bytes(encoded(".ogg", noise(10.0))[:-20_000])
    return sorted(path.name for path in folder.iterdir() if path.is_file())


def broken_files(folder: Path) -> dict[str, str]:
    """Write files that cannot be used; return by name how the reason begins."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, place, value in (("nan.wav", 100, np.nan), ("infinite.wav", 7, np.inf)):
        samples = tone()
        samples[place] = value
        write_sound(folder / name, samples, subtype="FLOAT")
    (folder / "folder.wav").mkdir()
    for suffix in FORMATS:
        (folder / f"empty{suffix}").write_bytes(b"")
    (folder / "text.wav").write_text("not a sound at all\n" * 50)
    (folder / "no samples.wav").write_bytes(wav(b""))
    (folder / "cut.wav").write_bytes(encoded(".wav")[:3000])
    (folder / "cut in the head.wav").write_bytes(encoded(".wav")[:30])
    (folder / "cut.flac").write_bytes(encoded(".flac", noise(2.0))[:10_000])
    (folder / "cut in the head.flac").write_bytes(encoded(".flac")[:60])
    (folder / "slow.wav").write_bytes(wav(b"\1\2" * 100, rate=3))
    (folder / "fast.wav").write_bytes(wav(b"\1\2" * 100, rate=2_000_000_000))
    damaged = "is not a sound that can be decoded: "
    return {
        "nan.wav": "prepare: nan at sample 100; expected finite numbers",
        "infinite.wav": "prepare: inf at sample 7; expected finite numbers",
        "folder.wav": "read: folder.wav is a directory; expected a sound file",
        **{f"empty{suffix}": f"read: empty{suffix} is empty; expected a sound file" for suffix in FORMATS},
        "text.wav": f"read: text.wav {damaged}Format not recognised",
        "no samples.wav": "read: no samples.wav holds no samples; expected at least one",
        "cut.wav": "read: cut.wav holds 2,956 of 4,800 bytes of sound; it is cut short",
        "cut in the head.wav": f"read: cut in the head.wav {damaged}",
        "cut.flac": f"read: cut.flac {damaged}flac decoder lost sync",
        "cut in the head.flac": f"read: cut in the head.flac {damaged}",
        "slow.wav": "read: slow.wav has 3 samples per second; expected 1,000 to 768,000",
        "fast.wav": "read: fast.wav has 2000000000 samples per second; expected 1,000 to 768,000",
    }


def mutated(content: bytes, random: np.random.Generator) -> bytes:
    """Return a file with some bytes changed, cut out, repeated or cut off; half of the changes fall into its head."""
    changed = bytearray(content)
    for _ in range(int(random.integers(1, 12))):
        reach = len(changed) if random.random() < 0.5 else min(len(changed), 120)
        place = int(random.integers(0, max(1, reach)))
        kind, size = random.integers(4), int(random.integers(1, 40))
        if kind == 0:
            changed[place : place + 1] = random.bytes(1)
        elif kind == 1:
            changed[place : place + 4] = random.choice([b"\xff\xff\xff\xff", b"\0\0\0\0", b"\xff\xff\xff\x7f"])
        elif kind == 2:
            changed[place : place + size] = b"" if random.random() < 0.5 else 2 * changed[place : place + size]
        elif random.random() < 0.2:
            del changed[place:]
    return bytes(changed)
