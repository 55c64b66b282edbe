"""A whole ``encode`` of synthetic images in memory: ``gpu_encode.py [DEVICE] [SAMPLES] [SUFFIX] [functa|local]``."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from fusion.datasets.base import Sample
from fusion.encoders import EncodeOptions, encode, encoder_config
from fusion.inr.engine import use_device


class Waves:
    """Images of random waves, one class each for ten kinds of wave."""

    name, modality = "waves", "image"

    def __init__(self, samples: int) -> None:
        rng = np.random.default_rng(0)
        y, x = np.mgrid[0:1:32j, 0:1:32j]
        fields = np.stack([np.sin(6 * (np.cos(a) * x + np.sin(a) * y)) for a in np.arange(10)])
        mixed = rng.uniform(-0.5, 0.5, (samples, 3, 10)).astype(np.float32) @ fields.reshape(10, -1).astype(np.float32)
        self._images = np.clip(128 + 60 * mixed, 0, 255).astype(np.uint8).reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)

    def __iter__(self) -> Iterator[Sample]:
        for index, image in enumerate(self._images):
            split = "test" if index % 6 == 5 else "train"
            yield Sample(f"wave-{index:06d}", str(index % 10), split, None, partial(np.array, image))


OPTIONS = {
    "functa": {"initialisation": "class-average"},
    "local": {"patches": 20_000, "samples": 1000},
}


def main(device: str = "auto", samples: int = 60_000, suffix: str = ".zarr", kind: str = "functa") -> None:
    """Encode into a temporary store, and print how long it took."""
    use_device(device)
    dataset: Any = Waves(samples)
    fit = {"steps": 10} if kind == "functa" else {}
    config = encoder_config(dataset, options={"kind": kind, **OPTIONS[kind]}, fit=fit)
    last = [""]

    def progress(what: str, done: int, most: int) -> None:
        del done, most
        last[0] = what

    with tempfile.TemporaryDirectory() as folder:
        begin = time.perf_counter()
        report = encode(dataset, Path(folder) / f"waves{suffix}", config, EncodeOptions(), progress=progress)
        seconds = time.perf_counter() - begin
    print(
        f"{samples} images, {kind}, {config.fit.steps} steps, {suffix}, {report.fitted_on}: {seconds:.1f} s in all, "
        f"{report.samples_per_second:,.0f} samples/s while fitting, {report.psnr_mean:.2f} dB, {report.failed} failed; "
        f"{last[0]}",
        flush=True,
    )


if __name__ == "__main__":
    main(*sys.argv[1:2], *map(int, sys.argv[2:3]), *sys.argv[3:5])
