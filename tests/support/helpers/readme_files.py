"""Write small files under the names that the README uses, in the layouts that it names."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from helpers.har_files import har_windows, write_har
from helpers.image_files import write_picture
from helpers.made_videos import moving_square, write_video
from helpers.sound_files import tone, write_sound


def write_readme_files(folder: Path) -> Path:
    """Write pictures, sounds, films, a table of walks and UCI-HAR; give the folder of UCI-HAR."""
    for number in range(6):
        label = ("cat", "dog")[number % 2]
        place = f"{'train' if number < 4 else 'test'}/{label}/{1 if number == 4 else number + 10}"
        write_picture(folder / "photos" / f"{place}.png", seed=number)
    for number in range(16):
        place = f"{'train' if number < 12 else 'test'}/{('bark', 'purr')[number % 2]}/{number:02d}"
        sound = tone(frequency=300 + 300 * (number % 2) + number)
        write_sound(folder / "sounds" / f"{place}.wav", sound)
        write_video(folder / "films" / f"{place}.mp4", moving_square(seed=number))
    write_sound(folder / "new.wav")
    write_video(folder / "new.mp4", moving_square(seed=99))
    _write_walks(folder / "walks.csv")
    _write_walks(folder / "new-walk.csv", count=1)
    np.savetxt(folder / "new-window.csv", har_windows(np.array([1]), seed=5)[0], delimiter=",")
    return write_har(folder)


def _write_walks(path: Path, count: int = 16) -> None:
    random, lines = np.random.default_rng(0), ["id,time,ax,ay,az,label,group"]
    for number in range(count):
        for reading in range(140):
            values = ",".join(f"{value:.3f}" for value in random.normal(number % 2, 0.2, 3))
            lines.append(f"walk-{number},{reading * 0.02:.2f},{values},{('slow', 'quick')[number % 2]},person-{number}")
    path.write_text("\n".join(lines) + "\n")
