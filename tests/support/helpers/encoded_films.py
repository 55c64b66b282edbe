"""Class folders of films encoded with little work, here or in a process of its own."""

from __future__ import annotations

from pathlib import Path

import fusion
from helpers.made_videos import peak_memory, write_splits


def split_folder(root: Path) -> fusion.datasets.Hmdb51:
    """Put everything under ``root/clips`` into the training split."""
    names = [path.relative_to(root / "clips").as_posix() for path in sorted((root / "clips").glob("*/*.avi"))]
    write_splits(root / "testTrainMulti_7030_splits", dict.fromkeys(names, "1"))
    return fusion.datasets.Hmdb51(root)


def encoded(dataset: fusion.datasets.Hmdb51, store: Path, transform: str | None = None) -> fusion.encoders.EncodeReport:
    modality = {"size": [8, 8], "frames": 4, "transform": transform}
    config = fusion.encoders.encoder_config(dataset, options={"modality": modality, "fit": {"steps": 1}})
    return fusion.encode(dataset, store, config, fusion.encoders.EncodeOptions(workers=1))


def peaks(folder: Path, counts: tuple[int, ...]) -> list[int]:
    """Largest memory of this process in MiB after encoding so many clips, each time into a new store."""
    found = []
    for count in counts:
        root = folder / str(count)
        (root / "clips" / "a").mkdir(parents=True)
        for index in range(count):
            (root / "clips" / "a" / f"{index}.avi").hardlink_to(folder / "a.avi")
        assert encoded(split_folder(root), root / "s.zarr").rows == count
        found.append(peak_memory())
    return found
