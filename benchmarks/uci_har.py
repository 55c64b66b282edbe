"""UCI-HAR, official subjects: what each choice of the sensor preset is worth, beside XGBoost on the raw windows.

    python benchmarks/uci_har.py "UCI HAR Dataset" --out results.json

Every row is encoded and trained anew with the paper's XGBoost parameters; stores under --work are resumed. Two more can
be asked for by name, MiniRocket and MultiRocket-Hydra, with the extra `controls`.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

import fusion

VARIANTS: dict[str, dict[str, Any]] = {
    "preset": {},
    "omega 30": {"omegas": (30.0, 1.0)},
    "omega 120": {"omegas": (120.0, 1.0)},
    "omega 10, 10": {"omegas": (10.0, 10.0)},
    "20 steps": {"fit": {"steps": 20}},
    "5 steps": {"fit": {"steps": 5}},
    "scaled by the whole range": {"modality": {"spread": None}},
    "random start": {"initialisation": "random"},
    "half": {"architecture": "paper-half"},
    "siren": {"architecture": "siren"},
}

KERNELS = {"MiniRocket": "minirocket", "MultiRocket-Hydra": "multirocket-hydra"}


def measured(dataset: fusion.datasets.Dataset, name: str, work: Path) -> dict[str, Any]:
    """Measure what a name stands for."""
    if name == "raw windows":
        return raw_windows(dataset)
    return kernels(dataset, name) if name in KERNELS else functas(dataset, name, work)


def raw_windows(dataset: fusion.datasets.Dataset) -> dict[str, Any]:
    """Train XGBoost on the flattened windows themselves."""
    samples = list(dataset)
    matrix = np.stack([sample.raw.ravel() for sample in samples])
    labels, groups, splits = (
        np.array([getattr(sample, name) for sample in samples]) for name in ("label", "group", "split")
    )
    training = splits == "train"
    begin = time.perf_counter()
    classifier = fusion.FunctaClassifier().fit(matrix[training], labels[training], groups=groups[training])
    accuracy = float(np.mean(classifier.predict(matrix[~training]) == labels[~training]))
    return {"accuracy": accuracy, "train_seconds": time.perf_counter() - begin, "rounds": classifier.n_rounds_}


def kernels(dataset: fusion.datasets.Dataset, name: str) -> dict[str, Any]:
    """Train random convolutional kernels on the windows, as an encoder would see them."""
    prepared = fusion.baselines.raw_matrix(dataset, fusion.encoders.encoder_config(dataset).modality)
    result = fusion.baselines.measure_baseline(KERNELS[name], prepared)
    return {
        "accuracy": result.evaluation.accuracy,
        "interval": result.evaluation.accuracy_interval,
        "seconds": result.seconds,
    }


def functas(dataset: fusion.datasets.Dataset, name: str, work: Path) -> dict[str, Any]:
    """Encode with one variant of the preset, train, and test."""
    options = dict(VARIANTS[name])
    config = fusion.encoders.encoder_config(dataset, options=options, fit=options.pop("fit", {}))
    store = work / f"{name.replace(' ', '-').replace(',', '')}.zarr"
    encoded = fusion.encode(dataset, store, config)
    result = fusion.train(store, preset="paper")
    return {
        "accuracy": result.accuracy,
        "interval": result.accuracy_interval,
        "rounds": result.rounds,
        "train_seconds": result.seconds,
        "psnr": encoded.psnr_mean,
        "samples_per_second": encoded.samples_per_second,
    }


def main() -> None:
    """Print one JSON line for each variant as it is done, and write all of them at the end."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("--variants", nargs="*", default=["raw windows", *VARIANTS])
    parser.add_argument("--work", type=Path)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    dataset, table = fusion.datasets.UciHar(arguments.source), {}
    with tempfile.TemporaryDirectory() as temporary:
        for name in arguments.variants:
            work = arguments.work or Path(temporary)
            table[name] = measured(dataset, name, work)
            print(json.dumps({name: table[name]}), flush=True)
    if arguments.out:
        arguments.out.write_text(json.dumps(table, indent=2) + "\n")


if __name__ == "__main__":
    main()
