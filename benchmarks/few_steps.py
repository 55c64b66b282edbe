"""How much of a sample a few gradient steps reach: Adam from the averaged start, the learned start, modulations.

Usage: python benchmarks/few_steps.py uci-har FOLDER [--samples 300]

State is learned on training samples, figures are over test samples chosen by a seeded hash of their IDs.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from heapq import nsmallest
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fusion
from fusion.encoders.learning import learn_encoder
from fusion.splits import seeded_hash

if TYPE_CHECKING:
    from collections.abc import Iterator

STEPS = (3, 5, 10)
RATES = (1e-3, 5e-3, 2e-2)


def configurations(dataset: fusion.datasets.Dataset) -> Iterator[tuple[str, Any]]:
    """Yield a name and a configuration for each way."""
    for rate in RATES:
        yield f"average, Adam at {rate:g}", fusion.encoders.encoder_config(dataset, fit={"learning_rate": rate})
    yield "meta", fusion.encoders.encoder_config(dataset, options={"initialisation": "meta"})
    yield "modulation", fusion.encoders.encoder_config(dataset, options={"kind": "modulation"})


def main() -> None:
    """Print a table of mean PSNR in dB."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--samples", type=int, default=300)
    given = parser.parse_args()
    with fusion.open_dataset(given.dataset, given.folder) as dataset:
        training = [sample for sample in dataset if sample.split == "train"]
        tested = nsmallest(
            given.samples,
            (sample for sample in dataset if sample.split == "test"),
            key=lambda sample: seeded_hash(sample.id, 0),
        )
        print(f"{'':24}" + "".join(f"{steps:>4} steps" for steps in STEPS) + "  learned in")
        for name, config in configurations(dataset):
            begin = time.perf_counter()
            encoder = learn_encoder(config, training)
            seconds = time.perf_counter() - begin
            figures = []
            for steps in STEPS:
                shorter = replace(encoder.config, fit=replace(encoder.config.fit, steps=steps))
                figures.append(replace(encoder, config=shorter).encode(tested).rows.psnr.mean())
            print(f"{name:24}" + "".join(f"{figure:10.1f}" for figure in figures) + f"{seconds:10.1f} s", flush=True)


if __name__ == "__main__":
    main()
