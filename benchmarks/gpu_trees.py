"""Trees on a device beside trees on the processor: ``python benchmarks/gpu_trees.py [ROWS]``."""

from __future__ import annotations

import sys
import time

import numpy as np

from fusion.estimators import FunctaClassifier, LocalTrainer

_COLUMNS, _CLASSES = 512, 10


def main(rows: int = 50_000) -> None:
    """Train the paper's trees, 20 rounds, on synthetic functas, and test on as many that were not seen."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, _CLASSES, 2 * rows)
    centres = rng.normal(0, 0.25, (_CLASSES, _COLUMNS))
    data = (centres[labels] + rng.normal(0, 1, (2 * rows, _COLUMNS))).astype(np.float32)
    for device in ("cpu", "cuda"):
        classifier = FunctaClassifier(n_estimators=20, early_stopping_rounds=None)
        seconds = []
        for _ in range(2):
            begin = time.perf_counter()
            classifier.fit_rows(data[:rows], labels[:rows], trainer=LocalTrainer(device=device))
            seconds.append(time.perf_counter() - begin)
        accuracy = np.mean(classifier.predict(data[rows:]) == labels[rows:])
        print(
            f"XGBoost, {rows} rows x {_COLUMNS}, {_CLASSES} classes, 20 rounds, {device}: "
            f"{min(seconds):.1f} s, accuracy {accuracy:.4f}",
            flush=True,
        )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
