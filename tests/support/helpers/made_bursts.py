"""Windows of one class have a short burst somewhere, those of the other have none."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

import fusion
from fusion.datasets import ArrayDataset
from fusion.encoders import EncodeOptions, LocalConfig
from fusion.modalities.sensor import SensorModality

LENGTH, BURST = 96, 12


@dataclass(frozen=True)
class Bursts:
    """A model that has to find where a burst is, and data that know it."""

    data: ArrayDataset
    places: dict[str, int]
    store: Path
    model: Path


def made_bursts(folder: Path) -> Bursts:
    """Encode and train in a folder."""
    random = np.random.default_rng(0)
    arrays, labels, ids, places = [], [], [], {}
    for number in range(90):
        window = random.normal(0, 0.05, (LENGTH, 2)).astype(np.float32).cumsum(axis=0) * 0.2
        name, label = f"w{number:02d}", ("burst", "plain")[number % 2]
        if label == "burst":
            places[name] = int(random.integers(0, LENGTH - BURST))
            window[places[name] : places[name] + BURST] += np.sin(np.arange(BURST) * 2.0)[:, None].astype(np.float32)
        arrays.append(window)
        labels.append(label)
        ids.append(name)
    splits = ["train" if number < 60 else "test" for number in range(90)]
    data = ArrayDataset(arrays, labels=labels, ids=ids, splits=splits)
    config = LocalConfig(SensorModality(), windows=((8,),), strides=((2,),), centres=24, dimensions=12, patches=1000)
    fusion.encode(data, folder / "bursts.zarr", config, EncodeOptions(workers=1))
    fusion.train(folder / "bursts.zarr", folder / "model", preset="linear")
    return Bursts(data, places, folder / "bursts.zarr", folder / "model")
