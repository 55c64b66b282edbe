"""Samples that local functas fit in a second, values in memory; reading, learning and writing are not in it.

    python benchmarks/local_speed.py uci-har "UCI HAR Dataset" --centres 1200 --workers 2
    python benchmarks/local_speed.py cifar10 cifar10 --centres 1200 --workers 2
    python benchmarks/local_speed.py uci-har "UCI HAR Dataset" --steps 2 --samples 200

The preset of the modality, with the centres given. Each worker fits every sample once in one thread; the rate
is that of all workers together, from the first one's begin to the last one's end, and of a second of their own time,
which does not depend on what else the machine does.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import fusion
from fusion.encoders.encoder import Encoder
from fusion.encoders.learning import learn_encoder

_BLOCK = 64
_LEARNED = 1000
MODALITIES = {"uci-har": "sensor", "cifar10": "image"}


def learned(arguments: argparse.Namespace) -> tuple[Encoder, NDArray[np.float32]]:
    """Learn from the first training samples, and prepare samples to fit."""
    with fusion.open_dataset(arguments.name, arguments.source, modality=MODALITIES[arguments.name]) as dataset:
        options: dict[str, Any] = {"kind": "local", "centres": arguments.centres, "patches": 20_000}
        if arguments.steps > 1:
            options["fit"] = {"steps": arguments.steps}
        training = list(islice((sample for sample in dataset if sample.split == "train"), _LEARNED))
        encoder = learn_encoder(fusion.encoders.encoder_config(dataset, options=options), training)
        raws = [encoder.config.modality.prepare(sample.raw) for sample in islice(dataset, arguments.samples)]
        return encoder, encoder.values(raws)


def fitted(encoder: Encoder, values: NDArray[np.float32]) -> tuple[float, float, float]:
    """Fit all samples in blocks; give begin and end by the clock and the seconds of this process's own time."""
    encoder.fit(values[:2])
    begin, own = time.time(), time.process_time()
    for first in range(0, len(values), _BLOCK):
        encoder.fit(values[first : first + _BLOCK])
    return begin, time.time(), time.process_time() - own


def main() -> None:
    """Print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=MODALITIES)
    parser.add_argument("source", type=Path)
    parser.add_argument("--centres", type=int, default=1200)
    parser.add_argument("--steps", type=int, default=1)
    parser.add_argument("--samples", type=int, default=2000)
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    encoder, values = learned(arguments)
    with ProcessPoolExecutor(arguments.workers) as pool:
        runs = [run.result() for run in [pool.submit(fitted, encoder, values) for _ in range(arguments.workers)]]
    wall = max(end for _, end, _ in runs) - min(begin for begin, _, _ in runs)
    rates = {
        "samples_per_second": round(len(values) * len(runs) / wall),
        "samples_per_own_second": round(len(values) * len(runs) / sum(own for *_, own in runs)),
        "load_before": round(os.getloadavg()[0], 1),
    }
    print(
        json.dumps(
            {"data": arguments.name, "windows": encoder.config.windows, "centres": encoder.config.centres} | rates
        )
    )


if __name__ == "__main__":
    main()
