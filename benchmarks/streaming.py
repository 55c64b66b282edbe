"""Encode any number of synthetic sensor windows and watch the memory of the whole process tree.

    python benchmarks/streaming.py 1000000 --store big.zarr

The windows are generated as they are read, so everything that grows with their number is the toolkit's own.
"""

from __future__ import annotations

import argparse
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import psutil
from numpy.typing import NDArray

import fusion
from fusion.modalities.sensor import SensorModality


@dataclass(frozen=True)
class Waves:
    """Windows of 32 readings of three noisy waves, one class per frequency."""

    samples: int
    name: str = "waves"
    modality: str = "sensor"

    def default_modality(self) -> SensorModality:
        """Give the windows' length and channels."""
        return SensorModality(length=32, channels=("x", "y", "z"), rate=50.0)

    def __iter__(self) -> Iterator[fusion.Sample]:
        for index in range(self.samples):
            split = "train" if index < 1000 else "test"
            yield fusion.Sample(f"w{index:08d}", f"wave-{index % 4}", split, f"p{index % 40}", partial(wave, index))


def wave(index: int) -> NDArray[np.float32]:
    """Generate one window."""
    rng = np.random.default_rng(index)
    angles = np.linspace(0, 2 * np.pi * (1 + index % 4), 32)[:, None] + rng.uniform(0, 6, 3)
    return (np.sin(angles) + 0.1 * rng.normal(size=(32, 3))).astype(np.float32)


class PeakMemory:
    """Samples the resident memory of this process and its children ten times a second."""

    def __init__(self) -> None:
        self.megabytes = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> PeakMemory:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        here = psutil.Process()
        while not self._stop.wait(0.1):
            self.megabytes = max(self.megabytes, sum(map(_resident, [here, *here.children(recursive=True)])) / 1e6)


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0


def main() -> None:
    """Print rows, rate and peak memory as one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("samples", type=int)
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--workers", type=int)
    arguments = parser.parse_args()
    waves = Waves(arguments.samples)
    options = {"architecture": "paper-half", "modality": {"length": 32}}
    config = fusion.encoders.encoder_config(waves, options=options, fit={"steps": 3})
    with PeakMemory() as peak:
        report = fusion.encode(waves, arguments.store, config, fusion.encoders.EncodeOptions(workers=arguments.workers))
    print(
        json.dumps(
            {
                "rows": report.rows,
                "failed": report.failed,
                "seconds": round(report.seconds, 1),
                "samples_per_second": round(report.samples_per_second),
                "peak_megabytes": round(peak.megabytes),
            }
        )
    )


if __name__ == "__main__":
    main()
